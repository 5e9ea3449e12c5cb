/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that their writers left torn. */
#ifndef REPORT_TORN_H
#define REPORT_TORN_H

#include <stddef.h>
#include <stdio.h>

#include "model/query.h"

/* Three lists: of killed processes; of killed processes that were appending; of processes that
 * failed. The filters of the request must be about tasks or files. limit: of each list, 0: all.
 * -ENOMEM, -EIO. */
int torn_report__text(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t width, size_t limit);

/* One object {"torn": [...]}; a header and lines. */
int torn_report__json(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t limit);
int torn_report__csv(FILE *stream, struct tables *tables, const struct query_request *request,
		     size_t limit);

enum torn_class { TORN_KILLED, TORN_APPENDING, TORN_FAILED, TORN_CLASSES };
enum torn_class torn__class(const struct torn_fact *torn);
const char *torn__class_name(const struct torn_fact *torn); /* "killed", "appending", "failed" */
/* "SIGKILL", "out of memory", "exit 3"; malloc'ed, NULL: no memory. */
char *torn__end_text(const struct torn_fact *torn);

/* NULL: the filters have a meaning for this report. */
const char *torn_report__refusal(const struct query_request *request);

#endif
