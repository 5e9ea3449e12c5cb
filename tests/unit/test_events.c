// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
/* Waits and file operations: exact, and as far as samples tell. */
#include "unit/fixture.h"

#include <errno.h>
#include <math.h>

/* A row: its keys' labels, joined by '|', and the metric: times in milliseconds. */
struct expected {
	const char *labels;
	double own, total;
};

struct event_case {
	const char *by, *metric;
	const char *where[4];
	struct expected rows[12]; /* in the order of the report; ends with labels NULL */
};

static struct query *run(struct fixture *fixture, const char *by, const char *const *where,
			 const char *metric)
{
	struct query_request request = fixture__request(by, where, metric);
	struct query *query = NULL;

	if (query__refusal(&request))
		fail_msg("by %s: %s", by, query__refusal(&request));
	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	return query;
}

static double measure_of(const struct query *query, const struct query_figures *figures)
{
	enum metric_value metric = query__request(query)->metric->value;
	double value = query__measure(query, figures);

	return metric == METRIC_OFFCPU || metric == METRIC_IO_TIME ? value / 1e6 : value;
}

static void check_case(struct fixture *fixture, const struct event_case *test)
{
	struct query *query = run(fixture, test->by, test->where, test->metric);
	size_t count = 0;
	char labels[256];

	while (test->rows[count].labels)
		count++;
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		const struct expected *expected = &test->rows[i];
		double own = measure_of(query, &row->own), total = measure_of(query, &row->total);

		fixture__labels(fixture, query, row, labels, sizeof(labels));
		if (i >= count && own <= 0 && total <= 0)
			continue; /* of other sources */
		if (i >= count)
			fail_msg("by %s: row '%s' too many", test->by, labels);
		if (strcmp(labels, expected->labels) || fabs(own - expected->own) > 1e-6)
			fail_msg("by %s: row %zu is '%s' %f, not '%s' %f", test->by, i, labels, own,
				 expected->labels, expected->own);
		if (query__has_totals(query) && fabs(total - expected->total) > 1e-6)
			fail_msg("by %s: total of '%s' is %f, not %f", test->by, labels, total,
				 expected->total);
	}
	if (query__row_count(query) < count)
		fail_msg("by %s: %zu rows, not %zu", test->by, query__row_count(query), count);
	query__free(query);
}

