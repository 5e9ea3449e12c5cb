// SPDX-License-Identifier: GPL-2.0-or-later
/* long_names SECONDS: spends them in a function whose name, once demangled, has 5,000 characters. */
#include <cstdlib>
#include <ctime>

template <class First, class Second> struct pair_of {
};
using two = pair_of<int, char>;
using four = pair_of<two, two>;
using eight = pair_of<four, four>;
using sixteen = pair_of<eight, eight>;
using more = pair_of<sixteen, sixteen>;
using many = pair_of<more, more>;
using long_one = pair_of<many, many>;
using longest = pair_of<pair_of<long_one, long_one>, pair_of<long_one, long_one>>;

template <class Type> __attribute__((noinline)) unsigned spin(unsigned number)
{
	for (int i = 0; i < 1000000; i++)
		number = number * 1664525 + 1013904223;
	return number;
}

int main(int, char **arguments)
{
	time_t end = time(nullptr) + atoi(arguments[1]);
	unsigned number = 1;

	while (time(nullptr) < end)
		number = spin<longest>(number);
	return number == 42;
}
