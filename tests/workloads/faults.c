// SPDX-License-Identifier: GPL-2.0-or-later
/* Page faults, for measuring what recording adds to them:
 *
 *     faults COUNT LOOPS    touches COUNT fresh pages of 4 KiB, after each so many loops of
 * computing
 *
 * Prints nanoseconds of CPU time per page; with COUNT 0 of LOOPS loops alone. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE  4096
#define PAGES 16384 /* mapped at a time */

static uint64_t cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void compute(uint64_t loops)
{
	volatile uint64_t value = 1;

	for (uint64_t i = 0; i < loops; i++)
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
}

int main(int argc, char **argv)
{
	uint64_t count = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t loops = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t begin = cpu_ns();

	if (!count)
		compute(loops);
	for (uint64_t done = 0; done < count; done += PAGES) {
		volatile char *area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (area == MAP_FAILED || madvise((void *)area, PAGES * PAGE, MADV_NOHUGEPAGE)) {
			perror("faults");
			return 1;
		}
		for (uint64_t page = 0; page < PAGES && done + page < count; page++) {
			area[page * PAGE] = 1;
			compute(loops);
		}
		munmap((void *)area, PAGES * PAGE);
	}
	printf("%.1f\n", (double)(cpu_ns() - begin) / (double)(count ? count : 1));
	return 0;
}