static const struct event_case cases[] = {
	/* Waits, exact. Half of the locks of isr are an idle thread's. */
	{"task",
	 "offcpu",
	 {0},
	 {{"isr", 1250, 0}, {"calibrate", 400, 0}, {"(unknown)", 0, 0}, {"sh", 0, 0}}},
	{"task",
	 "waits",
	 {0},
	 {{"isr", 17, 0}, {"calibrate", 2, 0}, {"(unknown)", 0, 0}, {"sh", 0, 0}}},
	{"wait",
	 NULL,
	 {0},
	 {{"idle", 500, 0},
	  {"lock", 500, 0},
	  {"child", 300, 0},
	  {"file_system", 200, 0},
	  {"other:keyctl", 100, 0},
	  {"run_queue", 50, 0}}},
	{"wait",
	 "waits",
	 {"process=100"},
	 {{"idle", 5, 0}, {"lock", 5, 0}, {"run_queue", 5, 0}, {"file_system", 2, 0}}},
	{"time", "offcpu", {0}, {{"1.000 s", 1050, 0}, {"0.000 s", 600, 0}}},
	/* Wakers: of 50 ms of locks in samples, 30 by a thread, 20 by interrupts. */
	{"waker",
	 NULL,
	 {0},
	 {{"(unknown)", 1000, 0},
	  {"200 cal (pid 200)", 300, 0},
	  {"(interrupt)", 200, 0},
	  {"(not sampled)", 150, 0}}},
	{"waker,wait",
	 NULL,
	 {"task=isr"},
	 {{"(unknown)|idle", 500, 0},
	  {"200 cal (pid 200)|lock", 300, 0},
	  {"(interrupt)|lock", 200, 0},
	  {"(unknown)|file_system", 200, 0},
	  {"(not sampled)|run_queue", 50, 0}}},
	{"wait", NULL, {"waker=cal"}, {{"lock", 300, 0}}},
	{"wait", NULL, {"waker=(interrupt)"}, {{"lock", 200, 0}}},
	{"wait", NULL, {"waker=(not*"}, {{"other:keyctl", 100, 0}, {"run_queue", 50, 0}}},
	{"waker,function",
	 "offcpu",
	 {"wait=lock"},
	 {{"200 cal (pid 200)|work", 300, 300},
	  {"(interrupt)|do_syscall", 200, 200},
	  {"200 cal (pid 200)|main", 0, 300},
	  {"(interrupt)|fib", 0, 200},
	  {"(interrupt)|main", 0, 200}}},
	{"time,wait",
	 NULL,
	 {"task=isr", "wait=*l*"},
	 {{"1.000 s|idle", 300, 0},
	  {"1.000 s|lock", 300, 0},
	  {"0.000 s|file_system", 200, 0},
	  {"0.000 s|idle", 200, 0},
	  {"0.000 s|lock", 200, 0}}},
	{"thread",
	 "offcpu",
	 {0},
	 {{"100 main (pid 100)", 720, 0},
	  {"102 idler (pid 100)", 510, 0},
	  {"200 cal (pid 200)", 400, 0},
	  {"(unknown)", 20, 0},
	  {"101 pool (pid 100)", 0, 0}}},
	{"thread,wait",
	 NULL,
	 {"thread=idler"},
	 {{"102 idler (pid 100)|idle", 500, 0}, {"102 idler (pid 100)|run_queue", 10, 0}}},
	{"task", "offcpu", {"wait=child"}, {{"calibrate", 300, 0}}},
	{"task", "offcpu", {"thread=main"}, {{"isr", 720, 0}}},

	/* Files with functions and threads, estimated: of 50 ms of samples of reads, which took
	 * 150 ms, 40 were on one file, 10 on another. */
	{"file,function",
	 NULL,
	 {"op=read", "process=100"},
	 {{"/data/in.fits|memcpy", 120, 120},
	  {"/tmp/out|work", 30, 30},
	  {"/data/in.fits|main", 0, 120},
	  {"/data/in.fits|work", 0, 120},
	  {"/tmp/out|main", 0, 30}}},
	{"function",
	 "io_time",
	 {"file=/data/in.fits", "op=read"},
	 {{"memcpy", 120, 120}, {"main", 0, 120}, {"work", 0, 120}}},
	{"thread,file",
	 NULL,
	 {"op=read", "process=100"},
	 {{"100 main (pid 100)|/data/in.fits", 120, 0}, {"100 main (pid 100)|/tmp/out", 30, 0}}},
	{"thread", "ops", {"process=100"}, {{"100 main (pid 100)", 301, 0}, {"(unknown)", 25, 0}}},

	/* Waits, estimated: 50 ms of samples stand for 500 ms of locks. */
	{"function",
	 "offcpu",
	 {0},
	 {{"do_syscall", 700, 700},
	  {"work", 300, 300},
	  {"work", 300, 300},
	  {"(unknown)", 200, 200},
	  {"(not sampled)", 150, 150},
	  {"main", 0, 1000},
	  {"fib", 0, 700},
	  {"memcpy", 0, 0}}}, /* other sources know it */
	{"function,wait",
	 NULL,
	 {"task=isr", "function=do_syscall"},
	 {{"do_syscall|idle", 500, 500},
	  {"do_syscall|lock", 200, 200},
	  {"fib|idle", 0, 500},
	  {"main|idle", 0, 500},
	  {"fib|lock", 0, 200},
	  {"main|lock", 0, 200}}},
	{"task,wait",
	 NULL,
	 {"function=(not sampled)"},
	 {{"calibrate|other:keyctl", 100, 0}, {"isr|run_queue", 50, 0}}},
	{"line",
	 "offcpu",
	 {"wait=lock"},
	 {{"main.py:12", 300, 300},
	  {"main.py:22", 200, 200},
	  {"main.py:2", 0, 500},
	  {"main.py:21", 0, 200}}},
	{"thread,module",
	 "offcpu",
	 {"wait=lock", "module=kernel"},
	 {{"100 main (pid 100)|kernel", 200, 200}, {"100 main (pid 100)|/a/main.py", 0, 200}}},
	{"time,function,thread",
	 "offcpu",
	 {"function=work", "time=1"},
	 {{"1.000 s|work|200 cal (pid 200)", 300, 300}}},
	{"thread,function",
	 "offcpu",
	 {"wait=idle"},
	 {{"102 idler (pid 100)|do_syscall", 500, 500},
	  {"102 idler (pid 100)|fib", 0, 500},
	  {"102 idler (pid 100)|main", 0, 500}}},
	{"thread,function",
	 "offcpu",
	 {"wait=run_queue"},
	 {{"100 main (pid 100)|(not sampled)", 20, 20},
	  {"(unknown)|(not sampled)", 20, 20},
	  {"102 idler (pid 100)|(not sampled)", 10, 10}}},

	/* Operations, exact. Files 1 and 4 are one. */
	{"task",
	 "io_time",
	 {0},
	 {{"calibrate", 300, 0}, {"isr", 210, 0}, {"sh", 5, 0}, {"(unknown)", 0, 0}}},
	{"task",
	 "ops",
	 {0},
	 {{"isr", 326, 0}, {"sh", 5, 0}, {"calibrate", 2, 0}, {"(unknown)", 0, 0}}},
	{"job", "write_bytes", {0}, {{"j1", 4096, 0}, {"-", 0, 0}}},
	{"file",
	 NULL,
	 {0},
	 {{"pipe", 300, 0},
	  {"/data/in.fits", 175, 0},
	  {"/data/missing", 30, 0},
	  {"/tmp/out", 10, 0}}},
	{"file,task",
	 "read_bytes",
	 {"file=in.fits"},
	 {{"/data/in.fits|isr", 2000000, 0}, {"/data/in.fits|sh", 0, 0}}},
	{"fs", NULL, {0}, {{"-", 300, 0}, {"ceph", 205, 0}, {"ext4", 10, 0}}},
	{"mount,op",
	 "ops",
	 {"mount=/*"},
	 {{"/data|open", 301, 0}, {"/data|read", 20, 0}, {"/|write", 5, 0}, {"/data|stat", 5, 0}}},
	{"op", "errors", {0}, {{"open", 300, 0}, {"write", 1, 0}, {"read", 0, 0}, {"stat", 0, 0}}},
	{"op", NULL, {0}, {{"read", 450, 0}, {"open", 50, 0}, {"write", 10, 0}, {"stat", 5, 0}}},
	{"time", "ops", {"op=read", "fs=ceph"}, {{"0.000 s", 10, 0}, {"1.000 s", 10, 0}}},
	{"task", "ops", {"file=/data*", "task=*s*"}, {{"isr", 321, 0}, {"sh", 5, 0}}},

	/* Operations, estimated: time, bytes and numbers each by samples of their own. */
	{"function",
	 "io_time",
	 {0},
	 {{"(not sampled)", 365, 365}, {"memcpy", 120, 120}, {"work", 30, 150}, {"main", 0, 150}}},
	{"function",
	 "read_bytes",
	 {"task=isr"},
	 {{"memcpy", 2000000, 2000000},
	  {"main", 0, 2000000},
	  {"work", 0, 2000000},
	  {"(not sampled)", 0, 0}}},
	{"function,op",
	 "ops",
	 {"task=isr"},
	 {{"work|open", 301, 301},
	  {"(not sampled)|read", 20, 20},
	  {"(not sampled)|write", 5, 5},
	  {"main|open", 0, 301},
	  {"(not sampled)|open", 0, 0},
	  {"main|read", 0, 0},
	  {"memcpy|read", 0, 0},
	  {"work|read", 0, 0}}},
	{"thread,stack",
	 "io_time",
	 {"op=read", "task=isr"},
	 {{"100 main (pid 100)|memcpy", 120, 0},
	  {"100 main (pid 100)|PyObject_GetAttr", 30, 0},
	  {"(unknown)|(not sampled)", 0, 0}}},
};

