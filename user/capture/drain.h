/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one live drain: takes events, mapping records, counts and snapshots out of the kernel and
 * hands them to the tracker, to names and to stacks. */
#ifndef CAPTURE_DRAIN_H
#define CAPTURE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/iterator.h"
#include "wire.h"

struct alloc_drain;
struct ceph_drain;
struct drain;
struct meanwhile;
struct mmaps;
struct names;
struct quanta;
struct resources;
struct stacks;
struct stack_tree;
struct unwinder;
struct pipescope_bpf;
struct recording_writer;
struct rules;
struct tracker;

/* All borrowed; they must outlive the drain. counters: PS_COUNTER_COUNT of them, added to. */
struct drain_parts {
	struct pipescope_bpf *bpf;
	struct recording_writer *writer;
	struct tracker *tracker;
	struct rules *rules;
	struct names *names;
	struct stacks *stacks;
	struct stack_tree *tree;
	bool live; /* only the latest part of what is written is kept */
	struct unwinder *unwinder;
	struct quanta *quanta; /* NULL: that source is off */
	struct resources *resources; /* of quanta */
	struct mmaps *mmaps;
	uint64_t *counters;
	bool offcpu, io, mem; /* these sources are on */
	struct alloc_drain *alloc; /* NULL: that source is off */
	struct ceph_drain *ceph; /* the same */
	uint64_t start_ns; /* CLOCK_MONOTONIC of the recording's start */
	uint32_t counts_per_slice; /* room for distinct samples of one slice */
};

int drain__new(const struct drain_parts *parts, struct drain **ret_drain);
void drain__free(struct drain *drain); /* NULL is accepted */

/* Readable when events have come. */
int drain__fd(const struct drain *drain);

/* Takes all events and mapping records there are. */
int drain__events(struct drain *drain);
/* The same, for who waits; borrowed. */
const struct meanwhile *drain__meanwhile(const struct drain *drain);

/* Takes the slice's counts of samples and a snapshot of all tasks. The slice began at
 * slice_start_ns (CLOCK_MONOTONIC). */
int drain__slice(struct drain *drain, int64_t slice, uint64_t slice_start_ns, bool final);

/* After the last slice: what is written once. */
int drain__finish(struct drain *drain);

/* Called with the struct ps_task_event of each task of the node. A negative errno ends the walk and
 * is returned. */
int drain__each_task(struct drain *drain, iterator_take *take, void *context);

/* The counters of BPF and of user space together, PS_COUNTER_COUNT of them. */
int drain__counters(const struct drain *drain, uint64_t *ret_counters);

#endif
