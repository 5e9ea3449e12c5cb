/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens windows of time in which allocators are counted, in a thread of its own, as often and as
 * long as the share of CPU time that this may cost allows. */
#ifndef CAPTURE_ALLOC_WINDOWS_H
#define CAPTURE_ALLOC_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "alloc.h"
#include "capture/alloc_targets.h"

#define ALLOC_WINDOWS_PROCESSES 64

struct alloc_windows;
struct pipescope_bpf;

/* What a window was for one process. */
struct alloc_window_process {
	pid_t pid;
	uint64_t cpu_ns; /* that it used, the cost included */
	uint64_t cost_ns; /* of that, what counting cost */
	uint64_t edge_ns; /* cost while breakpoints were set before it, and taken away behind */
	uint64_t hits;
	uint64_t held_peak; /* bytes */
};

struct alloc_window_sum {
	struct ps_alloc_key key;
	struct ps_alloc_sum sum;
	uint64_t kept, kept_bytes; /* given since the breakpoints were set, not freed at their end
				    */
};

struct alloc_window {
	uint32_t number; /* from 1 */
	uint64_t start_ns, end_ns; /* CLOCK_MONOTONIC */
	bool closed; /* the breakpoints were taken away at its end */
	struct alloc_window_process processes[ALLOC_WINDOWS_PROCESSES];
	size_t process_count;
	struct alloc_window_sum *sums;
	size_t sum_count, sum_capacity;
	struct ps_alloc_block *sampled; /* of the kept ones */
	size_t sampled_count, sampled_capacity;
	struct alloc_window *next;
};

enum alloc_state {
	ALLOC_WAITING, /* for a process with allocators */
	ALLOC_PREDICTED, /* the trial is over; goes on when that was said */
	ALLOC_ALWAYS, /* the window stays open */
	ALLOC_THINNED, /* open for a part of the time */
	ALLOC_STOPPED, /* cannot be thinned out enough */
	ALLOC_FAILED
};

struct alloc_notice {
	enum alloc_state state;
	double slow_down; /* percent: what an open window costs of the processes' own CPU time */
	double predicted; /* percent: what it will cost on the whole */
	double share; /* percent of the time that windows will be open */
	double trial_s;
	double calls; /* per second of the processes' own CPU time */
	int error; /* FAILED */
};

/* bpf is borrowed, loaded, with the programs of this source. max_overhead: percent. */
int alloc_windows__new(struct pipescope_bpf *bpf, double max_overhead, bool python,
		       struct alloc_windows **ret_windows);
/* Ends the thread; no breakpoint is left. NULL is accepted. */
void alloc_windows__free(struct alloc_windows *windows);

/* Who is looked at from now on, ALLOC_WINDOWS_PROCESSES at most. */
void alloc_windows__set_processes(struct alloc_windows *windows, const pid_t *pids, size_t count);

/* True once for each change of the state. */
bool alloc_windows__notice(struct alloc_windows *windows, struct alloc_notice *ret_notice);

/* The next window that is over, in their order; NULL: none. The caller frees it. */
struct alloc_window *alloc_windows__take(struct alloc_windows *windows);
void alloc_window__free(struct alloc_window *window); /* NULL is accepted */

/* Closes the window that is open. Windows can still be taken. */
void alloc_windows__stop(struct alloc_windows *windows);

const struct alloc_function *alloc_windows__function(const struct alloc_windows *windows,
						     uint32_t number);

/* --- how much may be spent; no thread, no clock */

/* CPU time of all processes and what of it was spent, ns. */
struct alloc_budget {
	double limit; /* of the processes' own time; 0.2: a fifth */
	double cpu_ns, spent_ns;
	double most_ns; /* that may have been spent: what counts for the limit */
	double forgone_ns; /* not spent while it could be */
};

/* What may still be spent. */
double alloc_budget__left(const struct alloc_budget *budget);
/* No more than credit_ns is saved: who has computed for an hour would pay for it in minutes. */
void alloc_budget__forgo(struct alloc_budget *budget, double credit_ns);
/* The share of the time in which an open window, which makes processes slower by slow_down (1:
 * twice as slow), costs them limit on the whole; 1: always. */
double alloc_budget__share(double slow_down, double limit);

#endif
