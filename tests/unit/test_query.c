// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>
#include <time.h>

/* What a row must be: its keys' labels, joined by '|', and figures in milliseconds. */
struct expected {
	const char *labels;
	double cpu_ms;
	int64_t samples;
	double total_ms;
	int64_t total_samples;
};

struct query_case {
	const char *by;
	const char *where[4];
	enum query_fold fold;
	struct expected rows[16]; /* in the order of the report; ends with labels NULL */
};

static void check_case(struct fixture *fixture, const struct query_case *test)
{
	struct query *query = fixture__query(fixture, test->by, test->where, test->fold);
	size_t count = 0;
	char labels[256];

	while (test->rows[count].labels)
		count++;
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		const struct expected *expected = &test->rows[i];

		fixture__labels(fixture, query, row, labels, sizeof(labels));
		if (i >= count)
			fail_msg("by %s: row '%s' too many", test->by, labels);
		if (strcmp(labels, expected->labels) || row->own.samples != expected->samples ||
		    fabs(row->own.cpu_ns / 1e6 - expected->cpu_ms) > 1e-6)
			fail_msg("by %s: row %zu is '%s' %f %lld, not '%s' %f %lld", test->by, i,
				 labels, row->own.cpu_ns / 1e6, (long long)row->own.samples,
				 expected->labels, expected->cpu_ms, (long long)expected->samples);
		if (query__has_totals(query) &&
		    (fabs(row->total.cpu_ns / 1e6 - expected->total_ms) > 1e-6 ||
		     row->total.samples != expected->total_samples))
			fail_msg("by %s: total of '%s' is %f %lld, not %f %lld", test->by, labels,
				 row->total.cpu_ns / 1e6, (long long)row->total.samples,
				 expected->total_ms, (long long)expected->total_samples);
	}
	if (query__row_count(query) != count)
		fail_msg("by %s: %zu rows, not %zu", test->by, query__row_count(query), count);
	query__free(query);
}

