/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between kernels, one accessor each. */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#include "maps.bpf.h"

#define PF_KTHREAD	  0x00200000
#define SIGNAL_GROUP_EXIT 0x00000004

/* x86-64 without KASAN and without FRED, as all kernels before 5.15 are. */
#define OLD_THREAD_SIZE 16384

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
