// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Runs of items in the inner maps of an ARRAY_OF_MAPS. Maps need privileges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "capture/run_pool.h"

enum { MAPS = 3, ITEMS = 100, ITEM_SIZE = 24 };

/* An outer map for inner ones of one value of ITEMS items; else the test is skipped. */
static int outer_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, inner_options, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_map_create_opts, options);
	_cleanup_close_ int inner =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "test_inner", sizeof(uint32_t),
			       ITEMS * ITEM_SIZE, 1, &inner_options);
	int outer;

	if (inner < 0) {
		print_message("SKIP: BPF maps cannot be made: %s\n", strerror(-inner));
		skip();
	}
	options.inner_map_fd = (uint32_t)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "test_outer", sizeof(uint32_t),
			       sizeof(uint32_t), MAPS, &options);
	if (outer < 0) {
		print_message("SKIP: a map of maps cannot be made: %s\n", strerror(-outer));
		skip();
	}
	return outer;
}

static struct run_pool *new_pool(int outer)
{
	const struct run_pool_sizes sizes = {"test_inner", MAPS, ITEMS, ITEM_SIZE};
	struct run_pool *pool = NULL;

	assert_int_equal(run_pool__new(outer, &sizes, &pool), 0);
	return pool;
}

static void expect_run(struct run_pool *pool, uint32_t count, uint32_t map, uint32_t start)
{
	struct run run = {};

	assert_int_equal(run_pool__take(pool, count, &run), 0);
	assert_int_equal(run.map, map);
	assert_int_equal(run.start, start);
	assert_int_equal(run.count, count);
}

static void maps_as_needed(void **state)
{
	_cleanup_close_ int outer = outer_map();
	struct run_pool *pool = new_pool(outer);
	struct run run = {9, 9, 9};
	uint64_t one;
	uint32_t id;

	(void)state;
	assert_int_equal(run_pool__bytes(pool), 0);
	assert_int_equal(run_pool__largest(pool), 0);
	assert_null(run_pool__maps(pool)[0]);
	assert_int_equal(run_pool__take(pool, 0, &run), -EINVAL);
	assert_int_equal(run_pool__take(pool, ITEMS + 1, &run), -EINVAL);
	expect_run(pool, 60, 0, 0);
	one = run_pool__bytes(pool);
	assert_true(one >= ITEMS * ITEM_SIZE);
	assert_int_equal(run_pool__largest(pool), 40);
	expect_run(pool, 41, 1, 0);
	assert_int_equal(run_pool__bytes(pool), 2 * one);
	assert_int_equal(run_pool__largest(pool), 59);
	expect_run(pool, 40, 0, 60); /* in what is left of the first */
	expect_run(pool, ITEMS, 2, 0);
	expect_run(pool, 59, 1, 41);
	assert_int_equal(run_pool__largest(pool), 0);
	assert_int_equal(run_pool__take(pool, 1, &run), -ENOSPC);
	assert_int_equal(run.map, 9);
	for (uint32_t i = 0; i < MAPS; i++) {
		assert_non_null(run_pool__maps(pool)[i]);
		assert_int_equal(bpf_map_lookup_elem(outer, &i, &id), 0);
		assert_true(id > 0);
	}
	run_pool__free(pool);
}

/* What is written into a run is what a program finds in the map. */
static void shared_with_bpf(void **state)
{
	_cleanup_close_ int outer = outer_map();
	struct run_pool *pool = new_pool(outer);
	uint8_t value[ITEMS * ITEM_SIZE];
	struct run run;
	uint32_t id, map = 1, zero = 0;
	int inner;

	(void)state;
	assert_int_equal(run_pool__take(pool, ITEMS, &run), 0);
	memset(run_pool__items(pool, &run), 0x11, ITEMS * ITEM_SIZE);
	assert_int_equal(run_pool__take(pool, 7, &run), 0);
	assert_int_equal(run_pool__take(pool, 5, &run), 0);
	assert_int_equal(run.map, map);
	memset(run_pool__items(pool, &run), 0x22, 5 * ITEM_SIZE);
	assert_int_equal(bpf_map_lookup_elem(outer, &map, &id), 0);
	inner = bpf_map_get_fd_by_id(id);
	assert_true(inner >= 0);
	assert_int_equal(bpf_map_lookup_elem(inner, &zero, value), 0);
	close(inner);
	for (int i = 0; i < ITEMS * ITEM_SIZE; i++)
		assert_int_equal(value[i], i >= 7 * ITEM_SIZE && i < 12 * ITEM_SIZE ? 0x22 : 0);
	run_pool__free(pool);
}

