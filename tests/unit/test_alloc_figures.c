// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
/* Allocations: exact in windows, estimated for all of the time, and where they were made. */
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>

#include "model/alloc_figures.h"
#include "report/alloc_report.h"

/* Process 1 used 1000 ms: 100 of its own in a first window and 50 in a second, 40 for counting in
 * them and 10 at their edges; so 800 outside. Process 2 was in one window for all of its time. */
static const char rows[] =
	"INSERT INTO meta VALUES ('alloc_period_bytes','100'),('alloc_predicted_percent','20');"
	"INSERT INTO allocator VALUES (1,'malloc','libc.so.6',0,0,1),(2,'free','libc.so.6',1,0,1),"
	" (3,'operator new','libstdc++.so.6',0,1,0),(4,'PyMem_RawMalloc','python3',0,0,0);"
	"INSERT INTO alloc_window VALUES (1,1,0,200000000,1,120000000,20000000,10000000,250,500),"
	" (2,1,500000000,600000000,1,70000000,20000000,0,120,900),"
	" (2,2,500000000,600000000,1,500000000,0,0,10,64);"
	"INSERT INTO allocation VALUES"
	" (1,1,1,100,1000,0,0,80,800,40,200,90,900,1000,10,100),"
	" (2,1,1,60,900,10,100,40,500,20,100,50,700,700,0,0),"
	" (1,1,2,95,0,0,0,0,0,0,0,0,0,-900,0,0),"
	" (1,1,3,20,200,0,0,0,0,0,0,0,0,NULL,0,0),"
	" (2,2,4,10,640,0,0,0,0,0,0,0,0,NULL,10,640);"
	"INSERT INTO allocation_size VALUES (1,1,1,3,100),(2,1,1,3,50),(2,1,1,4,10),(1,1,3,3,20),"
	" (2,2,4,6,10);"
	"INSERT INTO sample VALUES (1,1,1,4,'python','alloc_bytes','malloc',3,300,NULL,NULL),"
	" (1,1,1,5,'python','alloc_bytes','malloc',1,100,NULL,NULL),"
	" (1,1,1,10,'python','alloc_bytes','malloc',1,100,NULL,NULL),"
	" (1,1,1,11,'python','alloc_bytes','malloc',1,100,NULL,NULL),"
	" (1,1,1,10,'python','alloc_count','malloc',1,256,NULL,NULL),"
	" (2,3,2,NULL,'unknown','alloc_kept','malloc',1,100,NULL,NULL);";

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

static struct alloc_figures *figures_from(struct tables *tables, const char *where)
{
	const char *const filters[] = {where, NULL};
	struct query_request request = fixture__request("", filters, NULL);
	struct alloc_figures *figures = NULL;

	assert_int_equal(alloc_figures__new(tables, &request, &figures), 0);
	return figures;
}

static struct alloc_figures *figures_of(const char *where)
{
	return figures_from(fixture.tables, where);
}

static void check(const struct alloc_estimate *estimate, double counted, double value, double error)
{
	assert_float_equal(estimate->counted, counted, 1e-6);
	assert_float_equal(estimate->value, value, 1e-6);
	assert_float_equal(estimate->error, error, 0.01);
}

