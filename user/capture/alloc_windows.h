/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens windows of time in which allocators are counted, in a thread of its own, as often and as
 * long as the share of CPU time that this may cost allows. */
#ifndef CAPTURE_ALLOC_WINDOWS_H
#define CAPTURE_ALLOC_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/alloc_targets.h"
#include "capture/alloc_window.h"

struct alloc_windows;
struct pipescope_bpf;

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
	bool at_least; /* slow_down and calls: nearly all CPU time of the trial was its cost */
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

/* Closes the window that is open. Windows can still be taken. */
void alloc_windows__stop(struct alloc_windows *windows);

const struct alloc_function *alloc_windows__function(const struct alloc_windows *windows,
						     uint32_t number);

#endif