static void given_back_later(void **state)
{
	_cleanup_close_ int outer = outer_map();
	struct run_pool *pool = new_pool(outer);
	const struct run none = {};
	const uint64_t start_ns = 5000000000ULL;
	struct run runs[MAPS], run;

	(void)state;
	for (int i = 0; i < MAPS; i++)
		assert_int_equal(run_pool__take(pool, ITEMS, &runs[i]), 0);
	run_pool__give(pool, &none, start_ns); /* is no run */
	run_pool__give(pool, &runs[1], start_ns);
	run_pool__give(pool, &runs[0], start_ns + 1000);
	/* A program may still be reading them. */
	assert_int_equal(run_pool__take(pool, 1, &run), -ENOSPC);
	run_pool__sweep(pool, start_ns + RUN_POOL_GRACE_NS - 1);
	assert_int_equal(run_pool__take(pool, 1, &run), -ENOSPC);
	run_pool__sweep(pool, start_ns + RUN_POOL_GRACE_NS);
	assert_int_equal(run_pool__largest(pool), ITEMS);
	expect_run(pool, 30, 1, 0);
	run_pool__sweep(pool, start_ns + RUN_POOL_GRACE_NS);
	assert_int_equal(run_pool__largest(pool), ITEMS - 30); /* not twice */
	run_pool__sweep(pool, start_ns + RUN_POOL_GRACE_NS + 1000);
	assert_int_equal(run_pool__largest(pool), ITEMS);
	expect_run(pool, 30, 0, 0);
	run_pool__free(pool);
	run_pool__free(NULL);
}

/* Maps that nothing is in any more go, whichever they are, and come again when they are needed. */
static void empty_maps_go(void **state)
{
	_cleanup_close_ int outer = outer_map();
	struct run_pool *pool = new_pool(outer);
	const uint64_t start_ns = 5000000000ULL, free_ns = start_ns + RUN_POOL_GRACE_NS;
	struct run runs[MAPS];
	uint64_t one;
	uint32_t id;

	(void)state;
	for (int i = 0; i < MAPS; i++)
		assert_int_equal(run_pool__take(pool, ITEMS, &runs[i]), 0);
	one = run_pool__bytes(pool) / MAPS;
	run_pool__give(pool, &runs[0], start_ns);
	run_pool__give(pool, &runs[1], start_ns);
	run_pool__sweep(pool, free_ns);
	expect_run(pool, 1, 0, 0); /* this one is in use again */
	run_pool__sweep(pool, free_ns + RUN_POOL_EMPTY_NS - 1);
	assert_int_equal(run_pool__bytes(pool), MAPS * one);
	run_pool__sweep(pool, free_ns + RUN_POOL_EMPTY_NS);
	assert_int_equal(run_pool__bytes(pool), 2 * one);
	assert_null(run_pool__maps(pool)[1]);
	assert_int_equal(bpf_map_lookup_elem(outer, &runs[1].map, &id), -ENOENT);
	assert_int_equal(bpf_map_lookup_elem(outer, &runs[2].map, &id), 0);
	assert_int_equal(run_pool__largest(pool), ITEMS - 1);
	expect_run(pool, ITEMS, 1, 0);
	assert_int_equal(run_pool__bytes(pool), MAPS * one);
	assert_int_equal(bpf_map_lookup_elem(outer, &runs[1].map, &id), 0);
	run_pool__give(pool, &runs[2], free_ns);
	run_pool__sweep(pool, free_ns + RUN_POOL_GRACE_NS);
	run_pool__sweep(pool, free_ns + RUN_POOL_GRACE_NS + RUN_POOL_EMPTY_NS);
	assert_int_equal(run_pool__bytes(pool), 2 * one);
	run_pool__free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_as_needed),
		cmocka_unit_test(shared_with_bpf),
		cmocka_unit_test(given_back_later),
		cmocka_unit_test(empty_maps_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
