// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "quanta". The recorder tells which code objects are a rule's function, and where their
 * local variables are (frame_rules). At a boundary this walks the Python frames of the thread; when
 * the variables of the first such function differ from those of the quantum that the process is in,
 * a new epoch begins there and then. The recorder hears of it, with the variables' addresses, and
 * reads the names.
 *
 * Of code that the recorder has not looked at yet, the function's name alone is compared with those
 * of rules (frame_names). Such a call begins an epoch that is pending: the recorder is shown the
 * stack, and says by frame_rules what the code is; from the next look on the epoch is that quantum,
 * or over. So the first quantum of a process begins where it begins, however late the recorder is.
 *
 * Boundaries are system calls that the programs make there anyway, looked at as they end:
 * getrusage() and the clock of the process's CPU time have just made the kernel sum up the
 * thread's own CPU time. Samples, and the moments at which the thread leaves the CPU, find the end
 * of quanta that no such call follows.
 *
 * Only the thread that began a quantum can end it: helpers of the process run other functions.
 *
 * Where a rule has the scope of a thread, the quantum is the thread's alone (thread_quanta), and
 * everything that asks for the epoch of a thread finds it in front of its process's. Functions of
 * both scopes on one stack are no quanta within each other: what is the thread's ends first. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "io.bpf.h"
#include "quanta.bpf.h"
#include "quantum_epochs.bpf.h"
#include "quantum_frames.bpf.h"
#include "quantum_values.bpf.h"
#include "resources.bpf.h"
#include "walker.bpf.h"

/* A thread in which no function had a rule's name is looked at by names at most this often. */
#define NAMES_NS 250000
/* … and is shown, where a rule's function is no name but a pattern. */
#define SHOW_NS 2000000

/* --- boundaries */

static __always_inline bool same_quantum(const struct quantum_scratch *scratch)
{
	if (scratch->before.rank != scratch->rule.rank)
		return false;
	for (int i = 0; i < PS_QUANTUM_LOCALS; i++)
		if (scratch->before.values[i] != scratch->now.values[i])
			return false;
	return true;
}

/* A function may put other objects into its variables. It is still the same call when it has come
 * farther in its code since it was looked at: another one begins in front. */
static __always_inline bool is_rebound(const struct quantum_scratch *scratch)
{
	return is_call(&scratch->before, scratch->frame, scratch->code) &&
	       scratch->before.rank == scratch->rule.rank &&
	       scratch->position > scratch->before.position;
}

/* The same of a call of which only the name was known: its variables' places were not, so what lies
 * in the first of them was kept. */
static __always_inline bool is_pending_call(struct quantum_scratch *scratch, __u32 slot)
{
	return is_call(&scratch->before, scratch->frame, scratch->code) &&
	       (scratch->position > scratch->before.position || has_same_objects(scratch, slot));
}

/* The quantum goes on: what it is compared with next time. */
static __always_inline void keep_up(struct quantum_scratch *scratch,
				    const struct thread_state *state)
{
	set_owner(scratch, state);
	if (scratch->position != scratch->before.position)
		keep(scratch, scratch->own.epoch, BPF_EXIST);
}

/* A call of a function that only has the name of a rule's. */
static __always_inline void begin_pending(struct quantum_scratch *scratch, __u32 slot,
					  const struct ps_who *who, struct thread_state *state)
{
	__builtin_memset(&scratch->now, 0, sizeof(scratch->now));
	scratch->now.rank = PS_PENDING_QUANTUM;
	scratch->now.frame = scratch->named_frame;
	scratch->now.code = scratch->named_code;
	/* In front of all others where there is nothing to compare: it is the same call then. */
	scratch->now.position =
		quantum_objects(slot, scratch->named_frame) ? -1 : scratch->named_position;
	for (int i = 0; i < PS_QUANTUM_LOCALS; i++)
		scratch->now.values[i] = scratch->event.locals[i] = scratch->words[i];
	scratch->event.check = scratch->named_check;
	/* First the recorder is shown the code. */
	walker__walk(slot, epochs__of_thread(who, scratch->tid), NULL, 0, 0);
	switch_epoch(scratch, slot, who, state, false);
}

