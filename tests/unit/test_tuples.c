// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model base
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tuples.h"

#define TUPLES 100000

/* Values that differ in one place only, and there in the bits that a plain hash would lose first.
 */
static void make(uint64_t *values, uint32_t number, size_t width)
{
	for (size_t i = 0; i < width; i++)
		values[i] = i == number % width ? (uint64_t)number << 32 : 7;
}

static void check_width(size_t width)
{
	struct tuple_set *set = tuple_set__new(width);
	const uint64_t *first = NULL;
	uint64_t values[16];
	uint32_t index;

	assert_non_null(set);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < TUPLES; i++) {
			make(values, i, width);
			assert_int_equal(tuple_set__add(set, values, &index), 0);
			assert_int_equal(index, i);
			if (!i && !round)
				first = tuple_set__at(set, 0);
		}
		assert_int_equal(tuple_set__count(set), TUPLES);
	}
	assert_ptr_equal(tuple_set__at(set, 0), first); /* nothing moves */
	for (uint32_t i = 0; i < TUPLES; i++) {
		make(values, i, width);
		assert_memory_equal(tuple_set__at(set, i), values, width * sizeof(*values));
	}
	tuple_set__free(set);
}

static void test_widths(void **state)
{
	(void)state;
	check_width(1);
	check_width(2);
	check_width(5);
	check_width(16);
}

static void test_empty(void **state)
{
	struct tuple_set *set = tuple_set__new(3);

	(void)state;
	assert_non_null(set);
	assert_int_equal(tuple_set__count(set), 0);
	tuple_set__free(set);
	tuple_set__free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
