// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
/* Dataset types, sizes of written files, throughput and torn files of a recording. */
#include "unit/fixture.h"

#include <errno.h>

#include "report/torn.h"

/* File 7 is file 2 renamed, and read in the slice in which it was written as 2: nobody knows what
 * came first. File 6 is written after it was read, file 8 before. */
static const char rows[] =
	"INSERT INTO file VALUES (6,'file','/data/late','ext4','/'),"
	" (7,'file','/data/final','ext4','/'),"
	" (8,'file','/data/early','ext4','/');"
	"INSERT INTO io VALUES (1,1,6,'read',0,1,10,5),(1,2,6,'write',0,1,10,5),"
	" (2,2,7,'read',0,3,300,30),(2,2,1,'read',0,1,500,1),"
	" (1,1,8,'write',0,1,10,5),(2,2,8,'read',0,1,10,5);"
	"INSERT INTO dataset VALUES (1,'raw','butler'),(2,'calexp','butler'),(4,'raw','butler'),"
	" (6,'late','butler'),(7,'calexp','butler'),(8,'early','butler'),(99,'of no "
	"file','butler');"
	"INSERT INTO renamed VALUES (2,7),(2,99);"
	"INSERT INTO written VALUES (1,2,2,2,5000),(1,2,2,0,-1000),(2,2,99,1,7);"
	"INSERT INTO read_pattern VALUES "
	"(1,1,1,10,2,1,8000,3,1024),(1,2,4,5,0,0,3000,4611686018427387905,"
	"1024),"
	" (2,2,1,0,0,7,500,1,1024),(2,2,3,1,1,1,100,1,1),(1,2,6,4,0,0,100,255,1024),"
	" (1,2,6,0,0,4,90000,3,2048);"
	"INSERT INTO open_time VALUES "
	"(1,1,1,3,900,400,0),(1,2,4,1,700,700,0),(1,2,1,1,5000,5000,1),"
	" (2,2,1,2,60,50,0),(2,2,99,1,5,5,0);"
	"INSERT INTO torn VALUES (2,2,'signal',9,0,4096,5000,1500000000,1900000000,2000000000),"
	" (2,1,'oom',9,1,100,100,1500000000,1900000000,2000000000),"
	" (3,99,'exit',3,0,1,1,500000000,505000000,510000000);";

static int start(void **state)
{
	static struct fixture fixture;
	char change[8192];

	snprintf(change, sizeof(change), "%s%s", fixture_events, rows);
	fixture__create(&fixture, fixture_rows, change);
	*state = &fixture;
	return fixture__load(&fixture);
}

static int end(void **state)
{
	fixture__close(*state);
	return 0;
}

static const struct query_row *row_of(struct fixture *fixture, const struct query *query,
				      const char *task, const char *dataset)
{
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		const char *texts[] = {task, dataset};
		bool same = true;

		for (size_t k = 0; k < 2; k++) {
			char *label;

			assert_int_equal(
				query__request(query)->keys[k]->label(
					fixture->tables, query__value(query, row, k), &label),
				0);
			same &= !strcmp(label, texts[k]);
			free(label);
		}
		if (same)
			return row;
	}
	fail_msg("no row of %s %s", task, dataset);
	return NULL;
}

