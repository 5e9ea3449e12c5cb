// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "life": fork, exec, exit and the end of every process, too short to be sampled or not.
 *
 * The kernel's final CPU figures of a process exist only when it has been reaped: that is
 * sched_process_free, which can come after the pid was given out again, so everything is compared
 * by start time too. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "io.bpf.h"
#include "opens.bpf.h"
#include "pythons.bpf.h"
#include "quanta.bpf.h"
#include "thread.bpf.h"

struct exec_scratch {
	struct ps_exec_event event;
	char text[PS_MAX_ARGS + PS_MAX_ENV_TEXT];
	char string[PS_MAX_ENV_STRING];
	__u64 from, end; /* what is left of the environment */
	__u32 inside; /* 1: in the rest of a string longer than string[] */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exec_scratch);
} exec_scratches SEC(".maps");

static __always_inline void send(void *event, __u32 size)
{
	if (bpf_ringbuf_output(&events, event, size, events__flags(false)))
		count_event(PS_COUNTER_EVENTS_FULL);
}

static __always_inline struct ps_event event_of(__u32 type, __u32 size,
						const struct task_struct *task)
{
	return (struct ps_event){
		.type = type,
		.size = size,
		.time_ns = bpf_ktime_get_ns(),
		.tgid = task->tgid,
		.tid = task->pid,
	};
}

/* As wait() tells it. */
static __always_inline __u32 wait_status(const struct task_struct *leader)
{
	const struct signal_struct *signal = leader->signal;

	return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : leader->exit_code;
}