static void test_totals(void **state)
{
	struct alloc_figures *figures = figures_of("task=isr");

	(void)state;
	assert_int_equal(figures->windows, 2);
	assert_int_equal(figures->processes, 1);
	assert_false(figures->whole);
	assert_float_equal(figures->open_s, 0.3, 1e-9);
	assert_float_equal(figures->cost_s, 0.05, 1e-9);
	/* 150 blocks in 150 ms: one each. Of the cost 15 % may be wrong: 6 of 150 ms, and 1.5 of
	 * the 800. */
	check(&figures->count, 150, 950, hypot(800 * 0.04, 1.5));
	/* At most 12 of 150 ms more were their own, and 3 of 800 less. */
	assert_float_equal(figures->count.least, 150 + 150 / 162.0 * 797, 1e-6);
	/* 1800 bytes, 12 each ms; the windows had 10 and 16 of them: 200 off each. */
	check(&figures->bytes, 1800, 1800 + 12 * 800,
	      hypot(800 * hypot(sqrt(2 * 200 * 200 * 2.0) / 150, 12 * 0.04), 12 * 1.5));
	assert_float_equal(figures->kept, 10, 1e-9);
	assert_float_equal(figures->held_peak, 900, 1e-9);
	assert_float_equal(figures->soon.value, 0.5, 1e-9);
	assert_float_equal(figures->soon.error, 0, 1e-9);
	assert_float_equal(figures->soon_bytes.value, 300.0 / 1300, 1e-9);
	assert_float_equal(figures->sizes[3], 150, 1e-9);
	assert_float_equal(figures->sizes[6], 0, 1e-9);
	/* Not all that gives blocks tells their sizes. */
	assert_true(isnan(figures->net.value));
	alloc_figures__free(figures);
}

/* All but 5 ms of each window was cost: 150 blocks in 10 ms, or in 64 if it was 30 % less. That is
 * no figure for the 800 ms outside. */
static void test_costly(void **state)
{
	struct alloc_figures *figures;
	char text[sizeof(rows) + 256];
	struct fixture costly;

	(void)state;
	snprintf(text, sizeof(text),
		 "%sUPDATE alloc_window SET cost_ns = cpu_ns - 5000000 WHERE process = 1;", rows);
	fixture__create(&costly, fixture_rows, text);
	assert_int_equal(fixture__load(&costly), 0);
	figures = figures_from(costly.tables, "task=isr");
	assert_float_equal(figures->count.counted, 150, 1e-6);
	assert_true(isnan(figures->count.value));
	assert_true(isnan(figures->count.error));
	assert_float_equal(figures->count.least, 150 + 150 / 64.0 * 797, 1e-6);
	assert_true(isnan(figures->net.least));
	alloc_figures__free(figures);
	fixture__close(&costly);
}

/* Edges seem to have cost all of the 810 ms outside: there may have been calls all the same. */
static void test_edges(void **state)
{
	struct alloc_figures *figures;
	char text[sizeof(rows) + 256];
	struct fixture shut;

	(void)state;
	snprintf(text, sizeof(text),
		 "%sUPDATE alloc_window SET edge_ns = 410000000 WHERE process = 1;", rows);
	fixture__create(&shut, fixture_rows, text);
	assert_int_equal(fixture__load(&shut), 0);
	figures = figures_from(shut.tables, "task=isr");
	assert_false(figures->whole);
	check(&figures->count, 150, 150, 0.15 * 820);
	assert_float_equal(figures->count.least, 150, 1e-6);
	alloc_figures__free(figures);
	fixture__close(&shut);
}

static void test_whole(void **state)
{
	struct alloc_figures *figures = figures_of("task=calibrate");

	(void)state;
	check(&figures->count, 10, 10, 0);
	check(&figures->bytes, 640, 640, 0);
	/* Nothing is of the other process. */
	assert_true(figures->whole);
	assert_int_equal(figures->windows, 1);
	assert_int_equal(figures->processes, 1);
	assert_float_equal(figures->open_s, 0.1, 1e-9);
	assert_float_equal(figures->held_peak, 64, 1e-9);
	assert_float_equal(figures->cost_s, 0, 1e-9);
	assert_int_equal(figures->function_count, 1);
	assert_string_equal(figures->functions[0].function->name, "PyMem_RawMalloc");
	assert_int_equal(figures->by_kept_count, 1);
	assert_string_equal(figures->by_kept[0].name, "(unknown)");
	alloc_figures__free(figures);
}

