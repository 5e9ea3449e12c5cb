/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source "alloc" on the recorder's side: chooses the processes, and makes rows of windows. */
#ifndef CAPTURE_ALLOC_DRAIN_H
#define CAPTURE_ALLOC_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/alloc_windows.h"

struct alloc_drain;
struct recording_writer;
struct sample_row;
struct stacks;
struct tracker;

struct alloc_options {
	double max_overhead; /* percent */
	double period_bytes; /* mean distance of samples */
	const char *task; /* only processes whose task fits this pattern; NULL: all recorded ones */
	bool python; /* CPython's own allocators too */
};

/* All borrowed; they must outlive the drain. */
struct alloc_parts {
	struct pipescope_bpf *bpf;
	struct recording_writer *writer;
	struct tracker *tracker;
	struct stacks *stacks;
	const struct alloc_options *options;
	uint64_t *counters; /* PS_COUNTER_COUNT of them, added to */
};

int alloc_drain__new(const struct alloc_parts *parts, struct alloc_drain **ret_drain);
void alloc_drain__free(struct alloc_drain *drain); /* NULL is accepted */

/* A count of samples of this source: fills metric, class and value. false: it is another's. */
bool alloc_drain__sample(struct alloc_drain *drain, uint32_t metric, uint32_t allocator,
			 uint64_t sum, struct sample_row *row);

/* Chooses processes anew. Now and then, and soon after a process was born. */
void alloc_drain__look(struct alloc_drain *drain);

/* Something to say: true once for each. */
bool alloc_drain__notice(struct alloc_drain *drain, struct alloc_notice *ret_notice);

/* Closes the last window: before the last counts are taken. */
void alloc_drain__stop(struct alloc_drain *drain);

/* Rows of the windows that are over. */
int alloc_drain__slice(struct alloc_drain *drain, int64_t slice);

#endif
