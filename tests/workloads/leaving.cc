// SPDX-License-Identifier: GPL-2.0-or-later
/* After a line of input, calls functions that end in other ways than by returning, begin with a loop,
 * recurse deeper than what is timed, or have two names; says what is to be counted of each: calls, of
 * these with a time, left in another way, recursive, and those of which that is not known. Long pauses
 * lie between the calls, in no function that is counted. */
#include <csetjmp>
#include <cstdio>
#include <unistd.h>

#define SEEN extern "C" __attribute__((noinline, noclone, used, visibility("default")))

static const int rounds = 100, depth = 40;
static volatile int sink;
static jmp_buf back;

SEEN int elsewhere(int value) /* is not counted */
{
	__asm__ volatile("" ::: "memory");
	return value + 1;
}

SEEN int way_tail(int value)
{
	sink = sink + 1;
	return elsewhere(value + 1); /* a jump as its last act */
}

SEEN int way_only_jump(int value)
{
	return elsewhere(value); /* it is nothing but a jump */
}

SEEN int way_throw(int value)
{
	sink = sink + 1;
	throw value;
}

SEEN int way_longjmp(int value)
{
	sink = sink + 1;
	longjmp(back, value + 1);
}

SEEN int way_pointer(int value, int (*to)(int))
{
	sink = sink + 1;
	return to(value); /* a jump to what a register holds */
}

SEEN int way_return(int value)
{
	__asm__ volatile("" ::: "memory");
	return value;
}

/* From another place than its first call, while the record of that one is still there. */
SEEN int deeper(int value)
{
	volatile char room[200];

	room[0] = (char)way_throw(value);
	return room[0];
}

SEEN void turn_do(volatile int *count) /* the loop is all of it */
{
	do {
	} while (--*count);
}

struct link {
	struct link *next;
};

SEEN struct link *turn_list(struct link *one)
{
	while (one->next)
		one = one->next;
	return one;
}

SEEN int turn_gcd(int one, int other)
{
	return other ? turn_gcd(other, one % other) : one;
}

SEEN int deep_unknown(int value)
{
	__asm__ volatile("" ::: "memory");
	return value;
}

SEEN int deep_recurses(int left)
{
	int below = left ? deep_recurses(left - 1) : deep_unknown(left);

	__asm__ volatile("" ::: "memory");
	return below + 1;
}

SEEN int name_first(int value)
{
	__asm__ volatile("" ::: "memory");
	return value + 2;
}

extern "C" int name_second(int value) __attribute__((alias("name_first")));

static void pause_here()
{
	usleep(500);
}

int main()
{
	struct link list[20] = {};
	volatile int count;
	int (*volatile pointed)(int) = elsewhere;
	int sum = 0;

	for (int i = 0; i < 19; i++)
		list[i].next = &list[i + 1];
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	for (int i = 0; i < rounds; i++, pause_here())
		sum += way_tail(i);
	for (int i = 0; i < rounds; i++, pause_here())
		sum += way_only_jump(i);
	for (int i = 0; i < rounds; i++, pause_here())
		sum += way_pointer(i, pointed);
	for (int i = 0; i < rounds; i++, pause_here()) {
		try {
			sum += i % 2 ? way_throw(i) : deeper(i);
		} catch (int) {
		}
	}
	for (int i = 0; i < rounds; i++, pause_here())
		if (!setjmp(back))
			sum += way_longjmp(i);
	for (int i = 0; i < rounds; i++, pause_here()) {
		count = 10;
		turn_do(&count);
		sum += turn_gcd(89, 55) + (turn_list(list) == &list[19]);
	}
	for (int i = 0; i < rounds; i++)
		sum += deep_recurses(depth - 1);
	for (int i = 0; i < rounds; i++)
		sum += name_first(i);
	sum += way_return(sum);
	printf("{\"way_tail\": [100, 100, 0, 0, 0], \"way_only_jump\": [100, 100, 0, 0, 0],"
	       " \"way_throw\": [100, 0, 100, 0, 0], \"way_longjmp\": [100, 0, 100, 0, 0],"
	       " \"way_pointer\": [100, 0, 100, 0, 0], \"way_return\": [1, 1, 0, 0, 0],"
	       " \"turn_do\": [100, 100, 0, 0, 0], \"turn_list\": [100, 100, 0, 0, 0], \"turn_gcd\": [100, 100, 0, 0, 0],"
	       " \"deep_recurses\": [4000, 3200, 0, 3900, 0], \"deep_unknown\": [100, 0, 0, 0, 100],"
	       " \"name_second\": [100, 100, 0, 0, 0], \"sum\": %d}\n",
	       sum);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
