// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/text_alloc.h"

#include <math.h>

void text_alloc__columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "allocated", true, false, 0);
	if (query__estimated(query)) {
		grid__column(grid, "+-", true, false, 4);
		grid__column(grid, "samples", true, false, 5);
	}
	grid__column(grid, "allocations", true, false, 1);
	grid__column(grid, "not freed", true, false, 0);
	grid__column(grid, "of all", true, false, 1);
}

static double whole_of(const struct summary *summary, const struct query *query)
{
	switch (query__request(query)->metric->value) {
	case METRIC_ALLOC_COUNT:
		return summary->alloc[SHARE_OPS];
	case METRIC_ALLOC_KEPT:
		return summary->alloc[SHARE_LIVE];
	default:
		return summary->alloc[SHARE_BYTES];
	}
}

static void add_bytes(struct grid *grid, double bytes)
{
	grid__bytes(grid, (int64_t)fmin(bytes, 9e18));
}

void text_alloc__cells(struct grid *grid, const struct summary *summary, const struct query *query,
		       const struct query_row *row)
{
	double whole = whole_of(summary, query), total = query__measure(query, &row->total);

	add_bytes(grid, row->own.allocated_bytes);
	if (query__estimated(query)) {
		add_bytes(grid, row->own.allocated_error_bytes);
		grid__integer(grid, row->own.allocated_samples);
	}
	grid__integer(grid, llround(fmin(row->own.allocations, 9e18)));
	add_bytes(grid, row->own.kept_bytes);
	grid__percent(grid, query__measure(query, &row->own), whole);
	if (!query__has_totals(query))
		return;
	if (metric__unit(query__request(query)->metric) == UNIT_BYTES)
		add_bytes(grid, total);
	else
		grid__integer(grid, llround(fmin(total, 9e18)));
	grid__percent(grid, total, whole);
}

void text_alloc__meaning(FILE *stream, const struct query *query, bool errors)
{
	fputs("Allocations: what was counted in windows of time, each block once; '--by alloc' "
	      "estimates "
	      "the whole.\n",
	      stream);
	if (query__estimated(query))
		fprintf(stream, "Exact totals of windows are shared out over samples%s.\n",
			errors ? "; +- is one standard error of the bytes" : "");
}
