// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
#include "unit/fixture.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "report/json.h"
#include "report/page.h"

/* Two mounts; task isr sends 9 of its 10 look-ups below work(a), one below fib. */
static const char ceph_rows[] =
	"INSERT INTO meta VALUES ('ceph_way','types'),('ceph_period','1');"
	"INSERT INTO ceph_mount VALUES (1,'/ceph/one'),(2,'/ceph/two');"
	"INSERT INTO ceph VALUES (1,1,1,'mds:lookup',0,6,0,6000000),"
	" (1,2,1,'mds:lookup',2,4,0,4000000),(1,1,2,'osd:read',0,2,8192,20000000),"
	" (2,2,1,'osd:writeback',0,1,4096,5000000),(1,1,1,'caps:wait',0,1,0,7000000),"
	" (1,1,1,'read:network',0,2,8192,21000000);"
	"INSERT INTO ceph_histogram VALUES (1,'mds:lookup',19,10),(2,'osd:read',23,2),"
	" (1,'osd:writeback',22,1);"
	"INSERT INTO ceph_in_flight VALUES (1,1,'mds:lookup',1,2000000000);" INTO_SAMPLE
	"VALUES (1,1,1,4,'python','ceph_ops','mds:lookup',9,9,NULL),"
	" (1,1,1,4,'python','ceph_time','mds:lookup',9,9000000,NULL),"
	" (1,1,2,8,'python','ceph_ops','mds:lookup',1,1,NULL),"
	" (1,1,2,8,'python','ceph_time','mds:lookup',1,1000000,NULL),"
	" (1,1,1,8,'python','ceph_time','caps:wait',1,7000000,NULL);";

static void open_ceph(struct fixture *fixture, const char *change)
{
	fixture__create(fixture, fixture_rows, ceph_rows);
	if (change)
		fixture__execute(fixture->path, change);
}

struct expected {
	const char *label; /* of the last key */
	double ms, ops, read, write, errors;
};

static void check_rows(struct fixture *fixture, const char *by, const char *const *where,
		       const struct expected *expected, size_t count)
{
	struct query_request request = fixture__request(by, where, "ceph_time");
	struct query *query;

	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	assert_true(query__knows(query, SOURCE_CEPH));
	for (size_t i = 0; i < count; i++) {
		const struct query_row *row = query__row(query, i);
		char *label;

		assert_true(i < query__row_count(query));
		assert_int_equal(request.keys[request.key_count - 1]->label(
					 fixture->tables,
					 query__value(query, row, request.key_count - 1), &label),
				 0);
		assert_string_equal(label, expected[i].label);
		free(label);
		assert_true(fabs(row->own.ceph_ns / 1e6 - expected[i].ms) < 1e-6);
		assert_true(fabs(row->own.ceph_ops - expected[i].ops) < 1e-6);
		assert_true(fabs(row->own.ceph_read_bytes - expected[i].read) < 1e-6);
		assert_true(fabs(row->own.ceph_write_bytes - expected[i].write) < 1e-6);
		assert_true(fabs(row->own.ceph_errors - expected[i].errors) < 1e-6);
	}
	query__free(query);
}