static void test_every_key(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&fixture, &cases[i]);
	fixture__close(&fixture);
}

static const struct query_row *row_labelled(const struct fixture *fixture,
					    const struct query *query, const char *wanted)
{
	char labels[256];

	for (size_t i = 0; i < query__row_count(query); i++) {
		fixture__labels(fixture, query, query__row(query, i), labels, sizeof(labels));
		if (!strcmp(labels, wanted))
			return query__row(query, i);
	}
	fail_msg("no row '%s'", wanted);
	return NULL;
}

/* Own value of a part; ends the test unless there is exactly one. */
static double part_of(const struct query *query, const struct query_row *row,
		      enum query_part_kind kind, uint32_t item)
{
	const struct query_part *part = NULL, *found = NULL;

	while ((part = query__part(query, row, part))) {
		if (part->kind != kind || part->item != item)
			continue;
		assert_null(found);
		found = part;
	}
	assert_non_null(found);
	return found->own;
}

static uint32_t class_of(const struct fixture *fixture, const char *name)
{
	for (uint32_t i = 0; i < fixture->tables->class_count; i++)
		if (!strcmp(fixture->tables->waits_for[i], name))
			return i;
	fail_msg("no class %s", name);
	return 0;
}

static void test_parts(void **state)
{
	const struct query_row *row;
	struct fixture fixture;
	struct query *query;

	(void)state;
	fixture__open_events(&fixture);
	query = run(&fixture, "task", NULL, NULL);
	row = row_labelled(&fixture, query, "isr");
	assert_true(fabs(part_of(query, row, PART_WAIT, class_of(&fixture, "lock")) - 5e8) < 1);
	assert_true(fabs(part_of(query, row, PART_WAIT, class_of(&fixture, "idle")) - 5e8) < 1);
	assert_true(part_of(query, row, PART_WAIT, class_of(&fixture, "run_queue")) == 5e7);
	assert_true(part_of(query, row, PART_ERROR, ENOENT) == 300);
	assert_true(part_of(query, row, PART_ERROR, ENOSPC) == 1);
	assert_true(row->own.cpu_ns == 1e9 && row->own.samples == 10);
	assert_true(row->own.read_bytes == 2e6 && row->own.write_bytes == 4096);
	assert_true(row->own.errors == 301 && row->own.ops == 326 && row->own.io_ns == 2.1e8);
	query__free(query);
	query = run(&fixture, "function", NULL, NULL);
	row = row_labelled(&fixture, query, "do_syscall");
	assert_true(fabs(part_of(query, row, PART_WAIT, class_of(&fixture, "lock")) - 2e8) < 1);
	assert_true(fabs(row->own.cpu_ns - 3e8) < 1); /* each source by itself */
	row = row_labelled(&fixture, query, "(not sampled)");
	assert_true(fabs(row->own.cpu_ns - 2e6) < 1 && row->own.ops == 32);
	assert_true(row->own.read_bytes == 100 && row->own.write_bytes == 4096);
	query__free(query);
	fixture__close(&fixture);
}