/* A new thread waits in the run queue from its first moment. */
static __always_inline void begin_life(struct task_struct *task)
{
	struct thread_state *state;

	if (!knob_offcpu)
		return;
	thread__forget(task->pid);
	state = thread__known(task);
	if (!state)
		return;
	state->waits.out_ns = bpf_ktime_get_ns();
	state->waits.class = PS_WAIT_RUN_QUEUE;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(life_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = child->tgid, parent_tgid = parent->tgid;
	struct ps_fork_event event = {};
	const struct ps_unwind_process *ranges;
	const struct ps_py_process *python;
	const struct ps_who *parent_who;
	struct ps_who who = {};

	if (child->pid != child->tgid) { /* a thread */
		begin_life(child);
		return 0;
	}
	parent_who = bpf_map_lookup_elem(&epochs, &parent_tgid);
	if (knob_only_wanted && (!parent_who || !parent_who->wanted))
		return 0;
	event.event = event_of(PS_EVENT_FORK, sizeof(event), child);
	who.epoch = PS_EPOCH_ID(event.event.time_ns, tgid);
	who.start_boot_ns = child->start_boottime;
	who.wanted = 1;
	if (bpf_map_update_elem(&epochs, &tgid, &who, BPF_ANY))
		count_event(PS_COUNTER_EPOCHS_FULL);
	quantum__forget(tgid);
	begin_life(child);
	/* A forked child maps the same files at the same places and runs the same interpreter; a
	 * left-over of the pid's earlier owner must not stay. */
	ranges = bpf_map_lookup_elem(&unwind_processes, &parent_tgid);
	if (ranges) {
		struct ps_unwind_process copy = *ranges;

		bpf_map_update_elem(&unwind_processes, &tgid, &copy, BPF_ANY);
	} else {
		bpf_map_delete_elem(&unwind_processes, &tgid);
	}
	python = bpf_map_lookup_elem(&py_processes, &parent_tgid);
	if (python) {
		struct ps_py_process copy = *python;

		bpf_map_update_elem(&py_processes, &tgid, &copy, BPF_ANY);
	} else {
		bpf_map_delete_elem(&py_processes, &tgid);
	}
	event.epoch = who.epoch;
	event.parent_epoch = parent_who ? epochs__of_thread(parent_who, parent->pid) : 0;
	event.start_boot_ns = who.start_boot_ns;
	event.cgroup = bpf_get_current_cgroup_id();
	event.parent_tgid = parent_tgid;
	BPF_CORE_READ_STR_INTO(&event.comm, child, comm);
	send(&event, sizeof(event));
	return 0;
}

/* Whether scratch->string begins with a chosen variable's name. */
__noinline int life_is_chosen(__u32 zero)
{
	struct exec_scratch *scratch = bpf_map_lookup_elem(&exec_scratches, &zero);
	__u64 hash = PS_NAME_HASH_START;

	if (!scratch)
		return 0;
	for (int i = 0; i <= PS_MAX_ENV_NAME; i++) {
		char byte = scratch->string[i];

		if (byte == '=')
			return bpf_map_lookup_elem(&env_names, &hash) ? 1 : 0;
		if (!byte)
			return 0;
		hash = PS_NAME_HASH_STEP(hash, byte);
	}
	return 0;
}

/* Looks at one string of the environment and keeps it if it is chosen. 1: stop. A function of its
 * own so that the verifier looks at it once, not 1,024 times. */
__noinline int life_environment_step(__u32 zero)
{
	struct exec_scratch *scratch = bpf_map_lookup_elem(&exec_scratches, &zero);
	long size;

	if (!scratch || scratch->from >= scratch->end)
		return 1;
	size = bpf_probe_read_user_str(scratch->string, PS_MAX_ENV_STRING,
				       (const void *)scratch->from);
	if (size < 0) {
		count_event(PS_COUNTER_ENV_UNREADABLE);
		return 1;
	}
	if (!size) /* an empty string, before Linux 6.16 */
		size = 1;
	if (!scratch->inside && life_is_chosen(zero)) {
		__u32 used = scratch->event.env_size;
		__u32 at = scratch->event.args_size + used;

		if (used > PS_MAX_ENV_TEXT - PS_MAX_ENV_STRING ||
		    at > PS_MAX_ARGS + PS_MAX_ENV_TEXT - PS_MAX_ENV_STRING) {
			count_event(PS_COUNTER_ENV_TOO_MANY);
			return 1;
		}
		bpf_probe_read_kernel(scratch->text + at, PS_MAX_ENV_STRING, scratch->string);
		scratch->event.env_size = used + size;
	}
	scratch->inside = size == PS_MAX_ENV_STRING;
	scratch->from += scratch->inside ? size - 1 : size;
	return 0;
}

/* Copies the chosen variables behind the arguments. Only they leave the kernel: environments hold
 * secrets. */
static __always_inline void copy_environment(struct exec_scratch *scratch)
{
	int i;

	scratch->inside = 0;
	for (i = 0; i < PS_MAX_ENV_STRINGS; i++)
		if (life_environment_step(0))
			return;
	count_event(PS_COUNTER_ENV_TOO_MANY);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(life_exec, struct task_struct *task, int old_tid)
{
	__u32 tgid = task->tgid, zero = 0, size;
	struct exec_scratch *scratch = bpf_map_lookup_elem(&exec_scratches, &zero);
	const struct ps_who *before = bpf_map_lookup_elem(&epochs, &tgid);
	struct thread_state *state;
	struct ps_exec_event *event;
	struct ps_who who = {};
	__u64 arguments, arguments_end;

	if (!scratch || (knob_only_wanted && (!before || !before->wanted)))
		return 0;
	event = &scratch->event;
	__builtin_memset(event, 0, sizeof(*event));
	event->event = event_of(PS_EVENT_EXEC, 0, task);
	event->previous_epoch = before ? before->epoch : 0;
	who.epoch = PS_EPOCH_ID(event->event.time_ns, tgid);
	who.start_boot_ns = task->group_leader->start_boottime;
	who.wanted = 1;
	bpf_map_delete_elem(&py_processes, &tgid);
	bpf_map_delete_elem(&unwind_processes, &tgid);
	pythons__at_exec(tgid);
	event->epoch = who.epoch;
	event->start_boot_ns = who.start_boot_ns;
	event->cgroup = bpf_get_current_cgroup_id();
	event->cpu_ns = task->signal->sum_sched_runtime + task->se.sum_exec_runtime;
	event->user_ns = task->signal->utime + task->utime;
	event->system_ns = task->signal->stime + task->stime;
	event->parent_tgid = task->real_parent->tgid;
	BPF_CORE_READ_STR_INTO(&event->comm, task, comm);
	thread__move(old_tid, task->pid);
	state = thread__find(task);
	if (state) {
		event->waits = state->waits;
		io__flush(state, event->previous_epoch);
		state->epoch = who.epoch;
		state->in_quantum = 0;
	}
	quantum__forget(tgid);
	quantum__forget_thread(old_tid);
	if (knob_io)
		writers_exec(event->event.time_ns);

	arguments = BPF_CORE_READ(task, mm, arg_start);
	arguments_end = BPF_CORE_READ(task, mm, arg_end);
	size = arguments_end - arguments;
	if (arguments_end - arguments >= PS_MAX_ARGS)
		size = PS_MAX_ARGS - 1;
	size &= PS_MAX_ARGS - 1;
	if (bpf_probe_read_user(scratch->text, size, (const void *)arguments))
		count_event(PS_COUNTER_ARGS_UNREADABLE);
	else
		event->args_size = size;
	scratch->from = BPF_CORE_READ(task, mm, env_start);
	scratch->end = BPF_CORE_READ(task, mm, env_end);
	copy_environment(scratch);

	size = event->args_size + event->env_size;
	if (size > PS_MAX_ARGS + PS_MAX_ENV_TEXT)
		size = PS_MAX_ARGS + PS_MAX_ENV_TEXT;
	size += sizeof(*event);
	event->event.size = size;
	send(scratch, size);
	/* Last, so that the recorder hears of the epoch before of any sample in it: a sample can
	 * interrupt this program. */
	if (bpf_map_update_elem(&epochs, &tgid, &who, BPF_ANY))
		count_event(PS_COUNTER_EPOCHS_FULL);
	return 0;
}

/* Too large for the stack, with what the ends of files need. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ps_exit_event);
} exit_events SEC(".maps");

SEC("tp_btf/sched_process_exit")
int BPF_PROG(life_exit, struct task_struct *task)
{
	__u32 tgid = task->tgid, zero = 0;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);
	struct ps_exit_event *event = bpf_map_lookup_elem(&exit_events, &zero);
	const struct task_struct *leader = task->group_leader;
	struct thread_state *state;

	if (!event || (knob_only_wanted && (!who || !who->wanted)))
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	event->event = event_of(PS_EVENT_EXIT, sizeof(*event), task);
	event->epoch = who ? who->epoch : 0;
	event->start_boot_ns = leader->start_boottime;
	event->thread_cpu_ns = task->se.sum_exec_runtime;
	if (task->signal->live.counter == 0) {
		event->last = 1;
		event->status = wait_status(leader);
		event->max_rss_pages = task->signal->maxrss;
	}
	BPF_CORE_READ_STR_INTO(&event->comm, task, comm);
	state = thread__find(task);
	if (state) {
		event->waits = state->waits;
		event->kept_ns = state->kept_ns;
		event->kept_since_ns = state->kept_since_ns;
		event->kept_class = state->kept_class;
		event->kept_detail = state->kept_detail;
		io__flush(state, event->epoch);
	}
	if (knob_io) {
		if (event->last)
			opens_end();
		writers_end(event->status, event->last);
	}
	thread__forget(task->pid);
	send(event, sizeof(*event));
	return 0;
}

/* Since Linux 7.0 the kernel may have left life_exit out. An entry of the hash would be another
 * thread's by now. */
static __always_inline void flush_unflushed(struct task_struct *task, const struct ps_who *who)
{
	struct thread_state *state;

	if (!knob_io || !knob_task_storage || !who ||
	    who->start_boot_ns != task->group_leader->start_boottime)
		return;
	state = thread__find(task);
	if (state)
		io__flush_ended(state, state->epoch ? state->epoch : who->epoch);
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(life_free, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	const struct signal_struct *signal = task->signal;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);
	struct ps_gone_event event = {};

	flush_unflushed(task, who);
	if (task->pid != task->tgid)
		return 0;
	if (who && who->start_boot_ns == task->start_boottime) {
		bpf_map_delete_elem(&epochs, &tgid);
		bpf_map_delete_elem(&py_processes, &tgid);
		bpf_map_delete_elem(&unwind_processes, &tgid);
		quantum__forget(tgid);
	} else if (knob_only_wanted) {
		return 0;
	}
	event.event = event_of(PS_EVENT_GONE, sizeof(event), task);
	event.start_boot_ns = task->start_boottime;
	event.cpu_ns = signal->sum_sched_runtime;
	event.user_ns = signal->utime;
	event.system_ns = signal->stime;
	event.max_rss_pages = signal->maxrss;
	event.status = wait_status(task);
	send(&event, sizeof(event));
	return 0;
}
