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
 * Only the thread that began a quantum can end it: helpers of the process run other functions. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "io.bpf.h"
#include "quanta.bpf.h"
#include "quantum_frames.bpf.h"
#include "resources.bpf.h"
#include "walker.bpf.h"

#define CODE_IS_STR (1UL << 28) /* tp_flags */
#define CODE_IS_INT (1UL << 24)
#define INT_DIGITS  5
#define MAX_THREADS 1024 /* of a process whose CPU time is added up */
/* A thread in which no function had a rule's name is looked at by names at most this often. */
#define NAMES_NS 250000
/* … and is shown, where a rule's function is no name but a pattern. */
#define SHOW_NS 2000000

/* --- what the variables hold */

/* What tells an object from others: a hash of a str's or int's value, an address else. */
__noinline __u64 quantum_value(__u32 slot, __u64 object)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;
	__u64 type = 0, flags = 0, size = 0, hash = 0, from;
	__u32 state = 0;

	if (!scratch || !object)
		return 0;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout || ps_read_user(&type, sizeof(type), object + 8) ||
	    ps_read_user(&flags, sizeof(flags), type + layout->type_flags))
		return object;
	if (!(flags & (CODE_IS_STR | CODE_IS_INT)) ||
	    ps_read_user(&size, sizeof(size), object + STR_LENGTH))
		return object;
	if (flags & CODE_IS_STR) {
		if (ps_read_user(&state, sizeof(state), object + STR_STATE) || !(state & STR_ASCII))
			return object;
		hash = size;
		from = object + layout->text_data;
	} else {
		hash = size;
		if (layout->int_tag_shift)
			size >>= layout->int_tag_shift & 7;
		else if ((__s64)size < 0)
			size = -size;
		if (size > INT_DIGITS)
			size = INT_DIGITS;
		size *= 4;
		from = object + layout->int_size + 8;
	}
	if (size > VALUE_BYTES)
		size = VALUE_BYTES;
	__builtin_memset(scratch->words, 0, sizeof(scratch->words));
	HIDE_RANGE(size);
	if (size > VALUE_BYTES)
		return object;
	if (size && ps_read_user(scratch->words, size, from))
		return object;
	for (int i = 0; i < VALUE_BYTES / 8; i++)
		hash = ps_mix(hash, scratch->words[i]);
	return hash | 1; /* objects are aligned: never an address */
}

/* Reads one local variable of the frame found. */
__noinline int quantum_local(__u32 slot, __u32 index)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;
	__u64 object = 0, tags;
	__u32 local;

	if (!scratch || index >= PS_QUANTUM_LOCALS)
		return 0;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout)
		return 0;
	local = scratch->rule.slots[index];
	tags = layout->code_tag_bits;
	if (local == PS_LOCAL_NONE || ps_read_user(&object, sizeof(object),
						   scratch->frame + layout->frame_locals +
							   8 * (__u64)(local & ~PS_LOCAL_CELL)))
		object = 0;
	object &= ~tags;
	/* PyCellObject.ob_ref, the same in all versions */
	if (object && local & PS_LOCAL_CELL && ps_read_user(&object, sizeof(object), object + 16))
		object = 0;
	scratch->event.locals[index] = object;
	scratch->now.values[index] =
		index < scratch->rule.identity_count ? quantum_value(slot, object) : 0;
	return 0;
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
	scratch->event.epoch = scratch->event.previous_epoch = who->epoch;
	scratch->event.start_boot_ns = who->start_boot_ns;
	scratch->event.has_waits = 0;
}

/* What the process has used until now, for the end of one epoch and the beginning of the next. All
 * that is counted by quantum, is read here. */
static __always_inline void read_figures(struct quantum_scratch *scratch, __u32 slot,
					 const struct thread_state *state)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	scratch->event.thread_cpu_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	scratch->event.cpu_ns = BPF_CORE_READ(signal, sum_sched_runtime);
	scratch->event.user_ns = BPF_CORE_READ(signal, utime);
	scratch->event.system_ns = BPF_CORE_READ(signal, stime);
	scratch->list = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	scratch->task = (__u64)BPF_CORE_READ(signal, thread_head.next);
	for (int i = 0; i < MAX_THREADS; i++)
		if (quantum_thread(slot))
			break;
	if (state) {
		scratch->event.has_waits = 1;
		scratch->event.waits = state->waits;
	}
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

/* A quantum begins: scratch->now. The same. */
static __always_inline void open_quantum(struct quantum_scratch *scratch)
{
	scratch->now.tid = scratch->tid;
	scratch->event.rank = scratch->now.rank;
	scratch->event.frame = scratch->now.frame;
	scratch->event.code = scratch->now.code;
}

/* Begins a new epoch: the quantum scratch->now, or (ended) the process's own. A sample can
 * interrupt this anywhere: the recorder hears of the epoch before of anything in it. */
