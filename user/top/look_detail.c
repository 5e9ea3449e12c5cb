// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/query.h"
#include "report/printable.h"
#include "report/text.h"
#include "top/look.h"
#include "top/look_private.h"

#define MOST_ROWS 200 /* of a section */
#define MOST_OPS  3

void look_detail__clear(struct look_detail *detail)
{
	for (size_t i = 0; i < LOOK_SECTIONS; i++)
		grid__clear(&detail->sections[i]);
	*detail = (struct look_detail){0};
}

static void add_percent(struct grid *grid, double part)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%5.1f", part * 100);
	grid__text(grid, text);
}

static void add_rate(struct grid *grid, double bytes)
{
	char text[NUMBER_SIZE];

	grid__text(grid, bytes < 0.5 ? "-" : number__bytes(text, (int64_t)bytes));
}

static void add_number(struct grid *grid, double number)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), number && number < 9.95 ? "%.1f" : "%.0f", number);
	grid__text(grid, number > 0 ? text : "-");
}

static void add_label(struct grid *grid, const struct tables *tables, const char *key,
		      uint64_t value)
{
	char *label = NULL;

	if (key__find(key)->label(tables, value, &label))
		label = NULL;
	grid__own(grid, label);
}

static int compare_cpu(const void *one, const void *other)
{
	const struct query_figures *a = &(*(const struct query_row *const *)one)->own;
	const struct query_figures *b = &(*(const struct query_row *const *)other)->own;

	if (a->cpu_ns == b->cpu_ns) {
		a = &(*(const struct query_row *const *)one)->total;
		b = &(*(const struct query_row *const *)other)->total;
	}
	return a->cpu_ns > b->cpu_ns ? -1 : a->cpu_ns < b->cpu_ns;
}

/* Those with CPU time, by their own, then by that with what they call. */
static int sort_by_cpu(const struct query *query, const struct query_row ***ret_rows,
		       size_t *ret_count)
{
	size_t count = 0;
	const struct query_row **rows = calloc(query__row_count(query) + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);

		if (row->own.cpu_ns > 0 || row->total.cpu_ns > 0)
			rows[count++] = row;
	}
	qsort(rows, count, sizeof(*rows), compare_cpu);
	*ret_rows = rows;
	*ret_count = count < MOST_ROWS ? count : MOST_ROWS;
	return 0;
}

/* Functions, with where they are, or lines. */
static int look_places(struct tables *tables, const char *key, double cpu_ns, struct grid *grid)
{
	_cleanup_free_ const struct query_row **rows = NULL;
	bool functions = !strcmp(key, "function");
	struct query *query;
	size_t count = 0;
	int err = look__query(tables, key, "cpu", &query);

	if (err)
		return err;
	err = sort_by_cpu(query, &rows, &count);
	grid__column(grid, "own %", true, false, 0);
	grid__column(grid, "all %", true, false, 0);
	grid__column(grid, key, false, true, 0);
	if (functions)
		grid__column(grid, "where", false, true, 3);
	for (size_t i = 0; i < count; i++) {
		uint64_t value = query__value(query, rows[i], 0);

		add_percent(grid, cpu_ns > 0 ? rows[i]->own.cpu_ns / cpu_ns : 0);
		add_percent(grid, cpu_ns > 0 ? rows[i]->total.cpu_ns / cpu_ns : 0);
		add_label(grid, tables, key, value);
		if (functions)
			grid__own(grid, text_report__origin(tables, value));
	}
	query__free(query);
	return err ?: grid->error;
}

/* The function in which most of a class was waited, and where that is. */
static void add_place(struct grid *grid, const struct tables *tables, const struct query *places,
		      uint64_t class)
{
	for (size_t i = 0; i < query__row_count(places); i++) {
		const struct query_row *row = query__row(places, i);
		uint64_t function = query__value(places, row, 1);

		if (query__value(places, row, 0) != class || row->own.offcpu_ns <= 0)
			continue;
		if (function == VALUE_UNKNOWN || function == VALUE_NOT_SAMPLED)
			break;
		add_label(grid, tables, "function", function);
		grid__own(grid, text_report__origin(tables, function));
		return;
	}
	grid__text(grid, "-");
	grid__text(grid, "");
}

