/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process whose allocators are counted: the CPU time that it used, and what of it counting
 * cost. For alloc_windows.c. */
#ifndef CAPTURE_ALLOC_PROCESS_H
#define CAPTURE_ALLOC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "alloc.h"

/* Times in ns. */
struct alloc_process {
	pid_t pid;
	uint64_t cpu_ns; /* last known */
	uint64_t cpu_base; /* when it became one */
	uint64_t window_cpu, window_cost, window_hits; /* when the part began */
	uint64_t edge_cost; /* of setting breakpoints before it */
	struct ps_alloc_process seen; /* what cost_ns has */
	double cost_ns; /* of all hits, each at the price of its time */
	double stray_ns; /* the same of those where nothing is counted */
	uint64_t execs; /* programs that it had begun when its breakpoints were searched */
	uint64_t gap_cpu; /* its CPU time when it had breakpoints last */
	bool searched;
};

/* What each hit costs now. */
struct alloc_prices {
	int map_fd; /* of alloc_processes */
	double ns[PS_ALLOC_HITS];
};

/* Its CPU time now, or what it last was. */
uint64_t alloc_process__cpu(const struct alloc_process *process);

/* What counting has cost it until now; with strays: all that breakpoints have. */
uint64_t alloc_process__cost(struct alloc_process *process, const struct alloc_prices *prices);
double alloc_process__spent(struct alloc_process *process, const struct alloc_prices *prices);
/* Calls that were counted, when the cost was last asked for. */
uint64_t alloc_process__calls(const struct alloc_process *process);

/* Its CPU time until now (cpu_ns), or until it had breakpoints last. */
uint64_t alloc_process__counted_cpu(const struct alloc_process *process);
/* From now on it is counted: what it did without breakpoints is not the part's. */
void alloc_process__end_gap(struct alloc_process *process, const struct alloc_prices *prices);

#endif
