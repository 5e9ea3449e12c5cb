/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding up a thread's waits. */
#ifndef WAITS_BPF_H
#define WAITS_BPF_H

#include "thread.bpf.h"

static __always_inline void add_other(struct ps_waits *waits, __u64 ns)
{
	for (int i = 0; i < PS_WAIT_OTHERS; i++) {
		if (!waits->others[i].count)
			waits->others[i].syscall =
				i == PS_WAIT_OTHERS - 1 ? PS_NO_SYSCALL : waits->syscall;
		if (i < PS_WAIT_OTHERS - 1 && waits->others[i].syscall != waits->syscall)
			continue;
		waits->others[i].count++;
		waits->others[i].ns += ns;
		return;
	}
}

static __always_inline void waits__add(struct ps_waits *waits, __u32 class, __u64 ns)
{
	if (class >= PS_WAIT_COUNT)
		return;
	waits->ns[class] += ns;
	waits->count[class]++;
	if (class == PS_WAIT_OTHER)
		add_other(waits, ns);
}

/* The kernel now and then does not tell that a thread runs again. What it waited until it was woken
 * is known all the same; how long it stood in the run queue is not. */
static __always_inline void waits__close_missed(struct ps_waits *waits)
{
	__u64 since = waits->out_ns;

	if (!since)
		return;
	waits->out_ns = 0;
	barrier();
	if (waits->wake_ns > since)
		waits__add(waits, waits->class, waits->wake_ns - since);
}

#endif
