// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Mappings, cut, moved and released: by place what is live and what was at the peak; at last
 * against a map of single pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/live_memory.h"

#define P      4096ULL
#define PLACES 8

static struct live_memory *memory;
static struct live_figures found[LIVE_KINDS][PLACES];
static int64_t rows;
static int taken, fail_at;

static int take(void *context, enum live_memory_kind kind, int64_t stack, const char *ending,
		const struct live_figures *figures, int64_t *row)
{
	assert_ptr_equal(context, &rows);
	assert_string_equal(ending, "ok");
	assert_true(stack >= 0 && stack < PLACES);
	if (taken++ == fail_at)
		return -EIO;
	if (!*row)
		*row = ++rows;
	found[kind][stack] = *figures;
	return 0;
}

static void look(void)
{
	taken = 0;
	memset(found, 0, sizeof(found));
	assert_int_equal(live_memory__each(memory, take, &rows), 0);
}

static int setup(void **state)
{
	(void)state;
	rows = 0;
	fail_at = -1;
	memory = live_memory__new();
	return !memory;
}

static int teardown(void **state)
{
	(void)state;
	live_memory__free(memory);
	return 0;
}

static void map(int64_t place, uint64_t page, uint64_t pages)
{
	assert_int_equal(live_memory__map(memory, LIVE_MAPPED, place, "ok", page * P, pages * P),
			 0);
}

static void unmap(uint64_t page, uint64_t pages)
{
	assert_int_equal(live_memory__unmap(memory, page * P, pages * P), 0);
}

static void check(enum live_memory_kind kind, int64_t place, uint64_t count, uint64_t pages,
		  int64_t live_count, int64_t live, int64_t peak_count, int64_t peak)
{
	const struct live_figures *figures = &found[kind][place];

	assert_int_equal(figures->count, count);
	assert_int_equal(figures->bytes, pages * P);
	assert_int_equal(figures->live_count, live_count);
	assert_int_equal(figures->live_bytes, live * (int64_t)P);
	assert_int_equal(figures->peak_count, peak_count);
	assert_int_equal(figures->peak_bytes, peak * (int64_t)P);
}

static void test_peak(void **state)
{
	(void)state;
	map(1, 100, 10);
	map(2, 200, 20); /* the first peak: 30 */
	unmap(200, 20);
	map(3, 300, 5);
	look();
	check(LIVE_MAPPED, 1, 1, 10, 1, 10, 1, 10);
	check(LIVE_MAPPED, 2, 1, 20, 0, 0, 1, 20);
	check(LIVE_MAPPED, 3, 1, 5, 1, 5, 0, 0);
	map(3, 400, 50); /* another: 65 */
	unmap(100, 10);
	look();
	check(LIVE_MAPPED, 1, 1, 10, 0, 0, 1, 10);
	check(LIVE_MAPPED, 2, 1, 20, 0, 0, 0, 0);
	check(LIVE_MAPPED, 3, 2, 55, 2, 55, 2, 55);
	look();
	assert_int_equal(taken, 0); /* nothing has changed */
	assert_int_equal(rows, 3);
}

static void test_pieces(void **state)
{
	(void)state;
	map(1, 100, 10);
	unmap(104, 2); /* both ends belong to it */
	look();
	check(LIVE_MAPPED, 1, 1, 10, 1, 8, 1, 10);
	unmap(90, 14);
	look();
	check(LIVE_MAPPED, 1, 1, 10, 1, 4, 1, 10);
	map(2, 108, 4); /* over its end */
	look();
	check(LIVE_MAPPED, 1, 1, 10, 1, 2, 1, 10);
	check(LIVE_MAPPED, 2, 1, 4, 1, 4, 0, 0);
	unmap(0, 1000);
	unmap(0, 1000);
	look();
	check(LIVE_MAPPED, 1, 1, 10, 0, 0, 1, 10);
	check(LIVE_MAPPED, 2, 1, 4, 0, 0, 0, 0);
}

static void test_move(void **state)
{
	(void)state;
	map(1, 100, 10);
	assert_int_equal(live_memory__leave(memory, 7, 100 * P, 10 * P), 0);
	map(2, 100, 5); /* another thread gets the addresses */
	assert_int_equal(live_memory__arrive(memory, 7, 3, "ok", 500 * P, 30 * P), 0);
	look();
	check(LIVE_MAPPED, 1, 1, 10, 1, 10, 1, 10);
	check(LIVE_MAPPED, 2, 1, 5, 1, 5, 1, 5);
	check(LIVE_MAPPED, 3, 1, 20, 1, 20, 1, 20);
	assert_int_equal(live_memory__leave(memory, 7, 500 * P, 30 * P), 0);
	assert_int_equal(live_memory__arrive(memory, 7, 4, "ok", 500 * P, 12 * P), 0);
	look();
	check(LIVE_MAPPED, 3, 1, 20, 1, 2, 1, 20);
	assert_int_equal(live_memory__leave(memory, 7, 500 * P, 12 * P), 0);
	assert_int_equal(live_memory__arrive(memory, 7, 4, "ok", 0, 0), 0); /* it failed */
	assert_int_equal(live_memory__leave(memory, 8, 900 * P, 12 * P), 0);
	assert_int_equal(live_memory__arrive(memory, 8, 4, "ok", 950 * P, 20 * P), 0);
	assert_int_equal(live_memory__arrive(memory, 9, 4, "ok", 950 * P, 20 * P), 0);
	unmap(500, 12);
	look();
	check(LIVE_MAPPED, 1, 1, 10, 0, 0, 1, 10);
	check(LIVE_MAPPED, 3, 1, 20, 0, 0, 1, 20);
	check(LIVE_MAPPED, 4, 0, 0, 0, 0, 0, 0); /* of what nobody knew */
}