static const struct query_case cases[] = {
	/* Exact: as counted, processes without figures included. */
	{"task",
	 {0},
	 0,
	 {{"isr", 1000, 10, 0, 0},
	  {"calibrate", 500, 5, 0, 0},
	  {"sh", 2, 0, 0, 0},
	  {"(unknown)", 0, 0, 0, 0}}},
	{"process",
	 {0},
	 0,
	 {{"100", 1000, 10, 0, 0},
	  {"200", 500, 5, 0, 0},
	  {"300", 2, 0, 0, 0},
	  {"400", 0, 0, 0, 0}}},
	{"job", {0}, 0, {{"j1", 1000, 10, 0, 0}, {"-", 502, 5, 0, 0}}},
	{"job,task", {"task=*i*"}, 0, {{"j1|isr", 1000, 10, 0, 0}, {"-|calibrate", 500, 5, 0, 0}}},
	{"time", {0}, 0, {{"1.000 s", 900, 10, 0, 0}, {"0.000 s", 602, 5, 0, 0}}},
	{"thread",
	 {0},
	 0,
	 {{"100 main (pid 100)", 800, 8, 0, 0},
	  {"200 cal (pid 200)", 500, 5, 0, 0},
	  {"(unknown)", 102, 0, 0, 0},
	  {"101 pool (pid 100)", 100, 2, 0, 0}}},
	{"thread,time",
	 {"process=100"},
	 0,
	 {{"100 main (pid 100)|0.000 s", 400, 3, 0, 0},
	  {"100 main (pid 100)|1.000 s", 400, 5, 0, 0},
	  {"101 pool (pid 100)|0.000 s", 100, 2, 0, 0},
	  {"(unknown)|0.000 s", 100, 0, 0, 0}}},
	{"task", {"thread=pool"}, 0, {{"isr", 100, 2, 0, 0}}},
	{"task", {"time=0.5"}, 0, {{"isr", 600, 5, 0, 0}, {"sh", 2, 0, 0, 0}}},
	{"task", {"time=1-2"}, 0, {{"calibrate", 500, 5, 0, 0}, {"isr", 400, 5, 0, 0}}},
	{"task", {"process=python3", "job=j1"}, 0, {{"isr", 1000, 10, 0, 0}}},
	{"task", {"task=isr", "task=calibrate"}, 0, {{0}}},

	/* Estimated. The interpreter's code is its caller's; a function counts once per stack. */
	{"function",
	 {0},
	 0,
	 {{"work", 400, 4, 600, 6},
	  {"do_syscall", 300, 3, 300, 3},
	  {"work", 300, 3, 300, 3},
	  {"fib", 200, 2, 300, 3},
	  {"memcpy", 200, 2, 200, 2},
	  {"(unknown)", 100, 1, 100, 1},
	  {"(not sampled)", 2, 0, 2, 0},
	  {"main", 0, 0, 900, 9}}},
	{"function",
	 {0},
	 FOLD_NATIVE,
	 {{"work", 600, 6, 600, 6},
	  {"fib", 300, 3, 300, 3},
	  {"work", 300, 3, 300, 3},
	  {"do_syscall", 200, 2, 200, 2},
	  {"(unknown)", 100, 1, 100, 1},
	  {"(not sampled)", 2, 0, 2, 0},
	  {"main", 0, 0, 900, 9}}},
	{"line",
	 {0},
	 0,
	 {{"main.py:12", 600, 6, 600, 6},
	  {"main.py:22", 300, 3, 300, 3},
	  {"other.py:6", 300, 3, 300, 3},
	  {"(no line)", 300, 3, 300, 3},
	  {"(not sampled)", 2, 0, 2, 0},
	  {"main.py:2", 0, 0, 900, 9},
	  {"main.py:21", 0, 0, 300, 3}}},
	{"module",
	 {0},
	 0,
	 {{"/a/main.py", 600, 6, 900, 9},
	  {"/b/other.py", 300, 3, 300, 3},
	  {"kernel", 300, 3, 300, 3},
	  {"/lib/libc.so.6", 200, 2, 200, 2},
	  {"(unknown)", 100, 1, 100, 1},
	  {"(not sampled)", 2, 0, 2, 0}}},
	{"stack",
	 {0},
	 0,
	 {{"PyObject_GetAttr", 300, 3, 0, 0},
	  {"work (other.py:6)", 300, 3, 0, 0},
	  {"memcpy", 200, 2, 0, 0},
	  {"fib (main.py:22)", 200, 2, 0, 0},
	  {"do_syscall", 200, 2, 0, 0},
	  {"work (main.py:12)", 100, 1, 0, 0},
	  {"do_syscall", 100, 1, 0, 0},
	  {"(unknown)", 100, 1, 0, 0},
	  {"(not sampled)", 2, 0, 0, 0}}},
	{"ending",
	 {0},
	 0,
	 {{"python", 1000, 10, 0, 0},
	  {"python_no_frames", 200, 2, 0, 0},
	  {"python_unnamed", 200, 2, 0, 0},
	  {"unknown", 100, 1, 0, 0},
	  {"(not sampled)", 2, 0, 0, 0}}},
	{"outermost",
	 {0},
	 0,
	 {{"/a/main.py", 900, 9, 0, 0},
	  {"/b/other.py", 300, 3, 0, 0},
	  {"kernel", 200, 2, 0, 0},
	  {"(unknown)", 100, 1, 0, 0},
	  {"(not sampled)", 2, 0, 0, 0}}},
	{"task", {"ending=python_unnamed"}, 0, {{"isr", 200, 2, 0, 0}}},
	{"task,module",
	 {"module=kernel"},
	 0,
	 {{"calibrate|kernel", 200, 2, 200, 2},
	  {"isr|kernel", 100, 1, 100, 1},
	  {"isr|/a/main.py", 0, 0, 100, 1}}},
	{"function,line",
	 {"function=fib"},
	 0,
	 {{"fib|main.py:22", 200, 2, 300, 3},
	  {"do_syscall|main.py:22", 100, 1, 100, 1},
	  {"fib|main.py:21", 0, 0, 300, 3},
	  {"main|main.py:2", 0, 0, 300, 3}}},
	{"time,function",
	 {"task=isr"},
	 0,
	 {{"0.000 s|work", 300, 3, 500, 5},
	  {"1.000 s|fib", 200, 2, 300, 3},
	  {"0.000 s|memcpy", 200, 2, 200, 2},
	  {"1.000 s|(unknown)", 100, 1, 100, 1},
	  {"1.000 s|do_syscall", 100, 1, 100, 1},
	  {"1.000 s|work", 100, 1, 100, 1},
	  {"0.000 s|main", 0, 0, 500, 5},
	  {"1.000 s|main", 0, 0, 400, 4}}},
	{"thread,module",
	 {"task=isr", "module=libc.so.6"},
	 0,
	 {{"101 pool (pid 100)|/lib/libc.so.6", 200, 2, 200, 2},
	  {"101 pool (pid 100)|/a/main.py", 0, 0, 200, 2}}},
	{"task", {"function=work"}, 0, {{"isr", 600, 6, 0, 0}, {"calibrate", 300, 3, 0, 0}}},
	{"task", {"function=work", "line=/b/other.py:6"}, 0, {{"calibrate", 300, 3, 0, 0}}},
	{"task", {"line=main.py:2"}, 0, {{"isr", 900, 9, 0, 0}}},
	{"task", {"function=fib", "function=memcpy"}, 0, {{0}}},
	{"task", {"function=(not sampled)"}, 0, {{"sh", 2, 0, 0, 0}}},
	{"task", {"function=(unknown)"}, 0, {{"isr", 100, 1, 0, 0}}},
	{"task", {"function=*EvalFrame*", "module=*python3"}, 0, {{"isr", 600, 6, 0, 0}}},
};

