/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stddef.h>
#include <stdio.h>

#include "model/query.h"
#include "model/summary.h"

struct json_t;

/* One object: recording, quality, overhead, query, rows (at most `limit`, 0: all), and histograms
 * when there are any, as pipescope-report(1) describes it; plain ASCII, one row per line. -ENOMEM,
 * -EIO and what loading a row gives. */
int json_report__print(FILE *stream, const struct tables *tables, const struct summary *summary,
		       const struct query *query, size_t limit);

/* One object with these fields. */
int json_report__fields(FILE *stream, const struct tables *tables, const struct field_list *list);

/* Takes the object; NULL: no memory. -ENOMEM, -EIO. */
int json_report__dump(FILE *stream, struct json_t *object);

#endif