static void datasets(void **state)
{
	struct fixture *fixture = *state;
	struct query *query = fixture__query(fixture, "task,dataset", NULL, FOLD_INTERPRETER);
	const struct query_storage *storage;

	storage = query__storage(query, row_of(fixture, query, "isr", "calexp"));
	assert_int_equal(storage->written_files, 2);
	assert_true(storage->written_size == 4000);
	assert_int_equal(storage->read_files, 0);
	/* Rows 1 and 4 are the same file. */
	storage = query__storage(query, row_of(fixture, query, "isr", "raw"));
	assert_int_equal(storage->written_files, 0);
	assert_int_equal(storage->read_files, 1);
	assert_int_equal(storage->read_here, 0);
	storage = query__storage(query, row_of(fixture, query, "calibrate", "calexp"));
	assert_int_equal(storage->read_files, 1);
	assert_int_equal(storage->read_here, 0);
	storage = query__storage(query, row_of(fixture, query, "calibrate", "early"));
	assert_int_equal(storage->read_files, 1);
	assert_int_equal(storage->read_here, 1);
	storage = query__storage(query, row_of(fixture, query, "isr", "late"));
	assert_int_equal(storage->read_files, 1);
	assert_int_equal(storage->read_here, 0);
	query__free(query);

	query = fixture__query(fixture, "dataset,op", NULL, FOLD_INTERPRETER);
	assert_null(query__storage(query, query__row(query, 0)));
	query__free(query);
	query = fixture__query(fixture, "mount", NULL, FOLD_INTERPRETER);
	assert_null(query__storage(query, query__row(query, 0)));
	query__free(query);
}

static void order_of_reads(void **state)
{
	struct fixture *fixture = *state;
	struct query *query = fixture__query(fixture, "task,dataset", NULL, FOLD_INTERPRETER);
	const struct query_reads *reads;

	/* Parts 0, 1 and 62 of rows 1 and 4, which are one file. */
	reads = &query__storage(query, row_of(fixture, query, "isr", "raw"))->reads;
	assert_int_equal(reads->sequential, 15);
	assert_int_equal(reads->strided, 2);
	assert_int_equal(reads->random, 1);
	assert_true(reads->bytes == 11000);
	assert_true(reads->distinct == 3072);
	/* No more than was asked for. */
	reads = &query__storage(query, row_of(fixture, query, "calibrate", "raw"))->reads;
	assert_true(reads->bytes == 500 && reads->distinct == 500);
	/* A file that grew: its eight parts are four of the larger ones. */
	reads = &query__storage(query, row_of(fixture, query, "isr", "late"))->reads;
	assert_true(reads->bytes == 90100 && reads->distinct == 8192);
	query__free(query);
}

static void open_times(void **state)
{
	struct fixture *fixture = *state;
	struct query *query = fixture__query(fixture, "task,dataset", NULL, FOLD_INTERPRETER);
	const struct query_storage *storage =
		query__storage(query, row_of(fixture, query, "isr", "raw"));

	assert_int_equal(storage->closed.count, 4);
	assert_true(storage->closed.ns == 1600 && storage->closed.longest_ns == 700);
	assert_int_equal(storage->still_open.count, 1);
	assert_true(storage->still_open.ns == 5000 && storage->still_open.longest_ns == 5000);
	storage = query__storage(query, row_of(fixture, query, "calibrate", "raw"));
	assert_int_equal(storage->closed.count, 2);
	assert_true(storage->closed.ns == 60 && storage->closed.longest_ns == 50);
	assert_int_equal(storage->still_open.count, 0);
	query__free(query);
}

