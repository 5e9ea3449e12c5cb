// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
/* Classes of waits that only samples tell, waits for files and remotes, and the node over time. */
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>

#include "model/node.h"

/* Epoch 1: thread 100 waited 100 ms for locks, a quarter of its samples for the GIL; thread 101 40
 * ms without samples; thread 102 60 ms, all for the GIL. By slice 150 and 50 ms. */
static const char rows[] =
	"UPDATE meta SET value = 'cpu,offcpu,io' WHERE key = 'sources';"
	"INSERT INTO thread VALUES (4,1,102,'third',NULL);"
	"INSERT INTO wait_class VALUES ('gil','lock','gil',1),('db','socket','pg',0);"
	"INSERT INTO wait VALUES (1,1,'lock',15,150000000),(1,2,'lock',5,50000000),"
	" (1,1,'db',2,30000000),(2,2,'lock',1,7000000),(1,1,'run_queue',3,500000000);"
	"INSERT INTO thread_wait VALUES (1,1,'lock',10,100000000),(1,2,'lock',4,40000000),"
	" (1,4,'lock',6,60000000),(1,1,'db',2,30000000),(2,3,'lock',1,7000000),"
	" (1,1,'run_queue',3,500000000);" INTO_SAMPLE
	"VALUES (1,1,1,4,'python','offcpu','lock',3,30000000,NULL),"
	" (1,1,1,5,'python','offcpu','gil',1,10000000,NULL),"
	" (1,4,1,9,'python','offcpu','gil',2,40000000,NULL);"
	"INSERT INTO file VALUES (1,'file','/data/in','ceph','/data'),"
	" (1099511627776,'socket','tcp 10.0.0.1:5432','socket',''),"
	" (1099511627777,'socket','unix /run/x (own end)','socket','');"
	"INSERT INTO remote VALUES (1099511627776,'tcp','10.0.0.1',5432,0,'registry "
	"database','pg'),"
	" (1099511627777,'unix','/run/x',NULL,1,NULL,NULL);"
	"INSERT INTO io VALUES (1,1,1099511627776,'read',0,10,4000,40000000),"
	" (1,2,1099511627776,'write',0,5,500,1000000),(1,1,1,'read',0,10,1000000,100000000),"
	" (2,2,1099511627777,'accept',0,2,0,9000000);"
	"INSERT INTO wait_on VALUES (1,1,1099511627776,'db',2,30000000),"
	" (1,1,1,'disk',4,80000000);";

static void load(struct fixture *fixture, const char *more)
{
	fixture__create(fixture, fixture_rows, rows);
	if (more)
		fixture__execute(fixture->path, more);
	assert_int_equal(fixture__load(fixture), 0);
}

static const struct query_row *row_of(const struct fixture *fixture, const struct query *query,
				      const char *wanted)
{
	const struct query_request *request = query__request(query);

	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		char text[256] = "", *label;

		for (size_t k = 0; k < request->key_count; k++) {
			assert_int_equal(request->keys[k]->label(fixture->tables,
								 query__value(query, row, k),
								 &label),
					 0);
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 k ? "|" : "", label);
			free(label);
		}
		if (!strcmp(text, wanted))
			return row;
	}
	return NULL;
}

static double waited_ms(struct fixture *fixture, const char *by, const char *wanted)
{
	struct query *query = fixture__query(fixture, by, NULL, 0);
	const struct query_row *row = row_of(fixture, query, wanted);
	double ms = row ? row->own.offcpu_ns / 1e6 : 0;

	query__free(query);
	return ms;
}

#define CHECK_MS(by, wanted, ms)                                                                   \
	do {                                                                                       \
		if (fabs(waited_ms(&fixture, by, wanted) - (ms)) > 1e-6)                           \
			fail_msg("%s %s: %f", by, wanted, waited_ms(&fixture, by, wanted));        \
	} while (0)