static void test_functions(void **state)
{
	struct alloc_figures *figures = figures_of(NULL);

	(void)state;
	assert_int_equal(figures->function_count, 4);
	assert_string_equal(figures->functions[0].function->name, "malloc");
	check(&figures->functions[0].count, 160, 160 + 160 / 150.0 * 800,
	      hypot(800 * hypot(sqrt(2 * (100 - 160 / 1.5) * (100 - 160 / 1.5) * 2.0) / 150,
				160 / 150.0 * 0.04),
		    160 / 150.0 * 1.5));
	assert_float_equal(figures->functions[0].nested, 10, 1e-9);
	assert_string_equal(figures->functions[1].function->name, "PyMem_RawMalloc");
	assert_true(figures->functions[2].function->layered);
	assert_true(figures->functions[3].function->frees);
	alloc_figures__free(figures);
}

static void test_places(void **state)
{
	struct alloc_figures *figures = figures_of("task=isr");

	(void)state;
	/* 600 bytes of samples stand for 1800. */
	assert_int_equal(figures->by_size_count, 3);
	assert_string_equal(figures->by_size[0].name, "work");
	assert_string_equal(figures->by_size[0].file, "/a/main.py");
	assert_int_equal(figures->by_size[0].line, 12);
	assert_float_equal(figures->by_size[0].value, 1200, 1e-6);
	assert_float_equal(figures->by_size[0].error, 600, 1e-6);
	assert_float_equal(figures->by_size[0].samples, 4, 1e-9);
	assert_int_equal(figures->by_count_count, 1);
	assert_float_equal(figures->by_count[0].value, 150, 1e-6);
	alloc_figures__free(figures);
}

static struct query_figures sum_of(const char *by, const char *where, const char *metric)
{
	const char *const filters[] = {where, NULL};
	struct query_request request = fixture__request(by, where ? filters : NULL, metric);
	struct query_figures sum = {0};
	struct query *query;

	assert_int_equal(query__run(fixture.tables, &request, &query), 0);
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_figures *own = &query__row(query, i)->own;

		sum.allocated_bytes += own->allocated_bytes;
		sum.allocations += own->allocations;
		sum.kept_bytes += own->kept_bytes;
		sum.allocated_samples += own->allocated_samples;
		sum.allocated_error_bytes += own->allocated_error_bytes;
	}
	query__free(query);
	return sum;
}

/* As metrics: the totals of windows, exact by task, and shared out by function so that they agree.
 */
static void test_metrics(void **state)
{
	struct query_figures isr = sum_of("task", "task=isr", "alloc_bytes");
	struct query_figures all = sum_of("task", NULL, "alloc_count");
	struct query_figures work = sum_of("line", "function=work", "alloc_bytes");
	struct query_request by_thread = fixture__request("thread", NULL, "alloc_bytes");
	struct query_request by_op = fixture__request("function,op", NULL, "alloc_kept");

	(void)state;
	assert_float_equal(isr.allocated_bytes, 1800, 1e-6);
	assert_float_equal(isr.allocations, 150, 1e-6);
	assert_float_equal(isr.kept_bytes, 100, 1e-6);
	assert_float_equal(isr.allocated_error_bytes, 0, 1e-9);
	assert_float_equal(all.allocated_bytes, 2440, 1e-6);
	assert_float_equal(all.allocations, 160, 1e-6);
	/* Of stacks that nothing but allocators was met in, too. */
	all = sum_of("stack", NULL, "alloc_kept");
	assert_float_equal(all.allocated_bytes, 2440, 1e-6);
	assert_float_equal(all.kept_bytes, 740, 1e-6);
	all = sum_of("function", NULL, "alloc_bytes");
	assert_float_equal(all.allocated_bytes, 2440, 1e-6);
	assert_float_equal(all.allocations, 160, 1e-6);
	assert_float_equal(all.kept_bytes, 740, 1e-6);
	assert_int_equal(all.allocated_samples, 6);
	assert_true(all.allocated_error_bytes > 0);
	assert_true(work.allocated_bytes > 0 && work.allocated_bytes <= 1800);
	assert_non_null(query__refusal(&by_thread));
	assert_non_null(query__refusal(&by_op));
}

static char *printed_of(struct tables *tables,
			int (*print)(FILE *, struct tables *, const struct query_request *, size_t))
{
	struct query_request request = fixture__request("", NULL, NULL);
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(print(stream, tables, &request, 0), 0);
	fclose(stream);
	return text;
}

