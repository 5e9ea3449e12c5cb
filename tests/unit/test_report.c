// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
#include "unit/fixture.h"

#include <errno.h>
#include <jansson.h>

#include "report/csv.h"
#include "report/grid.h"
#include "report/json.h"
#include "report/printable.h"
#include "report/text.h"

struct printed {
	FILE *stream;
	char *text;
	size_t size;
};

static void printed__start(struct printed *printed)
{
	*printed = (struct printed){0};
	printed->stream = open_memstream(&printed->text, &printed->size);
	assert_non_null(printed->stream);
}

static void printed__end(struct printed *printed, int error)
{
	assert_int_equal(fclose(printed->stream), 0);
	assert_int_equal(error, 0);
}

static json_t *json_by(struct fixture *fixture, const char *by, const char *const *where,
		       const char *metric, size_t limit)
{
	struct query_request request = fixture__request(by, where, metric);
	struct query *query = NULL;
	struct summary *summary;
	struct printed printed;
	json_error_t problem;
	json_t *root;

	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	assert_int_equal(summary__load(fixture->tables, &summary), 0);
	printed__start(&printed);
	printed__end(&printed,
		     json_report__print(printed.stream, fixture->tables, summary, query, limit));
	for (size_t i = 0; i < printed.size; i++)
		assert_true(printed.text[i] == '\n' ||
			    (printed.text[i] >= ' ' && printed.text[i] < 0x7f));
	root = json_loads(printed.text, JSON_REJECT_DUPLICATES, &problem);
	if (!root)
		fail_msg("%s: %s", problem.text, printed.text);
	free(printed.text);
	summary__free(summary);
	query__free(query);
	return root;
}

static json_t *json_of(struct fixture *fixture, const char *by, const char *const *where,
		       size_t limit)
{
	return json_by(fixture, by, where, NULL, limit);
}

static const char *text_at(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void test_json_functions(void **state)
{
	const char *file, *function;
	json_int_t samples, line, total;
	double cpu, error, total_cpu;
	struct fixture fixture;
	json_t *root, *row;

	(void)state;
	fixture__open(&fixture);
	root = json_of(&fixture, "task,function", (const char *[]){"task=isr", NULL}, 2);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), 2);
	row = json_array_get(json_object_get(root, "rows"), 0);
	assert_int_equal(json_unpack(row, "{s:s, s:s, s:I, s:F, s:F, s:I, s:{s:F, s:I}}",
				     "function", &function, "file", &file, "function_line", &line,
				     "cpu_s", &cpu, "cpu_s_error", &error, "samples", &samples,
				     "total", "cpu_s", &total_cpu, "samples", &total),
			 0);
	assert_string_equal(function, "work");
	assert_string_equal(text_at(row, "task"), "isr");
	assert_string_equal(file, "/a/main.py");
	assert_int_equal(line, 10);
	assert_int_equal(samples, 4);
	assert_int_equal(total, 6);
	assert_true(cpu > 0.3999 && cpu < 0.4001 && error > 0.1 && error < 0.2);
	assert_true(total_cpu > 0.5999 && total_cpu < 0.6001);
	json_decref(root);
	fixture__close(&fixture);
}

static void test_json_head(void **state)
{
	json_int_t samples, nested, python, hz, rss;
	double share, elapsed, percent;
	struct fixture fixture;
	int complete;
	json_t *root;

	(void)state;
	fixture__open(&fixture);
	root = json_of(&fixture, "task", NULL, 0);
	assert_int_equal(
		json_unpack(root,
			    "{s:{s:b, s:F, s:I}, s:{s:I, s:{s:I}, s:{s:I}, s:F}, s:{s:F, s:I}}",
			    "recording", "complete", &complete, "elapsed_s", &elapsed, "hz", &hz,
			    "quality", "samples", &samples, "counters", "lost_nested", &nested,
			    "endings", "python", &python, "python_named_share", &share, "overhead",
			    "cpu_percent", &percent, "max_rss_bytes", &rss),
		0);
	assert_true(complete);
	assert_true(elapsed == 2 && hz == 99 && samples == 15 && nested == 7 && python == 10);
	assert_true(share > 0.833 && share < 0.834 && percent == 1 && rss == 42000000);
	assert_false(json_is_true(json_object_get(json_object_get(root, "query"), "estimated")));
	assert_null(
		json_object_get(json_array_get(json_object_get(root, "rows"), 0), "cpu_s_error"));
	json_decref(root);
	fixture__close(&fixture);
}

