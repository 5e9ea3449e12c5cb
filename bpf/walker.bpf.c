// SPDX-License-Identifier: GPL-2.0-or-later
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "walker.bpf.h"

struct walkers_map walkers SEC(".maps");
struct stacks_sent_map stacks_sent SEC(".maps");

/* --- native frames */

/* The range of the process that holds the current program counter, into native.range. 0: found;
 * else an enum ps_ending. */
__noinline int walker_find_range(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	const struct ps_unwind_table *table;
	const struct ps_unwind_range *range;
	__u32 zero = 0, at;
	__u64 address;
	void *inner;

	if (!walker)
		return PS_END_UNKNOWN;
	inner = bpf_map_lookup_elem(&unwind_tables, &walker->ranges.table);
	if (!inner)
		return PS_END_NATIVE_NOT_YET;
	table = bpf_map_lookup_elem(inner, &zero);
	if (!table)
		return PS_END_NATIVE_NOT_YET;
	address = native__address(&walker->native);
	at = native__search_ranges(table, walker->ranges.first, walker->ranges.count, address);
	HIDE_RANGE(at);
	range = &table->ranges[at & (PS_UNWIND_TABLE_RANGES - 1)];
	walker->native.range = *range;
	return address - range->start < range->size ? 0 : PS_END_UNMAPPED;
}

/* The rule for the current program counter, of native.range; negative: -(enum ps_ending). */
__noinline __s64 walker_find_rule(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	const struct ps_unwind_range *range;
	const struct ps_unwind_chunk *chunk;
	__u32 zero = 0;
	void *inner;

	if (!walker)
		return -PS_END_UNKNOWN;
	range = &walker->native.range;
	inner = bpf_map_lookup_elem(&unwind_chunks, &range->chunk);
	if (!inner)
		return -PS_END_NO_ROWS;
	chunk = bpf_map_lookup_elem(inner, &zero);
	if (!chunk)
		return -PS_END_NO_ROWS;
	return native__search_rows(chunk, range->first, range->last,
				   (__u32)(native__address(&walker->native) - range->start) +
					   range->delta);
}

/* The rule for the current program counter; negative: -(enum ps_ending). */
static __always_inline __s64 find_rule(struct walker_scratch *walker, __u32 slot)
{
	struct native_walk *native = &walker->native;
	__u64 address = native__address(native);
	__u32 set = walker->ranges.set;
	struct native_known *known = &walker->known[native__known_at(address)];
	__s64 rule;

	if (set && known->set == set && known->address == address)
		return known->rule;
	if (address - native->range.start >= native->range.size) {
		int ending = walker_find_range(slot);

		if (ending)
			return -ending;
	}
	rule = walker_find_rule(slot);
	if (set && rule >= 0) {
		known->set = set;
		known->address = address;
		known->rule = rule;
	}
	return rule;
}

/* One native frame: notes it and goes to its caller. 0: go on; else how the walk has ended, an enum
 * ps_ending. */
__noinline int walker_native_step(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	struct native_walk *native;
	__u64 eval;
	__s64 rule;
	int ending = 0;

	if (!walker)
		return PS_END_UNKNOWN;
	native = &walker->native;
	rule = find_rule(walker, slot);
	if (rule < 0) {
		ending = -rule;
		rule = 0;
	}
	/* glibc's description of clone() ends before its system call. */
	if (walker->new_task && !native->is_caller && PS_UNWIND_CFA(rule) == PS_CFA_NONE)
		rule = walker->new_task;
	eval = rule & PS_UNWIND_EVAL;
	if (walker->leaf_apart) {
		walker->event.leaf_eval = !!eval;
		walker->leaf_apart = 0;
	} else {
		walker__push(walker, native->rip | (eval ? PS_NATIVE_EVAL : 0));
		walker->event.native_frames++;
	}
	if (ending)
		return ending;
	return native__step(native, rule);
}

static __always_inline void walk_native(struct walker_scratch *walker, __u32 slot)
{
	const struct ps_unwind_process *ranges;
	__u32 tgid = walker->event.event.tgid;
	int ending = 0;

	ranges = bpf_map_lookup_elem(&unwind_processes, &tgid);
	if (ranges)
		walker->ranges = *ranges;
	else
		walker->ranges = (struct ps_unwind_process){.table = PS_UNWIND_TABLES}; /* none */
	for (int i = 0; i < PS_MAX_NATIVE && !ending; i++)
		ending = walker_native_step(slot);
	walker->event.native_ending = ending ? ending : PS_END_NATIVE_TOO_DEEP;
}

/* --- Python frames */

