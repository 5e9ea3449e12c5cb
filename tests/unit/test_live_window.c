// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/query.h"
#include "model/tables.h"
#include "store/forgetting.h"
#include "store/rows.h"
#include "unit/live_fixture.h"

/* Ends the test unless there is one row with one number. */
static int64_t number_in(struct recording *recording, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t found;

	assert_int_equal(recording__prepare(recording, sql, &statement), 0);
	assert_int_equal(recording__step(statement), 1);
	found = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return found;
}

static int64_t number(struct stream *stream, const struct live_choice *choice, const char *sql)
{
	struct recording *recording;
	int64_t result;

	assert_int_equal(live_window__open(stream->window, choice, &recording), 0);
	result = number_in(recording, sql);
	recording__close(recording);
	return result;
}

/* --- tests */

static void test_window(void **state)
{
	const struct live_choice two = {.slices = 2}, all = {.slices = 100};
	struct stream stream;
	struct recording *recording;

	(void)state;
	start(&stream);
	assert_int_equal(live_window__open(stream.window, &two, &recording), -EAGAIN);
	add_process(stream.writer, 1, "isr", -5 * SECOND, ROW_NULL);
	add_stacks(stream.writer);
	for (int64_t slice = 0; slice < 8; slice++) {
		add_figures(stream.writer, slice, 1, 1 << slice, 1);
		end_slice(&stream, slice, 4096);
	}
	assert_int_equal(live_window__slices(stream.window), 8);
	assert_int_equal(number(&stream, &two, "SELECT sum(cpu_ns) FROM usage"), 64 + 128);
	assert_int_equal(number(&stream, &two, "SELECT sum(ns) FROM wait"), 2000000);
	assert_int_equal(number(&stream, &two, "SELECT sum(ns) FROM thread_wait"), 2000000);
	assert_int_equal(number(&stream, &two, "SELECT sum(bytes) FROM io"), 20);
	assert_int_equal(number(&stream, &two, "SELECT count(*) FROM slice"), 2);
	assert_int_equal(number(&stream, &two, "SELECT value FROM meta WHERE key = 'window_ns'"),
			 2 * SECOND);
	/* No more than the window keeps. */
	assert_int_equal(number(&stream, &all, "SELECT sum(cpu_ns) FROM usage"),
			 8 + 16 + 32 + 64 + 128);
	assert_int_equal(number(&stream, &all, "SELECT count(*) FROM ending WHERE name = 'python'"),
			 1);
	finish(&stream);
}

/* Samples and files are there only of what was chosen, with the stacks they need. */
static void test_choice(void **state)
{
	const struct live_choice none = {.slices = 2}, task = {.slices = 2, .task = "isr"};
	const struct live_choice process = {.slices = 2, .pid = 102, .start_ns = -SECOND};
	const struct live_choice other = {.slices = 2, .pid = 102, .start_ns = -2 * SECOND};
	struct stream stream;

	(void)state;
	start(&stream);
	add_process(stream.writer, 1, "isr", -5 * SECOND, ROW_NULL);
	add_process(stream.writer, 2, "it's", -SECOND, ROW_NULL);
	add_stacks(stream.writer);
	add_figures(stream.writer, 0, 1, 100, 2);
	add_figures(stream.writer, 0, 2, 200, 3);
	end_slice(&stream, 0, 7);
	assert_int_equal(number(&stream, &none, "SELECT count(*) FROM process"), 2);
	assert_int_equal(number(&stream, &none, "SELECT count(*) FROM sample"), 0);
	assert_int_equal(number(&stream, &none, "SELECT count(*) FROM stack"), 0);
	assert_int_equal(number(&stream, &none, "SELECT count(*) FROM file"), 0);
	assert_int_equal(number(&stream, &task, "SELECT sum(cpu_ns) FROM usage"), 100);
	assert_int_equal(number(&stream, &task, "SELECT count(*) FROM sample"), 1);
	assert_int_equal(number(&stream, &task, "SELECT sum(id) FROM stack"), 1 + 2);
	assert_int_equal(number(&stream, &task, "SELECT sum(id) FROM function"), 1 + 2);
	assert_int_equal(number(&stream, &task, "SELECT sum(id) FROM file"), 1);
	assert_int_equal(number(&stream, &process, "SELECT sum(cpu_ns) FROM usage"), 200);
	assert_int_equal(number(&stream, &process, "SELECT sum(id) FROM stack"), 3);
	/* Another process that had the number. */
	assert_int_equal(number(&stream, &other, "SELECT count(*) FROM process"), 0);
	finish(&stream);
}