static __always_inline void switch_epoch(struct quantum_scratch *scratch, __u32 slot,
					 const struct ps_who *who, struct thread_state *state,
					 bool ended)
{
	struct ps_who next = *who;
	__u32 tgid = scratch->tgid;
	bool known = bpf_map_lookup_elem(&quanta, &tgid);

	/* Its place is taken first: without one the next look would begin it again. */
	if (!ended && !known && bpf_map_update_elem(&quanta, &tgid, &scratch->now, BPF_ANY)) {
		count_event(PS_COUNTER_QUANTA_FULL);
		return;
	}
	begin_event(scratch, who);
	read_figures(scratch, slot, state);
	if (ended)
		close_quantum(scratch);
	else
		open_quantum(scratch);
	next.epoch = PS_EPOCH_ID(scratch->event.event.time_ns, tgid);
	scratch->event.epoch = next.epoch;
	if (send_event(scratch)) {
		if (!known)
			bpf_map_delete_elem(&quanta, &tgid);
		return;
	}
	if (ended)
		bpf_map_delete_elem(&quanta, &tgid);
	else
		bpf_map_update_elem(&quanta, &tgid, &scratch->now, BPF_ANY);
	if (bpf_map_update_elem(&epochs, &tgid, &next, BPF_EXIST))
		count_event(PS_COUNTER_EPOCHS_FULL);
	__sync_fetch_and_add(&quantum_switches, 1);
	if (state)
		state->in_quantum = !ended;
	resources__at_switch(slot, next.epoch, !ended);
}

/* The pending quantum is the rule's; its epoch has begun already. */
static __always_inline void adopt(struct quantum_scratch *scratch, const struct ps_who *who)
{
	__u32 tgid = scratch->tgid;

	begin_event(scratch, who);
	open_quantum(scratch);
	if (!send_event(scratch))
		bpf_map_update_elem(&quanta, &tgid, &scratch->now, BPF_ANY);
}

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

/* The quantum goes on: what it is compared with next time. */
static __always_inline void keep_up(struct quantum_scratch *scratch)
{
	__u32 tgid = scratch->tgid;

	scratch->now.tid = scratch->tid;
	if (scratch->position != scratch->before.position)
		bpf_map_update_elem(&quanta, &tgid, &scratch->now, BPF_EXIST);
}

/* A call of a function that only has the name of a rule's. */
static __always_inline void begin_pending(struct quantum_scratch *scratch, __u32 slot,
					  const struct ps_who *who, struct thread_state *state)
{
	__builtin_memset(&scratch->now, 0, sizeof(scratch->now));
	__builtin_memset(scratch->event.locals, 0, sizeof(scratch->event.locals));
	scratch->now.rank = PS_PENDING_QUANTUM;
	scratch->now.frame = scratch->named_frame;
	scratch->now.code = scratch->named_code;
	scratch->event.check = scratch->named_check;
	/* First the recorder is shown the code. */
	walker__walk(slot, who->epoch, NULL, 0, 0);
	switch_epoch(scratch, slot, who, state, false);
}

/* Compares what the thread runs with the quantum that the process is in. state: NULL where the
 * program may not ask for it; by_name: names were compared. */
static __always_inline void compare(struct quantum_scratch *scratch, __u32 slot,
				    struct thread_state *state, bool by_name)
{
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &scratch->tgid);
	bool in_one = scratch->in_one, pending;

	if (!who)
		return;
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
	if (pending && is_call(&scratch->before, scratch->frame, scratch->code))
		adopt(scratch, who);
	else if (in_one && (same_quantum(scratch) || is_rebound(scratch)))
		keep_up(scratch);
	else
		switch_epoch(scratch, slot, who, state, false);
}

static __always_inline const struct ps_py_process *begin(struct quantum_scratch *scratch)
{
	__u64 id = bpf_get_current_pid_tgid();
	const struct ps_quantum *now;
	const struct ps_who *who;
	__u32 tgid = id >> 32;

	scratch->tgid = tgid;
	scratch->tid = (__u32)id;
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
		walker__walk(slot, who->epoch, NULL, 0, 0);
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

/* Attached in front of life_exit: the thread's figures go to the epoch that begins here. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(quanta_exit, struct task_struct *task)
{
	__u32 slot = WALKER_TRACEPOINT;
	struct quantum_scratch *scratch = scratch_of(slot);
	struct thread_state *state = thread__find(task);
	const struct ps_quantum *now;
	const struct ps_who *who;
	__u32 tgid = task->tgid;

	if (!scratch || !state || !task->signal->live.counter)
		return 0;
	now = bpf_map_lookup_elem(&quanta, &tgid);
	if (!now || now->tid != (__u32)task->pid)
		return 0;
	begin(scratch);
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who)
		return 0;
	scratch->busy = 1;
	switch_epoch(scratch, slot, who, state, true);
	scratch->busy = 0;
	return 0;
}
