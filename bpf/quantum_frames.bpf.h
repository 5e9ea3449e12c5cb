/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a thread's Python frames is a rule's function. For
 * quanta.bpf.c alone. */
#ifndef QUANTUM_FRAMES_BPF_H
#define QUANTUM_FRAMES_BPF_H

#include "walker.bpf.h"

#define STR_LENGTH  16 /* PyASCIIObject, the same in all versions */
#define STR_STATE   32
#define STR_ASCII   64
#define VALUE_BYTES 64 /* of a str that are compared; a power of 2 */
#define NO_RANK	    0xffffffffU

struct quantum_scratch {
	struct ps_quantum_event event;
	struct python_walk python;
	struct ps_frame_rule rule; /* of the best match so far */
	struct ps_quantum now; /* its variables */
	struct ps_quantum before; /* the process's so far, when it is in one: */
	__u32 in_one;
	__u32 goes_on; /* 1: it is pending, and its call is still there */
	struct ps_thread_quantum own; /* the same of the thread */
	__u32 in_own;
	__u32 own_goes_on;
	struct ps_thread_quantum next; /* what the map gets */
	__u32 of_thread; /* 1: it is the thread's that is looked at */
	__u32 named_of_thread; /* the scope of the rule whose name it has */
	__u64 frame, code; /* the best match's; 0: none */
	__s32 position; /* the same */
	__u32 pad;
	__u64 named_frame, named_code; /* the same of code that only has a rule's name */
	__u32 named_rank, named_check;
	__s32 named_position;
	__u64 task; /* of the threads' list */
	__u64 list; /* its head */
	__u32 layout, space;
	__u32 tgid, tid;
	__u32 busy; /* 1: a sample that interrupts must keep away */
	__u32 by_name; /* 1: names are compared */
	__u64 words[VALUE_BYTES / 8 + 1];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALKER_SLOTS);
	__type(key, __u32);
	__type(value, struct quantum_scratch);
} quantum_scratches SEC(".maps");

static __always_inline struct quantum_scratch *scratch_of(__u32 slot)
{
	return bpf_map_lookup_elem(&quantum_scratches, &slot);
}

/* --- the walk */

/* The rank of the rule whose function has the name of the code object that was checked last, of
 * which the part behind the last dot counts; NO_RANK: there is none. */
__noinline __u32 quantum_name_rank(__u32 slot)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;
	__u64 name, from, size = 0, hash = PS_NAME_HASH_START;
	const char *bytes;
	const __u32 *rank;
	__u32 state = 0;

	if (!scratch)
		return NO_RANK;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout)
		return NO_RANK;
	name = *(__u64 *)(scratch->python.code + (layout->check_name & (PY_FRAME_BYTES - 1)));
	if (ps_read_user(&size, sizeof(size), name + STR_LENGTH) ||
	    ps_read_user(&state, sizeof(state), name + STR_STATE) || !(state & STR_ASCII))
		return NO_RANK;
	from = name + layout->text_data;
	if (size > VALUE_BYTES) {
		from += size - VALUE_BYTES;
		size = VALUE_BYTES;
	}
	HIDE_RANGE(size);
	if (!size || size > VALUE_BYTES)
		return NO_RANK;
	if (ps_read_user(scratch->words, size, from))
		return NO_RANK;
	bytes = (const char *)scratch->words;
	for (__u32 i = 0; i < VALUE_BYTES; i++) {
		if (i >= size)
			break;
		hash = bytes[i] == '.' ? PS_NAME_HASH_START : PS_NAME_HASH_STEP(hash, bytes[i]);
	}
	rank = bpf_map_lookup_elem(&frame_names, &hash);
	return rank ? *rank : NO_RANK;
}

static __always_inline bool is_call(const struct ps_quantum *quantum, __u64 frame, __u64 code)
{
	return quantum->frame == frame && quantum->code == code;
}

/* A frame of code that the recorder has not told of. */
static __always_inline void step_by_name(struct quantum_scratch *scratch, __u32 slot, __u64 at,
					 const struct ps_frame *frame, __u32 check)
{
	__u32 rank, of_thread;

	if (!check)
		return;
	rank = quantum_name_rank(slot);
	if (rank == NO_RANK)
		return;
	of_thread = !!(rank & PS_NAME_OF_THREAD);
	rank &= ~PS_NAME_OF_THREAD;
	if (scratch->named_frame && rank >= scratch->named_rank)
		return;
	scratch->named_frame = at;
	scratch->named_code = frame->address;
	scratch->named_position = frame->position;
	scratch->named_check = check;
	scratch->named_rank = rank;
	scratch->named_of_thread = of_thread;
}

/* One Python frame. 0: go on; 1: that was the last; 2: not readable. */
__noinline int quantum_step(__u32 slot)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;
	const struct ps_frame_rule *rule;
	struct ps_frame_key key = {};
	struct ps_frame frame = {};
	__u32 check;
	__u64 at;
	int status;

	if (!scratch)
		return 2;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout)
		return 2;
	at = scratch->python.frame;
	if (!at)
		return 1;
	status = python__step_only(&scratch->python, layout, &frame);
	if (status < 0)
		return 2;
	if (status == PY_NO_FRAME || !frame.address)
		return 0;
	key.code = frame.address;
	key.space = scratch->space;
	rule = bpf_map_lookup_elem(&frame_rules, &key);
	if (!rule && is_call(&scratch->before, at, frame.address))
		scratch->goes_on = 1;
	if (knob_thread_quanta && !rule && is_call(&scratch->own.quantum, at, frame.address))
		scratch->own_goes_on = 1;
	if (!rule && !scratch->by_name)
		return 0;
	check = python__check(&scratch->python, layout, frame.address);
	/* Another code object may have taken the address. */
	if (!rule || check != rule->check) {
		if (scratch->by_name)
			step_by_name(scratch, slot, at, &frame, check);
		return 0;
	}
	if (rule->rank == PS_NO_QUANTUM || (scratch->frame && rule->rank >= scratch->rule.rank))
		return 0;
	scratch->rule = *rule;
	scratch->frame = at;
	scratch->code = frame.address;
	scratch->position = frame.position;
	return 0;
}

/* 0: scratch->frame is the function found, or 0; PS_END_PY_UNREADABLE: the stack could not be read;
 * else another reason why there is nothing to see. */
static __always_inline int find_frame(struct quantum_scratch *scratch, __u32 slot,
				      const struct ps_py_process *process)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct ps_py_offsets *layout;
	int ending;

	scratch->layout = process->offsets;
	scratch->space = process->space;
	scratch->frame = scratch->named_frame = 0;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout || !layout->version || !layout->check_size)
		return PS_END_PY_UNSUPPORTED;
	ending = python__begin(&scratch->python, layout, process->runtime,
			       BPF_CORE_READ(task, thread.fsbase));
	if (ending)
		return ending;
	for (int i = 0; i < PS_MAX_PYTHON && !ending; i++)
		ending = quantum_step(slot);
	if (ending == 2)
		return PS_END_PY_UNREADABLE;
	/* Deeper than the limit: what is on top counts. */
	return ending || scratch->frame ? 0 : PS_END_PY_TOO_DEEP;
}

#endif