/* Root of the sum of squares; two equal samples of 10 ms, one of 40 ms; factors 10 and 12.5. */
static void test_errors(void **state)
{
	double expected = sqrt(200 * 100 + 1600 * 12.5 * 12.5);
	const struct query_figures *own;
	struct fixture fixture;
	struct query *query;

	(void)state;
	fixture__open_events(&fixture);
	query = run(&fixture, "function", NULL, "offcpu");
	own = &row_labelled(&fixture, query, "do_syscall")->own;
	assert_int_equal(own->offcpu_samples, 3);
	assert_true(fabs(own->offcpu_error_ns / 1e6 - expected) < 1e-6);
	own = &row_labelled(&fixture, query, "(not sampled)")->own;
	assert_true(own->offcpu_samples == 0 && own->offcpu_error_ns == 0);
	own = &row_labelled(&fixture, query, "memcpy")->own;
	assert_int_equal(own->io_samples, 1);
	assert_true(fabs(own->io_error_ns / 1e6 - 120) < 1e-6);
	query__free(query);
	query = run(&fixture, "task", NULL, "offcpu");
	assert_true(query__row(query, 0)->own.offcpu_error_ns == 0);
	query__free(query);
	fixture__close(&fixture);
}

/* Samples heavier than the period of the choice were certain: each counts 2 ms. */
static void test_errors_with_period(void **state)
{
	double expected = sqrt(2 * 4 * 100 + 4 * 12.5 * 12.5);
	struct fixture fixture;
	struct query *query;

	(void)state;
	fixture__create(&fixture, fixture_rows, fixture_events);
	fixture__execute(fixture.path,
			 "INSERT INTO meta VALUES ('offcpu_period_ns','2000000'),"
			 "('io_period_ns','-1')");
	assert_int_equal(fixture__load(&fixture), 0);
	query = run(&fixture, "function", NULL, "offcpu");
	assert_true(fabs(row_labelled(&fixture, query, "do_syscall")->own.offcpu_error_ns / 1e6 -
			 expected) < 1e-6);
	assert_true(fabs(row_labelled(&fixture, query, "memcpy")->own.io_error_ns / 1e6 - 120) <
		    1e-6);
	query__free(query);
	fixture__close(&fixture);
}

