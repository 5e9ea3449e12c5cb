/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source "mem" on the recorder's side: what BPF has counted and told of memory becomes rows. */
#ifndef CAPTURE_MEM_DRAIN_H
#define CAPTURE_MEM_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

struct mem_drain;
struct meanwhile;
struct pipescope_bpf;
struct process;
struct recording_writer;
struct sample_row;
struct stacks;
struct tracker;

/* All borrowed; they must outlive the drain. counters: PS_COUNTER_COUNT of them, added to. */
struct mem_parts {
	struct pipescope_bpf *bpf;
	struct recording_writer *writer;
	struct tracker *tracker;
	struct stacks *stacks;
	uint64_t *counters;
};

int mem_drain__new(const struct mem_parts *parts, struct mem_drain **ret_drain);
void mem_drain__free(struct mem_drain *drain); /* NULL is accepted */

/* A mapping or its release, in the order of the ring buffer. */
int mem_drain__on_event(struct mem_drain *drain, const struct ps_mem_event *event);

/* The process may be in another epoch since its last event: what was live then is written. */
int mem_drain__on_epoch(struct mem_drain *drain, const struct process *process);
/* The same, and nothing of its memory is left. */
int mem_drain__on_exec(struct mem_drain *drain, const struct process *process);
int mem_drain__on_end(struct mem_drain *drain, const struct process *process);

/* A count of samples of this source: fills metric, class and value. Another's changes nothing. */
void mem_drain__sample(struct mem_drain *drain, uint32_t metric, uint32_t class, uint64_t count,
		       uint64_t sum, struct sample_row *row);

/* After the slice's events: takes sums and a look at all tasks, writes their rows. final: also what
 * is live. */
int mem_drain__look(struct mem_drain *drain, int64_t slice, bool final,
		    const struct meanwhile *meanwhile);

/* meta rows, at the end. */
int mem_drain__finish(struct mem_drain *drain);

#endif
