// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/text_quanta.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of quanta, by their figure's name. */
static const struct {
	const char *figure, *title;
	int spare;
} columns[] = {
	{"run_queue_s", "run queue", 5},
	{"threads", "threads", 8},
	{"major_faults", "maj. faults", 8},
	{"minor_faults", "faults", 6},
	{"voluntary_switches", "switches", 7},
	{"asked_read_bytes", "read", 5},
	{"asked_write_bytes", "written", 5},
	{"device_read_bytes", "from device", 8},
	{"children_cpu_s", "children", 7},
	{"ghz", "GHz", 4},
	{"ipc", "IPC", 4},
	{"llc_misses_per_ki", "LLC miss/ki", 6},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static size_t find(const struct resource_set *set, const char *name)
{
	size_t figure = 0;

	while (figure < resource_set__count(set) &&
	       strcmp(resource_set__figure(set, figure)->name, name))
		figure++;
	return figure;
}

static bool has(const struct resource_set *set, const char *name)
{
	return find(set, name) < resource_set__count(set);
}

static void add_cell(struct grid *grid, enum resource_unit unit, double value)
{
	char *text = NULL;

	if (isnan(value)) {
		grid__text(grid, "-");
		return;
	}
	switch (unit) {
	case UNIT_SECONDS:
		grid__seconds(grid, value);
		return;
	case UNIT_OF_BYTES:
		grid__bytes(grid, (int64_t)fmin(value, 9e18));
		return;
	case UNIT_SHARE:
		grid__percent(grid, value, 1);
		return;
	case UNIT_NUMBER:
		if (value == floor(value)) {
			grid__integer(grid, (int64_t)fmin(value, 9e18));
			return;
		}
		if (asprintf(&text, "%.1f", value) < 0)
			text = NULL;
		break;
	default:
		if (asprintf(&text, "%.3f", value) < 0)
			text = NULL;
	}
	grid__own(grid, text);
}

void text_quanta__columns(struct grid *grid, const struct query *query)
{
	const struct resource_set *set = query__resources(query);

	for (size_t i = 0; set && i < COLUMN_COUNT; i++)
		if (has(set, columns[i].figure))
			grid__column(grid, columns[i].title, true, false, columns[i].spare);
}

static void add_figure(struct grid *grid, const struct resource_set *set, size_t figure,
		       const uint32_t *quanta, size_t count)
{
	add_cell(grid, resource_set__figure(set, figure)->unit,
		 count == 1 ? resource_set__value(set, figure, quanta[0]) : NAN);
}

void text_quanta__cells(struct grid *grid, const struct query *query, const struct query_row *row)
{
	const struct resource_set *set = query__resources(query);
	const uint32_t *quanta;
	size_t count;

	/* Not the high-water mark of the process: that may be an earlier quantum's. */
	if (!set) {
		grid__text(grid, "-");
		return;
	}
	quanta = query__quanta(query, row, &count);
	add_figure(grid, set, find(set, "rss_peak_bytes"), quanta, count);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (has(set, columns[i].figure))
			add_figure(grid, set, find(set, columns[i].figure), quanta, count);
}

/* --- how they differ */

static void add_spread(struct grid *grid, struct tables *tables, const struct query *query,
		       const struct query_row *row, const struct resource_figure *figure,
		       const struct resource_spread *spread)
{
	const struct query_request *request = query__request(query);
	const double values[] = {spread->mean, spread->median, spread->p95, spread->most};

	for (size_t i = 0; i < request->key_count; i++) {
		char *label = NULL;

		if (request->keys[i]->label(tables, query__value(query, row, i), &label))
			label = NULL;
		grid__own(grid, label);
	}
	grid__text(grid, figure->title);
	grid__integer(grid, spread->count);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		add_cell(grid, figure->unit, values[i]);
}

static int add_row(struct grid *grid, struct tables *tables, const struct query *query,
		   const struct query_row *row, bool *ret_any)
{
	const struct resource_set *set = query__resources(query);
	size_t count;
	const uint32_t *quanta = query__quanta(query, row, &count);
	struct resource_spread children = {0};
	int error = 0;

	*ret_any = false;
	if (count)
		error = resource_set__spread(set, find(set, "children"), quanta, count, &children);
	for (size_t i = 0; i < resource_set__count(set) && count && !error; i++) {
		const struct resource_figure *figure = resource_set__figure(set, i);
		struct resource_spread spread;

		error = resource_set__spread(set, i, quanta, count, &spread);
		/* Nobody wants to read of what nobody used, nor the same twice. */
		if (error || !spread.count || spread.most <= 0 ||
		    (children.most <= 0 && !strncmp(figure->name, "with_children_", 14)))
			continue;
		*ret_any = true;
		add_spread(grid, tables, query, row, figure, &spread);
	}
	return error;
}

int text_quanta__spreads(FILE *stream, struct tables *tables, const struct query *query,
			 size_t width, size_t limit)
{
	static const char *const titles[] = {"quanta", "mean", "median", "p95", "max"};
	const struct query_request *request = query__request(query);
	struct grid grid = {0};
	size_t shown = 0;
	int error = 0;

	if (!query__resources(query))
		return 0;
	for (size_t i = 0; i < request->key_count; i++)
		grid__column(&grid, request->keys[i]->title, false, true, 0);
	grid__column(&grid, "of each quantum", false, true, 0);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		grid__column(&grid, titles[i], true, false, 0);
	for (size_t i = 0; i < query__row_count(query) && !error; i++) {
		bool any = false;

		if (limit && shown == limit)
			break;
		error = add_row(&grid, tables, query, query__row(query, i), &any);
		shown += any;
	}
	if (!error && shown)
		fputc('\n', stream);
	error = error ?: grid__print(&grid, stream, width);
	grid__clear(&grid);
	return error;
}
