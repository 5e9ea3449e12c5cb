// SPDX-License-Identifier: GPL-2.0-or-later
// Links: base
/* Which places are free: against an array that simply says it of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/extents.h"

static void expect_free(const struct extents *extents, const struct extent *free, size_t count)
{
	assert_int_equal(extents->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(extents->free[i].start, free[i].start);
		assert_int_equal(extents->free[i].count, free[i].count);
	}
}
#define EXPECT_FREE(extents, ...)                                                                  \
	expect_free(extents, (const struct extent[]){__VA_ARGS__},                                 \
		    sizeof((const struct extent[]){__VA_ARGS__}) / sizeof(struct extent))

static void taken_in_order(void **state)
{
	struct extents extents;
	uint32_t start = 77;

	(void)state;
	assert_int_equal(extents__init(&extents, 10), 0);
	assert_int_equal(extents__largest(&extents), 10);
	assert_int_equal(extents__take(&extents, 11, &start), -ENOSPC);
	assert_int_equal(start, 77);
	assert_int_equal(extents__take(&extents, 4, &start), 0);
	assert_int_equal(start, 0);
	assert_int_equal(extents__take(&extents, 6, &start), 0);
	assert_int_equal(start, 4);
	assert_int_equal(extents.count, 0);
	assert_int_equal(extents__largest(&extents), 0);
	assert_int_equal(extents__take(&extents, 1, &start), -ENOSPC);
	extents__clear(&extents);
	/* Nothing more is there than before. */
	assert_int_equal(extents__largest(&extents), 0);
	extents__clear(&extents);
}

static void given_back_joined(void **state)
{
	struct extents extents;
	uint32_t start;

	(void)state;
	assert_int_equal(extents__init(&extents, 100), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(extents__take(&extents, 10, &start), 0);
	assert_int_equal(extents__give(&extents, 20, 10), 0); /* alone */
	assert_int_equal(extents__give(&extents, 60, 10), 0); /* behind, apart */
	assert_int_equal(extents__give(&extents, 0, 10), 0); /* before, apart */
	EXPECT_FREE(&extents, {0, 10}, {20, 10}, {60, 10});
	assert_int_equal(extents__give(&extents, 30, 10), 0); /* behind one */
	assert_int_equal(extents__give(&extents, 50, 10), 0); /* before one */
	EXPECT_FREE(&extents, {0, 10}, {20, 20}, {50, 20});
	assert_int_equal(extents__give(&extents, 40, 10), 0); /* between two */
	EXPECT_FREE(&extents, {0, 10}, {20, 50});
	assert_int_equal(extents__largest(&extents), 50);
	assert_int_equal(extents__give(&extents, 95, 5), 0); /* a part, the last */
	assert_int_equal(extents__give(&extents, 10, 10), 0);
	EXPECT_FREE(&extents, {0, 70}, {95, 5});
	/* The first that is large enough, from its start. */
	assert_int_equal(extents__take(&extents, 5, &start), 0);
	assert_int_equal(start, 0);
	assert_int_equal(extents__take(&extents, 66, &start), -ENOSPC);
	assert_int_equal(extents__take(&extents, 65, &start), 0);
	assert_int_equal(start, 5);
	EXPECT_FREE(&extents, {95, 5});
	extents__clear(&extents);
}

#define PLACES 512

/* The first run of `count` free places by looking at each; PLACES: none. */
static uint32_t first_run(const bool *taken, uint32_t count)
{
	uint32_t run = 0;

	for (uint32_t i = 0; i < PLACES; i++) {
		run = taken[i] ? 0 : run + 1;
		if (run == count)
			return i + 1 - count;
	}
	return PLACES;
}

static void check_against(const struct extents *extents, const bool *taken)
{
	uint32_t at = 0;

	for (size_t i = 0; i < extents->count; i++) {
		const struct extent *extent = &extents->free[i];

		assert_true(extent->count > 0);
		assert_true(extent->start >= at + (i > 0)); /* sorted, not touching */
		for (; at < extent->start; at++)
			assert_true(taken[at]);
		for (; at < extent->start + extent->count; at++)
			assert_false(taken[at]);
	}
	for (; at < PLACES; at++)
		assert_true(taken[at]);
}

static void many_at_random(void **state)
{
	static struct extent held[PLACES];
	static bool taken[PLACES];
	struct extents extents;
	uint32_t random = 1;
	size_t count = 0, refused = 0, given = 0;

	(void)state;
	assert_int_equal(extents__init(&extents, PLACES), 0);
	for (int i = 0; i < 20000; i++) {
		uint32_t wanted, start = PLACES, expected;

		random = random * 1664525 + 1013904223;
		if (count && random >> 31) {
			size_t one = (random >> 8) % count;
			struct extent extent = held[one];

			/* Whole, or its first part. */
			if (extent.count > 1 && random >> 30 & 1)
				extent.count = 1 + (random >> 20) % (extent.count - 1);
			assert_int_equal(extents__give(&extents, extent.start, extent.count), 0);
			memset(taken + extent.start, false, extent.count);
			held[one].start += extent.count;
			held[one].count -= extent.count;
			if (!held[one].count)
				held[one] = held[--count];
			given++;
		} else {
			wanted = 1 + (random >> 8) % 40;
			expected = first_run(taken, wanted);
			assert_int_equal(extents__take(&extents, wanted, &start),
					 expected < PLACES ? 0 : -ENOSPC);
			assert_int_equal(start, expected);
			refused += start == PLACES;
			if (start < PLACES) {
				held[count++] = (struct extent){start, wanted};
				memset(taken + start, true, wanted);
			}
		}
		check_against(&extents, taken);
	}
	assert_true(refused > 100 && given > 1000);
	while (count--)
		assert_int_equal(extents__give(&extents, held[count].start, held[count].count), 0);
	EXPECT_FREE(&extents, {0, PLACES});
	extents__clear(&extents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_in_order),
		cmocka_unit_test(given_back_joined),
		cmocka_unit_test(many_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
