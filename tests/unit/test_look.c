// SPDX-License-Identifier: GPL-2.0-or-later
// Links: top report model store symbols base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "top/look.h"
#include "top/losses.h"
#include "unit/live_fixture.h"

static void add_wait(struct recording_writer *writer, int64_t slice, int64_t epoch,
		     const char *class, int64_t ns)
{
	const struct wait_row wait = {
		.epoch = epoch, .slice = slice, .class = class, .count = 1, .ns = ns};

	assert_int_equal(recording_writer__wait(writer, &wait), 0);
}

/* Of each second: isr (two processes) 0.5 and 0.25 s, 0.3 s for the disk, sleeping; calibrate 0.1
 * s. */
static void record(struct stream *stream)
{
	add_process(stream->writer, 1, "isr", -5 * SECOND, ROW_NULL);
	add_process(stream->writer, 2, "isr", -4 * SECOND, ROW_NULL);
	add_process(stream->writer, 3, "calibrate", -3 * SECOND, ROW_NULL);
	add_stacks(stream->writer);
	for (int64_t slice = 0; slice < 3; slice++) {
		add_figures(stream->writer, slice, 1, SECOND / 2, 2);
		add_figures(stream->writer, slice, 2, SECOND / 4, 3);
		add_figures(stream->writer, slice, 3, SECOND / 10, 1);
		add_wait(stream->writer, slice, 1, "disk", SECOND * 3 / 10);
		add_wait(stream->writer, slice, 1, "sleep", SECOND);
		assert_int_equal(recording_writer__quality(stream->writer, "lost_io", slice + 1,
							   "operations"),
				 0);
		end_slice(stream, slice, 4096);
	}
}

static void test_list(void **state)
{
	struct losses losses = {0};
	struct look_list list = {0};
	struct stream stream;
	const struct look_row *isr;

	(void)state;
	start(&stream);
	assert_int_equal(look__list(stream.window, TOP_TASKS, 2, &list, &losses), -EAGAIN);
	record(&stream);
	assert_int_equal(look__list(stream.window, TOP_TASKS, 2, &list, &losses), 0);
	assert_float_equal(list.span_s, 2, 1e-6);
	assert_int_equal(list.count, 2);
	look_list__sort(&list, SORT_CPU, false, "");
	isr = &list.rows[0];
	assert_string_equal(isr->name, "isr");
	assert_int_equal(isr->processes, 2);
	assert_float_equal(isr->cpu, 0.75, 1e-6);
	/* Two locks of 1 ms and the disk, not the sleeping. */
	assert_float_equal(isr->wait, 0.302, 1e-6);
	assert_float_equal(isr->storage, 0.3, 1e-6);
	assert_float_equal(isr->lock, 0.002, 1e-6);
	assert_string_equal(isr->mostly, "disk");
	assert_float_equal(isr->read, 20, 1e-6);
	assert_float_equal(list.all.cpu, 0.85, 1e-6);
	assert_int_equal(list.all.processes, 3);
	look_list__clear(&list);
	losses__clear(&losses);
	finish(&stream);
}

static void test_order(void **state)
{
	struct losses losses = {0};
	struct look_list list = {0};
	struct stream stream;

	(void)state;
	start(&stream);
	record(&stream);
	assert_int_equal(look__list(stream.window, TOP_PROCESSES, 2, &list, &losses), 0);
	assert_int_equal(list.count, 3);
	look_list__sort(&list, SORT_CPU, false, "");
	assert_int_equal(list.rows[0].pid, 101);
	assert_int_equal(list.rows[2].pid, 103);
	look_list__sort(&list, SORT_CPU, true, "");
	assert_int_equal(list.rows[0].pid, 103);
	look_list__sort(&list, SORT_WAIT, false, "");
	assert_int_equal(list.rows[0].pid, 101);
	look_list__sort(&list, SORT_NAME, false, "");
	assert_int_equal(list.rows[0].pid, 103);
	/* A filter hides; nothing is gone. */
	look_list__sort(&list, SORT_CPU, false, "ISR");
	assert_int_equal(list.shown, 2);
	assert_int_equal(list.rows[1].pid, 102);
	look_list__sort(&list, SORT_CPU, false, "102");
	assert_int_equal(list.shown, 1);
	assert_int_equal(list.rows[0].pid, 102);
	look_list__sort(&list, SORT_CPU, false, "none of them");
	assert_int_equal(list.shown, 0);
	look_list__sort(&list, SORT_CPU, false, "");
	assert_int_equal(list.shown, 3);
	look_list__clear(&list);
	losses__clear(&losses);
	finish(&stream);
}

