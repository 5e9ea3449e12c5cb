// SPDX-License-Identifier: GPL-2.0-or-later
/* The two ends of system calls. One program each for all sources, because each one attached costs
 * every call on the node: so they look at as little as they can, as early as they can. */
#include "compat.bpf.h"
#include "io.bpf.h"
#include "offcpu.bpf.h"
#include "quanta.bpf.h"
#include "waits.bpf.h"
#include "walker.bpf.h"

SEC("?tp_btf/sys_enter")
int BPF_PROG(syscall_enter, struct pt_regs *registers, long number)
{
	__u32 call;

	if (number < 0 || number >= PS_SYSCALL_LIMIT)
		return 0;
	call = io_calls[number & (PS_SYSCALL_LIMIT - 1)];
	if (call)
		io__begin(call, registers->rdi);
	return 0;
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
			io__end(call, registers->rdi, registers->rsi, result);
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
