/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on files, pipes and sockets, in tables of text. */
#ifndef REPORT_TEXT_IO_H
#define REPORT_TEXT_IO_H

#include "model/query.h"
#include "model/summary.h"
#include "report/grid.h"

/* Behind those of the keys: columns, and the cells of a row. */
void text_io__columns(struct grid *grid, const struct query *query);
void text_io__cells(struct grid *grid, const struct tables *tables, const struct summary *summary,
		    const struct query *query, const struct query_row *row);

#endif
