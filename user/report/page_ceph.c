// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/grid.h"
#include "report/page.h"
#include "report/text.h"

#define MOST_CLASSES 3 /* of a task by name */
/* A request that waits so long for its answer is told of. */
#define LONG_NS 1e9

/* --- What the client did, by mount. */

/* Time within which a part of a row's operations ended; linear in the logarithm within a bucket.
 * The histograms' rows of one mount and operation ascend. */
static double quantile_ns(const struct tables *tables, const char *mount, const char *op,
			  double part)
{
	double all = 0, before = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < tables->ceph_histogram_count; i++) {
			const struct ceph_histogram_fact *fact = &tables->ceph_histograms[i];
			double here = (double)fact->count;

			if (fact->file == NO_INDEX || tables->files[fact->file].mount != mount ||
			    tables->ceph_ops[fact->op].name != op)
				continue;
			if (!pass)
				all += here;
			else if (here > 0 && before + here >= part * all)
				return exp2((double)fact->bucket + (part * all - before) / here);
			else
				before += here;
		}
	}
	return 0;
}

static void add_duration(struct grid *grid, double ns)
{
	char text[NUMBER_SIZE];

	grid__text(grid, ns > 0 ? number__duration(text, ns) : "-");
}

static void add_done(struct grid *grid, const struct tables *tables, const struct query *query,
		     const struct query_row *row)
{
	uint64_t mount = query__value(query, row, 0), op = query__value(query, row, 1);
	const char *point = mount == VALUE_UNKNOWN ? NULL : (const char *)(uintptr_t)mount;
	const char *name = (const char *)(uintptr_t)op;
	const struct query_figures *own = &row->own;

	grid__text(grid, point ? point : "(unknown)");
	grid__text(grid, name);
	grid__integer(grid, llround(fmin(own->ceph_ops, 9e18)));
	grid__seconds(grid, own->ceph_ns / 1e9);
	add_duration(grid, own->ceph_ops > 0 ? own->ceph_ns / own->ceph_ops : 0);
	add_duration(grid, quantile_ns(tables, point, name, 0.5));
	add_duration(grid, quantile_ns(tables, point, name, 0.99));
	grid__bytes(grid, (int64_t)fmin(own->ceph_read_bytes + own->ceph_write_bytes, 9e18));
	grid__integer(grid, llround(fmin(own->ceph_errors, 9e18)));
}

static int print_done(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"mount", "ceph", NULL};
	struct grid grid = {0};
	struct query *query;
	int error;

	error = page__query(tables, keys, "ceph_time", FOLD_INTERPRETER, &query);
	if (error)
		return error;
	grid__column(&grid, "mount", false, true, 0);
	grid__column(&grid, "CephFS", false, true, 0);
	grid__column(&grid, "number", true, false, 0);
	grid__column(&grid, "time", true, false, 0);
	grid__column(&grid, "mean", true, false, 0);
	grid__column(&grid, "median", true, false, 1);
	grid__column(&grid, "99 %", true, false, 1);
	grid__column(&grid, "bytes", true, false, 0);
	grid__column(&grid, "errors", true, false, 1);
	for (size_t i = 0; i < query__row_count(query) && i < limit; i++)
		add_done(&grid, tables, query, query__row(query, i));
	error = page__grid(stream, width,
			   "CephFS's client (exact; mds: and osd: are requests to servers, the "
			   "others lie around them)",
			   &grid);
	query__free(query);
	return error;
}

/* --- For whom. */

char *text_report__ceph_ops(const struct tables *tables, const struct query *query,
			    const struct query_row *row)
{
	const struct query_part *part = NULL;
	double below = INFINITY, next;
	char *joined = NULL;
	size_t size = 0, shown = 0;
	FILE *text = open_memstream(&joined, &size);

	while (text && shown < MOST_CLASSES) {
		next = 0;
		while ((part = query__part(query, row, part)))
			if (part->kind == PART_CEPH && part->own < below && part->own > next)
				next = part->own;
		if (next <= 0)
			break;
		/* Equal numbers come together: the next number is below. */
		while ((part = query__part(query, row, part)))
			if (part->kind == PART_CEPH && part->own == next && shown < MOST_CLASSES)
				fprintf(text, "%s%s %.0f", shown++ ? ", " : "",
					tables->ceph_ops[part->item].name, next);
		below = next;
	}
	if (!text || fclose(text)) {
		free(joined);
		return NULL;
	}
	return joined;
}

static int print_tasks(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"task", NULL};
	struct grid grid = {0};
	struct query *query;
	size_t shown = 0;
	int error;

	error = page__query(tables, keys, "ceph_time", FOLD_INTERPRETER, &query);
	if (error)
		return error;
	grid__column(&grid, "task", false, true, 0);
	grid__column(&grid, "requests", true, false, 0);
	grid__column(&grid, "time in them", true, false, 0);
	grid__column(&grid, "read", true, false, 0);
	grid__column(&grid, "written", true, false, 0);
	grid__column(&grid, "mostly", false, true, 0);
	for (size_t i = 0; i < query__row_count(query) && shown < limit; i++) {
		const struct query_row *row = query__row(query, i);
		char *task = NULL;

		if (row->own.ceph_ops <= 0)
			continue;
		if (key__find("task")->label(tables, query__value(query, row, 0), &task))
			task = NULL;
		grid__own(&grid, task);
		grid__integer(&grid, llround(fmin(row->own.ceph_ops, 9e18)));
		grid__seconds(&grid, row->own.ceph_ns / 1e9);
		grid__bytes(&grid, (int64_t)fmin(row->own.ceph_read_bytes, 9e18));
		grid__bytes(&grid, (int64_t)fmin(row->own.ceph_write_bytes, 9e18));
		grid__own(&grid, text_report__ceph_ops(tables, query, row));
		shown++;
	}
	error = page__grid(stream, width,
			   "Requests of CephFS by who sent them (exact; kernel threads write back "
			   "what others wrote)",
			   &grid);
	query__free(query);
	return error;
}

/* --- Requests without an answer. */

static int print_in_flight(FILE *stream, const struct tables *tables, size_t width)
{
	const struct ceph_in_flight_fact *oldest = NULL;
	char text[NUMBER_SIZE];

	for (size_t i = 0; i < tables->ceph_in_flight_count; i++)
		if (!oldest || tables->ceph_in_flight[i].oldest_ns > oldest->oldest_ns)
			oldest = &tables->ceph_in_flight[i];
	if (!oldest || (double)oldest->oldest_ns < LONG_NS)
		return 0;
	return page__paragraph(stream, width, 2,
			       "A request %s on %s was without an answer for %s at the end of a "
			       "slice: table ceph_in_flight has all",
			       tables->ceph_ops[oldest->op].name,
			       oldest->file == NO_INDEX ? "(unknown)"
							: tables->files[oldest->file].mount,
			       number__duration(text, (double)oldest->oldest_ns));
}

int page__ceph(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	int error;

	if (!tables->recorded[SOURCE_CEPH])
		return 0;
	error = print_done(stream, tables, width, limit);
	if (!error)
		error = print_tasks(stream, tables, width, limit);
	return error ? error : print_in_flight(stream, tables, width);
}
