/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walkers of BPF, run from outside: on a thread that sleeps in a wait that never returns, whose
 * stack no program can walk, and on copies of stacks whose rows came too late. */
#ifndef CAPTURE_REMOTE_WALK_H
#define CAPTURE_REMOTE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "python.h"
#include "unwind.h"
#include "wire.h"

/* The Python frames of the thread whose thread control block is at tcb, innermost first: at most
 * PS_MAX_PYTHON into frames[]. Returns how the walk ended, as an enum ps_ending. The thread may
 * have woken up meanwhile: the caller looks whether it has. */
uint32_t remote_walk__python(const struct memory *memory, uint64_t tcb,
			     const struct ps_py_offsets *layout, uint64_t runtime,
			     struct ps_frame *frames, size_t *ret_count);

/* What the native walker knows of a process. */
struct remote_rows {
	const struct ps_unwind_chunk *const *chunks; /* PS_UNWIND_CHUNKS of them */
	const struct ps_unwind_table *table;
	struct ps_unwind_process ranges; /* count 0: nothing is known */
};

struct remote_place {
	uint64_t rip, rsp, rbp;
	bool is_caller; /* rip is a return address */
	bool rbp_lost; /* rbp is not known */
};

/* The native frames from place on, innermost first, place's own among them: at most room words.
 * Returns how the walk ended, as an enum ps_ending. */
uint32_t remote_walk__native(const struct memory *memory, const struct remote_rows *rows,
			     const struct remote_place *place, uint64_t *words, size_t room,
			     size_t *ret_count);

#endif
