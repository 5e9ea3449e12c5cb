/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quanta: tells BPF which code objects are the functions that rules of kind frame name, and reads
 * the names of the quanta that BPF finds there while they go on. */
#ifndef CAPTURE_QUANTA_H
#define CAPTURE_QUANTA_H

#include <stdint.h>

#include "capture/tracker.h"
#include "python/code.h"
#include "quantum.h"

struct quanta;
struct python_layout;
struct recording_writer;
struct rules;

/* What is borrowed must outlive it. counters: PS_COUNTER_COUNT of them, added to. */
struct quanta_parts {
	struct rules *rules;
	struct tracker *tracker;
	struct recording_writer *writer;
	uint64_t *counters;
	int frame_rules, frame_names, py_processes, epochs; /* BPF maps */
	int thread_quanta; /* the same; negative: no rule has the scope of a thread */
};

/* Tells BPF the names of functions in rules. */
int quanta__new(const struct quanta_parts *parts, struct quanta **ret_quanta);
void quanta__free(struct quanta *quanta);

/* Sets calls[number] to PS_CALL_* for the system calls that rules name as boundaries. */
void quanta__calls(const struct rules *rules, uint8_t calls[PS_SYSCALL_LIMIT]);

/* Whether a rule's function is no name but a pattern: then BPF cannot know it by its name. */
bool quanta__any_function(const struct rules *rules);

/* Whether a rule has the scope of a thread. */
bool quanta__of_threads(const struct rules *rules);

/* A Python interpreter was found in the process: gives its code objects a space of their own. */
int quanta__new_space(struct quanta *quanta, struct process *process);
/* A forked child has its parent's. */
void quanta__share_space(const struct process *parent, struct process *child);
/* Frees what is kept with a process. */
void quanta__forget(struct quanta *quanta, struct process *process);

/* A code object of the process was read; frame: of a call of it. */
int quanta__on_code(struct quanta *quanta, struct process *process,
		    const struct python_layout *layout, const struct ps_frame *frame,
		    const struct python_code *code);

/* Tells BPF of the code objects that were read since; after all of a stack are. */
int quanta__settle(struct quanta *quanta);

/* Whether the code is known to be part of quanta: then a frame of it tells of which one. */
bool quanta__is_part(const struct quanta *quanta, const struct process *process,
		     const struct ps_frame *frame);

/* What the rule of that rank calls the part of a quantum that the object stands for; malloc'ed.
 * -ENOENT: it has no such name; else what reading it gave. */
int quanta__part_name(struct quanta *quanta, const struct process *process,
		      const struct python_layout *layout, uint32_t rank, uint64_t object,
		      char **ret_text);

/* layout: of the process's interpreter; NULL: it is gone. */
int quanta__on_quantum(struct quanta *quanta, const struct ps_quantum_event *event,
		       const struct python_layout *layout);

#endif
