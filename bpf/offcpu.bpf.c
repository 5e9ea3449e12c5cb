// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "offcpu": how long every thread waits, and for what.
 *
 * A wait begins when a thread leaves the CPU (sched_switch, in its own context), is over when it is
 * woken (sched_waking, in the waker's context), and from then until it runs again (sched_switch, in
 * another's context) it stands in the run queue. Sums are exact: every wait is added up in its
 * thread's state, which the recorder reads each slice.
 *
 * Who ends a wait for a lock has held it: the GIL of a Python process above all. Its stack at that
 * moment is where it let the lock go, and is walked for some of these waits, in proportion to how
 * long the lock was waited for. What kind of lock it was, the stack of the waiter tells.
 *
 * Stacks are walked for some waits only, chosen in proportion to their length. A chosen wait inside
 * a system call is walked when that call returns: until then the user stack stays as it is. Page
 * faults have no such end: they are walked when the thread leaves the CPU. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "io.bpf.h"
#include "offcpu.bpf.h"
#include "quanta.bpf.h"
#include "wait_class.bpf.h"
#include "waits.bpf.h"
#include "walker.bpf.h"

/* Waits for the GIL run out of time every few milliseconds, and begin anew at once. */
#define TURN_NS	   20000000
#define BETWEEN_NS 200000

static __always_inline void keep_kernel_stack(struct task_struct *task, struct thread_state *state)
{
	long size = bpf_get_task_stack(task, state->kernel, sizeof(state->kernel), 0);

	state->kernel_frames = size > 0 ? size / sizeof(__u64) : 0;
}

/* Sends the stack of state's wait with current's user part. */
static __always_inline __u64 walk(const struct thread_state *state, __u32 slot, __u64 epoch)
{
	return walker__walk(slot, epoch, state->kernel, state->kernel_frames, THREAD_KERNEL_FRAMES);
}

static __always_inline void count_kept(struct thread_state *state, __u64 epoch, __u64 stack,
				       __u32 tgid, __u32 tid)
{
	struct ps_count key = {
		.epoch = epoch,
		.stack = stack,
		.tgid = tgid,
		.tid = tid,
		.metric = PS_METRIC_OFFCPU,
		.waker = state->kept_waker,
		.class = state->kept_class,
		.detail = state->kept_detail,
	};

	counts__add(&key, state->kept_ns);
	state->kept_ns = 0;
}

static __always_inline void count_held(struct thread_state *state, __u64 waiter)
{
	struct ps_count key = {
		.epoch = state->held_epoch,
		.stack = state->held_stack,
		.waiter = waiter,
		.tgid = state->held_waker >> 32,
		.tid = (__u32)state->held_waker,
		.metric = PS_METRIC_HELD,
		.class = PS_WAIT_LOCK,
	};

	counts__add(&key, state->held_ns);
	state->held_ns = 0;
}

__noinline int offcpu__emit_kept(__u32 slot)
{
	struct thread_state *state = thread__find(compat__current());
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);
	__u64 epoch, stack;

	if (!state)
		return 0;
	if (!who) {
		state->kept_ns = state->held_ns = 0;
		return 0;
	}
	epoch = epochs__of_thread(who, (__u32)id);
	stack = walk(state, slot, epoch);
	if (state->held_ns)
		count_held(state, stack);
	if (state->kept_ns)
		count_kept(state, epoch, stack, tgid, (__u32)id);
	return 0;
}

static __always_inline void leave(struct task_struct *task, bool preempt, __u64 now)
{
	struct thread_state *state;
	const struct ps_who *who;
	__u64 cpu_ns;
	__u32 tgid;
	bool is_fault;

	state = thread__known(task);
	if (!state)
		return;
	cpu_ns = task->se.sum_exec_runtime;
	waits__close_unseen(state);
	if (state->unseen_since_ns)
		waits__add_unseen(state, now, cpu_ns);
	if (cpu_ns - state->out_cpu_ns > BETWEEN_NS)
		state->timed_ns = 0;
	state->out_cpu_ns = cpu_ns;
	if (state->switches != quantum_switches)
		io_notice(task->tgid);
	if (state->in_quantum && now - state->looked_ns > QUANTUM_LOOK_NS) {
		state->looked_ns = now;
		quantum__look_leaving(WALKER_TRACEPOINT);
	}
	state->waits.wake_ns = 0;
	state->waits.out_ns = now;
	if (preempt || !compat__task_state(task)) {
		state->waits.detail = 0;
		state->waits.class =
			compat__is_throttled(task) ? PS_WAIT_THROTTLED : PS_WAIT_RUN_QUEUE;
		return;
	}
	wait__classify(task, &state->waits, REMOTE_SWITCH);
	is_fault = state->waits.class == PS_WAIT_PAGE_FAULT;
	if (state->reclaims) {
		state->waits.detail = 0;
		state->waits.class = PS_WAIT_RECLAIM;
	}
	if (!is_fault)
		return;
	tgid = task->tgid;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who)
		return;
	keep_kernel_stack(task, state);
	state->kept_stack = walk(state, WALKER_TRACEPOINT, epochs__of_thread(who, task->pid));
}

