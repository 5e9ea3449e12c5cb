/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One perf event per CPU, kept in step with CPUs that come and go. */
#ifndef CAPTURE_CPUS_H
#define CAPTURE_CPUS_H

#include <linux/perf_event.h>
#include <stdbool.h>

/* Called for a CPU that has come (online) or gone. 0 or a negative errno; -ENODEV for a CPU that
 * has gone again meanwhile is no error. */
typedef int cpus_change(void *context, int cpu, bool online);

struct cpus;

/* Calls change for each online CPU. */
int cpus__new(cpus_change *change, void *context, struct cpus **ret_cpus);
/* Looks again, and calls change for what differs. */
int cpus__update(struct cpus *cpus);
/* Calls change with online = false for each, and frees. NULL is accepted. */
void cpus__free(struct cpus *cpus);

/* perf_event_open for all processes on one CPU; the descriptor or a negative errno. */
int cpus__open_event(struct perf_event_attr *attr, int cpu);

#endif
