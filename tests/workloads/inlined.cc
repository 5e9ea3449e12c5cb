// SPDX-License-Identifier: GPL-2.0-or-later
/* Nearly all time in a template that is inlined twice over: square() into track::pt2() into
 * hot_loop(). Compiled with -O2 -g. The lines that run are marked; test_lines.sh finds them. */
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace physics
{
template <typename T> __attribute__((always_inline)) inline T square(T x)
{
	T last = x;

	for (int i = 0; i < 64; i++)
		last = last / (x + T(3)) + x; // LINE square
	return last;
}

struct track {
	double px, py;

	__attribute__((always_inline)) double pt2() const
	{
		return square(px) + square(py); // LINE pt2
	}
};

__attribute__((noinline)) double hot_loop(const track *tracks, int count)
{
	double total = 0;

	for (int i = 0; i < count; i++)
		total += tracks[i].pt2(); // LINE hot_loop
	return total;
}
}

static double seconds()
{
	timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	static physics::track tracks[1000];
	double limit = argc > 1 ? atof(argv[1]) : 2, total = 0;

	for (int i = 0; i < 1000; i++)
		tracks[i] = {double(i), double(i % 7)};
	while (seconds() < limit)
		total += physics::hot_loop(tracks, 1000);
	printf("%g\n", total);
	return 0;
}
