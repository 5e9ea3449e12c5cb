// SPDX-License-Identifier: GPL-2.0-or-later
// Links: export report model store symbols base
/* Native frames with lines and inlined functions, through every way out. */
#include "unit/exported.h"

#include "report/csv.h"
#include "report/json.h"
#include "report/text.h"

/* memcpy becomes sum() in line 18, with pt2() inlined in line 11, and in that square() in 7. Its
 * two samples are the only ones of stack 5; the three of stack 4 now share square's line, but no
 * inlining. */
static const char inlined_rows[] =
	"UPDATE function SET name = 'sum(std::vector<track, std::allocator<track> > const&)',"
	" file = '/s/a.cc', line = 14 WHERE id = 6;"
	"INSERT INTO function VALUES"
	" (9,'native','double square<double>(double)','/s/a.cc',5,'/lib/libc.so.6'),"
	" (10,'native','track::pt2() const','/s/a.cc',11,'/lib/libc.so.6');"
	"UPDATE frame SET line = 18, address = 4660 WHERE id = 5;"
	"INSERT INTO inline VALUES (5,0,9,7),(5,1,10,11);"
	"UPDATE frame SET function = 9, line = 7, address = 5000 WHERE id = 4;";

enum way { TEXT, JSON, CSV };

static char *report(struct fixture *fixture, const char *by, const char *const *where,
		    enum query_fold fold, enum way way)
{
	struct query_request request = fixture__request(by, where, NULL);
	struct summary *summary;
	struct query *query;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	request.fold = fold;
	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	assert_int_equal(summary__load(fixture->tables, &summary), 0);
	if (way == TEXT)
		assert_int_equal(
			text_report__query(stream, fixture->tables, summary, query, 250, 0), 0);
	else if (way == JSON)
		assert_int_equal(json_report__print(stream, fixture->tables, summary, query, 0), 0);
	else
		assert_int_equal(csv_report__print(stream, fixture->tables, query, 0), 0);
	fclose(stream);
	summary__free(summary);
	query__free(query);
	return text;
}

static void expect(struct fixture *fixture, const char *by, const char *const *where, enum way way,
		   const char *expected)
{
	char *text = report(fixture, by, where, FOLD_INTERPRETER, way);

	if (!strstr(text, expected))
		fail_msg("by %s: no '%s' in:\n%s", by, expected, text);
	free(text);
}

static void open_inlined(struct fixture *fixture)
{
	fixture__open_with(fixture, inlined_rows);
}

static int64_t samples_of(struct fixture *fixture, const char *by, const char *label)
{
	struct query *query = fixture__query(fixture, by, NULL, FOLD_INTERPRETER);
	int64_t samples = 0;

	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		char *text;

		assert_int_equal(query__request(query)->keys[0]->label(
					 fixture->tables, query__value(query, row, 0), &text),
				 0);
		if (!strcmp(text, label))
			samples += row->own.samples;
		free(text);
	}
	query__free(query);
	return samples;
}

static void test_functions_and_lines(void **state)
{
	static const char *const by_short[] = {"function=sum(…)", NULL};
	struct fixture fixture;

	(void)state;
	open_inlined(&fixture);
	assert_int_equal(samples_of(&fixture, "function", "double square<…>(…)"), 5);
	assert_int_equal(samples_of(&fixture, "line", "a.cc:7"), 5);
	assert_int_equal(samples_of(&fixture, "function", "sum(…)"), 0);
	/* Short for people, whole for programs. */
	expect(&fixture, "function", NULL, TEXT, "double square<…>(…)");
	expect(&fixture, "function", NULL, JSON, "\"double square<double>(double)\"");
	expect(&fixture, "function", NULL, JSON,
	       "\"sum(std::vector<track, std::allocator<track> > const&)\"");
	expect(&fixture, "function", NULL, CSV, "double square<double>(double)");
	expect(&fixture, "task", by_short, TEXT, "isr");
	fixture__close(&fixture);
}

/* Lines of native code are its own, unless it counts as its Python caller's. */
static void test_folded_lines(void **state)
{
	struct fixture fixture;
	char *text;

	(void)state;
	open_inlined(&fixture);
	text = report(&fixture, "line", NULL, FOLD_NATIVE, CSV);
	assert_null(strstr(text, "a.cc"));
	assert_non_null(strstr(text, "main.py:12"));
	free(text);
	fixture__close(&fixture);
	/* The interpreter's own lines never hide those of Python. */
	fixture__open_with(&fixture, "UPDATE frame SET line = 99 WHERE id IN (2, 4)");
	assert_int_equal(samples_of(&fixture, "line", "python3:99"), 0);
	assert_true(samples_of(&fixture, "line", "main.py:12") > 0);
	fixture__close(&fixture);
}

static void test_stacks(void **state)
{
	static const char collapsed[] =
		"isr;main (main.py:2);work (main.py:12);"
		"sum(std::vector<track, std::allocator<track> > const&) (a.cc:18);"
		"track::pt2() const (a.cc:11) (inlined);"
		"double square<double>(double) (a.cc:7) (inlined) 2\n";
	struct fixture fixture;
	struct printed printed;

	(void)state;
	open_inlined(&fixture);
	export_to(&printed, &fixture, "collapsed", NULL, NULL, "samples");
	assert_non_null(strstr(printed.text, collapsed));
	assert_non_null(strstr(printed.text, "double square<double>(double) (a.cc:7) 3\n"));
	free(printed.text);
	expect(&fixture, "stack", NULL, TEXT,
	       "double square<…>(…) (a.cc:7) (inlined) < track::pt2() const (a.cc:11) (inlined) < "
	       "sum(…) (a.cc:18) < work (main.py:12) < main (main.py:2)");
	expect(&fixture, "stack", NULL, JSON, "\"track::pt2() const (a.cc:11) (inlined)\"");
	expect(&fixture, "stack", NULL, CSV, "track::pt2() const (a.cc:11) (inlined); double");
	fixture__close(&fixture);
}

static void test_hostile(void **state)
{
	static const struct {
		const char *change;
		int error;
	} changes[] = {
		{"INSERT INTO inline VALUES (77,0,9,7)", -EBADMSG},
		{"INSERT INTO inline VALUES (1,0,77,7)", -EBADMSG},
		{"INSERT INTO inline VALUES (1,0,7,-1)", -EBADMSG},
		{"INSERT INTO inline VALUES (1,0,7,1 << 40)", -EBADMSG},
		{"INSERT INTO inline VALUES (1,-5,7,NULL),(1,1 << 62,7,NULL)", 0},
		{"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 31)"
		 " INSERT INTO inline SELECT 1, i, 7, NULL FROM n",
		 0},
		{"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 32)"
		 " INSERT INTO inline SELECT 1, i, 7, NULL FROM n",
		 -EBADMSG},
		/* 4,096 frames are allowed, which inlined ones count for. */
		{"WITH RECURSIVE n(i) AS (SELECT 12 UNION ALL SELECT i + 1 FROM n LIMIT 1500)"
		 " INSERT INTO stack SELECT i, i - 1, 5 FROM n; INSERT INTO inline VALUES"
		 " (5,0,6,1),(5,1,6,2)",
		 -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture;

		fixture__create(&fixture, fixture_rows, changes[i].change);
		assert_int_equal(fixture__load(&fixture), changes[i].error);
		fixture__close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_and_lines),
		cmocka_unit_test(test_folded_lines),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