/* When the frame's function is part of a quantum: the object that tells which one. */
static __always_inline void push_part(struct walker_scratch *walker,
				      const struct ps_py_offsets *layout, __u64 at,
				      const struct ps_frame *frame)
{
	struct ps_frame_key key = {.code = frame->address, .space = walker->space};
	const struct ps_frame_rule *rule = bpf_map_lookup_elem(&frame_rules, &key);
	__u64 object = 0;
	__u32 slot;

	if (!rule || rule->part == PS_LOCAL_NONE || rule->check != PS_FRAME_CHECK(frame))
		return;
	slot = rule->part & ~PS_LOCAL_CELL;
	if (ps_read_user(&object, sizeof(object), at + layout->frame_locals + 8 * (__u64)slot))
		return;
	object &= ~(__u64)layout->code_tag_bits;
	/* PyCellObject.ob_ref, the same in all versions */
	if (object && rule->part & PS_LOCAL_CELL &&
	    ps_read_user(&object, sizeof(object), object + 16))
		return;
	if (!object)
		return;
	walker__push(walker, object);
	walker__push(walker, (__u64)PS_FRAME_PART << 32 | rule->part_rank);
	walker->event.python_frames++;
	walker->parts++;
}

/* One Python frame. 0: go on; else how the walk has ended. */
__noinline int walker_python_step(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	struct ps_frame frame = {};
	const struct ps_py_offsets *layout;
	int status;
	__u64 at;

	if (!walker)
		return PS_END_UNKNOWN;
	layout = bpf_map_lookup_elem(&py_layouts, &walker->layout);
	if (!layout)
		return PS_END_PY_UNSUPPORTED;
	at = walker->python.frame;
	if (!at)
		return PS_END_PYTHON;
	status = python__step(&walker->python, layout, &frame);
	if (status < 0)
		return PS_END_PY_UNREADABLE;
	if (status == PY_NO_FRAME) {
		/* The shim of a native frame: the one before it was its last. */
		__u32 at = walker->word_count - 1;

		if (walker->event.python_frames && !walker->python_closed) {
			walker->words[at & (WALKER_WORDS - 1)] |= (__u64)PS_FRAME_LAST << 32;
			walker->hash = ps_mix(walker->hash, PS_FRAME_LAST);
			walker->python_closed = 1;
			return 0;
		}
		frame.kind = PS_FRAME_NONE | PS_FRAME_LAST;
	} else if (frame.address) {
		walker->has_python = 1;
	}
	walker->python_closed = frame.kind & PS_FRAME_LAST;
	walker__push(walker, frame.address);
	walker__push(walker, (__u64)frame.kind << 32 | (__u32)frame.position);
	walker->event.python_frames++;
	if (knob_quanta && walker->space && walker->parts < PS_MAX_PARTS)
		push_part(walker, layout, at, &frame);
	return 0;
}

static __always_inline void walk_python(struct walker_scratch *walker, __u32 slot,
					const struct ps_py_process *process, __u64 tcb)
{
	const struct ps_py_offsets *layout;
	int ending;

	walker->layout = process->offsets;
	layout = bpf_map_lookup_elem(&py_layouts, &walker->layout);
	if (!layout || !layout->version) {
		walker->event.python_ending = PS_END_PY_UNSUPPORTED;
		return;
	}
	ending = python__begin(&walker->python, layout, process->runtime, tcb);
	walker->has_python = walker->python_closed = walker->parts = walker->space = 0;
	if (knob_quanta) {
		struct ps_frame_key any = {.code = PS_CODE_OF_PARTS, .space = process->space};

		if (bpf_map_lookup_elem(&frame_rules, &any))
			walker->space = process->space;
	}
	for (int i = 0; i < PS_MAX_PYTHON && !ending; i++)
		ending = walker_python_step(slot);
	/* Exactly as many frames as the limit are complete too. */
	if (!ending)
		ending = walker->python.frame ? PS_END_PY_TOO_DEEP : PS_END_PYTHON;
	if (ending == PS_END_PYTHON && !walker->has_python)
		ending = PS_END_PY_IDLE;
	walker->event.python_ending = ending;
}

/* --- the whole */

#define NR_CLONE    56
#define NR_EXECVE   59
#define NR_EXECVEAT 322
#define NR_CLONE3   435

/* The rule behind the system call that makes a task: in the new one, whose stack is new too,
 * nothing is above; else the return address is on top. 0: it is another call. */
static __always_inline __u32 new_task_rule(const struct pt_regs *registers)
{
	if (registers->orig_rax != NR_CLONE && registers->orig_rax != NR_CLONE3)
		return 0;
	return registers->rax ? PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_SAME, 0)
			      : PS_UNWIND_RULE(PS_CFA_BOTTOM, 0, PS_RBP_SAME, 0);
}

