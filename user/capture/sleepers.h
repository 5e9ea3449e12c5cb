/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks of waits that do not return: BPF walks a wait's stack when its system call ends, so those
 * that outlast the recording, and those whose thread is killed, are walked from outside while they
 * last. */
#ifndef CAPTURE_SLEEPERS_H
#define CAPTURE_SLEEPERS_H

#include <stdint.h>

#include "wire.h"

struct stacks;
struct stack_tree;
struct recording_writer;
struct sleepers;
struct tracker;

/* All borrowed. start_ns: CLOCK_MONOTONIC of the recording's start. */
int sleepers__new(struct tracker *tracker, struct stacks *stacks, const struct stack_tree *tree,
		  struct recording_writer *writer, uint64_t start_ns,
		  struct sleepers **ret_sleepers);
void sleepers__free(struct sleepers *sleepers); /* NULL is accepted */

/* A slice: begin, then every task of the snapshot. A wait that has lasted since before the slice
 * is walked once, at most SLEEPERS_PER_SLICE of them; in the final slice every wait is. */
#define SLEEPERS_PER_SLICE 200
void sleepers__begin(struct sleepers *sleepers, uint64_t slice_start_ns, int final);
int sleepers__on_task(struct sleepers *sleepers, const struct ps_task_event *task);

/* A thread that ended: had it been walked in a wait that BPF chose, that wait now has its stack. To
 * be called before the tracker hears of the event. */
int sleepers__on_exit(struct sleepers *sleepers, const struct ps_exit_event *event, int64_t slice);

/* After the final slice, for every task once more: a thread that still is in the wait that was
 * walked counts with all of that wait that lies in the recording. */
int sleepers__on_last_task(struct sleepers *sleepers, const struct ps_task_event *task,
			   int64_t slice);

#endif
