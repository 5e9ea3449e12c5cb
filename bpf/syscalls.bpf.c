// SPDX-License-Identifier: GPL-2.0-or-later
/* The two ends of system calls. One program each for all sources, because each one attached costs
 * every call on the node: so they look at as little as they can, as early as they can. */
#include "compat.bpf.h"
#include "io.bpf.h"
#include "mem.bpf.h"
#include "offcpu.bpf.h"
#include "quanta.bpf.h"
#include "waits.bpf.h"
#include "walker.bpf.h"

#define MAP_ANONYMOUS 0x20
#define F_SETLK	      6
#define F_SETLKW      7
#define F_OFD_SETLK   37
#define F_OFD_SETLKW  38

SEC("?tp_btf/sys_enter")
int BPF_PROG(syscall_enter, struct pt_regs *registers, long number)
{
	__u32 call;

	if (number < 0 || number >= PS_SYSCALL_LIMIT)
		return 0;
	call = io_calls[number & (PS_SYSCALL_LIMIT - 1)];
	if (call)
		io__begin(call, registers->rdi);
	if (knob_mem && mem__is_call(number))
		mem__begin(number, registers->rdi, registers->rsi);
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
	case PS_IO_BY_SENDFILE:
		*ret_call = PS_IO_CALL(op, PS_IO_BY_COPY);
		*ret_first = registers->rsi;
		*ret_second = registers->rdi;
		return true;
	}
	return true;
}

static __always_inline void end_call(__u32 call, struct pt_regs *registers, long result)
{
	__u64 first = registers->rdi, second = registers->rsi;
	__u32 sorted = call;

	if (PS_IO_CALL_HOW(call) == PS_IO_BY_DESCRIPTOR)
		second = PS_IO_AT_FILE;
	else if (PS_IO_CALL_HOW(call) > PS_IO_BY_MESSAGES &&
		 !sort_arguments(call, registers, &sorted, &first, &second))
		return;
	if (!io__end(sorted, first, second, result, registers->r8))
		return;
	if (PS_IO_CALL_HOW(sorted) == PS_IO_BY_COPY)
		io__end_other(second, PS_IO_COPY_TO, result);
	else if (PS_IO_CALL_OP(sorted) == PS_IO_OPEN && result >= 0)
		io__opened(result);
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

SEC("?tp_btf/sys_exit")
int BPF_PROG(syscall_exit, struct pt_regs *registers, long result)
{
	struct thread_state *state;
	__s64 number = registers->orig_rax;

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
		return 0;
	state = thread__find(compat__current());
	if (!state)
		return 0;
	waits__close_unseen(state);
	if (state->kept_ns)
		offcpu__emit_kept(WALKER_TRACEPOINT);
	return 0;
}
