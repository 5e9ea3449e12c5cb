/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of text_report__page: page.c (head, tasks, CPU), page_events.c (waits, files) and
 * page_quality.c. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/query.h"
#include "model/summary.h"

struct grid;

#define PAGE_ROWS 12 /* of a table, so that all of the page is read */

/* One paragraph, made printable, broken at blanks, later lines indented by `indent`. -ENOMEM. */
__attribute__((format(printf, 4, 5))) int page__paragraph(FILE *stream, size_t width, size_t indent,
							  const char *format, ...);

/* A heading and the grid, which is cleared; nothing of one without rows. What grid__print gives. */
int page__grid(FILE *stream, size_t width, const char *heading, struct grid *grid);

/* keys: their names, up to NULL. As query__run. */
int page__query(struct tables *tables, const char *const *keys, const char *metric,
		enum query_fold fold, struct query **ret_query);

/* Whether it is no function but "(unknown)" or "(not sampled)". */
bool page__is_special(uint64_t value);

/* How far all this can be trusted: a paragraph for the head, and what is missing, for the end.
 * -ENOMEM. */
int page__quality(FILE *stream, const struct summary *summary, size_t width);
int page__missing(FILE *stream, const struct summary *summary, size_t width);

/* What tasks waited for, read and wrote; and which functions, files and errors stand out. At most
 * `limit` rows of each table; nothing of what was not recorded. -ENOMEM, -EIO, -EBADMSG. */
int page__events_of_tasks(FILE *stream, struct tables *tables, size_t width, size_t limit);
int page__events(FILE *stream, struct tables *tables, size_t width, size_t limit);
/* Very many small operations, with the lines that make them; search paths of what is not there. */
int page__storms(FILE *stream, struct tables *tables, size_t width, size_t limit);
/* What CephFS's client did, mount by mount (page_ceph.c). */
int page__ceph(FILE *stream, struct tables *tables, size_t width, size_t limit);

#endif