static void test_json_other_keys(void **state)
{
	struct fixture fixture;
	json_t *root, *row, *stack;

	(void)state;
	fixture__open(&fixture);
	root = json_of(&fixture, "stack", NULL, 0);
	row = json_array_get(json_object_get(root, "rows"), 0);
	stack = json_object_get(row, "stack");
	assert_int_equal(json_array_size(stack), 3); /* without the eval loop */
	assert_string_equal(json_string_value(json_array_get(stack, 0)), "main (main.py:2)");
	assert_string_equal(json_string_value(json_array_get(stack, 2)), "PyObject_GetAttr");
	assert_null(json_object_get(row, "total"));
	json_decref(root);

	root = json_of(&fixture, "process", NULL, 0);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), 4);
	row = json_array_get(json_object_get(root, "rows"), 1);
	assert_string_equal(text_at(row, "command"), "cal");
	assert_string_equal(text_at(row, "task"), "calibrate");
	assert_int_equal(json_integer_value(json_object_get(row, "pid")), 200);
	assert_int_equal(json_integer_value(json_object_get(row, "exit_signal")), 9);
	assert_true(json_is_null(json_object_get(row, "exit_code")));
	json_decref(root);

	root = json_of(&fixture, "line,module,thread,time,process,task,job", NULL, 1);
	row = json_array_get(json_object_get(root, "rows"), 0);
	assert_string_equal(text_at(row, "line"), "main.py:12");
	assert_string_equal(text_at(row, "line_file"), "/a/main.py");
	assert_int_equal(json_integer_value(json_object_get(row, "thread")), 100);
	assert_int_equal(json_integer_value(json_object_get(row, "process")), 100);
	assert_string_equal(text_at(row, "job"), "j1");
	json_decref(root);
	fixture__close(&fixture);
}

static json_t *row_at(const json_t *root, size_t position)
{
	return json_array_get(json_object_get(root, "rows"), position);
}

static bool is_missing(const json_t *root, const char *name)
{
	const json_t *missing = json_object_get(json_object_get(root, "query"), "missing"), *one;
	bool found = false;
	size_t i;

	assert_true(json_is_array(missing));
	json_array_foreach(missing, i, one) found |= !strcmp(json_string_value(one), name);
	return found;
}

static bool is_near(double value, double expected)
{
	return value > expected - 1e-6 && value < expected + 1e-6;
}

