/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include <stddef.h>
#include <stdio.h>

#include "model/query.h"

/* A header and at most `limit` rows (0: all), RFC 4180: CRLF behind each line. Control characters
 * are escaped; a text that a spreadsheet would take for a formula has ' in front; a stack is one
 * cell, outermost frame first, "; " between. -ENOMEM, -EIO. */
int csv_report__print(FILE *stream, const struct tables *tables, const struct query *query,
		      size_t limit);

/* One line: the names of the fields, or their values. */
void csv_report__names(FILE *stream, const struct field_list *list);
int csv_report__fields(FILE *stream, const struct tables *tables, const struct field_list *list);

#endif
