/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Epochs that quanta begin and end, of a process or of a thread. For quanta.bpf.c alone. */
#ifndef QUANTUM_EPOCHS_BPF_H
#define QUANTUM_EPOCHS_BPF_H

#include "counts.bpf.h"
#include "quanta.bpf.h"
#include "quantum_frames.bpf.h"
#include "resources.bpf.h"

#define MAX_THREADS 1024 /* of a process whose CPU time is added up */

/* --- where a quantum is kept */

static __always_inline bool is_own(const struct quantum_scratch *scratch)
{
	return knob_thread_quanta && scratch->of_thread;
}

/* Whether the process, or the thread, is in one. */
static __always_inline bool is_kept(const struct quantum_scratch *scratch)
{
	__u32 tgid = scratch->tgid;

	return is_own(scratch) ? scratch->in_own : !!bpf_map_lookup_elem(&quanta, &tgid);
}

/* scratch->now; epoch: the thread's, where it is its own. */
static __always_inline long keep(struct quantum_scratch *scratch, __u64 epoch, __u64 flags)
{
	__u32 tgid = scratch->tgid, tid = scratch->tid;

	if (!is_own(scratch))
		return bpf_map_update_elem(&quanta, &tgid, &scratch->now, flags);
	scratch->next.quantum = scratch->now;
	scratch->next.epoch = epoch;
	return bpf_map_update_elem(&thread_quanta, &tid, &scratch->next, flags);
}

static __always_inline void drop(const struct quantum_scratch *scratch)
{
	__u32 tgid = scratch->tgid;

	if (is_own(scratch))
		quantum__forget_thread(scratch->tid);
	else
		bpf_map_delete_elem(&quanta, &tgid);
}

/* --- a new epoch */

/* Adds one thread's CPU time. 1: it was the last. */
__noinline int quantum_thread(__u32 slot)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	struct task_struct *task;
	struct list_head *node;

	if (!scratch || scratch->task == scratch->list)
		return 1;
	node = (void *)scratch->task;
	task = (void *)((char *)node - bpf_core_field_offset(struct task_struct, thread_node));
	scratch->event.cpu_ns += BPF_CORE_READ(task, se.sum_exec_runtime);
	scratch->event.user_ns += BPF_CORE_READ(task, utime);
	scratch->event.system_ns += BPF_CORE_READ(task, stime);
	scratch->task = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

/* Begins an event about current's process. */
static __always_inline void begin_event(struct quantum_scratch *scratch, const struct ps_who *who)
{
	scratch->event.event.type = PS_EVENT_QUANTUM;
	scratch->event.event.size = sizeof(scratch->event);
	scratch->event.event.time_ns = bpf_ktime_get_ns();
	scratch->event.event.tgid = scratch->tgid;
	scratch->event.event.tid = scratch->tid;
	scratch->event.of_thread = is_own(scratch);
	scratch->event.epoch = scratch->event.previous_epoch =
		is_own(scratch) && scratch->in_own ? scratch->own.epoch : who->epoch;
	scratch->event.start_boot_ns = who->start_boot_ns;
	scratch->event.has_waits = 0;
}

/* The waits of current, which runs, so that they do not change. A program of a sample has no state,
 * but what the quantum that ends was begun with tells where it is; a thread that lives has it. */
static __always_inline void read_waits(struct quantum_scratch *scratch,
				       const struct thread_state *state)
{
	__u64 at =
		scratch->in_one && scratch->before.tid == scratch->tid ? scratch->before.state : 0;

	if (state) {
		scratch->event.has_waits = 1;
		scratch->event.waits = state->waits;
	} else if (at) {
		scratch->event.has_waits =
			!bpf_probe_read_kernel(&scratch->event.waits, sizeof(scratch->event.waits),
					       (void *)(at + offsetof(struct thread_state, waits)));
	}
}

/* What the process has used until now, for the end of one epoch and the beginning of the next. All
 * that is counted by quantum, is read here. */
static __always_inline void read_figures(struct quantum_scratch *scratch, __u32 slot,
					 const struct thread_state *state)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	scratch->event.thread_cpu_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	read_waits(scratch, state);
	if (is_own(scratch)) {
		scratch->event.cpu_ns = scratch->event.thread_cpu_ns;
		scratch->event.user_ns = BPF_CORE_READ(task, utime);
		scratch->event.system_ns = BPF_CORE_READ(task, stime);
		return;
	}
	scratch->event.cpu_ns = BPF_CORE_READ(signal, sum_sched_runtime);
	scratch->event.user_ns = BPF_CORE_READ(signal, utime);
	scratch->event.system_ns = BPF_CORE_READ(signal, stime);
	scratch->list = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	scratch->task = (__u64)BPF_CORE_READ(signal, thread_head.next);
	for (int i = 0; i < MAX_THREADS; i++)
		if (quantum_thread(slot))
			break;
}