static double sum_of(const struct query *query, double (*figure)(const struct query_figures *))
{
	double sum = 0;

	for (size_t i = 0; i < query__row_count(query); i++)
		sum += figure(&query__row(query, i)->own);
	return sum;
}

static double offcpu_of(const struct query_figures *figures)
{
	return figures->offcpu_ns;
}

static double io_of(const struct query_figures *figures)
{
	return figures->io_ns;
}

static double bytes_of(const struct query_figures *figures)
{
	return figures->read_bytes + figures->write_bytes;
}

static double ops_of(const struct query_figures *figures)
{
	return figures->ops;
}

/* Whatever the keys: all rows together are what was counted. */
static void test_sums(void **state)
{
	static const char *const by[] = {"task",
					 "process",
					 "job",
					 "time",
					 "function",
					 "line",
					 "module",
					 "stack",
					 "task,function",
					 "thread,function",
					 "time,stack",
					 "process,line,module",
					 "thread,time,function"};
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		struct query *query = run(&fixture, by[i], NULL, NULL);

		if (fabs(sum_of(query, offcpu_of) - 1.65e9) > 1 ||
		    fabs(sum_of(query, io_of) - 5.15e8) > 1 ||
		    fabs(sum_of(query, bytes_of) - 2004196) > 1e-3 ||
		    fabs(sum_of(query, ops_of) - 333) > 1e-6)
			fail_msg("by %s: %f ns waited, %f ns, %f bytes, %f operations", by[i],
				 sum_of(query, offcpu_of), sum_of(query, io_of),
				 sum_of(query, bytes_of), sum_of(query, ops_of));
		query__free(query);
	}
	fixture__close(&fixture);
}

static void test_refused(void **state)
{
	static const struct {
		const char *by, *metric;
		const char *where[3];
		bool refused;
	} requests[] = {
		{"wait,file", NULL, {0}, true},
		{"waker,op", NULL, {0}, true},
		{"fs", NULL, {"waker=1"}, true},
		{"waker", "cpu", {0}, true},
		{"waker", "waits", {0}, true},
		{"waker", "read_bytes", {0}, true},
		{"waker,wait,thread,time,process", NULL, {0}, false},
		{"waker,stack", "offcpu", {0}, false},
		{"wait,op", NULL, {0}, true},
		{"wait", NULL, {"fs=ceph"}, true},
		{"file", NULL, {"wait=lock"}, true},
		{"task", NULL, {"wait=lock", "op=read"}, true},
		{"file,function", NULL, {0}, false},
		{"mount", NULL, {"line=a.py:1"}, false},
		{"function", NULL, {"fs=ceph"}, false},
		{"file,thread", NULL, {0}, false},
		{"op,thread", NULL, {0}, false},
		{"op", NULL, {"thread=main"}, false},
		{"file,function", "errors", {0}, true},
		{"thread", "errors", {0}, true},
		{"op,thread,function", NULL, {0}, false},
		{"wait,thread,time", NULL, {0}, true},
		{"wait,thread,time,line", NULL, {0}, false},
		{"wait,thread", NULL, {0}, false},
		{"wait,function", NULL, {0}, false},
		{"op,stack", NULL, {0}, false},
		{"file,mount,fs,op,task,job,process,time", NULL, {0}, false},
		{"file", "cpu", {0}, true},
		{"wait", "samples", {0}, true},
		{"wait", "ops", {0}, true},
		{"op", "offcpu", {0}, true},
		{"thread", "io_time", {0}, false},
		{"thread,time", "offcpu", {0}, true},
		{"thread,time", NULL, {0}, false},
		{"function", "waits", {0}, true},
		{"task", "errors", {"function=f"}, true},
		{"function", "ops", {0}, false},
		{"task", "errors", {0}, false},
	};
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct query_request request =
			fixture__request(requests[i].by, requests[i].where, requests[i].metric);
		const char *why = query__refusal(&request);
		struct query *query = NULL;
		int error = query__run(fixture.tables, &request, &query);

		if (!why != !requests[i].refused || error != (why ? -EINVAL : 0))
			fail_msg("by %s: %s, %d", requests[i].by, why ? why : "accepted", error);
		query__free(query);
	}
	fixture__close(&fixture);
}