static void test_json_events(void **state)
{
	json_int_t waits, read_bytes, write_bytes, ops, errors, opens, enoent, enospc;
	json_int_t stacks, unknown, named, operations, python;
	double lock, idle, waited, io, cpu;
	struct fixture fixture;
	json_t *root;

	(void)state;
	fixture__open_events(&fixture);
	root = json_by(&fixture, "task", NULL, "offcpu", 0);
	assert_int_equal(json_unpack(row_at(root, 0),
				     "{s:F, s:F, s:I, s:{s:F, s:F}, s:F, s:I, s:I, s:I, s:I, "
				     "s:{s:I}, s:{s:I, s:I}}",
				     "cpu_s", &cpu, "offcpu_s", &waited, "wait_count", &waits,
				     "wait", "lock", &lock, "idle", &idle, "io_s", &io,
				     "read_bytes", &read_bytes, "write_bytes", &write_bytes,
				     "op_count", &ops, "error_count", &errors, "ops", "open",
				     &opens, "errors", "ENOENT", &enoent, "ENOSPC", &enospc),
			 0);
	assert_int_equal(json_unpack(root, "{s:{s:{s:I, s:{s:I}, s:I}, s:{s:I, s:I}}}", "quality",
				     "waits", "samples", &stacks, "endings", "unknown", &unknown,
				     "python_named_samples", &named, "operations", "samples",
				     &operations, "python_samples", &python),
			 0);
	assert_true(stacks == 8 && unknown == 1 && named == 7 && operations == 5 && python == 5);
	assert_string_equal(text_at(row_at(root, 0), "task"), "isr");
	assert_true(cpu == 1 && is_near(waited, 1.25) && is_near(lock, 0.5) && is_near(idle, 0.5));
	assert_true(is_near(io, 0.21) && waits == 17 && read_bytes == 2000000);
	assert_true(write_bytes == 4096 && ops == 326 && errors == 301 && opens == 301);
	assert_true(enoent == 300 && enospc == 1);
	/* Those of CephFS, of which nothing was recorded. */
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(root, "query"), "missing")),
		5 + 6 + 3); /* of memory, of CephFS and of allocations */
	assert_true(is_missing(root, "rss_growth_bytes") && is_missing(root, "ceph_s"));
	assert_int_equal(json_array_size(json_object_get(root, "histograms")), 4);
	json_decref(root);

	root = json_of(&fixture, "thread", NULL, 0);
	assert_true(is_missing(root, "io_s") && is_missing(root, "ops"));
	assert_false(is_missing(root, "wait") || is_missing(root, "cpu_s"));
	assert_null(json_object_get(row_at(root, 0), "io_s"));
	assert_non_null(json_object_get(row_at(root, 0), "wait"));
	json_decref(root);

	root = json_of(&fixture, "file", NULL, 0);
	assert_true(is_missing(root, "cpu_s") && is_missing(root, "offcpu_s"));
	assert_string_equal(text_at(row_at(root, 1), "file"), "/data/in.fits");
	assert_string_equal(text_at(row_at(root, 1), "mount"), "/data");
	assert_true(json_is_null(json_object_get(row_at(root, 0), "fs")));
	json_decref(root);

	root = json_of(&fixture, "wait", NULL, 0);
	assert_string_equal(text_at(row_at(root, 0), "wait"), "idle");
	assert_null(json_object_get(row_at(root, 0), "cpu_s"));
	json_decref(root);
	fixture__close(&fixture);
}

static void test_json_estimated_events(void **state)
{
	double own, error, total, lock, idle;
	struct fixture fixture;
	json_int_t samples;
	json_t *root;

	(void)state;
	fixture__open_events(&fixture);
	root = json_by(&fixture, "function", NULL, "offcpu", 0);
	assert_int_equal(json_unpack(row_at(root, 0), "{s:F, s:F, s:I, s:{s:F, s:{s:F, s:F}}}",
				     "offcpu_s", &own, "offcpu_s_error", &error, "offcpu_samples",
				     &samples, "total", "offcpu_s", &total, "wait", "lock", &lock,
				     "idle", &idle),
			 0);
	assert_string_equal(text_at(row_at(root, 0), "function"), "do_syscall");
	assert_true(is_near(own, 0.7) && is_near(total, 0.7) && samples == 3 && error > 0.5);
	assert_true(is_near(lock, 0.2) && is_near(idle, 0.5));
	assert_true(is_missing(root, "wait_count") && is_missing(root, "errors"));
	assert_false(is_missing(root, "ops"));
	json_decref(root);
	root = json_by(&fixture, "function", NULL, "io_time", 0);
	assert_string_equal(text_at(row_at(root, 0), "function"), "(not sampled)");
	assert_string_equal(text_at(row_at(root, 1), "function"), "memcpy");
	assert_int_equal(json_unpack(row_at(root, 1), "{s:F, s:F, s:I, s:{s:F}}", "io_s", &own,
				     "read_bytes", &total, "io_samples", &samples, "total",
				     "io_s_error", &error),
			 0);
	assert_true(is_near(own, 0.12) && is_near(total, 2e6) && samples == 1);
	json_decref(root);
	fixture__close(&fixture);
}

