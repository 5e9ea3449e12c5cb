/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What quanta used, in tables of text. */
#ifndef REPORT_TEXT_QUANTA_H
#define REPORT_TEXT_QUANTA_H

#include "model/query.h"
#include "report/grid.h"

/* Of a table with a row for each quantum: columns behind that of the peak of memory, and the cells
 * of a row from that one on. */
void text_quanta__columns(struct grid *grid, const struct query *query);
void text_quanta__cells(struct grid *grid, const struct query *query, const struct query_row *row);

/* A table of its own: how each figure of the rows' quanta differs, of at most `limit` rows (0:
 * all). Nothing when there are no such figures. -ENOMEM, -EIO. */
int text_quanta__spreads(FILE *stream, struct tables *tables, const struct query *query,
			 size_t width, size_t limit);

#endif
