/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one window of time has counted (alloc_windows.h). */
#ifndef CAPTURE_ALLOC_WINDOW_H
#define CAPTURE_ALLOC_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "alloc.h"

#define ALLOC_WINDOWS_PROCESSES 64

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

/* Moves the sums of the window's number out of the map alloc_sums; others are still being counted.
 * 0 or -ENOMEM. */
int alloc_window__take_sums(struct alloc_window *window, int map_fd);
/* Moves all blocks out of the map alloc_blocks: they were not freed. */
int alloc_window__take_blocks(struct alloc_window *window, int map_fd);
void alloc_window__free(struct alloc_window *window); /* NULL is accepted */

#endif
