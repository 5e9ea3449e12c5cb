/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task that is off the CPU waits for: by the system call it is in, and by what that call's
 * descriptor is. */
#ifndef WAIT_CLASS_BPF_H
#define WAIT_CLASS_BPF_H

#include "compat.bpf.h"

struct syscall_registers {
	__u64 second, first, number; /* rsi, rdi, orig_rax: neighbours in pt_regs */
};

/* What a descriptor of task is: PIPE, SOCKET, FILE or OTHER. */
static __always_inline __u32 descriptor_class(struct task_struct *task, __u64 descriptor)
{
	struct file *file = file_of(task, descriptor);
	__u32 type;

	if (!file)
		return PS_WAIT_OTHER;
	type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	if (type == S_IFSOCK)
		return PS_WAIT_SOCKET;
	if (type == S_IFIFO)
		return PS_WAIT_PIPE;
	return type == S_IFREG || type == S_IFDIR ? PS_WAIT_FILE : PS_WAIT_OTHER;
}

/* What a task that leaves the CPU waits for. */
static __always_inline void wait__classify(struct task_struct *task, struct ps_waits *waits)
{
	struct syscall_registers call;
	__u32 class = PS_WAIT_OTHER;
	const char *registers = compat__saved_registers(task);

	waits->syscall = PS_NO_SYSCALL;
	waits->class = PS_WAIT_PAGE_FAULT;
	if (bpf_probe_read_kernel(&call, sizeof(call), registers + offsetof(struct pt_regs, rsi)))
		return;
	if ((__s64)call.number < 0) /* entered by a fault or an interrupt, not by a call */
		return;
	if (compat__is_32_bit(task)) {
		waits->class = PS_WAIT_OTHER;
		return;
	}
	waits->syscall = call.number;
	switch (wait_kinds[call.number & (PS_SYSCALL_LIMIT - 1)]) {
	case PS_KIND_LOCK:
		class = PS_WAIT_LOCK;
		break;
	case PS_KIND_SLEEP:
		class = PS_WAIT_SLEEP;
		break;
	case PS_KIND_FILE:
		class = PS_WAIT_FILE;
		break;
	case PS_KIND_CHILD:
		class = PS_WAIT_CHILD;
		break;
	case PS_KIND_SOCKET:
		class = PS_WAIT_SOCKET;
		break;
	case PS_KIND_POLL:
		class = PS_WAIT_POLL;
		break;
	case PS_KIND_SELECT:
		class = call.first ? PS_WAIT_POLL : PS_WAIT_SLEEP;
		break;
	case PS_KIND_POLL_COUNT:
		class = call.second ? PS_WAIT_POLL : PS_WAIT_SLEEP;
		break;
	case PS_KIND_DESCRIPTOR:
		class = descriptor_class(task, call.first);
		break;
	}
	if (class == PS_WAIT_FILE && BPF_CORE_READ_BITFIELD(task, in_iowait))
		class = PS_WAIT_DISK;
	waits->class = class;
}

#endif
