/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between kernels, one accessor each. */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#include "thread.bpf.h"

#define SIGNAL_GROUP_EXIT 0x00000004

#define S_IFMT	 0170000
#define S_IFSOCK 0140000
#define S_IFREG	 0100000
#define S_IFDIR	 0040000
#define S_IFIFO	 0010000

/* x86-64 without KASAN and without FRED, as all kernels before 5.15 are. */
#define OLD_THREAD_SIZE 16384

struct task_struct___before_5_14 {
	volatile long state;
} __attribute__((preserve_access_index));

/* 0: runnable. Linux 5.14 (2f064a59a11f) renamed the field and made it an unsigned int. */
static __always_inline __u64 compat__task_state(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return task->__state;
	return ((struct task_struct___before_5_14 *)task)->state;
}

/* The current task. bpf_get_current_task_btf(), Linux 5.11 (3ca1032ab7ab), came with task storage;
 * before, nothing may be read of it but by BPF_CORE_READ(). */
static __always_inline struct task_struct *compat__current(void)
{
	if (knob_task_storage)
		return bpf_get_current_task_btf();
	return (void *)bpf_get_current_task();
}

/* Only for the way to a CPU's run queue. */
struct cfs_rq___any {
	void *rq;
} __attribute__((preserve_access_index));
struct sched_entity___any {
	struct cfs_rq___any *cfs_rq;
} __attribute__((preserve_access_index));
struct task_struct___any {
	struct sched_entity___any se;
} __attribute__((preserve_access_index));

/* Whether current is only whom an interrupt has interrupted; -1: not known. preempt_count is a
 * per-CPU variable that programs may name only where kallsyms has it. So it is found by its
 * distance from another, the run queue of this CPU, to which current leads. */
static __always_inline int compat__in_interrupt(void)
{
	struct task_struct___any *task = (void *)compat__current();
	const char *queue;
	__u32 count;

	if (!knob_preempt_count || !bpf_core_field_exists(task->se.cfs_rq))
		return -1;
	if (knob_task_storage) /* task has a type: reading is a plain load */
		queue = task->se.cfs_rq->rq;
	else
		queue = BPF_CORE_READ(task, se.cfs_rq, rq);
	if (bpf_probe_read_kernel(&count, sizeof(count), queue + knob_preempt_count))
		return -1;
	return !!(count & knob_interrupt_bits);
}

struct cfs_rq___throttling {
	int throttle_count;
} __attribute__((preserve_access_index));
struct sched_entity___throttling {
	struct cfs_rq___throttling *cfs_rq;
} __attribute__((preserve_access_index));
struct task_struct___throttling {
	struct sched_entity___throttling se;
	bool throttled;
} __attribute__((preserve_access_index));

/* Whether a task that is ready must wait because its control group has used up its CPU time. Linux
 * 6.18 (e1fad12dcb66) takes such tasks off the run queue one by one, and marks them; before, whole
 * run queues of groups stop. task: of a tracepoint, so that its fields are plain loads. */
static __always_inline bool compat__is_throttled(struct task_struct *task)
{
	struct task_struct___throttling *ours = (void *)task;

	if (bpf_core_field_exists(ours->throttled))
		return ours->throttled;
	if (bpf_core_field_exists(ours->se.cfs_rq) &&
	    bpf_core_field_exists(struct cfs_rq___throttling, throttle_count))
		return ours->se.cfs_rq->throttle_count > 0;
	return false;
}

#define TS_COMPAT 0x0002

/* Whether a task is in a system call of the 32-bit kind: those have other numbers. */
static __always_inline bool compat__is_32_bit(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

/* What a descriptor of task is; NULL: nothing. */
static __always_inline struct file *file_of(struct task_struct *task, __u64 descriptor)
{
	struct file *file = NULL, **files;
	struct fdtable *table;

	if (knob_task_storage) { /* task has a type: reading is a plain load */
		table = task->files->fdt;
		if (descriptor >= table->max_fds)
			return NULL;
		files = table->fd;
	} else {
		table = BPF_CORE_READ(task, files, fdt);
		if (descriptor >= BPF_CORE_READ(table, max_fds))
			return NULL;
		files = BPF_CORE_READ(table, fd);
	}
	bpf_probe_read_kernel(&file, sizeof(file), &files[descriptor]);
	return file;
}

/* The address of the user registers that a task saved on its way into the kernel. */
static __always_inline const void *compat__saved_registers(struct task_struct *task)
{
	if (knob_task_pt_regs)
		return (const void *)bpf_task_pt_regs(task);
	return (const char *)task->stack + OLD_THREAD_SIZE - sizeof(struct pt_regs);
}

/* The user registers that current saved on its way into the kernel.
 * Linux 5.15 (dd6e10fbd9f8) brought bpf_task_pt_regs(); before, they lie at the top of the kernel
 * stack. The second way goes when 5.10 is no longer supported. */
static __always_inline long compat__user_registers(struct pt_regs *ret_registers)
{
	const void *from;

	if (knob_task_pt_regs) {
		from = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();

		from = (const char *)BPF_CORE_READ(task, stack) + OLD_THREAD_SIZE -
		       sizeof(struct pt_regs);
	}
	return bpf_probe_read_kernel(ret_registers, sizeof(*ret_registers), from);
}

#endif
