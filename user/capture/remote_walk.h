/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walker of BPF, run from outside on a thread that sleeps: for waits that never return, whose
 * stack no program can walk. */
#ifndef CAPTURE_REMOTE_WALK_H
#define CAPTURE_REMOTE_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "python.h"
#include "wire.h"

/* The Python frames of the thread whose thread control block is at tcb, innermost first: at most
 * PS_MAX_PYTHON into frames[]. Returns how the walk ended, as an enum ps_ending. The thread may
 * have woken up meanwhile: the caller looks whether it has. */
uint32_t remote_walk(pid_t pid, uint64_t tcb, const struct ps_py_offsets *layout, uint64_t runtime,
		     struct ps_frame *frames, size_t *ret_count);

#endif