/* All that reads recordings reads this one. */
static void test_query(void **state)
{
	const struct live_choice choice = {.slices = 2, .task = "isr"};
	const struct query_request request = {.keys = {key__find("function")}, .key_count = 1};
	struct stream stream;
	struct recording *recording;
	struct tables *tables;
	struct query *query;

	(void)state;
	start(&stream);
	add_process(stream.writer, 1, "isr", -5 * SECOND, ROW_NULL);
	add_stacks(stream.writer);
	for (int64_t slice = 0; slice < 3; slice++) {
		add_figures(stream.writer, slice, 1, 1000, slice < 2 ? 2 : 3);
		end_slice(&stream, slice, 1000);
	}
	assert_int_equal(live_window__open(stream.window, &choice, &recording), 0);
	assert_int_equal(tables__load(recording, &tables), 0);
	assert_int_equal(query__run(tables, &request, &query), 0);
	/* Functions 2 and 3 have half of 2,000 ns each; 1 calls 2. */
	assert_int_equal(query__row_count(query), 3 + 1);
	for (size_t i = 0; i < 4; i++) {
		const struct query_row *row = query__row(query, i);
		uint64_t function = query__value(query, row, 0);

		if (function == VALUE_NOT_SAMPLED) { /* waits and operations */
			assert_float_equal(row->own.cpu_ns, 0, 0.1);
			continue;
		}
		assert_float_equal(row->own.cpu_ns,
				   tables->functions[function].line == 1 ? 0 : 1000, 0.1);
		assert_float_equal(row->total.cpu_ns, 1000, 0.1);
	}
	query__free(query);
	tables__free(tables);
	recording__close(recording);
	finish(&stream);
}

/* Another recorder gives out the same numbers for other things. */
static void test_generations(void **state)
{
	const struct live_choice choice = {.slices = 10};
	struct stream stream;

	(void)state;
	start(&stream);
	add_process(stream.writer, 1, "isr", -5 * SECOND, ROW_NULL);
	add_figures(stream.writer, 0, 1, 100, ROW_NULL);
	end_slice(&stream, 0, 4096);
	assert_int_equal(live_window__generation(stream.window), 1);
	assert_int_equal(recording_writer__close(stream.writer), 0);
	close(stream.fd);
	open_writer(&stream);
	add_process(stream.writer, 1, "calibrate", -SECOND, ROW_NULL);
	add_figures(stream.writer, 0, 1, 7, ROW_NULL);
	end_slice(&stream, 0, 4096);
	assert_int_equal(live_window__generation(stream.window), 2);
	assert_int_equal(live_window__slices(stream.window), 1);
	assert_int_equal(number(&stream, &choice, "SELECT sum(cpu_ns) FROM usage"), 7);
	assert_int_equal(
		number(&stream, &choice, "SELECT count(*) FROM epoch WHERE task = 'calibrate'"), 1);
	finish(&stream);
}

