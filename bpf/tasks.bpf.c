// SPDX-License-Identifier: GPL-2.0-or-later
/* All threads of the node with their CPU time, read by the recorder at start, each slice and end.
 */
#include "compat.bpf.h"
#include "patterns.bpf.h"
#include "resources.bpf.h"
#include "thread.bpf.h"
#include "wait_class.bpf.h"

#define PATTERN_IDLE_NS 100000000

/* A thread that slept before anybody watched: its wait counts from now. */
static __always_inline struct thread_state *begin_wait(struct task_struct *task, __u64 now)
{
	struct thread_state *state;

	if (!knob_offcpu || !compat__task_state(task))
		return NULL;
	state = thread__known(task);
	if (!state)
		return NULL;
	wait__classify(task, &state->waits, REMOTE_ITERATOR);
	state->out_cpu_ns = task->se.sum_exec_runtime;
	state->waits.out_ns = now;
	return state;
}

/* Too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ps_task_event);
} task_events SEC(".maps");

/* See io__flush_slot(). A slot that changes hands meanwhile is left out: its sums are in the map.
 */
static __always_inline void copy_slot(struct thread_state *state, __u32 index,
				      struct ps_io_slot *ret_slot)
{
	struct io_slot_tag *tag = &state->tags[index & (PS_IO_SLOTS - 1)];
	__u64 turn = *(volatile __u64 *)&tag->turn;

	if (turn & 1)
		return;
	__sync_fetch_and_add(&tag->seen, 1);
	*ret_slot = state->slots[index & (PS_IO_SLOTS - 1)];
	barrier();
	if (*(volatile __u64 *)&tag->turn != turn)
		__builtin_memset(ret_slot, 0, sizeof(*ret_slot));
}

/* A thread that no longer reads would keep what it has. */
static __always_inline void move_pattern(struct thread_state *state, __u32 index,
					 const struct ps_task_event *event)
{
	struct io_pattern *pattern = &state->patterns[index & (IO_PATTERNS - 1)];

	if (!*(volatile __u64 *)&pattern->sum.bytes)
		return;
	barrier();
	/* It may have read since the time was looked at. */
	if ((__s64)(event->event.time_ns - pattern->last_ns) >= PATTERN_IDLE_NS)
		pattern__move(pattern);
}

SEC("iter/task")
int tasks_dump(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	const struct signal_struct *signal;
	struct thread_state *state;
	struct ps_task_event *event;
	const struct ps_who *who;
	__u32 zero = 0, tgid;

	if (!task)
		return 0;
	event = bpf_map_lookup_elem(&task_events, &zero);
	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	event->event.type = PS_EVENT_TASK;
	event->event.size = sizeof(*event);
	event->event.time_ns = bpf_ktime_get_ns();
	event->event.tgid = task->tgid;
	event->event.tid = task->pid;
	tgid = task->tgid;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	event->epoch = who ? who->epoch : 0;
	if (who && epochs__of_thread(who, task->pid) != who->epoch)
		event->thread_epoch = epochs__of_thread(who, task->pid);
	event->start_boot_ns = task->group_leader->start_boottime;
	event->cpu_ns = task->se.sum_exec_runtime;
	event->user_ns = task->utime;
	event->system_ns = task->stime;
	event->parent_tgid = task->real_parent->tgid;
	event->kernel_thread = !!(task->flags & PF_KTHREAD);
	signal = task->signal;
	if (task->pid == task->tgid && signal) {
		event->ended_cpu_ns = signal->sum_sched_runtime;
		event->ended_user_ns = signal->utime;
		event->ended_system_ns = signal->stime;
	}
	BPF_CORE_READ_STR_INTO(&event->comm, task, comm);
	if (knob_offcpu && !event->kernel_thread) {
		struct pt_regs registers = {};

		bpf_probe_read_kernel(&registers, sizeof(registers), compat__saved_registers(task));
		event->user_ip = registers.rip;
		event->user_sp = registers.rsp;
		event->user_bp = registers.rbp;
		event->fs_base = task->thread.fsbase;
	}
	state = thread__find(task);
	if (!state)
		state = begin_wait(task, event->event.time_ns);
	if (state) {
		event->waits = state->waits;
		for (int i = 0; i < PS_IO_SLOTS; i++)
			copy_slot(state, i, &event->slots[i]);
		for (int i = 0; i < IO_PATTERNS; i++)
			move_pattern(state, i, event);
	}
	bpf_seq_write(seq, event, sizeof(*event));
	if (knob_quanta && task->pid == task->tgid) {
		/* By way of a read: to the verifier an address is no number. */
		resources__tell(RESOURCE_SLOT_ITERATOR, (__u64)BPF_CORE_READ(task, group_leader),
				PS_MOMENT_SLICE, event->epoch);
	}
	if (knob_thread_quanta && event->thread_epoch) {
		__u64 address = 0; /* the same */

		bpf_probe_read_kernel(&address, sizeof(address), &ctx->task);
		resources__tell_thread(RESOURCE_SLOT_ITERATOR, address, PS_MOMENT_SLICE,
				       event->thread_epoch);
	}
	return 0;
}
