/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to see in the last seconds: all tasks or processes, or the inside of one. Figures
 * are those of queries, per second. */
#ifndef TOP_LOOK_H
#define TOP_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/grid.h"
#include "store/live_window.h"
#include "top/losses.h"
#include "top/top.h"

#define LOOK_NAME 24

/* A task or a process. Times are seconds per second: 1 is one thread all the time. */
struct look_row {
	char *name; /* the task's; as it was recorded, so not printable */
	char *command; /* of a process; NULL */
	int64_t pid, start_ns; /* of a process; 0 */
	int64_t processes; /* that live */
	double cpu, wait, run_queue, storage, lock;
	char mostly[LOOK_NAME]; /* the class of most of its waiting; "" */
	double read, written, ops, errors; /* bytes and numbers per second */
	int64_t rss_bytes; /* now, of those that live; shared pages count in each */
	bool hidden; /* the filter's */
};

struct look_list {
	struct look_row *rows;
	size_t count, capacity;
	size_t shown; /* the first so many are not hidden */
	struct look_row all; /* sums; name and command are NULL */
	double span_s; /* how long the figures are of, really */
	char node[64];
	int64_t cpus;
	double recorder_cpu;
	int64_t recorder_rss_bytes;
};

/* Fills *list, which starts zeroed and is cleared first; adds to losses what the recorder tells.
 * -EAGAIN: nothing has been recorded yet. */
int look__list(struct live_window *window, enum top_by by, int64_t span_s, struct look_list *list,
	       struct losses *losses);
void look_list__clear(struct look_list *list);

/* Those whose name, command or pid hold the text (case does not matter; "": all), sorted. */
void look_list__sort(struct look_list *list, enum top_sort sort, bool reverse, const char *filter);

enum look_section { LOOK_FUNCTIONS, LOOK_LINES, LOOK_WAITS, LOOK_FILES, LOOK_SECTIONS };

/* The inside of one. */
struct look_detail {
	struct look_row row; /* name and command are NULL */
	struct grid sections[LOOK_SECTIONS]; /* the most first */
	int64_t samples, samples_complete; /* of the CPU; whose stacks are whole and named */
	double span_s;
};

/* choice->slices is the span. As look__list. */
int look__detail(struct live_window *window, const struct live_choice *choice,
		 struct look_detail *detail, struct losses *losses);
void look_detail__clear(struct look_detail *detail);

#endif
