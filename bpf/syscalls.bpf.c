// SPDX-License-Identifier: GPL-2.0-or-later
/* The two ends of system calls. One program each for all sources, because each one attached costs
 * every call on the node: so they look at as little as they can, as early as they can. */
#include "compat.bpf.h"
#include "io.bpf.h"
#include "mem.bpf.h"
#include "offcpu.bpf.h"
#include "opens.bpf.h"
#include "pythons.bpf.h"
#include "quanta.bpf.h"
#include "waits.bpf.h"
#include "walker.bpf.h"

#define MAP_ANONYMOUS	0x20
#define PROT_EXEC	4
#define F_DUPFD		0
#define F_SETLK		6
#define F_SETLKW	7
#define F_OFD_SETLK	37
#define F_OFD_SETLKW	38
#define F_DUPFD_CLOEXEC 1030

static __always_inline void enter(struct pt_regs *registers, long number)
{
	__u32 call;

	if (number < 0 || number >= PS_SYSCALL_LIMIT)
		return;
	call = io_calls[number & (PS_SYSCALL_LIMIT - 1)];
	if (PS_IO_CALL_OP(call))
		io__begin(call, registers->rdi);
	else if (PS_IO_CALL_HOW(call) == PS_IO_BY_DUP_TO)
		opens_replaced(registers->rdi, registers->rsi);
	if (knob_mem && mem__is_call(number))
		mem__begin(number, registers->rdi, registers->rsi);
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(syscall_enter, struct pt_regs *registers, long number)
{
	enter(registers, number);
	return 0;
}

/* The arguments of a call that names its file in another place than most; false: it is about no
 * file. BY_COPY: first, what is read; second, what is written. */
static __always_inline bool sort_arguments(__u32 call, struct pt_regs *registers, __u32 *ret_call,
					   __u64 *ret_first, __u64 *ret_second)
{
	__u32 op = PS_IO_CALL_OP(call);

	switch (PS_IO_CALL_HOW(call)) {
	case PS_IO_BY_SECOND_PATH:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_PATH);
		*ret_first = registers->rsi;
		return true;
	case PS_IO_BY_LAST_PATH_AT:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_PATH_AT);
		*ret_first = registers->rsi;
		*ret_second = registers->rdx;
		return true;
	case PS_IO_BY_MAP:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_DESCRIPTOR);
		*ret_first = registers->r8;
		return !(registers->r10 & MAP_ANONYMOUS);
	case PS_IO_BY_LOCK:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_DESCRIPTOR);
		return registers->rsi == F_SETLK || registers->rsi == F_SETLKW ||
		       registers->rsi == F_OFD_SETLK || registers->rsi == F_OFD_SETLKW;
	case PS_IO_BY_POSITION:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_DESCRIPTOR);
		*ret_second = registers->r10;
		return true;
	case PS_IO_BY_COPY:
		*ret_second = registers->rdx;
		return true;
	case PS_IO_BY_DUP:
	case PS_IO_BY_DUP_TO:
		return false;
	case PS_IO_BY_SENDFILE:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_COPY);
		*ret_first = registers->rsi;
		*ret_second = registers->rdi;
		return true;
	}
	return true;
}

static __always_inline bool is_duplication(__u32 call, struct pt_regs *registers)
{
	switch (PS_IO_CALL_HOW(call)) {
	case PS_IO_BY_LOCK:
		return registers->rsi == F_DUPFD || registers->rsi == F_DUPFD_CLOEXEC;
	case PS_IO_BY_DUP:
		return true;
	case PS_IO_BY_DUP_TO:
		return registers->rdi != registers->rsi;
	}
	return false;
}