static void test_heap(void **state)
{
	(void)state;
	assert_int_equal(live_memory__heap(memory, 1, "ok", 50 * P), 0); /* from where? */
	live_memory__heap_end(memory, 50 * P);
	assert_int_equal(live_memory__heap(memory, 1, "ok", 60 * P), 0);
	live_memory__heap_end(memory, 60 * P);
	assert_int_equal(live_memory__heap(memory, 2, "ok", 70 * P), 0);
	live_memory__heap_end(memory, 70 * P);
	assert_int_equal(live_memory__heap(memory, 3, "ok", 55 * P), 0);
	look();
	check(LIVE_HEAP, 1, 1, 10, 1, 5, 1, 10);
	check(LIVE_HEAP, 2, 1, 10, 0, 0, 1, 10);
}

static void test_epochs(void **state)
{
	(void)state;
	map(1, 100, 100);
	unmap(100, 90);
	look();
	check(LIVE_MAPPED, 1, 1, 100, 1, 10, 1, 100);
	live_memory__begin_epoch(memory);
	look(); /* what is live is told again, by a row of its own */
	check(LIVE_MAPPED, 1, 0, 0, 1, 10, 1, 10);
	assert_int_equal(rows, 2);
	map(2, 300, 5); /* the first epoch's peak does not hide this one's */
	unmap(190, 10);
	look();
	check(LIVE_MAPPED, 1, 0, 0, 0, 0, 1, 10);
	check(LIVE_MAPPED, 2, 1, 5, 1, 5, 1, 5);
}

/* Another program: the epoch that it ends had a peak, but nothing is left, also of what is in
 * mremap(), and what was told before is told anew; the next one begins with nothing. */
static void test_release(void **state)
{
	(void)state;
	map(1, 100, 100);
	live_memory__begin_epoch(memory);
	map(2, 300, 5);
	assert_int_equal(live_memory__leave(memory, 7, 300 * P, 2 * P), 0);
	live_memory__heap_end(memory, 1000 * P);
	look();
	live_memory__release(memory);
	look();
	check(LIVE_MAPPED, 1, 0, 0, 0, 0, 1, 100);
	check(LIVE_MAPPED, 2, 1, 5, 0, 0, 1, 5);
	assert_int_equal(rows, 2);
	live_memory__begin_epoch(memory);
	look();
	assert_int_equal(taken, 0);
	assert_int_equal(live_memory__heap(memory, 1, "ok", 1010 * P), 0);
	assert_int_equal(live_memory__arrive(memory, 7, 1, "ok", 500 * P, 2 * P), 0);
	look();
	assert_int_equal(taken, 0);
	map(2, 300, 5);
	look();
	check(LIVE_MAPPED, 2, 1, 5, 1, 5, 1, 5);
}

static void test_hostile(void **state)
{
	(void)state;
	assert_int_equal(live_memory__map(memory, LIVE_MAPPED, 1, "ok", UINT64_MAX - 5, 10), 0);
	assert_int_equal(live_memory__map(memory, LIVE_MAPPED, 1, "ok", 10, UINT64_MAX), 0);
	assert_int_equal(live_memory__map(memory, LIVE_MAPPED, 1, "ok", 10, 0), 0);
	assert_int_equal(live_memory__unmap(memory, 0, UINT64_MAX), 0);
	look();
	assert_int_equal(taken, 0);
	for (uint64_t i = 0; i < LIVE_MEMORY_PIECES; i++)
		map(1, 2 * i, 1);
	assert_int_equal(live_memory__map(memory, LIVE_MAPPED, 1, "ok", P, P), -ENOSPC);
	look();
	check(LIVE_MAPPED, 1, LIVE_MEMORY_PIECES, LIVE_MEMORY_PIECES, LIVE_MEMORY_PIECES,
	      LIVE_MEMORY_PIECES, LIVE_MEMORY_PIECES, LIVE_MEMORY_PIECES);
	fail_at = 0;
	map(1, 0, 1);
	unmap(0, 1);
	taken = 0;
	assert_int_equal(live_memory__each(memory, take, &rows), -EIO);
}

#define PAGES 64

/* Each page's place, 0: none. */
static void test_random(void **state)
{
	int64_t owner[PAGES] = {}, at_peak[PLACES] = {}, most = 0;
	uint32_t random = 1;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		uint64_t page, pages;
		int64_t live[PLACES] = {}, all = 0;

		random = random * 1664525 + 1013904223;
		page = random >> 8 & (PAGES - 1);
		pages = 1 + (random >> 16) % (PAGES - page);
		if (random >> 30) {
			int64_t place = 1 + (random >> 24) % (PLACES - 1);

			/* What it covers goes first: that is no peak yet. */
			map(place, page, pages);
			for (uint64_t i = page; i < page + pages; i++)
				owner[i] = place;
		} else {
			unmap(page, pages);
			for (uint64_t i = page; i < page + pages; i++)
				owner[i] = 0;
		}
		for (int i = 0; i < PAGES; i++) {
			live[owner[i]] += owner[i] != 0;
			all += owner[i] != 0;
		}
		if (all > most) {
			most = all;
			memcpy(at_peak, live, sizeof(live));
		}
		if (step % 100 != 99)
			continue;
		look();
		for (int i = 1; i < PLACES; i++) {
			assert_int_equal(found[LIVE_MAPPED][i].live_bytes, live[i] * (int64_t)P);
			assert_int_equal(found[LIVE_MAPPED][i].peak_bytes, at_peak[i] * (int64_t)P);
		}
		live_memory__begin_epoch(memory);
		most = all;
		memcpy(at_peak, live, sizeof(live));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_peak, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_epochs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests_name("live_memory", tests, NULL, NULL);
}