/* Which threads are idle; changes of the fixture's idle thread, whose main thread never is. */
static void test_idle(void **state)
{
	static const struct {
		const char *change;
		bool idle;
	} changes[] = {
		{"SELECT 1", true},
		{"UPDATE thread SET tid = 100 WHERE id = 4", false},
		{"INSERT INTO thread_usage VALUES (1,4,1,5000000)", true}, /* of 515 ms */
		{"INSERT INTO thread_usage VALUES (1,4,1,5200000)", false},
		{"INSERT INTO thread_wait VALUES (1,4,'sleep',1,16000000)", true}, /* of 526 ms */
		{"INSERT INTO thread_wait VALUES (1,4,'sleep',1,17000000)", false},
		{"UPDATE thread_wait SET class = 'socket' WHERE thread = 4 AND class = 'lock'",
		 true},
		{"UPDATE thread_wait SET class = 'child' WHERE thread = 4 AND class = 'lock'",
		 false},
		{"DELETE FROM thread_wait WHERE thread = 4", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture;

		fixture__create(&fixture, fixture_rows, fixture_events);
		fixture__execute(fixture.path, changes[i].change);
		assert_int_equal(fixture__load(&fixture), 0);
		assert_int_equal(fixture.tables->thread_count, 4);
		for (size_t t = 0; t < 4; t++)
			if (fixture.tables->threads[t].idle != (changes[i].idle && t == 3))
				fail_msg("%s: thread %zu", changes[i].change, t);
		fixture__close(&fixture);
	}
}

/* Threads that were counted for more than their process: no time is negative, no sum grows. */
static void test_idle_beyond_sum(void **state)
{
	struct fixture fixture;
	struct query *query;

	(void)state;
	fixture__create(&fixture, fixture_rows, fixture_events);
	fixture__execute(fixture.path,
			 "UPDATE thread_wait SET ns = 9000000000, count = 99"
			 " WHERE thread = 4 AND class = 'lock'");
	assert_int_equal(fixture__load(&fixture), 0);
	query = run(&fixture, "wait", (const char *[]){"task=isr", NULL}, NULL);
	assert_true(fabs(sum_of(query, offcpu_of) - 1.25e9) < 1);
	assert_true(fabs(row_labelled(&fixture, query, "idle")->own.offcpu_ns - 1e9) < 1);
	assert_int_equal(query__row_count(query), 3); /* no lock is left */
	query__free(query);
	query = run(&fixture, "thread", NULL, "offcpu");
	assert_true(fabs(row_labelled(&fixture, query, "(unknown)")->own.offcpu_ns - 2e7) < 1);
	query__free(query);
	fixture__close(&fixture);
}

static void test_hostile(void **state)
{
	static const char *const changes[] = {
		"UPDATE wait SET epoch = 99",
		"UPDATE wait SET ns = -1 WHERE class = 'child'",
		"UPDATE wait SET ns = 9223372036854775807 WHERE class = 'child'",
		"UPDATE wait SET count = -1 WHERE class = 'child'",
		"UPDATE thread_wait SET epoch = 99",
		"UPDATE thread_wait SET ns = -1",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1025)"
		" INSERT INTO wait SELECT 1, 1, 'class' || i, 1, 1 FROM n",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 65)"
		" INSERT INTO io SELECT 1, 1, 1, 'op' || i, 0, 1, 1, 1 FROM n",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 65537)"
		" INSERT INTO io_histogram SELECT 'read', 'fs' || i, 'ns', 1, 1 FROM n",
		"UPDATE io SET epoch = 99 WHERE op = 'stat'",
		"UPDATE io SET error = -1 WHERE op = 'stat'",
		"UPDATE io SET error = 4096 WHERE op = 'stat'",
		"UPDATE io SET count = -1 WHERE op = 'stat'",
		"UPDATE io SET bytes = -1 WHERE op = 'stat'",
		"UPDATE io SET ns = 9223372036854775807 WHERE op = 'stat'",
		"UPDATE io_histogram SET bucket = -1 WHERE what = 'bytes'",
		"UPDATE io_histogram SET bucket = 63 WHERE what = 'bytes'",
		"UPDATE io_histogram SET count = -1",
		"UPDATE sample SET class = NULL WHERE metric = 'offcpu'",
		"UPDATE sample SET class = NULL WHERE metric = 'io_ops'",
		"UPDATE sample SET value = -1 WHERE metric = 'io_ops'",
		"UPDATE sample SET value = 9223372036854775807 WHERE metric = 'io_ops'",
		"UPDATE sample SET count = -1 WHERE metric = 'io_ops'",
		"UPDATE sample SET stack = 99 WHERE metric = 'io_ops'",
		"UPDATE sample SET epoch = 99 WHERE metric = 'offcpu'",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture;
		int error;

		fixture__create(&fixture, fixture_rows, fixture_events);
		fixture__execute(fixture.path, changes[i]);
		error = fixture__load(&fixture);
		if (error != -EBADMSG)
			fail_msg("%s: %d, not -EBADMSG", changes[i], error);
		fixture__close(&fixture);
	}
}

