/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations of a recording: exact figures of its windows, and from them estimates of the whole.
 *
 * What lies between windows is estimated from the CPU time that the processes used there: each
 * process goes on as it did in its windows. Errors are one standard error: from how windows differ,
 * and from the cost of counting, by which their own CPU time is known less well. */
#ifndef MODEL_ALLOC_FIGURES_H
#define MODEL_ALLOC_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/alloc_facts.h"
#include "model/query.h"
#include "model/tables.h"

struct alloc_estimate {
	double counted; /* in windows, exact */
	double value; /* on the whole; NAN: not known */
	double error; /* 0: nothing is estimated; NAN: not known */
	/* At least that, if outside of windows it went on as in them; known also where the value is
	 * not. NAN: not known. */
	double least;
};

struct alloc_function_figures {
	const struct alloc_function_fact *function;
	struct alloc_estimate count, bytes;
	double nested, freed, kept, kept_bytes; /* in windows */
};

/* Where blocks were asked for: a function, or a line of Python. */
struct alloc_place {
	const char *name, *file; /* borrowed from the tables; file: or module */
	int64_t line; /* 0: not known */
	double samples, value, error; /* in windows: bytes or calls */
};

struct alloc_figures {
	size_t windows, processes; /* of chosen epochs' processes */
	double open_s, elapsed_s; /* windows of all processes, as they lie in time */
	double own_s, cost_s, counted_own_s; /* CPU time: own, of counting, own in windows */
	bool whole; /* windows left nothing out: nearly all CPU time lies in them */
	struct alloc_function_figures *functions; /* most bytes first */
	size_t function_count;
	struct alloc_estimate count, bytes; /* each block once */
	struct alloc_estimate net; /* value NAN: not known */
	double held_peak; /* largest of a window, bytes */
	struct alloc_estimate soon, soon_bytes; /* share of blocks, and of bytes; value NAN */
	double kept, kept_bytes;
	double sizes[ALLOC_BUCKETS]; /* calls in windows, each block once but for nested ones */
	struct alloc_place *by_size, *by_count, *by_kept;
	size_t by_size_count, by_count_count, by_kept_count;
};

/* The filters of the request must be about epochs. -ENOENT: nothing was recorded; -ENOMEM. */
int alloc_figures__new(struct tables *tables, const struct query_request *request,
		       struct alloc_figures **ret_figures);
void alloc_figures__free(struct alloc_figures *figures); /* NULL is accepted */

#endif