static const char *cell(const struct look_detail *detail, enum look_section section, size_t row,
			size_t column)
{
	const struct grid *grid = &detail->sections[section];

	assert_true((row + 1) * grid->column_count <= grid->cell_count);
	return grid->cells[row * grid->column_count + column];
}

static void test_detail(void **state)
{
	const struct live_choice isr = {.slices = 2, .task = "isr"};
	const struct live_choice second = {.slices = 2, .pid = 102, .start_ns = -4 * SECOND};
	const struct live_choice none = {.slices = 2, .task = "no such task"};
	struct look_detail detail = {0};
	struct losses losses = {0};
	struct stream stream;

	(void)state;
	start(&stream);
	record(&stream);
	assert_int_equal(look__detail(stream.window, &isr, &detail, &losses), 0);
	assert_float_equal(detail.row.cpu, 0.75, 1e-6);
	assert_int_equal(detail.samples, 4);
	assert_int_equal(detail.samples_complete, 4);
	/* Function 2 of process 1 has two thirds, 3 of process 2 the rest; 1 calls 2. */
	assert_string_equal(cell(&detail, LOOK_FUNCTIONS, 0, 0), " 66.7");
	assert_string_equal(cell(&detail, LOOK_FUNCTIONS, 1, 0), " 33.3");
	assert_string_equal(cell(&detail, LOOK_FUNCTIONS, 2, 0), "  0.0");
	assert_string_equal(cell(&detail, LOOK_FUNCTIONS, 2, 1), " 66.7");
	assert_string_equal(cell(&detail, LOOK_WAITS, 0, 0), "100.0");
	assert_string_equal(cell(&detail, LOOK_WAITS, 0, 2), "sleep");
	assert_string_equal(cell(&detail, LOOK_WAITS, 1, 2), "disk");
	assert_string_equal(cell(&detail, LOOK_FILES, 0, 5), "/f");
	assert_int_equal(look__detail(stream.window, &second, &detail, &losses), 0);
	assert_float_equal(detail.row.cpu, 0.25, 1e-6);
	assert_string_equal(cell(&detail, LOOK_FUNCTIONS, 0, 0), "100.0");
	assert_int_equal(look__detail(stream.window, &none, &detail, &losses), 0);
	assert_int_equal(detail.row.processes, 0);
	assert_int_equal(detail.sections[LOOK_FUNCTIONS].cell_count, 0);
	look_detail__clear(&detail);
	losses__clear(&losses);
	finish(&stream);
}

/* What one recorder lost stays lost when another one follows. */
static void test_losses(void **state)
{
	struct losses losses = {0};
	struct look_list list = {0};
	struct stream stream;
	char *line;

	(void)state;
	start(&stream);
	record(&stream);
	assert_false(losses__any(&losses));
	assert_int_equal(look__list(stream.window, TOP_TASKS, 2, &list, &losses), 0);
	assert_true(losses__any(&losses));
	line = losses__line(&losses);
	assert_string_equal(line, "LOST: lost_io 3");
	free(line);
	assert_int_equal(recording_writer__close(stream.writer), 0);
	close(stream.fd);
	open_writer(&stream);
	record(&stream);
	losses.unseen_s = 1.5;
	assert_int_equal(look__list(stream.window, TOP_TASKS, 2, &list, &losses), 0);
	line = losses__line(&losses);
	assert_string_equal(line, "LOST: lost_io 6; 1 new recorder, 1.5 s not seen");
	free(line);
	look_list__clear(&list);
	losses__clear(&losses);
	finish(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
