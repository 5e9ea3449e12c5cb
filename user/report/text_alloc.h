/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables whose metric is one of allocations. */
#ifndef REPORT_TEXT_ALLOC_H
#define REPORT_TEXT_ALLOC_H

#include <stdbool.h>
#include <stdio.h>

#include "model/query.h"
#include "model/summary.h"
#include "report/grid.h"

void text_alloc__columns(struct grid *grid, const struct query *query);
/* With those of totals, where the query has such. */
void text_alloc__cells(struct grid *grid, const struct summary *summary, const struct query *query,
		       const struct query_row *row);
/* What the figures are, below the table, which shows errors or does not. */
void text_alloc__meaning(FILE *stream, const struct query *query, bool errors);

#endif