static void rates(void **state)
{
	static const char *const where[] = {"mount=/data", "task=isr", NULL};
	struct fixture *fixture = *state;
	struct query *query = fixture__query(fixture, "mount,time", where, FOLD_INTERPRETER);

	assert_int_equal(query__row_count(query), 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(query__seconds(query, query__row(query, i)) == 1);
	query__free(query);
	query = fixture__query(fixture, "mount", where, FOLD_INTERPRETER);
	assert_true(query__seconds(query, query__row(query, 0)) == 0);
	query__free(query);
}

typedef int print_fn(FILE *stream, struct tables *tables, const struct query_request *request);

static int text(FILE *stream, struct tables *tables, const struct query_request *request)
{
	return torn_report__text(stream, tables, request, 150, 0);
}

static int json(FILE *stream, struct tables *tables, const struct query_request *request)
{
	return torn_report__json(stream, tables, request, 0);
}

static int csv(FILE *stream, struct tables *tables, const struct query_request *request)
{
	return torn_report__csv(stream, tables, request, 2);
}

static char *printed(struct fixture *fixture, print_fn *print, const char *const *where)
{
	struct query_request request = fixture__request("", where, NULL);
	char *result = NULL;
	size_t size;
	FILE *stream = open_memstream(&result, &size);

	assert_null(torn_report__refusal(&request));
	assert_int_equal(print(stream, fixture->tables, &request), 0);
	fclose(stream);
	return result;
}

static void contains(const char *whole, const char *part, bool wanted)
{
	if (!strstr(whole, part) != !wanted)
		fail_msg("%s'%s' in:\n%s", wanted ? "no " : "", part, whole);
}

static void torn(void **state)
{
	static const char *const calibrate[] = {"task=calibrate", "file=/tmp/*", NULL};
	static const char *const nobody[] = {"task=nobody", NULL};
	struct fixture *fixture = *state;
	char *result = printed(fixture, text, NULL);

	contains(result, "Torn files: their writer was killed\n", true);
	contains(result, "SIGKILL", true);
	contains(result, "/tmp/out", true);
	contains(result, "out of memory", true);
	contains(result, "exit 3", true);
	contains(result, "(unknown)", true);
	free(result);
	result = printed(fixture, text, calibrate);
	contains(result, "out of memory", false);
	contains(result, "exit 3", false);
	contains(result, "100 ms before", true);
	free(result);
	result = printed(fixture, text, nobody);
	contains(result, "No torn files", true);
	contains(result, "since the recording began", true);
	free(result);
	result = printed(fixture, json, calibrate);
	contains(result, "{\"torn\":[", true);
	contains(result,
		 "\"class\":\"killed\",\"cause\":\"signal\",\"signal\":9,\"exit_code\":null", true);
	contains(result, "\"written_bytes\":4096,\"size_bytes\":5000", true);
	contains(result, "\"dataset\":\"calexp\"", true);
	free(result);
	result = printed(fixture, csv, NULL);
	contains(result, "file,class,cause,", true);
	contains(result, "\r\n/tmp/out,killed,signal,9,,calibrate,,200,", true);
	contains(result, "appending", false);
	free(result);
}

static void refused(void **state)
{
	struct query_request by_key = fixture__request("task", NULL, NULL);
	static const char *const line[] = {"line=x", NULL};
	struct query_request by_line = fixture__request("", line, NULL);

	(void)state;
	assert_non_null(torn_report__refusal(&by_key));
	assert_non_null(torn_report__refusal(&by_line));
}

static void damaged(void **state)
{
	static const char *const changes[] = {
		"INSERT INTO written VALUES (99,1,1,1,1)",
		"INSERT INTO written VALUES (1,1,1,-1,1)",
		"INSERT INTO read_pattern VALUES (1,1,1,1,1,1,1,1,0)",
		"INSERT INTO read_pattern VALUES (1,1,1,-1,1,1,1,1,1)",
		"INSERT INTO read_pattern VALUES (1,1,1,1,1,1,1,1,1000)",
		"INSERT INTO open_time VALUES (99,1,1,1,1,1,0)",
		"INSERT INTO open_time VALUES (1,1,1,1,-1,1,0)",
		"INSERT INTO open_time VALUES (1,1,1,1,1,1,2)",
		"INSERT INTO torn VALUES (99,1,'signal',9,0,1,1,1,1,1)",
		"INSERT INTO torn VALUES (1,1,'signal',256,0,1,1,1,1,1)",
		"INSERT INTO torn VALUES (1,1,'signal',9,2,1,1,1,1,1)",
		"INSERT INTO torn VALUES (1,1,'signal',9,0,-1,1,1,1,1)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture fixture;

		fixture__create(&fixture, fixture_rows, changes[i]);
		assert_int_equal(fixture__load(&fixture), -EBADMSG);
		fixture__close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(datasets, start, end),
		cmocka_unit_test_setup_teardown(order_of_reads, start, end),
		cmocka_unit_test_setup_teardown(open_times, start, end),
		cmocka_unit_test_setup_teardown(rates, start, end),
		cmocka_unit_test_setup_teardown(torn, start, end),
		cmocka_unit_test(refused),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