static int look_waits(struct tables *tables, struct look_detail *detail)
{
	const struct query_request request = {
		.keys = {key__find("wait"), key__find("function")},
		.key_count = 2,
		.metric = metric__find("offcpu"),
		.fold = FOLD_NATIVE, /* of Python the function, not what it calls to wait */
	};
	struct grid *grid = &detail->sections[LOOK_WAITS];
	struct query *query, *places = NULL;
	int err = look__query(tables, "wait", "offcpu", &query);

	if (err)
		return err;
	err = query__run(tables, &request, &places);
	grid__column(grid, "wait %", true, false, 0);
	grid__column(grid, "waits/s", true, false, 2);
	grid__column(grid, "for", false, true, 0);
	grid__column(grid, "mostly in", false, true, 1);
	grid__column(grid, "where", false, true, 3);
	for (size_t i = 0; i < query__row_count(query) && !err; i++) {
		const struct query_row *row = query__row(query, i);
		uint64_t class = query__value(query, row, 0);

		if (row->own.offcpu_ns <= 0)
			continue;
		add_percent(grid, row->own.offcpu_ns / 1e9 / detail->span_s);
		add_number(grid, row->own.waits / detail->span_s);
		add_label(grid, tables, "wait", class);
		add_place(grid, tables, places, class);
	}
	query__free(query);
	query__free(places);
	return err ?: grid->error;
}

static int look_files(struct tables *tables, struct look_detail *detail)
{
	struct grid *grid = &detail->sections[LOOK_FILES];
	struct query *query;
	int err = look__query(tables, "file", "io_time", &query);

	if (err)
		return err;
	grid__column(grid, "time %", true, false, 0);
	grid__column(grid, "read/s", true, false, 0);
	grid__column(grid, "write/s", true, false, 0);
	grid__column(grid, "ops/s", true, false, 1);
	grid__column(grid, "errors/s", true, false, 4);
	grid__column(grid, "file", false, true, 0);
	grid__column(grid, "in these seconds", false, true, 3);
	for (size_t i = 0; i < query__row_count(query) && i < MOST_ROWS; i++) {
		const struct query_row *row = query__row(query, i);

		if (row->own.ops <= 0)
			continue;
		add_percent(grid, row->own.io_ns / 1e9 / detail->span_s);
		add_rate(grid, row->own.read_bytes / detail->span_s);
		add_rate(grid, row->own.write_bytes / detail->span_s);
		add_number(grid, row->own.ops / detail->span_s);
		add_number(grid, row->own.errors / detail->span_s);
		add_label(grid, tables, "file", query__value(query, row, 0));
		grid__own(grid, text_report__ops(tables, query, row, MOST_OPS));
	}
	query__free(query);
	return grid->error;
}

/* What is shown of it in the list. */
static int look_row(struct tables *tables, struct look_detail *detail)
{
	struct query *query;
	int err = look__query(tables, "process", "cpu", &query);

	if (err)
		return err;
	for (size_t i = 0; i < query__row_count(query); i++) {
		struct look_row row = {0};

		look__take_figures(&row, tables, query, query__row(query, i), detail->span_s);
		look__add_figures(&detail->row, &row);
	}
	for (size_t i = 0; i < tables->process_count; i++)
		look__take_process(&detail->row, &tables->processes[i]);
	query__free(query);
	return 0;
}

int look__detail(struct live_window *window, const struct live_choice *choice,
		 struct look_detail *detail, struct losses *losses)
{
	struct recording *recording = NULL;
	struct tables *tables = NULL;
	double cpu_ns;
	int err;

	look_detail__clear(detail);
	err = look__open(window, choice, &recording, &tables);
	if (err)
		return err;
	detail->span_s = look__span(recording);
	err = look_row(tables, detail);
	cpu_ns = detail->row.cpu * detail->span_s * 1e9;
	err = err ?: look_places(tables, "function", cpu_ns, &detail->sections[LOOK_FUNCTIONS]);
	err = err ?: look_places(tables, "line", cpu_ns, &detail->sections[LOOK_LINES]);
	err = err ?: look_waits(tables, detail);
	err = err ?: look_files(tables, detail);
	err = err ?: look__take_summary(window, tables, losses, NULL, detail);
	tables__free(tables);
	recording__close(recording);
	return err;
}