/* Which file a call waits for is known when it has ended: io.bpf.c adds it there. */
static __always_inline void note_file_wait(struct thread_state *state, __u32 class, __u64 ns)
{
	if (!knob_io || !state->call_ns || (class != PS_WAIT_FILE && class != PS_WAIT_DISK))
		return;
	if (class == PS_WAIT_FILE) {
		state->call_waits[0].ns += ns;
		state->call_waits[0].count++;
	} else {
		state->call_waits[1].ns += ns;
		state->call_waits[1].count++;
	}
}

static __always_inline void arrive(struct task_struct *task, __u64 now)
{
	struct thread_state *state;
	struct ps_waits *waits;
	__u64 since, blocked, woken, weight;
	const struct ps_who *who;
	__u32 tgid;

	if (!task->pid || task->flags & PF_KTHREAD)
		return;
	state = thread__find(task);
	if (!state || !state->waits.out_ns) /* switch-ins without their switch-out do occur */
		return;
	waits = &state->waits;
	since = waits->out_ns;
	/* First, so that the task iterator never sees a wait that goes on and is added up too. */
	waits->out_ns = 0;
	barrier();
	if (PS_WAIT_IS_READY(waits->class)) {
		waits__add(waits, waits->class, now - since);
		return;
	}
	woken = waits->wake_ns ? waits->wake_ns : now;
	blocked = woken - since;
	waits__add(waits, waits->class, blocked);
	note_file_wait(state, waits->class, blocked);
	if (now > woken)
		waits__add(waits, PS_WAIT_RUN_QUEUE, now - woken);
	state->kept_since_ns = since;
	weight = choose(blocked, wait_period_ns, bpf_get_prandom_u32());
	if (weight) {
		state->kept_ns = weight;
		state->kept_waker = waits->wake_ns ? state->waker : 0;
		state->kept_class = waits->class;
		state->kept_detail = waits->detail;
		tgid = task->tgid;
		who = state->kept_stack ? bpf_map_lookup_elem(&epochs, &tgid) : NULL;
		if (who)
			count_kept(state, epochs__of_thread(who, task->pid), state->kept_stack,
				   tgid, task->pid);
		else
			keep_kernel_stack(task, state);
	} else if (state->held_ns) {
		keep_kernel_stack(task, state);
	}
	state->kept_stack = 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(offcpu_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 now = bpf_ktime_get_ns();

	leave(prev, preempt, now);
	arrive(next, now);
	return 0;
}

/* Threads that were never off the CPU while they were watched are not known yet. */
static __always_inline int change_reclaims(__s32 by)
{
	struct thread_state *state = thread__find(compat__current());

	if (state && (by > 0 || state->reclaims))
		state->reclaims += by;
	return 0;
}

SEC("?tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(offcpu_reclaim_begin)
{
	return change_reclaims(1);
}

SEC("?tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(offcpu_reclaim_end)
{
	return change_reclaims(-1);
}

/* The same of a control group at its limit. */
SEC("?tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(offcpu_group_begin)
{
	return change_reclaims(1);
}

SEC("?tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(offcpu_group_end)
{
	return change_reclaims(-1);
}

/* current wakes somebody, or is idle or interrupted by what does. */
static __always_inline __u64 current_waker(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	int interrupt = (__u32)id ? compat__in_interrupt() : 1;

	if (interrupt < 0)
		return 0;
	return interrupt ? PS_WAKER_INTERRUPT : id;
}

/* A wait is over. Who ends one for a lock, and is a thread of the same process, has held it. It is
 * in no interrupt, so no other program of this CPU is at a walk. */
static __always_inline void note_holder(struct task_struct *task, struct thread_state *state,
					__u64 now)
{
	__u64 blocked = now - state->waits.out_ns, turns = state->timed_ns;
	__u32 tgid = task->tgid;
	const struct ps_who *who;

	state->timed_ns = 0;
	if (state->waits.class != PS_WAIT_LOCK)
		return;
	if (state->waker == PS_WAKER_INTERRUPT) {
		state->timed_ns = blocked < TURN_NS ? turns + blocked : 0;
		return;
	}
	if (PS_WAKER_TGID(state->waker) != tgid)
		return;
	state->held_ns = choose(turns + blocked, wait_period_ns, bpf_get_prandom_u32());
	who = state->held_ns ? bpf_map_lookup_elem(&epochs, &tgid) : NULL;
	if (!who) {
		state->held_ns = 0;
		return;
	}
	state->held_waker = state->waker;
	state->held_epoch = epochs__of_thread(who, PS_WAKER_TID(state->waker));
	state->held_stack = walker__walk(WALKER_TRACEPOINT, state->held_epoch, NULL, 0, 0);
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(offcpu_waking, struct task_struct *task)
{
	struct thread_state *state;

	if (task->flags & PF_KTHREAD)
		return 0;
	state = thread__find(task);
	if (state && state->waits.out_ns && !state->waits.wake_ns) {
		state->waker = current_waker();
		state->waits.wake_ns = bpf_ktime_get_ns();
		note_holder(task, state, state->waits.wake_ns);
	}
	return 0;
}