/* Whose quantum it is that is looked at; what is not of that scope was not found. */
static __always_inline void choose_scope(struct quantum_scratch *scratch, bool by_name)
{
	if (scratch->in_own)
		scratch->of_thread = 1;
	else if (scratch->frame)
		scratch->of_thread = scratch->rule.of_thread;
	else
		scratch->of_thread = by_name && scratch->named_frame && scratch->named_of_thread;
	if (scratch->frame && scratch->rule.of_thread != scratch->of_thread)
		scratch->frame = 0;
	if (scratch->named_frame && scratch->named_of_thread != scratch->of_thread)
		scratch->named_frame = 0;
	if (!scratch->of_thread)
		return;
	scratch->in_one = scratch->in_own;
	scratch->goes_on = scratch->own_goes_on;
	scratch->before = scratch->own.quantum;
}

/* Compares what the thread runs with the quantum that the process is in. state: NULL where the
 * program may not ask for it; by_name: names were compared. */
static __always_inline void compare(struct quantum_scratch *scratch, __u32 slot,
				    struct thread_state *state, bool by_name)
{
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &scratch->tgid);
	bool in_one, pending;

	if (!who)
		return;
	if (knob_thread_quanta)
		choose_scope(scratch, by_name);
	in_one = scratch->in_one;
	pending = in_one && scratch->before.rank == PS_PENDING_QUANTUM;
	if (in_one && scratch->before.tid != scratch->tid) {
		/* A pending one gives way to one that is known. */
		if (!pending || !scratch->frame)
			return;
		pending = false;
		in_one = false;
	}
	if (!scratch->frame) {
		if (pending && scratch->goes_on)
			return;
		if (by_name && scratch->named_frame)
			begin_pending(scratch, slot, who, state);
		else if (in_one)
			switch_epoch(scratch, slot, who, state, true);
		return;
	}
	for (int i = 0; i < PS_QUANTUM_LOCALS; i++)
		quantum_local(slot, i);
	scratch->now.rank = scratch->rule.rank;
	scratch->now.frame = scratch->frame;
	scratch->now.code = scratch->code;
	scratch->now.position = scratch->position;
	scratch->event.check = scratch->rule.check;
	if (pending && is_pending_call(scratch, slot))
		adopt(scratch, who, state);
	else if (in_one && (same_quantum(scratch) || is_rebound(scratch)))
		keep_up(scratch, state);
	else
		switch_epoch(scratch, slot, who, state, false);
}

static __always_inline const struct ps_py_process *begin(struct quantum_scratch *scratch)
{
	__u64 id = bpf_get_current_pid_tgid();
	const struct ps_thread_quantum *own;
	const struct ps_quantum *now;
	const struct ps_who *who;
	__u32 tgid = id >> 32, tid = (__u32)id;

	scratch->tgid = tgid;
	scratch->tid = tid;
	scratch->of_thread = scratch->own_goes_on = 0;
	own = knob_thread_quanta ? bpf_map_lookup_elem(&thread_quanta, &tid) : NULL;
	scratch->in_own = !!own;
	if (own)
		scratch->own = *own;
	else
		scratch->own.quantum.frame = 0;
	scratch->by_name = scratch->goes_on = scratch->event.at_call = 0;
	now = bpf_map_lookup_elem(&quanta, &tgid);
	scratch->in_one = !!now;
	if (now)
		scratch->before = *now;
	else
		scratch->before.frame = 0;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who || !who->wanted)
		return NULL;
	return bpf_map_lookup_elem(&py_processes, &tgid);
}

