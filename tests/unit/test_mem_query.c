// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
/* Memory in queries: growth and faults shared out over samples, mappings exact with their stacks.
 */
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>

/* Epoch 1 grew by 1000 anonymous and 300 file bytes in slice 1, 500 in slice 2; 40 faults in all.
 * Its samples: 3 of 4 of the anonymous growth in stack 5, the rest in 9. */
static const char rows[] =
	"UPDATE meta SET value = 'cpu,mem' WHERE key = 'sources';"
	"INSERT INTO memory VALUES (1,1,1000,300,0,0,20,5),(1,2,1500,300,0,0,15,0),"
	" (2,2,NULL,NULL,NULL,NULL,0,0);"
	"INSERT INTO memory_growth VALUES (1,1,'anonymous',10,1000),(1,1,'file',2,300),"
	" (1,2,'anonymous',5,500),(2,2,'shared',1,4096);"
	"INSERT INTO memory_map VALUES (1,1,'mapped',5,'python',3,3000,2,2000,3,3000),"
	" (2,1,'heap',9,'python',1,700,1,700,0,0),(3,2,'mapped',NULL,'unknown',1,50,0,0,1,50)"
	";" INTO_SAMPLE
	"VALUES (1,1,1,5,'python','rss_growth','anonymous',3,300,NULL),"
	" (1,1,2,9,'python','rss_growth','anonymous',1,100,NULL),"
	" (1,1,1,5,'python','faults','anonymous',1,10,NULL),"
	" (1,1,1,9,'python','faults','file',3,30,NULL);";

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture__open_with(&fixture, rows);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return 0;
}

struct wanted {
	const char *label;
	double grown, faults, live, peak;
};

static void check(const char *by, const char *metric, const struct wanted *wanted, bool totals)
{
	struct query_request request = fixture__request(by, NULL, metric);
	struct query *query;
	size_t shown = 0;

	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		const struct query_figures *figures = totals ? &row->total : &row->own;
		char *label;

		if (query__measure(query, figures) <= 0)
			continue;
		assert_int_equal(
			request.keys[0]->label(fixture.tables, query__value(query, row, 0), &label),
			0);
		assert_non_null(wanted[shown].label);
		if (strcmp(label, wanted[shown].label) ||
		    fabs(figures->grown_bytes - wanted[shown].grown) > 1e-6 ||
		    fabs(figures->faults - wanted[shown].faults) > 1e-6 ||
		    fabs(figures->live_bytes - wanted[shown].live) > 1e-6 ||
		    fabs(figures->peak_bytes - wanted[shown].peak) > 1e-6)
			fail_msg("by %s, row %zu: '%s' %f %f %f %f", by, shown, label,
				 figures->grown_bytes, figures->faults, figures->live_bytes,
				 figures->peak_bytes);
		free(label);
		shown++;
	}
	assert_null(wanted[shown].label);
	query__free(query);
}

static void test_exact(void **state)
{
	(void)state;
	check("task", "rss_growth",
	      (const struct wanted[]){
		      {"calibrate", 4096, 0, 0, 50}, {"isr", 1800, 40, 2700, 3000}, {0}},
	      false);
	check("time", "faults",
	      (const struct wanted[]){
		      {"0.000 s", 1300, 25, 0, 0}, {"1.000 s", 4596, 15, 0, 0}, {0}},
	      false);
	check("process", "mmap_peak",
	      (const struct wanted[]){{"100", 1800, 40, 2700, 3000}, {"200", 4096, 0, 0, 50}, {0}},
	      false);
}

static void test_places(void **state)
{
	(void)state;
	/* Of the anonymous 1500 bytes three quarters are memcpy's; of file and shared no sample. */
	check("function", "rss_growth",
	      (const struct wanted[]){{"(not sampled)", 4396, 0, 0, 0},
				      {"memcpy", 1125, 10, 2000, 3000},
				      {"do_syscall", 375, 30, 700, 0},
				      {0}},
	      false);
	check("function", "mmap_peak",
	      (const struct wanted[]){
		      {"memcpy", 1125, 10, 2000, 3000}, {"(unknown)", 0, 0, 0, 50}, {0}},
	      false);
	check("module", "mmap_live",
	      (const struct wanted[]){{"/lib/libc.so.6", 1125, 10, 2000, 3000},
				      {"kernel", 375, 30, 700, 0},
				      {"/a/main.py", 1500, 40, 2700, 3000},
				      {0}},
	      true);
}

