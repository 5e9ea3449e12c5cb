// SPDX-License-Identifier: GPL-2.0-or-later
/* called [once | always]: after a line of input, calls functions as often as it says afterwards, with
 * the time that it measured itself; exceptions, jumps and recursion among them. Then it goes on calling
 * some of them, with pauses, until the input ends; with "once" it only waits, with "always" it makes no
 * pauses. */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <poll.h>
#include <unistd.h>

#define SEEN __attribute__((noinline, noclone, used))

static uint64_t now_ns()
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return static_cast<uint64_t>(time.tv_sec) * 1000000000 + static_cast<uint64_t>(time.tv_nsec);
}

namespace work
{
volatile uint64_t sink;

SEEN void spin(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		sink = sink + 1;
}

SEEN int quick(int value)
{
	__asm__ volatile("" ::: "memory");
	return value + 1;
}

SEEN int slow(int value)
{
	spin(200000);
	return quick(value);
}

SEEN int jumps(int value)
{
	sink = sink + 1;
	return quick(value + 1); /* as its last act: no call, but a jump */
}

SEEN int recurses(int depth)
{
	int below = depth ? recurses(depth - 1) : 0;

	__asm__ volatile("" ::: "memory");
	return below + 1;
}

SEEN void throws(int value)
{
	sink = sink + 1;
	if (value % 2)
		throw value;
}

SEEN int passes(int value)
{
	throws(value);
	__asm__ volatile("" ::: "memory");
	return 1;
}

SEEN int catches(int value)
{
	try {
		return passes(value);
	} catch (int) {
		return 0;
	}
}

static inline __attribute__((always_inline)) int inlined(int value)
{
	return value + 2;
}

struct shape {
	int side;
	SEEN int area(int times) const
	{
		__asm__ volatile("" ::: "memory");
		return inlined(side * times);
	}
};
} // namespace work

int main(int argc, char **argv)
{
	int sum = 0;
	uint64_t begin, slow_ns;

	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	for (int i = 0; i < 1000; i++)
		sum += work::quick(i);
	begin = now_ns();
	for (int i = 0; i < 300; i++)
		sum += work::slow(i);
	slow_ns = now_ns() - begin;
	for (int i = 0; i < 500; i++)
		sum += work::jumps(i);
	for (int i = 0; i < 50; i++)
		sum += work::recurses(9);
	for (int i = 0; i < 400; i++)
		sum += work::catches(i);
	work::shape shape = {3};
	for (int i = 0; i < 250; i++)
		sum += shape.area(i);
	printf("{\"calls\": {\"quick\": 1800, \"slow\": 300, \"jumps\": 500, \"recurses\": 500, \"throws\": 400,"
	       " \"passes\": 400, \"catches\": 400, \"shape::area\": 250}, \"outer\": {\"recurses\": 50}, \"slow_s\": %.6f, \"sum\": %d}\n",
	       static_cast<double>(slow_ns) / 1e9, sum);
	fflush(stdout);
	const bool once = argc > 1 && !strcmp(argv[1], "once");
	const bool always = argc > 1 && !strcmp(argv[1], "always");

	for (;;) {
		struct pollfd input = {STDIN_FILENO, POLLIN, 0};

		for (int i = 0; i < 100 && !once; i++)
			sum += work::catches(i);
		if (poll(&input, 1, always ? 0 : 1) > 0)
			return 0;
	}
}
