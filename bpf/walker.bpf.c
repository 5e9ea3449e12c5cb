// SPDX-License-Identifier: GPL-2.0-or-later
#include "compat.bpf.h"
#include "walker.bpf.h"

struct walkers_map walkers SEC(".maps");
struct stacks_sent_map stacks_sent SEC(".maps");

/* One Python frame. 0: go on; 1: the walk has ended and event.ending says how. */
__noinline int walker_python_step(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	struct ps_frame frame = {};
	const struct ps_py_offsets *layout;
	int status;

	if (!walker)
		return 1;
	layout = bpf_map_lookup_elem(&py_layouts, &walker->layout);
	if (!layout)
		return 1;
	if (!walker->python.frame) {
		walker->event.ending = walker->event.user_frames ? PS_END_PYTHON : PS_END_PY_IDLE;
		return 1;
	}
	status = python__step(&walker->python, layout, &frame);
	if (status < 0) {
		walker->event.ending = PS_END_PY_UNREADABLE;
		return 1;
	}
	if (status == PY_NO_FRAME)
		return 0;
	walker__push(walker, frame.address);
	walker__push(walker, (__u64)frame.kind << 32 | (__u32)frame.position);
	walker->event.user_frames++;
	return 0;
}

static __always_inline void walk_python(struct walker_scratch *walker, __u32 slot,
					const struct ps_py_process *process, __u64 tcb)
{
	const struct ps_py_offsets *layout;
	__u32 native_frames = walker->event.user_frames;
	__u32 ending;

	walker->layout = process->offsets;
	layout = bpf_map_lookup_elem(&py_layouts, &walker->layout);
	if (!layout || !layout->version) {
		walker->event.ending = PS_END_PY_UNSUPPORTED;
		return;
	}
	ending = python__begin(&walker->python, layout, process->runtime, tcb);
	if (ending) {
		walker->event.ending = ending;
		return;
	}
	if (!walker->python.frame) {
		walker->event.ending = PS_END_PY_IDLE;
		return;
	}
	walker->event.ending = PS_END_PY_TOO_DEEP;
	for (int i = 0; i < PS_MAX_PYTHON; i++)
		if (walker_python_step(slot))
			break;
	/* Exactly as many frames as the limit are complete too. */
	if (walker->event.ending == PS_END_PY_TOO_DEEP && !walker->python.frame)
		walker->event.ending = PS_END_PYTHON;
	if (walker->event.ending == PS_END_PYTHON && walker->event.user_frames == native_frames)
		walker->event.ending = PS_END_PY_IDLE;
}

__noinline int walker__user(__u32 slot, __u64 leaf_in_kernel)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pt_regs registers = {};
	const struct ps_py_process *process;
	__u32 tgid;

	if (!walker)
		return 0;
	if (!BPF_CORE_READ(task, mm)) {
		walker->event.ending = BPF_CORE_READ(task, flags) & PF_KTHREAD
					       ? PS_END_KERNEL_THREAD
					       : PS_END_EXITING;
		return 0;
	}
	/* The user's own leaf is a caller only when the kernel interrupted or was called. */
	if (leaf_in_kernel && !compat__user_registers(&registers) && registers.rip) {
		walker__push(walker, registers.rip);
		walker__push(walker, (__u64)PS_FRAME_NATIVE << 32);
		walker->event.user_frames++;
	}
	tgid = walker->event.event.tgid;
	process = bpf_map_lookup_elem(&py_processes, &tgid);
	if (!process) {
		walker->event.ending = PS_END_NATIVE;
		return 0;
	}
	walk_python(walker, slot, process, BPF_CORE_READ(task, thread.fsbase));
	return 0;
}

/* Words beyond the kernel's and Python's limits do not exist, so the loop's bound is theirs. */
#define HASHED_WORDS (PS_MAX_KERNEL + 2 * (PS_MAX_PYTHON + 1))

__noinline int walker__finish(__u32 slot)
{
	struct walker_scratch *walker = bpf_map_lookup_elem(&walkers, &slot);
	__u32 one = 1, size;
	__u64 hash;

	if (!walker)
		return 0;
	hash = ps_mix(walker->event.epoch,
		      (__u64)walker->event.ending << 32 | walker->event.leaf_kernel);
	for (__u32 i = 0; i < HASHED_WORDS; i++) {
		if (i >= walker->word_count)
			break;
		hash = ps_mix(hash, walker->words[i]);
	}
	walker->event.hash = hash;
	if (bpf_map_lookup_elem(&stacks_sent, &hash))
		return 0;
	size = walker->word_count & (WALKER_WORDS - 1);
	size = sizeof(struct ps_stack_event) + size * sizeof(__u64);
	walker->event.event.size = size;
	/* Names must be read soon. Without the flag nobody is woken while an earlier event is
	 * unread. */
	if (bpf_ringbuf_output(&events, walker, size, BPF_RB_FORCE_WAKEUP))
		count_event(PS_COUNTER_STACK_EVENTS_FULL);
	else
		bpf_map_update_elem(&stacks_sent, &hash, &one, BPF_ANY);
	return 0;
}
