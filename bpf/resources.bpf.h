/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What processes use in a quantum. */
#ifndef RESOURCES_BPF_H
#define RESOURCES_BPF_H

#include "maps.bpf.h"
#include "resource_sums.h"
#include "walker.bpf.h"

/* Scratch areas: one for each of enum walker_slot, and the task iterator's. */
#define RESOURCE_SLOT_ITERATOR WALKER_SLOTS
#define RESOURCE_SLOTS	       (WALKER_SLOTS + 1)

#define RESOURCE_IN_QUANTUM 0x100 /* with a moment */

/* Tells the recorder what the process of a task (its address) has used until now. moment: enum
 * ps_resource_moment, with RESOURCE_IN_QUANTUM when the epoch is a quantum. A process is known from
 * its first SWITCH on; of others nothing is told. Other moments than SLICE are current's.
 */
int resources__tell(__u32 slot, __u64 task, __u32 moment, __u64 epoch);

/* The same of a thread alone, in a quantum of its own; SWITCH or SLICE. */
int resources__tell_thread(__u32 slot, __u64 task, __u32 moment, __u64 epoch);

/* A quantum of current's own begins, or (in_quantum false) ends; the recorder has been told so. */
static __always_inline void resources__at_thread_switch(__u32 slot, __u64 epoch, bool in_quantum)
{
	resources__tell_thread(slot, bpf_get_current_task(),
			       PS_MOMENT_SWITCH | (in_quantum ? RESOURCE_IN_QUANTUM : 0), epoch);
}

/* An epoch of current's process begins; the recorder has been told so. */
static __always_inline void resources__at_switch(__u32 slot, __u64 epoch, bool in_quantum)
{
	resources__tell(slot, bpf_get_current_task(),
			PS_MOMENT_SWITCH | (in_quantum ? RESOURCE_IN_QUANTUM : 0), epoch);
}

#endif