/* What a recording that was cut off can lack, and samples of what was never counted. */
static void test_incomplete(void **state)
{
	struct fixture fixture;
	struct query *query;

	(void)state;
	fixture__create(&fixture, fixture_rows, fixture_events);
	fixture__execute(fixture.path,
			 "DELETE FROM thread; DELETE FROM file; DELETE FROM slice WHERE id = 2;"
			 "DELETE FROM meta WHERE key = 'sources';" INTO_SAMPLE
			 "VALUES (3,1,1,4,'python','offcpu','poll',1,5,NULL)");
	assert_int_equal(fixture__load(&fixture), 0);
	query = run(&fixture, "function", NULL, "offcpu");
	assert_true(fabs(sum_of(query, offcpu_of) - 1.65e9) < 1);
	query__free(query);
	query = run(&fixture, "thread", NULL, "offcpu");
	assert_true(fabs(sum_of(query, offcpu_of) - 1.65e9) < 1);
	query__free(query);
	query = run(&fixture, "file,fs,mount,time", NULL, NULL);
	assert_true(fabs(sum_of(query, io_of) - 5.15e8) < 1);
	query__free(query);
	fixture__close(&fixture);
}

static void test_not_recorded(void **state)
{
	struct fixture fixture;
	struct query *query;

	(void)state;
	fixture__open(&fixture);
	query = run(&fixture, "task", NULL, NULL);
	assert_true(query__knows(query, SOURCE_CPU));
	assert_false(query__knows(query, SOURCE_OFFCPU) || query__knows(query, SOURCE_IO));
	query__free(query);
	query = run(&fixture, "wait", NULL, NULL);
	assert_int_equal(query__row_count(query), 0);
	query__free(query);
	fixture__close(&fixture);
}

/* For tests/fuzz/seeds. */
static int write_seed(const char *path)
{
	struct fixture fixture;

	fixture__create(&fixture, fixture_rows, fixture_events);
	fixture__execute(fixture.path, "PRAGMA page_size = 512; VACUUM");
	return rename(fixture.path, path) || rmdir(fixture.directory) ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),    cmocka_unit_test(test_parts),
		cmocka_unit_test(test_errors),	     cmocka_unit_test(test_errors_with_period),
		cmocka_unit_test(test_sums),	     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_idle),	     cmocka_unit_test(test_idle_beyond_sum),
		cmocka_unit_test(test_hostile),	     cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_not_recorded),
	};

	if (argc == 3 && !strcmp(argv[1], "--seed"))
		return write_seed(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