/* What is no request counts only where it can be told apart. */
static void test_exact(void **state)
{
	static const struct expected by_task[] = {{"isr", 30, 12, 8192, 0, 4},
						  {"calibrate", 5, 1, 0, 4096, 0}};
	static const struct expected by_mount[] = {{"/ceph/two", 20, 2, 8192, 0, 0},
						   {"/ceph/one", 15, 11, 0, 4096, 4}};
	static const struct expected by_op[] = {{"read:network", 21, 2, 8192, 0, 0},
						{"osd:read", 20, 2, 8192, 0, 0},
						{"mds:lookup", 10, 10, 0, 0, 4},
						{"caps:wait", 7, 1, 0, 0, 0},
						{"osd:writeback", 5, 1, 0, 4096, 0}};
	static const struct expected requests[] = {{"isr", 20, 2, 8192, 0, 0}};
	static const char *const only_osd[] = {"ceph=osd:*", NULL};
	struct fixture fixture;

	(void)state;
	open_ceph(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	check_rows(&fixture, "task", NULL, by_task, 2);
	check_rows(&fixture, "mount", NULL, by_mount, 2);
	check_rows(&fixture, "ceph", NULL, by_op, 5);
	check_rows(&fixture, "task", only_osd, requests, 1);
	fixture__close(&fixture);
}

/* Exact sums are shared out over the samples; what has none stays. */
static void test_estimated(void **state)
{
	static const struct expected by_function[] = {{"(not sampled)", 25, 3, 8192, 4096, 0},
						      {"work", 9, 9, 0, 0, 0},
						      {"fib", 1, 1, 0, 0, 0}};
	struct fixture fixture;

	(void)state;
	open_ceph(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	check_rows(&fixture, "function", NULL, by_function, 3);
	fixture__close(&fixture);
}

/* The same mount by mount; a sample without one counts as not known. */
static void test_by_mount(void **state)
{
	static const char change[] =
		"UPDATE sample SET file = CASE stack WHEN 4 THEN 1 ELSE 2 END"
		" WHERE metric GLOB 'ceph_*';";
	static const struct expected by_both[] = {{"(not sampled)", 20, 2, 8192, 0, 0},
						  {"work", 9, 9, 0, 0, 0},
						  {"(not sampled)", 5, 1, 0, 4096, 0},
						  {"fib", 1, 1, 0, 0, 0}};
	static const struct expected of_two[] = {{"(not sampled)", 20, 2, 8192, 0, 0},
						 {"fib", 1, 1, 0, 0, 0}};
	static const struct expected of_none[] = {{"work", 9, 9, 0, 0, 0}, {"fib", 1, 1, 0, 0, 0}};
	static const char *const two[] = {"mount=/ceph/two", NULL};
	static const char *const none[] = {"mount=(unknown)", NULL};
	struct fixture fixture;

	(void)state;
	open_ceph(&fixture, change);
	assert_int_equal(fixture__load(&fixture), 0);
	check_rows(&fixture, "mount,function", NULL, by_both, 4);
	check_rows(&fixture, "function", two, of_two, 2);
	fixture__close(&fixture);
	open_ceph(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	check_rows(&fixture, "function", none, of_none, 2);
	fixture__close(&fixture);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *by, *metric;
		bool refused;
	} cases[] = {
		{"ceph", NULL, false},
		{"ceph,mount", NULL, false},
		{"ceph,op", NULL, true},
		{"ceph,wait", NULL, true},
		{"ceph,waker", NULL, true},
		{"ceph,thread", NULL, true},
		{"ceph", "cpu", true},
		{"ceph", "offcpu", true},
		{"ceph", "io_time", true},
		{"op", "ceph_time", true},
		{"time,ceph", NULL, false},
		{"thread,function,ceph", NULL, false},
		{"task", "ceph_ops", false},
		{"function,ceph,mount", NULL, false},
		{"thread,mount", "ceph_time", false},
		{"mount,stack", "ceph_time", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct query_request request = fixture__request(cases[i].by, NULL, cases[i].metric);

		if (!!query__refusal(&request) != cases[i].refused)
			fail_msg("by %s, metric %s", cases[i].by,
				 cases[i].metric ? cases[i].metric : "-");
	}
}

/* Without a mount nothing was recorded, though the source was on. */
static void test_none(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture__open_with(&fixture, "UPDATE meta SET value = 'cpu,ceph' WHERE key = 'sources';");
	assert_false(fixture.tables->recorded[SOURCE_CEPH]);
	fixture__close(&fixture);
}

static void test_hostile(void **state)
{
	static const char *const changes[] = {
		"INSERT INTO ceph VALUES (99,1,1,'mds:lookup',0,1,0,1);", /* no such epoch */
		"UPDATE ceph SET count = -1;",
		"UPDATE ceph SET error = 70000;",
		"UPDATE ceph_histogram SET bucket = 63;",
		"UPDATE ceph_in_flight SET oldest_ns = -1;",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
		" INSERT INTO ceph SELECT 1,1,1,'mds:' || i,0,1,0,1 FROM n;",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture;

		open_ceph(&fixture, changes[i]);
		assert_int_equal(fixture__load(&fixture), -EBADMSG);
		fixture__close(&fixture);
	}
}

/* A mount that is not there is not known, which is no reason to refuse the rest. */
static void test_unknown_mount(void **state)
{
	static const struct expected rows[] = {{"(unknown)", 35, 13, 8192, 4096, 4}};
	struct fixture fixture;

	(void)state;
	open_ceph(&fixture, "DELETE FROM ceph_mount;");
	assert_int_equal(fixture__load(&fixture), 0);
	check_rows(&fixture, "mount", NULL, rows, 1);
	fixture__close(&fixture);
}

static void test_json_and_text(void **state)
{
	struct query_request request;
	struct fixture fixture;
	struct summary *summary;
	struct query *query;
	char *text = NULL;
	size_t size = 0;
	json_t *report;
	FILE *stream;

	(void)state;
	open_ceph(&fixture, NULL);
	assert_int_equal(fixture__load(&fixture), 0);
	assert_int_equal(summary__load(fixture.tables, &summary), 0);
	assert_true(fabs(summary->ceph_s - 0.035) < 1e-9);
	request = fixture__request("mount,ceph", NULL, "ceph_ops");
	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	stream = open_memstream(&text, &size);
	assert_int_equal(json_report__print(stream, fixture.tables, summary, query, 0), 0);
	fclose(stream);
	report = json_loads(text, 0, NULL);
	assert_non_null(report);
	assert_int_equal(json_array_size(json_object_get(report, "ceph_histograms")), 3);
	assert_int_equal(json_array_size(json_object_get(report, "ceph_in_flight")), 1);
	assert_int_equal(json_array_size(json_object_get(report, "rows")), 5);
	json_decref(report);
	free(text);
	text = NULL;
	stream = open_memstream(&text, &size);
	assert_int_equal(page__ceph(stream, fixture.tables, 100, 10), 0);
	fclose(stream);
	assert_non_null(strstr(text, "/ceph/two"));
	assert_non_null(strstr(text, "mds:lookup 10"));
	assert_non_null(strstr(text, "without an answer for 2.0 s"));
	free(text);
	query__free(query);
	summary__free(summary);
	fixture__close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),	      cmocka_unit_test(test_estimated),
		cmocka_unit_test(test_by_mount),      cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_none),	      cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_unknown_mount), cmocka_unit_test(test_json_and_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
