/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding up a thread's waits. */
#ifndef WAITS_BPF_H
#define WAITS_BPF_H

#include "thread.bpf.h"

/* Adds to the sum of what the wait was for, or where there is no place left for that to its class:
 * once chosen, the place stays. */
static __always_inline bool add_detail(struct ps_waits *waits, __u64 key, __u64 ns)
{
	for (int i = 0; i < PS_WAIT_DETAILS; i++) {
		struct ps_wait_detail *detail = &waits->details[i];

		if (detail->count && detail->key != key)
			continue;
		detail->key = key;
		detail->ns += ns;
		detail->count++;
		return true;
	}
	count_event(PS_COUNTER_WAIT_DETAILS_FULL);
	return false;
}

static __always_inline void waits__add(struct ps_waits *waits, __u32 class, __u64 ns)
{
	if (waits->detail && !PS_WAIT_IS_READY(class) &&
	    add_detail(waits, PS_WAIT_KEY(class, waits->detail), ns))
		return;
	/* Here, as before Linux 5.16 the verifier forgets the bounds of what it has spilled. */
	HIDE_RANGE(class);
	if (class >= PS_WAIT_COUNT)
		return;
	waits->ns[class] += ns;
	waits->count[class]++;
}

/* The kernel now and then does not tell that a thread runs again. That wait is over all the same;
 * it is added up when the thread leaves the CPU, and what CPU time it had since is known. */
static __always_inline void waits__close_unseen(struct thread_state *state)
{
	struct ps_waits *waits = &state->waits;

	if (!waits->out_ns)
		return;
	count_event(PS_COUNTER_WAIT_END_UNSEEN);
	state->unseen_since_ns = waits->out_ns;
	state->unseen_wake_ns = waits->wake_ns;
	waits->out_ns = 0;
}

/* Of all the time since such a wait began, it waited when it had no CPU time. */
static __always_inline void waits__add_unseen(struct thread_state *state, __u64 now, __u64 cpu_ns)
{
	__u64 since = state->unseen_since_ns, waited = now - since, blocked;

	state->unseen_since_ns = 0;
	if (waited < cpu_ns - state->out_cpu_ns)
		return;
	waited -= cpu_ns - state->out_cpu_ns;
	blocked = state->unseen_wake_ns > since ? state->unseen_wake_ns - since : waited;
	if (PS_WAIT_IS_READY(state->waits.class))
		blocked = 0;
	else if (blocked > waited)
		blocked = waited;
	if (!PS_WAIT_IS_READY(state->waits.class))
		waits__add(&state->waits, state->waits.class, blocked);
	if (waited > blocked)
		waits__add(&state->waits, PS_WAIT_RUN_QUEUE, waited - blocked);
}

#endif
