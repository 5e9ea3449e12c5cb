/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one walker that every source calls: it puts the stack of the current thread into a scratch
 * area, sends it at first sight, and gives its id. One scratch area per CPU and context, because a
 * sample can interrupt any other program on its CPU. */
#ifndef WALKER_BPF_H
#define WALKER_BPF_H

#include "maps.bpf.h"
#include "native.bpf.h"
#include "python.bpf.h"

enum walker_slot { WALKER_SAMPLER, WALKER_TRACEPOINT, WALKER_CEPH, WALKER_ALLOC, WALKER_SLOTS };

#define WALKER_WORDS 1024 /* a power of 2, and enough: see the assertion */
_Static_assert(PS_MAX_KERNEL + PS_MAX_NATIVE + 2 * (PS_MAX_PYTHON + PS_MAX_PARTS) < WALKER_WORDS,
	       "room for all frames");

struct walker_scratch {
	struct ps_stack_event event; /* as it is sent: the words follow */
	__u64 words[WALKER_WORDS];
	__u64 kernel[PS_MAX_KERNEL];
	__u64 hash; /* of the words so far, in the order in which they were known */
	__u32 word_count;
	__u32 layout; /* index of the process's Python layout */
	__u32 leaf_apart; /* 1: the next native frame is the leaf, which is no word of the stack */
	__u32 new_task; /* rule behind the system call that makes a task; 0: it is another */
	__u32 has_python; /* 1: a Python frame was met */
	__u32 python_closed; /* 1: the latest was the last of its native frame */
	__u32 space; /* of its code objects; 0: none of them is a part's */
	__u32 parts; /* that were met */
	__u32 busy; /* 1: in use, see walker__walk_alone */
	struct ps_unwind_process ranges;
	struct native_known known[1 << NATIVE_KNOWN_BITS]; /* stays from walk to walk */
	struct native_walk native;
	struct python_walk python;
};

struct walkers_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALKER_SLOTS);
	__type(key, __u32);
	__type(value, struct walker_scratch);
};
extern struct walkers_map walkers SEC(".maps");

/* hash of a stack -> 1, once the ring buffer has taken it. The recorder empties it now and then:
 * a stack sent twice costs little. */
struct stacks_sent_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
};
extern struct stacks_sent_map stacks_sent SEC(".maps");

/* The user part: walks into slot's scratch area, in which the kernel part already is, and with a
 * leaf in user space native.rip, rsp and rbp. Global functions take scalars only and are verified
 * once. */
int walker__user(__u32 slot, __u64 leaf_in_kernel);

/* Ends a walk: hashes, sends at first sight. The id is then event.hash. */
int walker__finish(__u32 slot);

static __always_inline void walker__begin(struct walker_scratch *walker, __u64 epoch,
					  __u64 pid_tgid)
{
	__builtin_memset(&walker->event, 0, sizeof(walker->event));
	walker->event.event.type = PS_EVENT_STACK;
	walker->event.event.time_ns = bpf_ktime_get_ns();
	walker->event.event.tgid = pid_tgid >> 32;
	walker->event.event.tid = (__u32)pid_tgid;
	walker->event.epoch = epoch;
	walker->word_count = 0;
	walker->hash = 0;
}

static __always_inline void walker__push(struct walker_scratch *walker, __u64 word)
{
	__u32 at = walker->word_count;

	walker->words[at & (WALKER_WORDS - 1)] = word;
	walker->word_count = at + 1;
	walker->hash = ps_mix(walker->hash, word);
}

/* Walks current's stack from inside a system call, below the given kernel frames; returns its id.
 */
static __always_inline __u64 walker__walk(__u32 slot, __u64 epoch, const __u64 *kernel,
					  __u32 kernel_frames, __u32 kernel_room)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);

	if (!walker)
		return 0;
	walker__begin(walker, epoch, bpf_get_current_pid_tgid());
	walker->event.leaf_kernel = 1;
	for (__u32 i = 0; i < kernel_room; i++) {
		if (i >= kernel_frames)
			break;
		walker__push(walker, kernel[i]);
		walker->event.kernel_frames++;
	}
	walker__user(slot, 1);
	walker__finish(slot);
	return walker->event.hash;
}

/* The same without kernel frames, for programs that can be preempted: what else runs on the CPU
 * then finds the scratch area in use, counts that, and gets 0. */
static __always_inline __u64 walker__walk_alone(__u32 slot, __u64 epoch, __u32 busy_counter)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	__u64 stack;

	if (!walker)
		return 0;
	if (walker->busy) {
		count_event(busy_counter);
		return 0;
	}
	walker->busy = 1;
	stack = walker__walk(slot, epoch, NULL, 0, 0);
	*(volatile __u32 *)&walker->busy = 0;
	return stack;
}

#endif
