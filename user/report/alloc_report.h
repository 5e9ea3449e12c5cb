/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was allocated: totals, sizes, allocators, places. */
#ifndef REPORT_ALLOC_REPORT_H
#define REPORT_ALLOC_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "model/query.h"
#include "model/tables.h"

/* The filters of the request must be about tasks. limit: places of each list, 0: all. -ENOMEM,
 * -EIO. */
int alloc_report__text(FILE *stream, struct tables *tables, const struct query_request *request,
		       size_t width, size_t limit);

/* One object {"allocations": …, "allocators": [...], "sizes": [...], "by_size": [...], "by_count":
 * [...], "kept": [...]}; the places by size as a header and lines. */
int alloc_report__json(FILE *stream, struct tables *tables, const struct query_request *request,
		       size_t limit);
int alloc_report__csv(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t limit);

/* NULL: the filters have a meaning for this report. */
const char *alloc_report__refusal(const struct query_request *request);

#endif
