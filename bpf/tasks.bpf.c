// SPDX-License-Identifier: GPL-2.0-or-later
/* All threads of the node with their CPU time, read by the recorder at start, each slice and end.
 */
#include "compat.bpf.h"

SEC("iter/task")
int tasks_dump(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	const struct signal_struct *signal;
	struct ps_task_event event = {};

	if (!task)
		return 0;
	event.event.type = PS_EVENT_TASK;
	event.event.size = sizeof(event);
	event.event.time_ns = bpf_ktime_get_ns();
	event.event.tgid = task->tgid;
	event.event.tid = task->pid;
	event.start_boot_ns = task->group_leader->start_boottime;
	event.cpu_ns = task->se.sum_exec_runtime;
	event.user_ns = task->utime;
	event.system_ns = task->stime;
	event.parent_tgid = task->real_parent->tgid;
	event.kernel_thread = !!(task->flags & PF_KTHREAD);
	signal = task->signal;
	if (task->pid == task->tgid && signal) {
		event.ended_cpu_ns = signal->sum_sched_runtime;
		event.ended_user_ns = signal->utime;
		event.ended_system_ns = signal->stime;
	}
	BPF_CORE_READ_STR_INTO(&event.comm, task, comm);
	bpf_seq_write(seq, &event, sizeof(event));
	return 0;
}
