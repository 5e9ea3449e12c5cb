/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node live, in a terminal. Three processes: the one that was started keeps the terminal's
 * state, a recorder (capture/session.h) whose rows go into a pipe, and the display, which reads
 * them. Whichever ends or crashes, the first one puts the terminal back. */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include "capture/session.h"

enum top_by { TOP_TASKS, TOP_PROCESSES };

enum top_sort { SORT_CPU, SORT_WAIT, SORT_IO, SORT_MEMORY, SORT_NAME, SORT_COUNT };

struct top_options {
	struct record_options record; /* but what top sets itself: output, live, quiet */
	enum top_by by;
	enum top_sort sort;
	int64_t interval_s; /* between two looks, at least 1 */
	int64_t span_s; /* that figures are of, at least 1 */
};

#define TOP_LONGEST_SPAN_S 60

/* 0 when the user ended it, or a signal or the duration did; a negative errno after a message. */
int top__run(const struct top_options *options);

#endif
