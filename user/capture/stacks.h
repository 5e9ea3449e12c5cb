/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From stack events to nodes of the stack tree: puts kernel, native and Python frames in order,
 * names them at first sight, and walks on where BPF could not because rows came too late. */
#ifndef CAPTURE_STACKS_H
#define CAPTURE_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/names.h"
#include "capture/tracker.h"
#include "capture/unwinder.h"
#include "counters.h"
#include "wire.h"

struct stacks;
struct stack_tree;

/* How a stack ended, by its name in the recording; static. */
const char *ending__name(uint32_t ending);

/* A stack as BPF refers to it. */
struct known_stack {
	uint64_t hash;
	int64_t node; /* all frames but the leaf; 0: there is none */
	enum ps_ending ending;
	bool leaf_kernel;
	uint32_t used; /* number of the sweep before its last use */
	struct process *process;
	struct known_stack *next; /* of the same process */
	UT_hash_handle hh;
};

/* All are borrowed. NULL: no memory. */
struct stacks *stacks__new(struct stack_tree *tree, struct names *names, struct unwinder *unwinder);
void stacks__free(struct stacks *stacks);

/* words: kernel_frames addresses, native_frames words, python_frames struct ps_frame; the caller
 * has checked their number, and that of the bytes of a copy. */
int stacks__on_stack(struct stacks *stacks, struct process *process,
		     const struct ps_stack_event *event, const uint64_t *words);
int stacks__on_copy(struct stacks *stacks, const struct ps_stack_copy_event *event,
		    const void *bytes);

/* Walks copies whose rows are there now; those that have waited for too long keep what they have.
 */
int stacks__retry(struct stacks *stacks, uint64_t now_ns);

struct known_stack *stacks__find(struct stacks *stacks, uint64_t hash);

/* The node of the whole stack: its frames and this leaf (0: the leaf is among them). A negative
 * errno, ROW_NULL for a stack without frames, or the id. */
int64_t stacks__leaf(struct stacks *stacks, struct process *process,
		     const struct known_stack *stack, uint64_t leaf, uint64_t now_ns);

/* The node of a sleeping thread's stack, walked from outside, and how that ended. A negative errno,
 * ROW_NULL, or the id. */
int64_t stacks__sleeper(struct stacks *stacks, struct process *process,
			const struct ps_task_event *task, enum ps_ending *ret_ending);

/* Forgets stacks of the process that were not met for so long that BPF would send them again, and
 * marks the nodes of all others in the tree. stacks__next_sweep: once for all processes. */
#define STACKS_KEPT_SWEEPS  5 /* of STACKS_SWEEP_SLICES: longer than BPF remembers a stack */
#define STACKS_SWEEP_SLICES 30
void stacks__sweep(struct stacks *stacks, struct process *process);
void stacks__next_sweep(struct stacks *stacks);

/* Frees what is kept with a process. */
void stacks__forget(struct stacks *stacks, struct process *process);

#endif