static void test_every_key(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture__open(&fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&fixture, &cases[i]);
	fixture__close(&fixture);
}

static void test_details(void **state)
{
	struct fixture fixture;
	const struct query_details *details;
	struct query *query;

	(void)state;
	fixture__open(&fixture);
	query = fixture__query(&fixture, "task", NULL, 0);
	assert_true(query__has_details(query));
	details = query__details(query, query__row(query, 0));
	assert_int_equal(details->processes, 1);
	assert_int_equal(details->failures, 0);
	assert_true(details->elapsed_ns == 2e9); /* what lies before the recording is not in it */
	assert_true(details->user_ns == 8e8 && details->system_ns == 2e8);
	assert_int_equal(details->max_rss_bytes, 1000000);
	details = query__details(query, query__row(query, 1));
	assert_int_equal(details->failures, 1);
	assert_true(details->elapsed_ns == 1e9);
	details = query__details(query, query__row(query, 2));
	assert_int_equal(details->failures, 1);
	assert_int_equal(details->max_rss_bytes, NO_VALUE);
	query__free(query);
	fixture__close(&fixture);
}

/* p~ = (n + 1)/(N + 2); the error of n of N samples is cpu * sqrt(p~ (1 - p~) / N). */
static void test_error(void **state)
{
	struct fixture fixture;
	struct query *query;
	double isr = 1e9 * sqrt(2.0 / 12 * 10 / 12 / 10);
	double calibrate = 5e8 * sqrt(3.0 / 7 * 4 / 7 / 5);

	(void)state;
	fixture__open(&fixture);
	query = fixture__query(&fixture, "function", (const char *[]){"function=do_syscall", NULL},
			       0);
	assert_int_equal(query__row(query, 0)->own.samples, 3);
	assert_true(fabs(query__row(query, 0)->own.cpu_error_ns -
			 sqrt(isr * isr + calibrate * calibrate)) < 1);
	query__free(query);
	query = fixture__query(&fixture, "task", NULL, 0);
	assert_false(query__estimated(query));
	assert_true(query__row(query, 0)->own.cpu_error_ns == 0);
	query__free(query);
	fixture__close(&fixture);
}

