// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture export report store model symbols python unwind proc base
/* What BPF is told of the mappings of processes. Maps need privileges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "capture/unwinder.h"
#include "counters.h"
#include "pipescope.skel.h"

enum { PARENT = 4000001, CHILD = 4000002 }; /* pids that nobody has */

struct fixture {
	struct pipescope_bpf *bpf;
	struct unwinder *unwinder;
	uint64_t counters[PS_COUNTER_COUNT];
};

static int be_silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* The maps alone, without any program; else the test is skipped. */
static void start(struct fixture *fixture)
{
	struct bpf_program *program;

	memset(fixture, 0, sizeof(*fixture));
	libbpf_set_print(be_silent);
	fixture->bpf = pipescope_bpf__open();
	assert_non_null(fixture->bpf);
	bpf_object__for_each_program(program, fixture->bpf->obj)
		bpf_program__set_autoload(program, false);
	if (pipescope_bpf__load(fixture->bpf)) {
		pipescope_bpf__destroy(fixture->bpf);
		print_message("SKIP: BPF maps cannot be made\n");
		skip();
	}
	assert_int_equal(unwinder__new(fixture->bpf, fixture->counters, &fixture->unwinder), 0);
}

static void stop(struct fixture *fixture)
{
	unwinder__free(fixture->unwinder);
	pipescope_bpf__destroy(fixture->bpf);
}

/* What BPF knows of a process; count 0: nothing. */
static struct ps_unwind_process known(const struct fixture *fixture, uint32_t tgid)
{
	struct ps_unwind_process process = {};

	if (bpf_map_lookup_elem(bpf_map__fd(fixture->bpf->maps.unwind_processes), &tgid, &process))
		process.count = 0;
	return process;
}

static void expect_ranges(const struct fixture *fixture, uint32_t tgid,
			  const struct unwind_space *space, const struct unwind_mapping *mappings,
			  size_t count)
{
	const struct ps_unwind_process process = known(fixture, tgid);
	const struct remote_rows rows = unwinder__rows(fixture->unwinder, space);

	assert_int_equal(process.count, count);
	assert_memory_equal(&process, &rows.ranges, sizeof(process));
	for (size_t i = 0; i < count; i++) {
		const struct ps_unwind_range *range = &rows.table->ranges[process.first + i];

		assert_int_equal(range->start, mappings[i].start);
		assert_int_equal(range->size, mappings[i].end - mappings[i].start);
		assert_int_equal(range->chunk, PS_UNWIND_NO_ROWS);
	}
}

static const struct unwind_mapping two[] = {{.start = 0x400000, .end = 0x401000},
					    {.start = 0x500000, .end = 0x700000}};

static void mappings_told(void **state)
{
	struct unwind_space *space = NULL;
	struct fixture fixture;
	uint32_t set;

	(void)state;
	start(&fixture);
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &space, two, 2, 1), 0);
	expect_ranges(&fixture, PARENT, space, two, 2);
	set = known(&fixture, PARENT).set;
	assert_int_not_equal(set, 0);
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &space, two + 1, 1, 2), 0);
	expect_ranges(&fixture, PARENT, space, two + 1, 1);
	assert_false(unwind_space__waits(space));
	/* Nothing is left: nor may BPF go on with places that will be another's. */
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &space, two, 0, 3), 0);
	assert_int_equal(known(&fixture, PARENT).count, 0);
	assert_int_equal(unwinder__rows(fixture.unwinder, space).ranges.count, 0);
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &space, two, 2, 4), 0);
	expect_ranges(&fixture, PARENT, space, two, 2);
	/* BPF remembers rules by the number: what was known of other mappings is not of these. */
	assert_true(known(&fixture, PARENT).set > set);
	unwinder__unmap(fixture.unwinder, PARENT, &space, 5);
	assert_null(space);
	stop(&fixture);
}

static void more_than_a_table(void **state)
{
	static struct unwind_mapping many[PS_UNWIND_TABLE_RANGES + 1];
	struct unwind_space *space = NULL;
	struct fixture fixture;

	(void)state;
	start(&fixture);
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = (struct unwind_mapping){.start = 0x2000 * (i + 1),
						  .end = 0x2000 * (i + 1) + 0x1000};
	assert_int_equal(
		unwinder__map(fixture.unwinder, PARENT, &space, many, PS_UNWIND_TABLE_RANGES, 1),
		0);
	expect_ranges(&fixture, PARENT, space, many, PS_UNWIND_TABLE_RANGES);
	assert_int_equal(fixture.counters[PS_COUNTER_RANGES_FULL], 0);
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &space, many,
				       PS_UNWIND_TABLE_RANGES + 1, 2),
			 0);
	assert_int_equal(fixture.counters[PS_COUNTER_RANGES_FULL], 1);
	assert_int_equal(known(&fixture, PARENT).count, 0);
	stop(&fixture);
}

/* A child has its parent's until one of them maps something else. */
static void shared_with_children(void **state)
{
	struct unwind_space *parent = NULL, *child = NULL;
	struct fixture fixture;

	(void)state;
	start(&fixture);
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &parent, two, 2, 100), 0);
	/* BPF has copied what it knew at the fork; what is newer it has to be told. */
	assert_int_equal(unwinder__share(fixture.unwinder, CHILD, parent, 200, &child), 0);
	assert_ptr_equal(child, parent);
	assert_int_equal(known(&fixture, CHILD).count, 0);
	unwinder__unmap(fixture.unwinder, CHILD, &child, 300);
	assert_int_equal(unwinder__share(fixture.unwinder, CHILD, parent, 50, &child), 0);
	expect_ranges(&fixture, CHILD, child, two, 2);

	assert_int_equal(unwinder__map(fixture.unwinder, CHILD, &child, two + 1, 1, 400), 0);
	assert_ptr_not_equal(child, parent);
	expect_ranges(&fixture, CHILD, child, two + 1, 1);
	expect_ranges(&fixture, PARENT, parent, two, 2);
	unwinder__unmap(fixture.unwinder, PARENT, &parent, 500);
	expect_ranges(&fixture, CHILD, child, two + 1, 1);
	stop(&fixture);
}

/* The vDSO is the one file whose rows need no thread. */
static void rows_told(void **state)
{
	struct unwind_space *space = NULL;
	struct unwind_mapping mapping = {.start = 0x7fff00001000, .end = 0x7fff00002000};
	struct remote_rows rows;
	struct fixture fixture;

	(void)state;
	start(&fixture);
	mapping.file = unwinder__vdso(fixture.unwinder);
	assert_non_null(mapping.file);
	assert_ptr_equal(mapping.file, unwinder__vdso(fixture.unwinder));
	assert_int_equal(unwinder__map(fixture.unwinder, PARENT, &space, &mapping, 1, 1), 0);
	rows = unwinder__rows(fixture.unwinder, space);
	assert_int_equal(rows.ranges.count, 1);
	if (rows.table->ranges[rows.ranges.first].chunk == PS_UNWIND_NO_ROWS) {
		stop(&fixture);
		print_message("SKIP: no vDSO here that describes its functions\n");
		skip();
	}
	assert_int_equal(rows.table->ranges[rows.ranges.first].start, mapping.start);
	assert_int_equal(rows.table->ranges[rows.ranges.first].size, 0x1000);
	assert_non_null(rows.chunks[rows.table->ranges[rows.ranges.first].chunk]);
	assert_true(unwinder__bytes(fixture.unwinder) >= sizeof(struct ps_unwind_chunk));
	stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_told),
		cmocka_unit_test(more_than_a_table),
		cmocka_unit_test(shared_with_children),
		cmocka_unit_test(rows_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