static __always_inline int send_event(struct quantum_scratch *scratch)
{
	/* Not taken: the next look finds the same. */
	if (bpf_ringbuf_output(&events, &scratch->event, sizeof(scratch->event),
			       BPF_RB_FORCE_WAKEUP)) {
		count_event(PS_COUNTER_QUANTA_LATE);
		return -1;
	}
	return 0;
}

/* The quantum that the process is in ends; called before its event is sent. */
static __always_inline void close_quantum(struct quantum_scratch *scratch)
{
	scratch->event.rank = PS_NO_QUANTUM;
	scratch->event.frame = scratch->event.code = 0;
	__builtin_memset(scratch->event.locals, 0, sizeof(scratch->event.locals));
}

/* scratch->now is current's. */
static __always_inline void set_owner(struct quantum_scratch *scratch,
				      const struct thread_state *state)
{
	bool goes_on = scratch->in_one && scratch->before.tid == scratch->tid;

	scratch->now.tid = scratch->tid;
	scratch->now.state = state ? (__u64)state : goes_on ? scratch->before.state : 0;
}

/* A quantum begins: scratch->now. The same. */
static __always_inline void open_quantum(struct quantum_scratch *scratch,
					 const struct thread_state *state)
{
	set_owner(scratch, state);
	scratch->event.rank = scratch->now.rank;
	scratch->event.frame = scratch->now.frame;
	scratch->event.code = scratch->now.code;
}

/* The epoch has begun, or (of a thread's own) ended: everybody is told. */
static __always_inline void enter_epoch(struct quantum_scratch *scratch, const struct ps_who *who,
					struct thread_state *state, bool ended)
{
	struct ps_who next = *who;
	__u32 tgid = scratch->tgid;

	if (!is_own(scratch)) {
		next.epoch = scratch->event.epoch;
		if (bpf_map_update_elem(&epochs, &tgid, &next, BPF_EXIST))
			count_event(PS_COUNTER_EPOCHS_FULL);
	}
	/* Only this thread has another one. */
	if (is_own(scratch) && state)
		state->switches = 0;
	else
		__sync_fetch_and_add(&quantum_switches, 1);
	if (state)
		state->in_quantum = !ended;
}

/* Begins a new epoch: the quantum scratch->now, or (ended) the process's own. A sample can
 * interrupt this anywhere: the recorder hears of the epoch before of anything in it. */
static __always_inline void switch_epoch(struct quantum_scratch *scratch, __u32 slot,
					 const struct ps_who *who, struct thread_state *state,
					 bool ended)
{
	bool known = is_kept(scratch);

	begin_event(scratch, who);
	/* Its place is taken first: without one the next look would begin it again. */
	if (!ended && !known && keep(scratch, scratch->event.previous_epoch, BPF_ANY)) {
		count_event(PS_COUNTER_QUANTA_FULL);
		return;
	}
	read_figures(scratch, slot, state);
	if (ended)
		close_quantum(scratch);
	else
		open_quantum(scratch, state);
	if (!is_own(scratch))
		scratch->event.epoch = PS_EPOCH_ID(scratch->event.event.time_ns, scratch->tgid);
	else if (ended)
		scratch->event.epoch = who->epoch;
	else
		scratch->event.epoch = PS_EPOCH_ID(scratch->event.event.time_ns, scratch->tid);
	if (send_event(scratch)) {
		if (!known)
			drop(scratch);
		return;
	}
	if (ended)
		drop(scratch);
	else
		keep(scratch, scratch->event.epoch, BPF_ANY);
	enter_epoch(scratch, who, state, ended);
	if (is_own(scratch))
		resources__at_thread_switch(slot, scratch->event.epoch, !ended);
	else
		resources__at_switch(slot, scratch->event.epoch, !ended);
}

/* The pending quantum is the rule's; its epoch has begun already. */
static __always_inline void adopt(struct quantum_scratch *scratch, const struct ps_who *who,
				  const struct thread_state *state)
{
	begin_event(scratch, who);
	open_quantum(scratch, state);
	if (!send_event(scratch))
		keep(scratch, scratch->event.epoch, BPF_ANY);
}

#endif