static void test_hostile(void **state)
{
	static const char *const changes[] = {
		"UPDATE stack SET parent = 9 WHERE id = 4",
		"UPDATE stack SET parent = 4 WHERE id = 4",
		"UPDATE stack SET parent = -1 WHERE id = 4",
		"UPDATE stack SET parent = 'x' WHERE id = 4",
		"UPDATE stack SET frame = 99 WHERE id = 4",
		"UPDATE frame SET function = 99 WHERE id = 4",
		"UPDATE frame SET line = 1 << 40 WHERE id = 3",
		"UPDATE function SET kind = 'other' WHERE id = 4",
		"UPDATE sample SET stack = 99 WHERE stack = 4",
		"UPDATE sample SET epoch = 99 WHERE stack = 4",
		"UPDATE sample SET count = -1 WHERE stack = 4",
		"UPDATE sample SET count = 1 << 40 WHERE stack = 4",
		"UPDATE epoch SET process = 99 WHERE id = 1",
		"UPDATE usage SET epoch = 99 WHERE epoch = 1",
		"UPDATE usage SET cpu_ns = -1 WHERE epoch = 1",
		"UPDATE process SET start_ns = 9223372036854775807 WHERE id = 1",
		"UPDATE process SET pid = -1 WHERE id = 1",
		"UPDATE slice SET end_ns = 9223372036854775807 WHERE id = 1",
		"WITH RECURSIVE n(i) AS (SELECT 12 UNION ALL SELECT i + 1 FROM n LIMIT 5000)"
		" INSERT INTO stack SELECT i, i - 1, 1 FROM n",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
		"100)" INTO_SAMPLE
		"SELECT 1, 1, 1, 1, 'ending' || i, 'cpu', NULL, 1, 0, NULL "
		"FROM n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture;
		int error;

		fixture__create(&fixture, fixture_rows, changes[i]);
		error = fixture__load(&fixture);
		if (error != -EBADMSG)
			fail_msg("%s: %d, not -EBADMSG", changes[i], error);
		fixture__close(&fixture);
	}
}

/* What a recording that was cut off can lack. */
static void test_incomplete(void **state)
{
	struct fixture fixture;
	struct query *query;
	double all = 0;

	(void)state;
	fixture__open_with(&fixture,
			   "DELETE FROM thread; DELETE FROM image; DELETE FROM slice WHERE id = 2;"
			   "DELETE FROM meta WHERE key = 'stop_ns'");
	assert_int_equal(fixture.tables->end_ns, 1000000000);
	query = fixture__query(&fixture, "thread,time,function", NULL, 0);
	for (size_t i = 0; i < query__row_count(query); i++)
		all += query__row(query, i)->own.cpu_ns;
	assert_true(fabs(all - 1.502e9) < 1);
	query__free(query);
	query = fixture__query(&fixture, "process", NULL, 0);
	assert_int_equal(query__row_count(query), 4);
	query__free(query);
	fixture__close(&fixture);
}

static void test_summary(void **state)
{
	struct fixture fixture;
	struct summary *summary;

	(void)state;
	fixture__open(&fixture);
	assert_int_equal(summary__load(fixture.tables, &summary), 0);
	assert_true(summary->complete);
	assert_int_equal(summary->stacks[SOURCE_CPU].samples, 15);
	assert_int_equal(summary->stacks[SOURCE_CPU].python,
			 12); /* no_frames and unknown are none */
	assert_int_equal(summary->stacks[SOURCE_CPU].named, 10);
	assert_true(fabs(summary->recorder_cpu_percent - 1.0) < 1e-9);
	assert_int_equal(summary->recorder_max_rss_bytes, 42000000);
	assert_true(fabs(summary->cpu_s - 1.502) < 1e-9);
	assert_string_equal(summary__meta(summary, "node"), "node1");
	assert_null(summary__meta(summary, "nothing"));
	summary__free(summary);
	fixture__close(&fixture);
}

