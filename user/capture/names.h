/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From addresses to names, at first sight, while the process still lives: finds the Python
 * interpreter of each process (and tells BPF), and turns stack events and leaves into nodes of the
 * stack tree. */
#ifndef CAPTURE_NAMES_H
#define CAPTURE_NAMES_H

#include <stdint.h>

#include "capture/mmaps.h"
#include "capture/tracker.h"
#include "counters.h"
#include "wire.h"

struct names;
struct stack_tree;
struct string_pool;

/* How a stack ended, by its name in the recording; static. */
const char *ending__name(uint32_t ending);

/* A stack as BPF refers to it. */
struct known_stack {
	uint64_t hash;
	int64_t node; /* all frames but the leaf; 0: there is none */
	enum ps_ending ending;
	bool leaf_kernel;
	struct process *process;
	struct known_stack *next; /* of the same process */
	UT_hash_handle hh;
};

struct names_maps {
	int py_processes, py_layouts; /* BPF maps */
};

/* tree, pool (paths of mappings) and counters (PS_COUNTER_COUNT of them, added to) are borrowed. */
int names__new(struct stack_tree *tree, struct string_pool *pool, struct names_maps maps,
	       uint64_t *counters, struct names **ret_names);
void names__free(struct names *names);

/* Reads the mappings of a process that already runs. */
int names__read_mappings(struct names *names, struct process *process, uint64_t now_ns);
/* A mapping or an exec of a process, told by the kernel. */
int names__on_mmap(struct names *names, struct process *process, const struct mmap_event *event);
/* BPF forgets the interpreter at an exec, which comes after the first mappings: tells it again. */
int names__after_exec(struct names *names, struct process *process);

/* Names the frames of a stack. words: kernel_frames addresses, then user_frames struct ps_frame;
 * the caller has checked their number. */
int names__on_stack(struct names *names, struct process *process,
		    const struct ps_stack_event *event, const uint64_t *words);
struct known_stack *names__find(struct names *names, uint64_t hash);

/* The node of the whole stack: its frames and this leaf (0: the leaf is among them). A negative
 * errno, ROW_NULL for a stack without frames, or the id. */
int64_t names__leaf(struct names *names, struct process *process, const struct known_stack *stack,
		    uint64_t leaf, uint64_t now_ns);

/* The node of a sleeping thread's stack, walked from outside, and how that ended. A negative errno,
 * ROW_NULL, or the id. */
int64_t names__sleeper(struct names *names, struct process *process,
		       const struct ps_task_event *task, enum ps_ending *ret_ending);

/* Frees what names keeps with a process; a tracker_free_hook. */
void names__forget(void *names, struct process *process);

#endif
