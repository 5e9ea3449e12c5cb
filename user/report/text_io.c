// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/text_io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/text.h"

#define MOST_OPS 3 /* operations of a row by name */

char *text_report__ops(const struct tables *tables, const struct query *query,
		       const struct query_row *row, size_t most)
{
	const struct query_part *part = NULL;
	double below = INFINITY, next;
	char *joined = NULL;
	size_t size = 0, shown = 0;
	FILE *text = open_memstream(&joined, &size);

	if (!text)
		return NULL;
	while (shown < most) {
		next = 0;
		while ((part = query__part(query, row, part)))
			if (part->kind == PART_OP && part->own < below && part->own > next)
				next = part->own;
		if (next <= 0)
			break;
		/* Equal numbers come together: the next number is below. */
		while ((part = query__part(query, row, part)))
			if (part->kind == PART_OP && part->own == next && shown < most)
				fprintf(text, "%s%s %.0f", shown++ ? ", " : "",
					tables->ops[part->item].name, next);
		below = next;
	}
	if (fclose(text)) {
		free(joined);
		return NULL;
	}
	return joined;
}

/* Columns of throughput. */
static bool has_rates(const struct query *query)
{
	return text_report__has_key(query, "time") && text_report__has_key(query, "mount");
}

/* Columns of files written and read. */
static bool has_storage(const struct query *query)
{
	return query__row_count(query) && query__storage(query, query__row(query, 0));
}

/* Columns of waits for files and remotes. */
static bool shows_waited(const struct query *query)
{
	if (query__estimated(query))
		return false;
	for (size_t i = 0; i < query__row_count(query); i++)
		if (query__row(query, i)->own.waited > 0 || query__row(query, i)->own.waited_ns > 0)
			return true;
	return false;
}

/* Columns of how long files were open. */
static bool shows_open(const struct query *query)
{
	if (!has_storage(query))
		return false;
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_storage *storage = query__storage(query, query__row(query, i));

		if (storage->closed.count || storage->still_open.count)
			return true;
	}
	return false;
}

void text_io__columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "time", true, false, 0);
	if (query__estimated(query))
		grid__column(grid, "+-", true, false, 4);
	grid__column(grid, "of all", true, false, 5);
	grid__column(grid, "read", true, false, 0);
	grid__column(grid, "written", true, false, 0);
	grid__column(grid, "operations", true, false, 1);
	if (!query__estimated(query))
		grid__column(grid, "errors", true, false, 1);
	if (shows_waited(query)) {
		grid__column(grid, "waited", true, false, 2);
		grid__column(grid, "waits", true, false, 6);
	}
	if (has_rates(query)) {
		grid__column(grid, "read/s", true, false, 0);
		grid__column(grid, "written/s", true, false, 0);
		grid__column(grid, "latency", true, false, 0);
	}
	if (has_storage(query)) {
		if (text_report__has_key(query, "dataset")) {
			grid__column(grid, "files", true, false, 0);
			grid__column(grid, "avg. size", true, false, 0);
			grid__column(grid, "in all", true, false, 0);
			grid__column(grid, "files read", true, false, 2);
			grid__column(grid, "written here", true, false, 2);
		}
		grid__column(grid, "order", false, false, 3);
		grid__column(grid, "re-read ~", true, false, 3);
	}
	if (shows_open(query)) {
		grid__column(grid, "open for", true, false, 3);
		grid__column(grid, "longest", true, false, 3);
		grid__column(grid, "still open", true, false, 3);
	}
	if (!text_report__has_key(query, "op"))
		grid__column(grid, "mostly", false, true, 4);
}

static void add_rate_cells(struct grid *grid, const struct query *query,
			   const struct query_row *row)
{
	double seconds = query__seconds(query, row);
	char number[NUMBER_SIZE];

	grid__bytes(grid, seconds > 0 ? llround(row->own.read_bytes / seconds) : INT64_MIN);
	grid__bytes(grid, seconds > 0 ? llround(row->own.write_bytes / seconds) : INT64_MIN);
	grid__text(grid, row->own.ops > 0 ? number__duration(number, row->own.io_ns / row->own.ops)
					  : "-");
}