/* Short-lived processes come and go; what is kept of them does not grow. */
static void test_memory(void **state)
{
	const struct live_choice choice = {.slices = KEPT};
	int64_t early = 0, late, processes;
	struct stream stream;

	(void)state;
	start(&stream);
	for (int64_t slice = 0; slice < 600; slice++) {
		for (int64_t i = 1; i <= 10; i++) {
			int64_t id = slice * 10 + i;

			add_process(stream.writer, id, "short", slice * SECOND, slice * SECOND + i);
			add_figures(stream.writer, slice, id, 5, ROW_NULL);
		}
		end_slice(&stream, slice, 4096);
		if (slice == 100)
			early = sqlite3_memory_used();
	}
	late = sqlite3_memory_used();
	processes = number(&stream, &choice, "SELECT count(*) FROM main.process");
	assert_in_range(processes, KEPT * 10, 300);
	assert_true(early > 0);
	assert_true(late < early + early / 2);
	finish(&stream);
}

/* What a minute with a hundred times as much needed is given back when it is over. */
static void test_busy_minute(void **state)
{
	int64_t before = 0, most = 0, id = 0;
	struct stream stream;

	(void)state;
	start(&stream);
	for (int64_t slice = 0; slice < 120; slice++) {
		int64_t count = slice >= 40 && slice < 60 ? 500 : 5;

		for (int64_t i = 0; i < count; i++) {
			add_process(stream.writer, ++id, "short", slice * SECOND,
				    slice * SECOND + i);
			add_figures(stream.writer, slice, id, 5, ROW_NULL);
			assert_int_equal(recording_writer__forget_file(stream.writer, id), 0);
		}
		end_slice(&stream, slice, 4096);
		if (slice == 39)
			before = sqlite3_memory_used();
		if (sqlite3_memory_used() > most)
			most = sqlite3_memory_used();
	}
	assert_true(before > 0);
	assert_true(most > 4 * before);
	assert_true(sqlite3_memory_used() < before + before / 4);
	finish(&stream);
}

static void test_no_rows(void **state)
{
	static const char text[] = "these bytes are no rows at all, whoever sends them";
	struct live_window *window;

	(void)state;
	assert_int_equal(live_window__new(KEPT, &window), 0);
	assert_int_equal(live_window__take(window, text, sizeof(text)), -EBADMSG);
	live_window__free(window);
}

/* Every way to cut or change a row's bytes is noticed, or changes no more than a value. */
static void test_check(void **state)
{
	struct row_cell cells[] = {{.number = 1},
				   {.number = 2},
				   {.number = 3},
				   {.text = "name", .size = 4},
				   {.number = ROW_NULL}};
	char bytes[256] = {0};
	size_t size, found = 0;

	(void)state;
	assert_int_equal(row__measure(ROW_THREAD, cells, &size), 0);
	row__encode(ROW_THREAD, cells, bytes, size);
	assert_int_equal(row__check(bytes, sizeof(bytes), &found), 1);
	assert_int_equal(found, size);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(row__check(bytes, cut, &found), 0);
	for (size_t i = 0; i < size; i++) {
		char changed[256];

		memcpy(changed, bytes, sizeof(changed));
		changed[i] = (char)0xff;
		if (row__check(changed, sizeof(changed), &found) == 1)
			assert_true(found <= sizeof(changed));
	}
	bytes[0]++;
	assert_int_equal(row__check(bytes, sizeof(bytes), &found), -EBADMSG);
}

/* Nobody reads any more. */
static void test_reader_gone(void **state)
{
	struct stream stream;

	(void)state;
	start(&stream);
	close(stream.fd);
	recording_writer__flush(stream.writer);
	for (int i = 0; i < 500 && !recording_writer__error(stream.writer); i++)
		usleep(10000);
	assert_int_equal(recording_writer__error(stream.writer), -EPIPE);
	assert_int_equal(recording_writer__close(stream.writer), -EPIPE);
	live_window__free(stream.window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),	    cmocka_unit_test(test_choice),
		cmocka_unit_test(test_query),	    cmocka_unit_test(test_generations),
		cmocka_unit_test(test_memory),	    cmocka_unit_test(test_busy_minute),
		cmocka_unit_test(test_no_rows),	    cmocka_unit_test(test_check),
		cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
