/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source "quanta": which piece of work a process is at. */
#ifndef QUANTA_BPF_H
#define QUANTA_BPF_H

#include "thread.bpf.h"

/* So long a process in a quantum is not looked at again when it leaves the CPU. */
#define QUANTUM_LOOK_NS 5000000

/* Global functions take scalars only and are verified once. slot: enum walker_slot. */

/* At a boundary: current's system call is about to end. 1: the process's code may not be known. */
int quantum__at_call(__u32 slot);
/* Then the recorder is shown the stack, by its names. */
int quantum__show(__u32 slot);
/* Where current happens to be: for samples, and for a thread that leaves the CPU. */
int quantum__look(__u32 slot);
int quantum__look_leaving(__u32 slot);

static __always_inline bool quantum__is_boundary(__u32 call, __u64 first)
{
	return call == PS_CALL_BOUNDARY ||
	       (call == PS_CALL_CLOCK &&
		(first == PS_CLOCK_PROCESS_CPUTIME ||
		 (knob_thread_quanta && first == PS_CLOCK_THREAD_CPUTIME)));
}

/* A thread that begins anew, or has gone. */
static __always_inline void quantum__forget_thread(__u32 tid)
{
	if (knob_thread_quanta)
		bpf_map_delete_elem(&thread_quanta, &tid);
}

/* A process that begins anew is in none. */
static __always_inline void quantum__forget(__u32 tgid)
{
	if (knob_quanta)
		bpf_map_delete_elem(&quanta, &tgid);
	quantum__forget_thread(tgid);
}

#endif
