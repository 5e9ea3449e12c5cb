// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>

#include "model/quantum_key.h"

/* Process 1: own time, five quanta of 10, 20, 30, 40 and 100 ms, of which the last had begun before
 * it was seen; process 2: one whose names could not be read. All use half their time. */
static const char rows[] =
	"INSERT INTO meta VALUES ('slice_ns', '1000000000'), ('stop_ns', '2000000000'),"
	" ('state', 'complete'), ('sources', 'cpu');"
	"INSERT INTO slice VALUES (0, 0, 2000000000);"
	"INSERT INTO process VALUES (1, NULL, 11, 0, 1000000000, 0, NULL, 0, 0, 0, NULL, '3.11'),"
	" (2, NULL, 12, 0, 1000000000, 0, NULL, 0, 0, 0, NULL, NULL);"
	"INSERT INTO epoch VALUES (1, 1, 1, 0, 500000000, 'pipetask run', NULL, NULL),"
	" (2, 1, 1, 500000000, 510000000, 'isr', NULL, 'q'),"
	" (3, 1, 1, 510000000, 530000000, 'isr', NULL, 'q'),"
	" (4, 1, 1, 530000000, 560000000, 'isr', NULL, 'q'),"
	" (5, 1, 1, 560000000, 600000000, 'isr', NULL, 'q'),"
	" (6, 1, 1, 600000000, 700000000, 'isr', NULL, 'q'),"
	" (7, 2, 1, 400000000, 450000000, 'python3', NULL, NULL);"
	"INSERT INTO usage SELECT id, 0, (end_ns - start_ns) / 2, (end_ns - start_ns) / 2, 0 FROM "
	"epoch;"
	"INSERT INTO quantum SELECT id, id - 1, 'isr', 'x.Isr', 'id-' || id, 'u/r', NULL, id < 6"
	" FROM epoch WHERE id BETWEEN 2 AND 6;"
	"INSERT INTO quantum VALUES (7, 1, NULL, NULL, NULL, NULL, NULL, 1);"
	"INSERT INTO quantum_data SELECT id, 'visit', id % 2 FROM epoch WHERE id BETWEEN 2 AND 6;"
	"INSERT INTO quantum_data VALUES (2, 'band', 'r');";

static void open_rows(struct fixture *fixture, const char *change)
{
	fixture__create(fixture, rows, change);
}

static struct query *run(struct fixture *fixture, const struct key *key, bool in_order)
{
	struct query_request request = {.keys = {key}, .key_count = 1, .in_order = in_order};
	struct query *query;

	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	return query;
}

static const struct query_row *row_of(struct fixture *fixture, const struct query *query,
				      const char *wanted)
{
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		char *label;
		int same;

		assert_int_equal(query__request(query)->keys[0]->label(
					 fixture->tables, query__value(query, row, 0), &label),
				 0);
		same = !strcmp(label, wanted);
		free(label);
		if (same)
			return row;
	}
	fail_msg("no row '%s'", wanted);
	return NULL;
}