__noinline int walker__user(__u32 slot, __u64 leaf_in_kernel)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct ps_py_process *process;
	bool executing = false;
	__u32 tgid;

	if (!walker)
		return 0;
	if (!BPF_CORE_READ(task, mm)) {
		walker->event.native_ending = walker->event.python_ending =
			BPF_CORE_READ(task, flags) & PF_KTHREAD ? PS_END_KERNEL_THREAD
								: PS_END_EXITING;
		return 0;
	}
	walker->new_task = 0;
	if (leaf_in_kernel) {
		struct pt_regs *registers = (void *)walker->native.window; /* not on BPF's stack */

		compat__user_registers(registers);
		walker->new_task = new_task_rule(registers);
		executing = registers->orig_rax == NR_EXECVE || registers->orig_rax == NR_EXECVEAT;
		native__begin(&walker->native, registers->rip, registers->rsp, registers->rbp);
		NATIVE_KNOW(&walker->native, registers);
	}
	walker->leaf_apart = !leaf_in_kernel;
	walk_native(walker, slot);
	if (executing && walker->event.native_frames == 1) {
		walker->event.native_ending = walker->event.python_ending = PS_END_EXECUTING;
		return 0;
	}
	tgid = walker->event.event.tgid;
	process = bpf_map_lookup_elem(&py_processes, &tgid);
	if (process)
		walk_python(walker, slot, process, BPF_CORE_READ(task, thread.fsbase));
	else
		walker->event.python_ending = PS_END_NATIVE;
	return 0;
}

/* --- sending */

struct stack_copy {
	struct ps_stack_copy_event event;
	__u8 bytes[PS_STACK_COPY];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALKER_SLOTS);
	__type(key, __u32);
	__type(value, struct stack_copy);
} stack_copies SEC(".maps");

#define COPY_PAGE 4096

/* Copies the stack up to the next page's start. 0: go on; 1: that is all there is. */
__noinline int walker_copy_step(__u32 slot)
{
	struct stack_copy *copy = bpf_map_lookup_elem(&stack_copies, &slot);
	__u32 used, size;
	__u64 from;

	if (!copy)
		return 1;
	used = copy->event.bytes;
	from = copy->event.rsp + used;
	size = COPY_PAGE - (from & (COPY_PAGE - 1));
	HIDE_RANGE(used);
	HIDE_RANGE(size);
	if (used > PS_STACK_COPY - COPY_PAGE || size > COPY_PAGE)
		return 1;
	if (bpf_probe_read_user(copy->bytes + used, size, (const void *)from))
		return 1;
	copy->event.bytes = used + size;
	return 0;
}

/* Rows that were not there are compiled now; the stack would be gone by then. */
static __always_inline void copy_stack(struct walker_scratch *walker, __u32 slot)
{
	struct stack_copy *copy = bpf_map_lookup_elem(&stack_copies, &slot);
	__u64 size;

	if (!copy)
		return;
	copy->event.event = walker->event.event;
	copy->event.event.type = PS_EVENT_STACK_COPY;
	copy->event.hash = walker->event.hash;
	copy->event.rip = walker->native.rip;
	copy->event.rsp = walker->native.rsp;
	copy->event.rbp = walker->native.rbp;
	copy->event.is_caller = walker->native.is_caller;
	copy->event.rbp_lost = walker->native.rbp_lost;
	copy->event.bytes = 0;
	for (int i = 0; i < PS_STACK_COPY / COPY_PAGE; i++)
		if (walker_copy_step(slot))
			break;
	size = copy->event.bytes;
	HIDE_RANGE(size);
	if (size > PS_STACK_COPY)
		size = PS_STACK_COPY;
	size += sizeof(copy->event);
	copy->event.event.size = size;
	if (bpf_ringbuf_output(&events, copy, size, events__flags(false)))
		count_event(PS_COUNTER_STACK_EVENTS_FULL);
}

__noinline int walker__finish(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	__u32 one = 1, size, ending;
	__u64 hash;

	if (!walker)
		return 0;
	ending = walker->event.native_ending;
	hash = ps_mix(walker->hash, walker->event.epoch);
	hash = ps_mix(hash, (__u64)ending << 32 | (__u32)walker->event.python_ending << 16 |
				    (__u32)walker->event.leaf_eval << 1 |
				    walker->event.leaf_kernel);
	hash = ps_mix(hash, (__u64)walker->event.native_frames << 32 | walker->event.python_frames);
	walker->event.hash = hash;
	if (bpf_map_lookup_elem(&stacks_sent, &hash))
		return 0;
	if (PS_END_MAY_GO_ON(ending) && stack_copies_left > 0) {
		__sync_fetch_and_add(&stack_copies_left, -1);
		walker->event.copied = 1;
	}
	size = walker->word_count & (WALKER_WORDS - 1);
	size = sizeof(struct ps_stack_event) + size * sizeof(__u64);
	walker->event.event.size = size;
	/* The names of Python code are in the process's memory, as long as it has them. */
	if (bpf_ringbuf_output(&events, walker, size, events__flags(walker->event.python_frames))) {
		count_event(PS_COUNTER_STACK_EVENTS_FULL);
		return 0;
	}
	if (walker->event.copied)
		copy_stack(walker, slot);
	bpf_map_update_elem(&stacks_sent, &hash, &one, BPF_ANY);
	return 0;
}