/* The order of most reads, "random 83 %"; NULL: no memory. */
/* Of so many reads the order of one must be known, for that of most to be told. Half of the reads
 * of small files find only their end. */
#define ORDER_KNOWN 4

static char *order_of(const struct query_reads *reads)
{
	const struct {
		const char *name;
		uint64_t count;
	} orders[] = {{"sequential", reads->sequential},
		      {"strided", reads->strided},
		      {"random", reads->random}};
	uint64_t all = reads->sequential + reads->strided + reads->random;
	size_t most = 0;
	char *text;

	for (size_t i = 1; i < 3; i++)
		if (orders[i].count > orders[most].count)
			most = i;
	if (!all)
		return strdup("-");
	if (all * ORDER_KNOWN < reads->all)
		return strdup("?");
	if (asprintf(&text, "%s %.0f %%", orders[most].name,
		     (double)orders[most].count / (double)all * 100) < 0)
		return NULL;
	return text;
}

static void add_read_cells(struct grid *grid, const struct query_reads *reads)
{
	char *again = NULL;

	grid__own(grid, order_of(reads));
	if (reads->distinct <= 0)
		again = strdup("-");
	else if (asprintf(&again, "%.1f x", reads->bytes / reads->distinct) < 0)
		again = NULL;
	grid__own(grid, again);
}

static void add_storage_cells(struct grid *grid, const struct query *query,
			      const struct query_storage *storage)
{
	double files = (double)storage->written_files;

	if (text_report__has_key(query, "dataset")) {
		grid__integer(grid, (int64_t)storage->written_files);
		grid__bytes(grid, files > 0 ? llround(storage->written_size / files) : INT64_MIN);
		grid__bytes(grid, llround(storage->written_size));
		grid__integer(grid, (int64_t)storage->read_files);
		grid__integer(grid, (int64_t)storage->read_here);
	}
	add_read_cells(grid, &storage->reads);
}

/* The time of all that are closed, the longest of these, and the number of the others. */
static void add_open_cells(struct grid *grid, const struct query_storage *storage)
{
	char number[NUMBER_SIZE];

	if (storage->closed.count) {
		grid__text(grid, number__duration(number, storage->closed.ns));
		grid__text(grid, number__duration(number, storage->closed.longest_ns));
	} else {
		grid__text(grid, "-");
		grid__text(grid, "-");
	}
	grid__integer(grid, (int64_t)storage->still_open.count);
}

void text_io__cells(struct grid *grid, const struct tables *tables, const struct summary *summary,
		    const struct query *query, const struct query_row *row)
{
	grid__seconds(grid, row->own.io_ns / 1e9);
	if (query__estimated(query))
		grid__seconds(grid, row->own.io_error_ns / 1e9);
	grid__percent(grid, row->own.io_ns / 1e9, summary->io_s);
	grid__bytes(grid, (int64_t)fmin(row->own.read_bytes, 9e18));
	grid__bytes(grid, (int64_t)fmin(row->own.write_bytes, 9e18));
	grid__integer(grid, llround(fmin(row->own.ops, 9e18)));
	if (!query__estimated(query))
		grid__integer(grid, (int64_t)fmin(row->own.errors, 9e18));
	if (shows_waited(query)) {
		grid__seconds(grid, row->own.waited_ns / 1e9);
		grid__integer(grid, llround(fmin(row->own.waited, 9e18)));
	}
	if (has_rates(query))
		add_rate_cells(grid, query, row);
	if (has_storage(query))
		add_storage_cells(grid, query, query__storage(query, row));
	if (shows_open(query))
		add_open_cells(grid, query__storage(query, row));
	if (!text_report__has_key(query, "op"))
		grid__own(grid, text_report__ops(tables, query, row, MOST_OPS));
}