static void by_task(void **state)
{
	struct fixture fixture = {0};
	const struct query_details *details;
	struct query *query;

	(void)state;
	open_rows(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	query = run(&fixture, key__find("task"), false);
	details = query__details(query, row_of(&fixture, query, "isr"));
	assert_int_equal(details->quanta, 5);
	assert_int_equal(details->quantum_elapsed.count, 4);
	assert_true(fabs(details->quantum_elapsed.mean - 25e6) < 1);
	assert_true(details->quantum_elapsed.median == 25e6);
	assert_true(details->quantum_elapsed.p95 == 40e6);
	assert_true(details->quantum_elapsed.most == 40e6);
	assert_true(details->quantum_cpu.median == 12.5e6);
	details = query__details(query, row_of(&fixture, query, "pipetask run"));
	assert_int_equal(details->quanta, 0);
	assert_int_equal(details->quantum_elapsed.count, 0);
	query__free(query);
	fixture__close(&fixture);
}

/* Epochs of threads lie within their process's: its rows count no moment twice, its tasks do. */
static void quanta_of_threads(void **state)
{
	struct fixture fixture = {0};
	struct query *query;
	double elapsed_ns;

	(void)state;
	open_rows(&fixture,
		  "UPDATE epoch SET end_ns = 1000000000 WHERE id = 1;"
		  "INSERT INTO thread VALUES (1, 1, 21, 'pool', NULL);"
		  "INSERT INTO thread_epoch SELECT id, 1 FROM epoch WHERE id BETWEEN 2 AND 6;"
		  "UPDATE process SET exit_code = 1 WHERE id = 1;");
	assert_int_equal(fixture__load(&fixture), 0);
	query = run(&fixture, key__find("task"), false);
	elapsed_ns = query__details(query, row_of(&fixture, query, "isr"))->elapsed_ns;
	assert_true(fabs(elapsed_ns - 200e6) < 1);
	/* A process's end is that of its own last epoch. */
	assert_int_equal(query__details(query, row_of(&fixture, query, "isr"))->failures, 0);
	assert_int_equal(query__details(query, row_of(&fixture, query, "pipetask run"))->failures,
			 1);
	query__free(query);
	query = run(&fixture, key__find("process"), false);
	elapsed_ns = query__details(query, row_of(&fixture, query, "11"))->elapsed_ns;
	assert_true(fabs(elapsed_ns - 1000e6) < 1);
	query__free(query);
	fixture__close(&fixture);
}

static double sum_of(const struct query *query)
{
	double sum = 0;

	for (size_t i = 0; i < query__row_count(query); i++)
		sum += query__measure(query, &query__row(query, i)->own);
	return sum;
}

/* Whose function let go of what others waited for: apart from the waits themselves. */
static void held(void **state)
{
	struct query_request request = {.keys = {key__find("function")}, .key_count = 1};
	struct fixture fixture = {0};
	struct query *query;

	(void)state;
	open_rows(&fixture,
		  "UPDATE meta SET value = 'cpu,offcpu' WHERE key = 'sources';"
		  "INSERT INTO thread VALUES (1, 1, 11, 'main', NULL), (2, 1, 12, 'other', NULL);"
		  "INSERT INTO function VALUES (1, 'python', 'greedy', '/a.py', 1, '/a.py'),"
		  " (2, 'python', 'modest', '/a.py', 9, '/a.py');"
		  "INSERT INTO frame (id, function, line) VALUES (1, 1, 2), (2, 2, 10);"
		  "INSERT INTO stack VALUES (1, NULL, 1), (2, NULL, 2);"
		  "INSERT INTO ending VALUES ('python', 1, '');"
		  "INSERT INTO wait VALUES (1, 0, 'lock', 3, 60000000);"
		  "INSERT INTO sample (epoch, thread, slice, stack, ending, metric, class,"
		  " count, value, waker) VALUES"
		  " (1, 1, 0, 1, 'python', 'held', 'gil', 2, 30000000, NULL),"
		  " (1, 2, 0, 2, 'python', 'offcpu', 'lock', 3, 50000000, 1);");
	assert_int_equal(fixture__load(&fixture), 0);
	request.metric = metric__find("held");
	assert_null(query__refusal(&request));
	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	assert_true(fabs(query__measure(query, &row_of(&fixture, query, "greedy")->own) - 30e6) <
		    1);
	assert_true(fabs(sum_of(query) - 30e6) < 1);
	query__free(query);
	request.metric = metric__find("offcpu");
	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	assert_true(fabs(query__measure(query, &row_of(&fixture, query, "modest")->own) - 60e6) <
		    1);
	assert_true(fabs(sum_of(query) - 60e6) < 1);
	query__free(query);
	request.metric = metric__find("held");
	request.keys[0] = key__find("task");
	assert_non_null(query__refusal(&request));
	fixture__close(&fixture);
}

static void by_quantum(void **state)
{
	struct fixture fixture = {0};
	struct field_list list = {0};
	struct query *query;
	size_t fields = 0;

	(void)state;
	open_rows(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	query = run(&fixture, key__find("quantum"), true);
	assert_int_equal(query__row_count(query), 7); /* own time of process 1 is one of them */
	assert_ptr_equal(row_of(&fixture, query, "(unread) #1"), query__row(query, 0));
	assert_ptr_equal(row_of(&fixture, query, "isr visit=0 band=r #1"), query__row(query, 1));
	assert_ptr_equal(row_of(&fixture, query, "isr visit=0 #5"), query__row(query, 5));
	assert_ptr_equal(row_of(&fixture, query, "(own time)"), query__row(query, 6));
	/* Every row has the same fields, or a table of them would be out of step. */
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(query__describe(query, query__row(query, i), &list), 0);
		if (!fields)
			fields = list.count;
		assert_int_equal(list.count, fields);
	}
	field_list__free(&list);
	query__free(query);
	fixture__close(&fixture);
}

static void by_data(void **state)
{
	struct fixture fixture = {0};
	struct query *query;
	struct key visit, nothing;

	(void)state;
	open_rows(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	assert_true(key__of_field("dataid.visit", &visit));
	assert_false(key__of_field("dataid.", &nothing));
	assert_false(key__of_field("visit", &nothing));
	query = run(&fixture, &visit, false);
	assert_int_equal(query__row_count(query), 3);
	assert_true(row_of(&fixture, query, "1")->own.cpu_ns == 30e6);
	assert_true(row_of(&fixture, query, "0")->own.cpu_ns == 70e6);
	assert_true(row_of(&fixture, query, "-")->own.cpu_ns == 275e6);
	query__free(query);
	fixture__close(&fixture);
}

static void filters(void **state)
{
	static const struct {
		const char *pattern;
		size_t rows;
	} cases[] = {{"*", 6},	    {"id-3", 1},       {"id-*", 5},   {"visit=1", 2},
		     {"band=*", 1}, {"(own time)", 1}, {"nothing", 0}};
	struct fixture fixture = {0};

	(void)state;
	open_rows(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct query_request request = {
			.keys = {key__find("quantum")},
			.key_count = 1,
			.filters = {{key__find("quantum"), cases[i].pattern}},
			.filter_count = 1,
		};
		struct query *query;

		assert_int_equal(query__run(fixture.tables, &request, &query), 0);
		assert_int_equal(query__row_count(query), cases[i].rows);
		query__free(query);
	}
	fixture__close(&fixture);
}

/* Quantum isr runs run(), in it fit(): samples in both, and one outside of either. */
static void by_subtask(void **state)
{
	static const char stacks[] =
		"INSERT INTO ending VALUES ('python', 1, 'complete');"
		"INSERT INTO thread VALUES (1, 1, 11, 'x', NULL);"
		"INSERT INTO function VALUES (1, 'python', 'main', 'm.py', 1, 'm.py'),"
		" (2, 'subtask', 'isr', NULL, NULL, 'subtask'),"
		" (3, 'python', 'run', 'm.py', 5, 'm.py'),"
		" (4, 'subtask', 'isr.fit', NULL, NULL, 'subtask'),"
		" (5, 'python', 'fit', 'm.py', 9, 'm.py');"
		"INSERT INTO frame SELECT id, id, NULL, NULL FROM function;"
		"INSERT INTO stack VALUES (1, NULL, 1), (2, 1, 2), (3, 2, 3), (4, 3, 4), (5, 4, "
		"5);" INTO_SAMPLE
		"SELECT 2, 1, 0, n.column1, 'python', 'cpu', NULL, n.column2, 0,"
		" NULL FROM (VALUES (1, 1), (3, 4), (5, 5)) AS n;";
	static const struct {
		const char *label;
		double own, total; /* of 5 ms of the quantum's CPU time */
	} wanted[] = {{"isr", 2e6, 4.5e6}, {"isr.fit", 2.5e6, 2.5e6}};
	struct query_request request = {
		.keys = {key__find("subtask")},
		.key_count = 1,
		.filters = {{key__find("task"), "isr"}, {key__find("quantum"), "id-2"}},
		.filter_count = 2,
	};
	struct fixture fixture = {0};
	struct query *query;

	(void)state;
	open_rows(&fixture, stacks);
	assert_int_equal(fixture__load(&fixture), 0);
	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct query_row *row = row_of(&fixture, query, wanted[i].label);

		assert_true(fabs(row->own.cpu_ns - wanted[i].own) < 1);
		assert_true(fabs(row->total.cpu_ns - wanted[i].total) < 1);
	}
	query__free(query);
	/* As a filter it lets pass what the sub-task calls. */
	request.keys[0] = key__find("function");
	request.filters[1] = (struct query_filter){key__find("subtask"), "isr.f*"};
	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	assert_int_equal(query__row_count(query), 5); /* all that is on that stack */
	assert_true(fabs(row_of(&fixture, query, "fit")->own.cpu_ns - 2.5e6) < 1);
	query__free(query);
	fixture__close(&fixture);
}

/* A recording made to harm. */
static void damaged(void **state)
{
	static const char *const changes[] = {
		"INSERT INTO quantum VALUES (99, 1, NULL, NULL, NULL, NULL, NULL, 1)",
		"INSERT INTO quantum_data VALUES (1, 'visit', '1')",
		"INSERT INTO quantum_data VALUES (99, 'visit', '1')",
		"UPDATE quantum SET whole = 7",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
		" INSERT INTO quantum_data SELECT 3, 'f' || i, 'x' FROM n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture = {0};

		open_rows(&fixture, changes[i]);
		assert_int_equal(fixture__load(&fixture), -EBADMSG);
		fixture__close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_task),    cmocka_unit_test(quanta_of_threads),
		cmocka_unit_test(held),	      cmocka_unit_test(by_quantum),
		cmocka_unit_test(by_data),    cmocka_unit_test(filters),
		cmocka_unit_test(by_subtask), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
