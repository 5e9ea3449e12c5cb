/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From addresses to names, at first sight, while the process still lives: follows what each process
 * maps, finds its Python interpreter, tells BPF of both, and names functions. */
#ifndef CAPTURE_NAMES_H
#define CAPTURE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/mmaps.h"
#include "capture/tracker.h"
#include "counters.h"
#include "wire.h"

struct names;
struct quanta;
struct recording_writer;
struct unwinder;
struct stack_tree;
struct finisher;
struct string_pool;

struct names_maps {
	int py_processes, py_layouts, known_pythons; /* BPF maps */
};

/* tree, pool (paths of mappings), unwinder, finisher (NULL: no lines of native code), quanta (NULL:
 * none) and counters (PS_COUNTER_COUNT of them, added to) are borrowed. */
int names__new(struct stack_tree *tree, struct string_pool *pool, struct unwinder *unwinder,
	       struct finisher *finisher, struct quanta *quanta, struct names_maps maps,
	       uint64_t *counters, struct names **ret_names);
void names__free(struct names *names);

/* Reads the mappings of a process that already runs. */
int names__read_mappings(struct names *names, struct process *process, uint64_t now_ns);
/* A mapping or an exec of a process, told by the kernel. */
int names__on_mmap(struct names *names, struct process *process, const struct mmap_event *event);
/* The child maps what its parent does. */
int names__on_fork(struct names *names, struct process *parent, struct process *child,
		   uint64_t forked_ns);
/* BPF forgets interpreter and ranges at an exec, which comes after the first mappings: tells it
 * again. */
int names__after_exec(struct names *names, struct process *process);
/* Tells BPF of all mappings that have changed. */
int names__settle(struct names *names, uint64_t now_ns);

/* Frame rows, or a negative errno. Of a caller, the address is the byte before its return address.
 */
int64_t names__kernel(struct names *names, uint64_t address);
int64_t names__native(struct names *names, struct process *process, uint64_t address,
		      uint64_t now_ns);
/* *ret_named becomes false when the frame has no name. */
int64_t names__python(struct names *names, struct process *process, const struct ps_frame *frame,
		      bool *ret_named);
/* The part of a quantum that a frame of the kind PS_FRAME_PART tells, in that epoch; 0: none that
 * has a name. */
int64_t names__part(struct names *names, struct process *process, uint64_t epoch,
		    const struct ps_frame *part);
/* The same for a Python frame that is followed by none of that kind: BPF may not have known yet
 * that it tells one. */
int64_t names__untold_part(struct names *names, const struct process *process,
			   const struct ps_frame *frame);

/* How the process's interpreter is to be read; false: it has none, or none that is known. */
bool names__layout(const struct process *process, struct ps_py_offsets *ret_layout);
/* The same in full; NULL. */
const struct python_layout *names__python_layout(const struct process *process);

/* Writes what could not be used of the files' call-frame information. */
int names__write_problems(const struct names *names, struct recording_writer *writer);

/* Forgets binaries that no process has mapped for a minute, and their names' pool: names__use for
 * each process, then names__sweep. What they keep of the stack tree is marked there. now_ns:
 * CLOCK_MONOTONIC. */
void names__use(struct names *names, const struct process *process);
int names__sweep(struct names *names, struct recording_writer *writer, uint64_t now_ns);

/* Frees what names keeps with a process. */
void names__forget(struct names *names, struct process *process, uint64_t now_ns);

/* Writes the source lines that were found since the last call, and counts those that were not. */
int names__take_lines(struct names *names);

#endif