static void split_by_thread(void **state)
{
	struct fixture fixture;
	/* Of all samples 50 of 80 ms are for the GIL. */
	double first = 25, second = 40 * 50.0 / 80, third = 60, all = first + second + third;

	(void)state;
	load(&fixture, NULL);
	CHECK_MS("thread,wait", "100 main (pid 100)|gil", first);
	CHECK_MS("thread,wait", "100 main (pid 100)|lock", 100 - first);
	CHECK_MS("thread,wait", "101 pool (pid 100)|gil", second);
	CHECK_MS("thread,wait", "101 pool (pid 100)|lock", 40 - second);
	CHECK_MS("thread,wait", "102 third (pid 100)|gil", third);
	CHECK_MS("thread,wait", "102 third (pid 100)|lock", 0);
	CHECK_MS("wait,task", "gil|isr", all);
	CHECK_MS("wait,task", "lock|isr", 200 - all);
	CHECK_MS("wait,time", "gil|0.000 s", all * 150 / 200);
	CHECK_MS("wait,time", "lock|1.000 s", (200 - all) * 50 / 200 + 7);
	/* No samples, nothing to split. */
	CHECK_MS("wait,task", "lock|calibrate", 7);
	CHECK_MS("wait", "db", 30);
	/* By stack: each of the classes shared out over its own samples. */
	CHECK_MS("wait,function", "gil|do_syscall", all * 40 / 50);
	for (size_t i = 0; i < fixture.tables->class_count; i++)
		assert_int_equal(fixture.tables->estimated_waits[i],
				 !strcmp(fixture.tables->waits_for[i], "gil"));
	fixture__close(&fixture);
}

/* A recording that was cut off has no waits of threads that went on. */
static void split_without_threads(void **state)
{
	struct fixture fixture;

	(void)state;
	load(&fixture, "DELETE FROM thread_wait");
	CHECK_MS("wait,task", "gil|isr", 200 * 50.0 / 80);
	CHECK_MS("wait,task", "lock|isr", 200 * 30.0 / 80);
	fixture__close(&fixture);
}

static void damaged(void **state)
{
	static const char *const changes[] = {
		"UPDATE wait_class SET part_of = name",
		"WITH n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
		" INSERT INTO wait_class SELECT 'c' || i, 'lock', '', 1 FROM n",
		"INSERT INTO wait_on VALUES (77,1,1,'disk',1,1)",
		"INSERT INTO wait_on VALUES (1,1,1,'disk',-1,1)",
		"UPDATE remote SET port = 65536",
		"UPDATE remote SET own = 2",
	};
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		fixture__create(&fixture, fixture_rows, rows);
		fixture__execute(fixture.path, changes[i]);
		assert_int_equal(fixture__load(&fixture), -EBADMSG);
		fixture__close(&fixture);
	}
	/* A file that the recording lacks is not known; nothing else is wrong. */
	load(&fixture, "DELETE FROM file WHERE id = 1099511627777");
	fixture__close(&fixture);
}

static void remotes(void **state)
{
	struct fixture fixture;
	struct query *query;
	const struct query_row *row;
	struct field_list list = {0};
	bool seen = false;

	(void)state;
	load(&fixture, NULL);
	query = fixture__query(&fixture, "remote", NULL, 0);
	assert_int_equal(query__row_count(query), 2);
	row = row_of(&fixture, query, "tcp 10.0.0.1:5432");
	assert_non_null(row);
	assert_true(row->own.read_bytes == 4000 && row->own.write_bytes == 500);
	assert_true(row->own.ops == 15 && row->own.waited == 2 && row->own.waited_ns == 30e6);
	assert_int_equal(query__describe(query, row, &list), 0);
	for (size_t i = 0; i < list.count; i++)
		if (!strcmp(list.fields[i].name, "service")) {
			assert_string_equal(list.fields[i].text, "registry database");
			seen = true;
		}
	assert_true(seen);
	field_list__free(&list);
	query__free(query);
	for (size_t i = 0; i < 3; i++) {
		static const char *const where[][2] = {{"remote=10.0.0.1", NULL},
						       {"remote=tcp*", NULL},
						       {"remote=registry*", NULL}};

		query = fixture__query(&fixture, "remote", where[i], 0);
		assert_int_equal(query__row_count(query), 1);
		query__free(query);
	}
	query = fixture__query(&fixture, "service", NULL, 0);
	assert_int_equal(query__row_count(query), 2);
	assert_non_null(row_of(&fixture, query, "registry database"));
	assert_non_null(row_of(&fixture, query, "-"));
	query__free(query);
	/* By other keys of files, files count as well. */
	query = fixture__query(&fixture, "file", NULL, 0);
	row = row_of(&fixture, query, "/data/in");
	assert_true(row && row->own.waited_ns == 80e6);
	query__free(query);
	/* Waits are not known by operation. */
	query = fixture__query(&fixture, "op", NULL, 0);
	assert_false(query__has_waited(query));
	assert_true(row_of(&fixture, query, "read")->own.waited_ns == 0);
	query__free(query);
	fixture__close(&fixture);
}