static void test_json_not_recorded(void **state)
{
	struct fixture fixture;
	json_t *root;

	(void)state;
	fixture__open(&fixture);
	root = json_of(&fixture, "task", NULL, 0);
	assert_true(is_missing(root, "offcpu_s") && is_missing(root, "read_bytes"));
	assert_null(json_object_get(row_at(root, 0), "offcpu_s"));
	assert_null(json_object_get(root, "histograms"));
	json_decref(root);
	fixture__close(&fixture);
}

static void test_csv(void **state)
{
	static const char expected[] =
		"line,line_file,cpu_s,cpu_s_error,samples,total_cpu_s,total_cpu_s_error,"
		"total_samples\r\n"
		"\"a,\"\"b\"\".py:6\",\"/b/a,\"\"b\"\".py\",0.300000000,0.110656667,3,0.300000000,"
		"0.110656667,3\r\n";
	struct fixture fixture;
	struct printed printed;
	struct query *query;

	(void)state;
	fixture__open_with(&fixture, "UPDATE function SET file = '/b/a,\"b\".py' WHERE id = 3");
	query = fixture__query(&fixture, "line", (const char *[]){"line=*.py:6", NULL}, 0);
	printed__start(&printed);
	printed__end(&printed, csv_report__print(printed.stream, fixture.tables, query, 0));
	assert_string_equal(printed.text, expected);
	free(printed.text);
	query__free(query);
	query = fixture__query(&fixture, "task", (const char *[]){"task=none", NULL}, 0);
	printed__start(&printed);
	printed__end(&printed, csv_report__print(printed.stream, fixture.tables, query, 0));
	assert_string_equal(printed.text, "task\r\n");
	free(printed.text);
	query__free(query);
	fixture__close(&fixture);
}

static void test_csv_events(void **state)
{
	static const char expected[] =
		"fs,io_s,read_bytes,write_bytes,op_count,error_count,waited_s,waited_count\r\n"
		"ext4,0.010000000,0,4096,5,1,0.000000000,0\r\n";
	struct fixture fixture;
	struct printed printed;
	struct query *query;

	(void)state;
	fixture__open_events(&fixture);
	query = fixture__query(&fixture, "fs", (const char *[]){"fs=ext*", NULL}, 0);
	printed__start(&printed);
	printed__end(&printed, csv_report__print(printed.stream, fixture.tables, query, 0));
	assert_string_equal(printed.text, expected);
	free(printed.text);
	query__free(query);
	fixture__close(&fixture);
}