static void test_pattern(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} patterns[] = {
		{"isr", "isr", true},	{"isr", "isr2", false},
		{"isr*", "isr2", true}, {"*", "", true},
		{"", "", true},		{"", "x", false},
		{"*b*d", "abcd", true}, {"*b*d", "abcde", false},
		{"a*a*a", "aa", false}, {"[a]", "a", false},
		{"[a]", "[a]", true},	{"?", "a", false},
		{"*ab", "aab", true},	{"<listcomp>", "<listcomp>", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		assert_int_equal(pattern__matches(patterns[i].pattern, patterns[i].text),
				 patterns[i].matches);
}

/* 10 minutes of 64 processes: 1 M samples, 300 k stack nodes, 40 deep and bushy. */
static const char big_rows[] =
	"BEGIN;"
	"INSERT INTO meta VALUES ('state','complete'),('stop_ns','600000000000');"
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 600)"
	" INSERT INTO slice SELECT i, i * 1000000000, (i + 1) * 1000000000 FROM n;"
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 64)"
	" INSERT INTO process SELECT i, NULL, i + 1000, 0, NULL, NULL, NULL, 0, 0, 0, 1, '3.11' "
	"FROM"
	" n;"
	"INSERT INTO epoch SELECT id, id, id, 0, NULL, 'task' || (id % 8), NULL, 'r' FROM process;"
	"INSERT INTO image SELECT id, id, 0, 'python3', '[\"p\"]', NULL FROM process;"
	"INSERT INTO thread SELECT id, id, pid, 't', NULL FROM process;"
	"INSERT INTO usage SELECT e.id, s.id, 900000000, 0, 0 FROM epoch e, slice s;"
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 5000)"
	" INSERT INTO function SELECT i, 'python', 'function' || i, '/f' || (i % 100), i, 'm' FROM "
	"n;"
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
	" INSERT INTO frame SELECT i, i % 5000, i % 997 + 1, NULL FROM n;"
	/* Trees of 4000 nodes: a trunk of 40, branches up to 40 longer. */
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 300000)"
	" INSERT INTO stack SELECT i, CASE WHEN i % 4000 = 0 THEN NULL WHEN i % 4000 < 40 THEN i - "
	"1"
	" WHEN i % 4000 < 100 THEN i - 40 ELSE i - 100 END, (i * 7919 + i / 4000 * 13) % 20000 "
	"FROM n;"
	"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)" INTO_SAMPLE
	"SELECT i % 64, i % 64, i % 600, i * 104729 % 300000, 'python', 'cpu', "
	"NULL, 1, 0, NULL FROM n;"
	"COMMIT;";

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long peak_rss_kb(void)
{
	FILE *stream = fopen("/proc/self/status", "r");
	char line[256];
	long peak = 0;

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "VmHWM: %ld", &peak) == 1)
			break;
	fclose(stream);
	return peak;
}

static void test_big(void **state)
{
	static const char *const by[] = {"task",  "function",	   "task,function", "line",
					 "stack", "process,stack", "time,module"};
	struct fixture fixture;
	double start;

	(void)state;
	fixture__create(&fixture, big_rows, NULL);
	start = seconds_now();
	assert_int_equal(fixture__load(&fixture), 0);
	print_message("1 M samples, 300 k nodes: loaded in %.2f s of CPU\n", seconds_now() - start);
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		struct query *query;
		double all = 0;
		int64_t samples = 0;

		start = seconds_now();
		query = fixture__query(&fixture, by[i], NULL, 0);
		print_message("  by %-14s %7zu rows in %.2f s\n", by[i], query__row_count(query),
			      seconds_now() - start);
		for (size_t k = 0; k < query__row_count(query); k++) {
			const struct query_row *row = query__row(query, k);

			all += row->own.cpu_ns;
			samples += row->own.samples;
			if (query__has_totals(query))
				assert_true(row->total.samples >= row->own.samples);
		}
		assert_int_equal(samples, 1000000);
		assert_true(fabs(all - 64 * 600 * 0.9e9) < 1e3);
		query__free(query);
	}
	print_message("  peak memory %ld MB\n", peak_rss_kb() / 1000);
	fixture__close(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),  cmocka_unit_test(test_details),
		cmocka_unit_test(test_error),	   cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_incomplete), cmocka_unit_test(test_summary),
		cmocka_unit_test(test_pattern),	   cmocka_unit_test(test_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
