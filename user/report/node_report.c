// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/node_report.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/grid.h"
#include "report/json.h"
#include "report/printable.h"
#include "report/text.h"

/* --- Text. */

static const struct {
	const char *title;
	enum node_figure figure;
	int spare;
	bool bytes;
} columns[] = {
	{"processes", NODE_PROCESSES, 4, false}, {"busy", NODE_BUSY_PROCESSES, 0, false},
	{"tasks", NODE_TASKS, 2, false},	 {"quanta", NODE_QUANTA, 0, false},
	{"CPUs", NODE_CPUS, 0, false},		 {"ready", NODE_READY, 0, false},
	{"waiting", NODE_WAITING, 5, false},	 {"in I/O", NODE_IO, 1, false},
	{"read/s", NODE_READ, 0, true},		 {"written/s", NODE_WRITTEN, 0, true},
	{"operations/s", NODE_OPS, 3, false},	 {"GHz", NODE_CLOCK, 0, false},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_number(struct grid *grid, double value)
{
	char *text = NULL;

	if (isnan(value))
		text = strdup("-");
	else if (asprintf(&text, value < 999.95 ? "%.1f" : "%.0f", value) < 0)
		text = NULL;
	grid__own(grid, text);
}

static void add_row(struct grid *grid, const struct node *node, const struct node_row *row,
		    const char *name)
{
	if (name)
		grid__text(grid, name);
	else
		grid__seconds(grid, row->start_s);
	for (size_t i = 0; i < COLUMNS; i++) {
		double value = row->figures[columns[i].figure];

		if (!node->knows[columns[i].figure])
			continue;
		if (columns[i].bytes)
			grid__bytes(grid, (int64_t)fmin(value, 9e18));
		else
			add_number(grid, value);
	}
}

int node_report__text(FILE *stream, const struct summary *summary, const struct node *node,
		      size_t width)
{
	struct grid grid = {0};
	int error = text_report__warnings(stream, summary, width);

	if (error)
		return error;
	grid__column(&grid, "time", true, false, 0);
	for (size_t i = 0; i < COLUMNS; i++)
		if (node->knows[columns[i].figure])
			grid__column(&grid, columns[i].title, true, false, columns[i].spare);
	for (size_t i = 0; i < node->count; i++)
		add_row(&grid, node, &node->rows[i], NULL);
	if (node->count > 1) {
		add_row(&grid, node, &node->mean, "mean");
		add_row(&grid, node, &node->most, "most");
	}
	error = grid__print(&grid, stream, width);
	grid__clear(&grid);
	if (error)
		return error;
	if (!node->count)
		fputs("Nothing in this recording fits.\n", stream);
	else
		fprintf(stream,
			"Means over each row's time; busy: processes that used %.0f %% of a CPU "
			"or more.\n",
			NODE_BUSY * 100);
	return ferror(stream) ? -EIO : 0;
}

/* --- JSON and CSV. */

static json_t *row_object(const struct node *node, const struct node_row *row)
{
	json_t *object = json_object();
	int failed = json_object_set_new(object, "time", json_real(row->start_s)) ||
		     json_object_set_new(object, "time_end", json_real(row->end_s));

	for (size_t f = 0; f < NODE_FIGURES && !failed; f++)
		failed = json_object_set_new(object, node__name((enum node_figure)f),
					     node->knows[f] && !isnan(row->figures[f])
						     ? json_real(row->figures[f])
						     : json_null());
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *about(const struct summary *summary)
{
	const char *node = summary__meta(summary, "node"), *cpus = summary__meta(summary, "cpus");
	_cleanup_free_ char *name = printable__utf8(node ? node : "");
	json_t *object = json_object();
	int failed = !name || json_object_set_new(object, "node", json_string(name)) ||
		     json_object_set_new(object, "cpus",
					 cpus ? json_integer(atoll(cpus)) : json_null()) ||
		     json_object_set_new(object, "complete", json_boolean(summary->complete)) ||
		     json_object_set_new(object, "elapsed_s", json_real(summary->elapsed_s)) ||
		     json_object_set_new(object, "busy_share", json_real(NODE_BUSY));

	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

int node_report__json(FILE *stream, const struct summary *summary, const struct node *node)
{
	int error;

	fputs("{\"recording\":", stream);
	error = json_report__dump(stream, about(summary));
	fputs(",\n\"query\":{\"by\":[\"node\"]},\n\"mean\":", stream);
	error = error ?: json_report__dump(stream, row_object(node, &node->mean));
	fputs(",\n\"most\":", stream);
	error = error ?: json_report__dump(stream, row_object(node, &node->most));
	fputs(",\n\"rows\":[", stream);
	for (size_t i = 0; i < node->count && !error; i++) {
		fputs(i ? ",\n" : "\n", stream);
		error = json_report__dump(stream, row_object(node, &node->rows[i]));
	}
	fputs("]}\n", stream);
	return error ? error : ferror(stream) ? -EIO : 0;
}

int node_report__csv(FILE *stream, const struct node *node)
{
	fputs("time,time_end", stream);
	for (size_t f = 0; f < NODE_FIGURES; f++)
		fprintf(stream, ",%s", node__name((enum node_figure)f));
	fputs("\r\n", stream);
	for (size_t i = 0; i < node->count; i++) {
		fprintf(stream, "%.9f,%.9f", node->rows[i].start_s, node->rows[i].end_s);
		for (size_t f = 0; f < NODE_FIGURES; f++) {
			fputc(',', stream);
			if (node->knows[f] && !isnan(node->rows[i].figures[f]))
				fprintf(stream, "%.9f", node->rows[i].figures[f]);
		}
		fputs("\r\n", stream);
	}
	return ferror(stream) ? -EIO : 0;
}