static void check_lines(const char *text, size_t width)
{
	for (const char *at = text; *at;) {
		size_t size = strcspn(at, "\n");
		char line[512];

		assert_true(size < sizeof(line));
		snprintf(line, sizeof(line), "%.*s", (int)size, at);
		if (printable__width(line) > width)
			fail_msg("wider than %zu: %s", width, line);
		for (size_t i = 0; i < size; i++)
			assert_true((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
		at += size + (at[size] == '\n');
	}
}

static char *page_by(struct fixture *fixture, const char *by, const char *metric, size_t width)
{
	struct query_request request = fixture__request(by ? by : "task", NULL, metric);
	struct query *query = NULL;
	struct summary *summary;
	struct printed printed;

	if (by)
		assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	assert_int_equal(summary__load(fixture->tables, &summary), 0);
	printed__start(&printed);
	printed__end(&printed,
		     query ? text_report__query(printed.stream, fixture->tables, summary, query,
						width, 0)
			   : text_report__page(printed.stream, fixture->tables, summary, width, 0));
	summary__free(summary);
	query__free(query);
	return printed.text;
}

static char *page_of(struct fixture *fixture, const char *by, size_t width)
{
	return page_by(fixture, by, NULL, width);
}

/* Long and hostile names everywhere; the recording is cut off. */
static const char hostile_names[] =
	"UPDATE meta SET value = 'recording' WHERE key = 'state';"
	"UPDATE meta SET value = 'no' || char(27) || '[2Jde' WHERE key = 'node';"
	"UPDATE function SET name = 'evil' || char(27) || ']0;x' || char(7) || char(10) || "
	"char(155)"
	" || char(8238) || 'very_long_name_very_long_name_very_long_name_very_long_name;a'"
	" WHERE id = 2;"
	"UPDATE function SET name = CAST(x'6d65ff6d' AS TEXT) WHERE id = 6;"
	"UPDATE epoch SET task = 'a task with a very long name ' || char(13) || ' and more of it'"
	" WHERE id = 1;"
	"UPDATE image SET arguments = json_array('/usr/bin/python3', char(27) || '[31m',"
	" 'a long command line that goes on and on and on, longer than any terminal is wide, and'"
	" || ' still has not ended');"
	"UPDATE process SET pid = pid + 4000000;";

/* The same in waits and files; and more classes and task names than a page shows. */
static const char hostile_events[] =
	"UPDATE wait SET class = 'fi' || char(27) || '[2J' || char(10) || char(8238) ||"
	" 'le_system_with_a_very_long_name_that_no_column_holds' WHERE class = 'file_system';"
	"UPDATE file SET path = '/data/' || char(27) || '[31m' || char(10) ||"
	" replace(hex(zeroblob(100)), '0', 'abc/') || 'in.fits', filesystem = 'ce' || char(13) ||"
	" 'ph_with_a_long_name', mount = '/da' || char(7) || 'ta' WHERE id IN (1, 4);"
	"UPDATE io SET op = 'op' || char(27) || 'en' WHERE op = 'open';"
	"UPDATE io SET count = 1 << 60, bytes = 1 << 60, ns = 1 << 60 WHERE op = 'write';"
	"UPDATE io SET error = 4095, count = 1000 WHERE op = 'stat';"
	"UPDATE io_histogram SET count = 1 << 60, filesystem = 'ce' || char(13) ||"
	" replace(hex(zeroblob(50)), '0', 'ph') WHERE op = 'read';"
	"INSERT INTO io_histogram SELECT value, 'ext4', 'ns', 62, 0"
	" FROM json_each('[\"write\",\"stat\"]');"
	"UPDATE wait SET ns = 1 << 61, count = 1 << 61 WHERE class = 'child';"
	"UPDATE sample SET value = 1 << 61, count = 2147483647 WHERE metric = 'offcpu';"
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500)"
	" INSERT INTO wait SELECT 1, 1, 'other:call' || i, 1, 1000000 FROM n;";

static void test_text_events(void **state)
{
	static const struct {
		const char *by, *metric;
	} pages[] = {
		{NULL, NULL},	       {"wait", NULL},
		{"file", NULL},	       {"op", NULL},
		{"mount,fs,op", NULL}, {"task", "offcpu"},
		{"task", "waits"},     {"task", "io_time"},
		{"process", "errors"}, {"function", "offcpu"},
		{"stack", "offcpu"},   {"task,function,wait", NULL},
		{"function", "ops"},   {"line,op", NULL},
		{"thread", "offcpu"},  {"file,task", "read_bytes"},
	};
	static const size_t widths[] = {80, 120, 200};
	struct fixture fixture;

	(void)state;
	fixture__create(&fixture, fixture_rows, hostile_names);
	fixture__execute(fixture.path, fixture_events);
	fixture__execute(fixture.path, hostile_events);
	assert_int_equal(fixture__load(&fixture), 0);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
			char *text = page_by(&fixture, pages[i].by, pages[i].metric, widths[w]);

			check_lines(text, widths[w]);
			free(text);
		}
	}
	fixture__close(&fixture);
}