/* The recorder reads the names of the code on the stack. */
__noinline int quantum__show(__u32 slot)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	if (who)
		walker__walk(slot, epochs__of_thread(who, (__u32)bpf_get_current_pid_tgid()), NULL,
			     0, 0);
	return 0;
}

/* The state of current, made when it is not there yet. */
static __always_inline struct thread_state *state_of_current(void)
{
	struct task_struct *task = compat__current();
	struct thread_state *state = thread__find(task);

	return state ? state : thread__make(task);
}

__noinline int quantum__at_call(__u32 slot)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_process *process;
	struct thread_state *state;
	int unknown = 0, ending;
	__u64 now;

	if (!scratch || compat__is_32_bit(compat__current()))
		return 0;
	process = begin(scratch);
	state = process ? state_of_current() : NULL;
	if (!state)
		return 0;
	scratch->busy = scratch->event.at_call = 1;
	now = bpf_ktime_get_ns();
	scratch->by_name = now - state->looked_ns > NAMES_NS;
	ending = find_frame(scratch, slot, process);
	if (!ending) {
		compare(scratch, slot, state, true);
		if (scratch->by_name && !scratch->frame && !scratch->named_frame) {
			unknown = knob_any_function && now - state->shown_ns > SHOW_NS;
			if (unknown)
				state->shown_ns = now;
			state->looked_ns = now;
		}
	} else if (ending == PS_END_PY_UNREADABLE) {
		count_event(PS_COUNTER_BOUNDARY_UNREAD);
	}
	/* What the thread did so far is the former epoch's, and told by now. */
	if (state->switches != quantum_switches)
		io_notice(scratch->tgid);
	scratch->busy = 0;
	return unknown;
}

static __always_inline int look(struct quantum_scratch *scratch, __u32 slot,
				struct thread_state *state)
{
	const struct ps_py_process *process = begin(scratch);
	struct ps_frame_key any = {};

	if (!process)
		return 0;
	any.space = process->space;
	if (bpf_map_lookup_elem(&frame_rules, &any) && !find_frame(scratch, slot, process))
		compare(scratch, slot, state, false);
	return 0;
}

/* Programs of samples may not use the map of threads' states. */
__noinline int quantum__look(__u32 slot)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	__u32 calls = WALKER_TRACEPOINT;
	const struct quantum_scratch *interrupted = scratch_of(calls);

	if (!scratch || !interrupted || interrupted->busy)
		return 0;
	return look(scratch, slot, NULL);
}

__noinline int quantum__look_leaving(__u32 slot)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	struct thread_state *state = thread__find(compat__current());

	if (!scratch || !state || scratch->busy)
		return 0;
	scratch->busy = 1;
	look(scratch, slot, state);
	scratch->busy = 0;
	return 0;
}

/* The thread ends, and what it was in with it. Of a process that ends, only what was its own. */
__noinline int quantum_end(__u32 slot, __u32 of_thread)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	struct thread_state *state = thread__find(compat__current());
	const struct ps_who *who;
	__u32 tgid;

	if (!scratch || !state)
		return 0;
	begin(scratch);
	scratch->of_thread = of_thread;
	tgid = scratch->tgid;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who || (of_thread ? !scratch->in_own : scratch->before.tid != scratch->tid))
		return 0;
	scratch->busy = 1;
	switch_epoch(scratch, slot, who, state, true);
	scratch->busy = 0;
	return 0;
}

/* Attached in front of life_exit: the thread's figures go to the epoch that begins here. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(quanta_exit, struct task_struct *task)
{
	const struct ps_quantum *now;
	__u32 tgid = task->tgid;

	if (knob_thread_quanta) {
		quantum_end(WALKER_TRACEPOINT, 1);
		quantum__forget_thread(task->pid);
	}
	now = task->signal->live.counter ? bpf_map_lookup_elem(&quanta, &tgid) : NULL;
	if (now && now->tid == (__u32)task->pid)
		quantum_end(WALKER_TRACEPOINT, 0);
	return 0;
}
