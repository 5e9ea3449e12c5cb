// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the clock without a pause, and adds up the gaps: time during which the CPU did something
 * else. The difference of two runs, with and without a sampling recorder, is the cost of its
 * interrupts in full: entry, handler, walker, and the caches they leave cold.
 *
 *     stolen SECONDS          prints "gaps stolen_ns elapsed_ns"
 *
 * Built as a shared object, stolen_measure() is called below any frames one likes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define GAP_NS	    1000 /* two readings are some 30 ns apart */
#define TOO_LONG_NS 300000 /* another process had the CPU: no interrupt takes so long */

struct stolen {
	uint64_t gaps;
	uint64_t stolen_ns;
	uint64_t elapsed_ns;
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

void stolen_measure(double seconds, struct stolen *ret_stolen)
{
	struct stolen stolen = {0};
	uint64_t start = now(), last = start, end = start + (uint64_t)(seconds * 1e9);

	while (last < end) {
		uint64_t time = now();

		if (time - last > GAP_NS && time - last < TOO_LONG_NS) {
			stolen.gaps++;
			stolen.stolen_ns += time - last;
		}
		last = time;
	}
	stolen.elapsed_ns = last - start;
	*ret_stolen = stolen;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1.0;
	struct stolen stolen;

	stolen_measure(seconds, &stolen);
	printf("%llu %llu %llu\n", (unsigned long long)stolen.gaps,
	       (unsigned long long)stolen.stolen_ns, (unsigned long long)stolen.elapsed_ns);
	return 0;
}