/* Where the width leaves the column of errors out, nothing is said of it. */
static void test_errors_that_are_shown(void **state)
{
	static const char *const pages[][2] = {
		{"mount,function", "io_time"}, {"function,wait", "offcpu"}, {"task,line", "cpu"}};
	struct fixture fixture;

	(void)state;
	fixture__open_events(&fixture);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (size_t width = 20; width <= 200; width += 20) {
			char *text = page_by(&fixture, pages[i][0], pages[i][1], width);
			bool shown = strstr(text, " +- ") != strstr(text, " +- is ");

			if (shown != !!strstr(text, "+- is one standard error") ||
			    !strstr(text, "exact totals shared out over samples"))
				fail_msg("%zu columns: %s", width, text);
			assert_true(width < 200 || shown);
			assert_true(width > 20 || !shown);
			free(text);
		}
	}
	fixture__close(&fixture);
}

static void test_text_events_content(void **state)
{
	static const char *const lines[] = {
		"\nisr        0.750 s  66.7 %       -       26.7 %             -  0.500 s\n",
		"\ncalibrate  0.400 s       -  75.0 %            -        25.0 %        -\n",
		"\nisr        2.0 MB   4.1 kB         326     301       0.210 s\n",
		"\n0.300 s  0.300 s  lock   work      main.py:10  isr\n",
		" 100.0 % of 7 waits",
		"\nWhat is missing, and why\n",
		": the stack never arrived\n",
		"\n0.300 s   60.0 %  lock  isr   cal 200          calibrate\n",
		"\n0.170 s  2.0 MB  read 20, open 1       0  /data/in.fits  isr\n",
		"\n   300  ENOENT  open            99.7 %  isr\n",
		"\nceph         1.9 ms / 4.1 ms      -            -     -\n",
	};
	struct fixture fixture;
	char *text;

	(void)state;
	fixture__open_events(&fixture);
	text = page_of(&fixture, NULL, 80);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("the page lacks '%s': %s", lines[i], text);
	free(text);
	text = page_by(&fixture, "function", "offcpu", 120);
	assert_non_null(strstr(text, "mostly for"));
	assert_non_null(strstr(text, "idle 71 %"));
	assert_null(strstr(text, "memcpy")); /* it has only CPU time */
	free(text);
	fixture__close(&fixture);

	fixture__open(&fixture);
	text = page_of(&fixture, NULL, 80);
	assert_null(strstr(text, "Waiting"));
	assert_null(strstr(text, "Operations"));
	free(text);
	text = page_by(&fixture, "task", "offcpu", 80);
	assert_non_null(strstr(text, "Waiting: not recorded"));
	free(text);
	fixture__close(&fixture);
}

static void test_text(void **state)
{
	static const char *const by[] = {
		NULL,	    "task", "process", "thread", "job,task",	       "time",
		"function", "line", "module",  "stack",	 "task,function,line", "process,function"};
	static const size_t widths[] = {80, 120, 200};
	struct fixture fixture;

	(void)state;
	fixture__open_with(&fixture, hostile_names);
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
			char *text = page_of(&fixture, by[i], widths[w]);

			check_lines(text, widths[w]);
			assert_non_null(strstr(text, "INCOMPLETE: the recorder was cut off"));
			assert_non_null(strstr(text, "WARNING: 7 samples lost"));
			free(text);
		}
	}
	fixture__close(&fixture);
}