static void check_figure(const struct node_row *row, enum node_figure figure, double expected)
{
	if (fabs(row->figures[figure] - expected) > 1e-9)
		fail_msg("%s at %f: %f, not %f", node__name(figure), row->start_s,
			 row->figures[figure], expected);
}

static void node_over_time(void **state)
{
	struct query_request request = {0};
	struct fixture fixture;
	struct node *node;

	(void)state;
	load(&fixture, "INSERT INTO quantum VALUES (2,1,'calibrate',NULL,NULL,NULL,NULL,1)");
	assert_null(node__refusal(&request));
	assert_int_equal(node__run(fixture.tables, &request, 0, &node), 0);
	assert_int_equal(node->count, 2);
	/* isr all the time, sh and the process without epoch for 10 ms; calibrate the second. */
	check_figure(&node->rows[0], NODE_PROCESSES, 1.02);
	check_figure(&node->rows[1], NODE_PROCESSES, 2);
	check_figure(&node->rows[0], NODE_TASKS, 1);
	check_figure(&node->rows[1], NODE_TASKS, 2);
	check_figure(&node->rows[0], NODE_QUANTA, 0);
	check_figure(&node->rows[1], NODE_QUANTA, 1);
	check_figure(&node->rows[0], NODE_CPUS, 0.602);
	check_figure(&node->rows[1], NODE_CPUS, 0.9);
	check_figure(&node->rows[0], NODE_BUSY_PROCESSES, 1); /* not sh */
	check_figure(&node->rows[1], NODE_BUSY_PROCESSES, 2);
	check_figure(&node->rows[0], NODE_READY, 0.5);
	check_figure(&node->rows[0], NODE_IO, 0.14);
	check_figure(&node->rows[0], NODE_READ, 1004000);
	check_figure(&node->rows[1], NODE_WRITTEN, 500);
	check_figure(&node->rows[0], NODE_OPS, 20);
	check_figure(&node->mean, NODE_CPUS, 0.751);
	check_figure(&node->most, NODE_PROCESSES, 2);
	node__free(node);

	/* Two slices in one row. */
	assert_int_equal(node__run(fixture.tables, &request, 1, &node), 0);
	assert_int_equal(node->count, 1);
	check_figure(&node->rows[0], NODE_PROCESSES, 1.51);
	check_figure(&node->rows[0], NODE_BUSY_PROCESSES, 1.5);
	assert_true(node->rows[0].end_s == 2);
	node__free(node);

	request = fixture__request("task", (const char *[]){"task=cal*", "time=1-2", NULL}, NULL);
	assert_int_equal(node__run(fixture.tables, &request, 0, &node), 0);
	assert_int_equal(node->count, 1);
	check_figure(&node->rows[0], NODE_PROCESSES, 1);
	check_figure(&node->rows[0], NODE_CPUS, 0.5);
	node__free(node);
	request = fixture__request("task", (const char *[]){"function=main", NULL}, NULL);
	assert_non_null(node__refusal(&request));
	fixture__close(&fixture);

	/* Nothing recorded but CPU time. */
	fixture__open(&fixture);
	request = (struct query_request){0};
	assert_int_equal(node__run(fixture.tables, &request, 0, &node), 0);
	assert_true(node->knows[NODE_CPUS] && !node->knows[NODE_READY] && !node->knows[NODE_IO]);
	assert_false(node->knows[NODE_QUANTA]);
	node__free(node);
	node__free(NULL);
	fixture__close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_by_thread), cmocka_unit_test(split_without_threads),
		cmocka_unit_test(damaged),	   cmocka_unit_test(remotes),
		cmocka_unit_test(node_over_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
