/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text and numbers of a JSON stream that may stand inside an HTML page. */
#ifndef REPORT_JSON_STREAM_H
#define REPORT_JSON_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "report/page_rows.h"

/* A string; NULL is null. What printable__of makes visible is visible. Of a text longer than `most`
 * bytes the middle is left out. -ENOMEM. */
int json_stream__text(FILE *stream, const char *text, size_t most);

/* As few digits as give the number back to six decimals. */
void json_stream__number(FILE *stream, double value);

/* Rows as one flat array, sorted as they are: of each row its first `keys` keys and its first
 * `values` values. A key is the difference to the row before while all keys before it are equal to
 * that row's, else it is itself. */
void json_stream__rows(FILE *stream, const struct page_rows *rows, size_t keys, size_t values);

#endif
