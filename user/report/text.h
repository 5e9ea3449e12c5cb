/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording as text for people. No line is longer than `width` columns where that is possible;
 * no colour, no control character. Results: -ENOMEM, -EIO (the stream), and what loading gives. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "model/query.h"
#include "model/summary.h"

/* The page one wants first: the recording, its quality and cost, tasks, hottest functions and
 * lines. limit: rows of each table, 0: a number that fits a screen. */
int text_report__page(FILE *stream, struct tables *tables, const struct summary *summary,
		      size_t width, size_t limit);

/* One table, at most `limit` rows (0: all), and a line on what is estimated. */
int text_report__query(FILE *stream, struct tables *tables, const struct summary *summary,
		       const struct query *query, size_t width, size_t limit);

/* Who recorded what, when; in words, when the recording is incomplete or lost something. */
int text_report__head(FILE *stream, const struct summary *summary, size_t width);
int text_report__warnings(FILE *stream, const struct summary *summary, size_t width);

/* Whether that is one of the keys that the rows are grouped by. */
bool text_report__has_key(const struct query *query, const char *name);

/* "main.py:12" where a function begins, or its library; malloc'ed, NULL: no memory. */
char *text_report__origin(const struct tables *tables, uint64_t function);

/* "read 12, open 3": the `most` most frequent operations of a row; malloc'ed, NULL: no memory. */
char *text_report__ops(const struct tables *tables, const struct query *query,
		       const struct query_row *row, size_t most);

/* "code 3", "SIGKILL", "-" (still ran), malloc'ed, NULL: no memory. */
char *text_report__exit(const struct table_process *process);

/* What a row's requests of CephFS were, the most frequent first; malloc'ed. NULL: no memory. */
char *text_report__ceph_ops(const struct tables *tables, const struct query *query,
			    const struct query_row *row);

#endif