/* What is loaded from the rows with others besides. */
static void reload(const char *others)
{
	char text[sizeof(rows) + 512];

	fixture__close(&fixture);
	snprintf(text, sizeof(text), "%s%s", rows, others);
	fixture__open_with(&fixture, text);
}

/* 1,040 faults in all, but those that brought memory are the 40 of the samples: the others are not
 * shared out over them. */
static void test_faults_alone(void **state)
{
	(void)state;
	reload("UPDATE memory SET minor_faults = 1020 WHERE epoch = 1 AND slice = 1;");
	check("function", "faults",
	      (const struct wanted[]){{"(not sampled)", 4396, 1000, 0, 0},
				      {"do_syscall", 375, 30, 700, 0},
				      {"memcpy", 1125, 10, 2000, 3000},
				      {0}},
	      false);
	check("time", "faults",
	      (const struct wanted[]){
		      {"0.000 s", 1300, 1025, 0, 0}, {"1.000 s", 4596, 15, 0, 0}, {0}},
	      false);
	check("process", "faults", (const struct wanted[]){{"100", 1800, 1040, 2700, 3000}, {0}},
	      false);
}

/* As many, and they have brought memory, but to another epoch of the process. */
static void test_faults_of_process(void **state)
{
	(void)state;
	reload("UPDATE memory SET minor_faults = 1020 WHERE epoch = 1 AND slice = 1;"
	       "INSERT INTO epoch (id, process, image, start_ns, task)"
	       " VALUES (90, 1, 1, 1500000000, 'isr');"
	       "INSERT INTO memory_growth VALUES (90,2,'anonymous',900,4096);");
	check("function", "faults",
	      (const struct wanted[]){
		      {"do_syscall", 375, 780, 700, 0}, {"memcpy", 1125, 260, 2000, 3000}, {0}},
	      false);
}

static void test_error(void **state)
{
	struct query_request request = fixture__request("function", NULL, "rss_growth");
	struct query *query;
	const struct query_row *row;

	(void)state;
	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	row = query__row(query, 1); /* 3 samples of 100 each, scaled by 1500 / 400 */
	assert_true(fabs(row->own.grown_error_bytes - sqrt(3) * 100 * 3.75) < 1e-6);
	assert_int_equal(row->own.grown_samples, 3);
	query__free(query);
}

static void test_refused(void **state)
{
	static const struct {
		const char *by, *metric;
	} refused[] = {{"wait", "rss_growth"},
		       {"file", "faults"},
		       {"thread", "rss_growth"},
		       {"time", "mmap_live"},
		       {"thread", "mmap_peak"}};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct query_request request =
			fixture__request(refused[i].by, NULL, refused[i].metric);

		assert_non_null(query__refusal(&request));
	}
}

static void test_damaged(void **state)
{
	static const char *const changes[] = {
		"INSERT INTO memory VALUES (99,1,0,0,0,0,1,0)",
		"INSERT INTO memory VALUES (1,1,0,0,0,0,-1,0)",
		"INSERT INTO memory_growth VALUES (99,1,'file',1,1)",
		"INSERT INTO memory_growth VALUES (1,1,'file',1,-5)",
		"INSERT INTO memory_growth VALUES (1,1,'file',-1,5)",
		"INSERT INTO memory_map VALUES (9,99,'mapped',NULL,'ok',1,1,1,1,1,1)",
		"INSERT INTO memory_map VALUES (9,1,'mapped',99,'ok',1,1,1,1,1,1)",
		"INSERT INTO memory_map VALUES (9,1,'mapped',NULL,'ok',1,1,1,-1,1,1)",
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 20)"
		" INSERT INTO memory_growth SELECT 1, 1, 'kind' || i, 1, 1 FROM n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture damaged;

		fixture__create(&damaged, fixture_rows, changes[i]);
		assert_int_equal(fixture__load(&damaged), -EBADMSG);
		fixture__close(&damaged);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults_of_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("mem_query", tests, NULL, NULL);
}