static char *printed(int (*print)(FILE *, struct tables *, const struct query_request *, size_t))
{
	return printed_of(fixture.tables, print);
}

static int print_text(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t limit)
{
	return alloc_report__text(stream, tables, request, 100, limit);
}

static void test_printed(void **state)
{
	char *text = printed(print_text);

	(void)state;
	assert_non_null(strstr(text, "counted in 2 windows"));
	assert_non_null(strstr(text, "(20 % was expected)"));
	assert_non_null(strstr(text, "/a/main.py:12"));
	free(text);
	text = printed(alloc_report__json);
	assert_non_null(strstr(text, "\"allocations_in_windows\":160"));
	assert_non_null(strstr(text, "\"net_bytes\":null"));
	free(text);
	text = printed(alloc_report__csv);
	assert_non_null(
		strstr(text, "function,file,line,bytes,error,samples\r\nwork,/a/main.py,12,"));
	free(text);
}

static void test_not_recorded(void **state)
{
	struct query_request request = fixture__request("", NULL, NULL);
	struct alloc_figures *figures = NULL;
	struct fixture other;

	(void)state;
	fixture__open(&other);
	assert_int_equal(alloc_figures__new(other.tables, &request, &figures), -ENOENT);
	assert_null(figures);
	fixture__close(&other);
}

/* Words for a recording of such rows. */
static void check_nothing(const char *change, const char *words)
{
	struct fixture other;
	char *text;

	fixture__create(&other, fixture_rows, change);
	assert_int_equal(fixture__load(&other), 0);
	text = printed_of(other.tables, print_text);
	assert_non_null(strstr(text, words));
	free(text);
	fixture__close(&other);
}

static void test_nothing(void **state)
{
	(void)state;
	check_nothing("", "not recorded");
	check_nothing("UPDATE meta SET value = 'cpu,alloc' WHERE key = 'sources';",
		      "no window was opened");
	check_nothing(
		"UPDATE meta SET value = 'cpu,alloc' WHERE key = 'sources';"
		"INSERT INTO alloc_window VALUES (1,1,0,200000000,1,0,0,0,0,0);",
		"no call was counted");
}

static void test_damaged(void **state)
{
	static const char *const damages[] = {
		"INSERT INTO alloc_window VALUES (1,99,0,1,1,1,1,1,1,1)",
		"INSERT INTO alloc_window VALUES (9,1,5,1,1,1,1,1,1,1)",
		"INSERT INTO alloc_window VALUES (9,1,0,1,1,-1,1,1,1,1)",
		"INSERT INTO allocation VALUES (1,99,1,1,1,1,1,1,1,1,1,1,1,1,1,1)",
		"INSERT INTO allocation VALUES (1,1,99,1,1,1,1,1,1,1,1,1,1,1,1,1)",
		"INSERT INTO allocation VALUES (1,1,1,-1,1,1,1,1,1,1,1,1,1,1,1,1)",
		"INSERT INTO allocation_size VALUES (1,1,1,64,1)",
		"INSERT INTO allocation_size VALUES (1,1,99,1,1)",
		"INSERT INTO sample VALUES "
		"(1,1,1,99,'python','alloc_bytes','malloc',1,1,NULL,NULL)",
		"INSERT INTO sample VALUES (99,1,1,4,'python','alloc_kept','malloc',1,1,NULL,NULL)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		char text[sizeof(rows) + 256];
		struct fixture other;

		snprintf(text, sizeof(text), "%s%s", rows, damages[i]);
		fixture__create(&other, fixture_rows, text);
		assert_int_equal(fixture__load(&other), -EBADMSG);
		fixture__close(&other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals),	cmocka_unit_test(test_edges),
		cmocka_unit_test(test_whole),	cmocka_unit_test(test_functions),
		cmocka_unit_test(test_places),	cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_printed), cmocka_unit_test(test_not_recorded),
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_costly),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
