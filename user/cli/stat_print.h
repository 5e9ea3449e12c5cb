/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How `pipescope stat` prints: for people, redrawn in place on a terminal; or one line for each
 * interval. */
#ifndef CLI_STAT_PRINT_H
#define CLI_STAT_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "capture/live_counters.h"

enum stat_format { STAT_TEXT, STAT_JSON, STAT_CSV };

struct stat_reading {
	double time_s; /* since the start */
	double user_s, system_s; /* 0 for the whole node */
	struct live_sum sums[PS_PERF_COUNT];
};

struct stat_printer {
	FILE *out;
	enum stat_format format;
	bool intervals; /* each is printed */
	bool redraws; /* over the one before */
	bool begun; /* CSV: the header is there */
	size_t lines; /* to draw over */
};

/* intervals: each is wanted; alone: nobody else writes to the terminal. out is borrowed. */
void stat_printer__init(struct stat_printer *printer, FILE *out, enum stat_format format,
			bool intervals, bool alone);
void stat_printer__interval(struct stat_printer *printer, const struct stat_reading *from,
			    const struct stat_reading *to);
/* last: the end of the last interval that was printed. */
void stat_printer__total(struct stat_printer *printer, const struct stat_reading *start,
			 const struct stat_reading *last, const struct stat_reading *end);

#endif
