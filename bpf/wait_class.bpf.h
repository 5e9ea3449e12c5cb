/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task that is off the CPU waits for: by the system call it is in, and by what that call's
 * descriptor is. */
#ifndef WAIT_CLASS_BPF_H
#define WAIT_CLASS_BPF_H

#include "compat.bpf.h"
#include "remote.bpf.h"

struct syscall_registers {
	__u64 second, first, number; /* rsi, rdi, orig_rax: neighbours in pt_regs */
};

/* What a descriptor of task is: PIPE, SOCKET, FILE or OTHER. */
static __always_inline __u32 class_of(struct file *file)
{
	__u32 type = file ? BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT : 0;

	if (type == S_IFSOCK)
		return PS_WAIT_SOCKET;
	if (type == S_IFIFO)
		return PS_WAIT_PIPE;
	return type == S_IFREG || type == S_IFDIR ? PS_WAIT_FILE : PS_WAIT_OTHER;
}

static __always_inline __u64 detail_of(struct file *file, __u32 slot)
{
	__u64 hash = remote__of_file((__u64)file, slot);

	if (hash)
		remote__tell(hash, slot);
	return hash;
}

struct poll_descriptor {
	__s32 descriptor;
	__s16 events, revents;
};

/* The socket that a poll of one descriptor waits for; NULL: something else. Only of current: nobody
 * else's memory can be read. */
static __always_inline struct file *polled_socket(struct task_struct *task, __u64 address,
						  __u64 count)
{
	struct poll_descriptor one;
	struct file *file;

	if (count != 1 || bpf_probe_read_user(&one, sizeof(one), (const void *)address))
		return NULL;
	file = one.descriptor < 0 ? NULL : file_of(task, one.descriptor);
	return class_of(file) == PS_WAIT_SOCKET ? file : NULL;
}

/* What a call on a socket or an unknown descriptor waits for. */
static __always_inline __u32 wait__of_descriptor(struct task_struct *task, struct ps_waits *waits,
						 __u32 kind, const struct syscall_registers *call,
						 __u32 slot)
{
	struct file *file = NULL;
	__u32 class;

	if (kind == PS_KIND_POLL_COUNT) {
		if (!call->second)
			return PS_WAIT_SLEEP;
		if (slot == REMOTE_SWITCH)
			file = polled_socket(task, call->first, call->second);
		if (!file)
			return PS_WAIT_POLL;
		waits->detail = detail_of(file, slot);
		return PS_WAIT_SOCKET;
	}
	file = file_of(task, call->first);
	class = kind == PS_KIND_SOCKET ? PS_WAIT_SOCKET : class_of(file);
	if (class == PS_WAIT_SOCKET)
		waits->detail = detail_of(file, slot);
	return class;
}

/* What a task that leaves the CPU waits for; slot: of whom it is that asks. */
static __always_inline void wait__classify(struct task_struct *task, struct ps_waits *waits,
					   __u32 slot)
{
	struct syscall_registers call;
	__u32 class = PS_WAIT_OTHER, kind;
	const char *registers = compat__saved_registers(task);

	waits->detail = 0;
	waits->class = PS_WAIT_PAGE_FAULT;
	if (bpf_probe_read_kernel(&call, sizeof(call), registers + offsetof(struct pt_regs, rsi)))
		return;
	if ((__s64)call.number < 0) /* entered by a fault or an interrupt, not by a call */
		return;
	if (compat__is_32_bit(task)) {
		waits->class = PS_WAIT_OTHER;
		return;
	}
	kind = wait_kinds[call.number & (PS_SYSCALL_LIMIT - 1)];
	switch (kind) {
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
	case PS_KIND_POLL:
		class = PS_WAIT_POLL;
		break;
	case PS_KIND_SELECT:
		class = call.first ? PS_WAIT_POLL : PS_WAIT_SLEEP;
		break;
	case PS_KIND_SOCKET:
	case PS_KIND_POLL_COUNT:
	case PS_KIND_DESCRIPTOR:
		class = wait__of_descriptor(task, waits, kind, &call, slot);
		break;
	}
	if (class == PS_WAIT_OTHER)
		waits->detail = 1 + (call.number & PS_WAIT_DETAIL_MASK);
	if (class == PS_WAIT_FILE && BPF_CORE_READ_BITFIELD(task, in_iowait))
		class = PS_WAIT_DISK;
	waits->class = class;
}

#endif
