/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of running processes, or of the whole node, as perf_event_open() gives them: without BPF
 * and without a recording. */
#ifndef CAPTURE_LIVE_COUNTERS_H
#define CAPTURE_LIVE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "perf_events.h"

struct live_counters;

struct live_sum {
	bool supported; /* false: this CPU or kernel has no such counter */
	uint64_t value, enabled_ns, running_ns;
};

/* Of all threads of these processes, and what they start from now on. on_exec: counting begins
 * when the process, which is the only one, calls exec. -EACCES: not allowed; -ESRCH: a process is
 * gone; -EMFILE: too many threads. */
int live_counters__of_processes(const pid_t *pids, size_t pid_count, bool on_exec,
				struct live_counters **ret_counters);
/* Of all CPUs. */
int live_counters__of_node(struct live_counters **ret_counters);
void live_counters__free(struct live_counters *counters); /* NULL is accepted */

/* What was counted until now; by enum ps_perf_counter. */
int live_counters__read(const struct live_counters *counters, struct live_sum *ret_sums);

#endif