static __always_inline void end_call(__u32 call, struct pt_regs *registers, long result)
{
	__u64 first = registers->rdi, second = registers->rsi, fifth = 0;
	__u32 sorted = call;

	if (PS_IO_CALL_HOW(call) == PS_IO_BY_DESCRIPTOR)
		second = PS_IO_AT_FILE;
	else if (PS_IO_CALL_HOW(call) > PS_IO_BY_MESSAGES &&
		 !sort_arguments(call, registers, &sorted, &first, &second)) {
		if (is_duplication(call, registers) && result >= 0)
			opens_duplicated(result);
		return;
	}
	if (PS_IO_CALL_HOW(call) == PS_IO_BY_MESSAGES) {
		fifth = result > 1 ? io__messages_alike(call, first, second, result) : 1;
	} else if (PS_IO_CALL_HOW(call) == PS_IO_BY_ADDRESS) {
		bool connects = PS_IO_CALL_OP(call) == PS_IO_CONNECT;

		second = connects ? registers->rsi : registers->r8;
		fifth = connects ? registers->rdx : registers->r9;
	}
	if (!io__end(sorted, first, second, result, fifth))
		return;
	if (PS_IO_CALL_HOW(sorted) == PS_IO_BY_COPY)
		io__end_other(second, PS_IO_COPY_TO, result, 0);
	else if (PS_IO_CALL_HOW(sorted) == PS_IO_BY_MESSAGES && result > (long)fifth)
		io__end_messages(call, first, second + fifth * IO_MESSAGE_SIZE, result - fifth);
	else if (PS_IO_CALL_OP(sorted) == PS_IO_OPEN && result >= 0)
		io__opened(result);
	else if (PS_IO_CALL_OP(sorted) == PS_IO_MAP && result >= 0)
		opens_mapped(first);
}

/* rename(old, new), renameat(old's directory, old, new's directory, new) */
static __always_inline void tell_rename(__u32 call, struct pt_regs *registers)
{
	struct thread_state *state = thread__find(compat__current());
	bool has_directories = PS_IO_CALL_HOW(call) == PS_IO_BY_PATH_AT;

	if (state && state->path_hash)
		io_renamed(state->path_hash,
			   has_directories ? (__s32)registers->rdx : IO_WORKING_DIRECTORY,
			   has_directories ? registers->r10 : registers->rsi);
}

static __always_inline void leave(struct pt_regs *registers, long result)
{
	struct thread_state *state;
	__s64 number = registers->orig_rax;

	if (number == NR_MMAP && result > 0 && registers->rdx & PROT_EXEC &&
	    !(registers->r10 & MAP_ANONYMOUS))
		pythons__at_mmap(registers->r8, result, registers->r9);

	if (knob_quanta && number >= 0 && number < PS_SYSCALL_LIMIT) {
		__u32 call = quantum_calls[number & (PS_SYSCALL_LIMIT - 1)];

		if (call && quantum__is_boundary(call, registers->rdi) &&
		    quantum__at_call(WALKER_TRACEPOINT))
			quantum__show(WALKER_TRACEPOINT);
	}

	if (knob_io && number >= 0 && number < PS_SYSCALL_LIMIT) {
		__u32 call = io_calls[number & (PS_SYSCALL_LIMIT - 1)];

		if (call)
			end_call(call, registers, result);
		if (PS_IO_CALL_OP(call) == PS_IO_RENAME && !result)
			tell_rename(call, registers);
	}
	if (knob_mem && mem__is_call(number)) {
		if (number == NR_MMAP)
			mem__end(number, registers->rsi, registers->rdx, registers->r10, result);
		else
			mem__end(number, registers->rdi, registers->rsi, registers->rdx, result);
	}
	if (!knob_offcpu)
		return;
	state = thread__find(compat__current());
	if (!state)
		return;
	waits__close_unseen(state);
	if (state->kept_ns || state->held_ns)
		offcpu__emit_kept(WALKER_TRACEPOINT);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(syscall_exit, struct pt_regs *registers, long result)
{
	leave(registers, result);
	return 0;
}

/* Since Linux 7.0 tasks can be preempted in the tracepoints of system calls, and then the kernel
 * leaves out the programs above, on that CPU, for all others. What perf makes of the same
 * tracepoints keeps the CPU, and costs more. */
struct enter_event {
	__u64 common;
	__s64 number;
};

struct exit_event {
	__u64 common;
	__s64 number, result;
};

SEC("?tp/raw_syscalls/sys_enter")
int syscall_enter_p(struct enter_event *event)
{
	enter((void *)bpf_task_pt_regs(bpf_get_current_task_btf()), event->number);
	return 0;
}

SEC("?tp/raw_syscalls/sys_exit")
int syscall_exit_p(struct exit_event *event)
{
	leave((void *)bpf_task_pt_regs(bpf_get_current_task_btf()), event->result);
	return 0;
}