static void test_text_content(void **state)
{
	struct fixture fixture;
	char *text, *line;

	(void)state;
	fixture__open(&fixture);
	text = page_of(&fixture, NULL, 80);
	assert_non_null(strstr(text, "Node node1, kernel 6.1.0, 4 CPUs"));
	assert_null(strstr(text, "INCOMPLETE"));
	assert_non_null(strstr(text, "Quality: "));
	assert_non_null(strstr(
		text, "Cost: recorder 1.00 % of one CPU after 0.00 s to start, 42.0 MB of memory"));
	assert_non_null(strstr(text, "... and 1 without; --by task, --by process show all"));
	assert_non_null(strstr(text, "0.600 s  39.9 %      39.9 %  work      main.py:10  isr"));
	assert_non_null(strstr(text, "0.600 s  39.9 %  work      main.py:12  isr"));
	assert_non_null(strstr(text, "0.200 s  13.3 %  memcpy      libc.so.6"));
	free(text);
	text = page_of(&fixture, NULL, 200);
	assert_non_null(strstr(text, "all frames and names: 83.3 % of 12 samples;"));
	free(text);
	text = page_of(&fixture, "process", 80);
	line = strstr(text, "\n200 ");
	assert_non_null(line);
	assert_non_null(strstr(line, "SIGKILL"));
	assert_non_null(strstr(text, "\n400 "));
	assert_non_null(strstr(text, "start"));
	assert_non_null(strstr(text, "peak RSS"));
	assert_non_null(strstr(text, "system"));
	assert_null(strstr(text, "samples\n")); /* no room for it; it is in the wide form */
	free(text);
	text = page_of(&fixture, "process", 200);
	assert_non_null(strstr(text, "samples\n"));
	assert_non_null(strstr(text, "pipetask run"));
	free(text);
	fixture__close(&fixture);
}

static void test_printable(void **state)
{
	static const struct {
		const char *text, *printable;
	} texts[] = {
		{"plain", "plain"},
		{"a\033[2J\r\n\t\177", "a\\x1b[2J\\x0d\\x0a\\x09\\x7f"},
		{"\xc2\x9b", "\\u{9b}"},
		{"\xe2\x80\xae", "\\u{202e}"},
		{"\xff\xc3", "\\xff\\xc3"},
		{"\xc0\xaf", "\\xc0\\xaf"}, /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		text = printable__of(texts[i].text);
		assert_string_equal(text, texts[i].printable);
		free(text);
	}
	text = printable__shorten("abcdefghijklmnopqrstuvwxyz", 11);
	assert_string_equal(text, "abc..uvwxyz");
	free(text);
	text = printable__shorten("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac",
				  7);
	assert_true(printable__width(text) <= 7);
	assert_non_null(strstr(text, ".."));
	free(text);
}

static void test_numbers(void **state)
{
	char text[NUMBER_SIZE];

	(void)state;
	assert_string_equal(number__seconds(text, 0), "0.000 s");
	assert_string_equal(number__seconds(text, 0.0001), "<0.001 s");
	assert_string_equal(number__seconds(text, 9.9996), "10.00 s");
	assert_string_equal(number__seconds(text, 123.45), "123.5 s");
	assert_string_equal(number__duration(text, 812.4), "812 ns");
	assert_string_equal(number__duration(text, 999.6), "1.0 us");
	assert_string_equal(number__duration(text, 12345678), "12 ms");
	assert_string_equal(number__duration(text, 1.5e12), "1500 s");
	assert_string_equal(number__bytes(text, 999), "999 B");
	assert_string_equal(number__bytes(text, 1500000), "1.5 MB");
	assert_string_equal(number__bytes(text, INT64_MAX), "9.2 EB");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_functions),
		cmocka_unit_test(test_json_head),
		cmocka_unit_test(test_json_other_keys),
		cmocka_unit_test(test_json_events),
		cmocka_unit_test(test_json_estimated_events),
		cmocka_unit_test(test_json_not_recorded),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_csv_events),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_content),
		cmocka_unit_test(test_text_events),
		cmocka_unit_test(test_errors_that_are_shown),
		cmocka_unit_test(test_text_events_content),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
