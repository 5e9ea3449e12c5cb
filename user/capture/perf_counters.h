/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of perf events: which there are, which this machine has, and one of each on every CPU
 * for BPF to read. */
#ifndef CAPTURE_PERF_COUNTERS_H
#define CAPTURE_PERF_COUNTERS_H

#include <linux/perf_event.h>
#include <stddef.h>

#include "perf_events.h"

/* What `record` counts per quantum unless told otherwise. */
#define PERF_COUNTERS_DEFAULT                                                                      \
	"task_clock,cycles,instructions,llc_loads,llc_misses,branches,branch_misses"

struct recording_writer;

struct perf_choice {
	enum ps_perf_counter counters[PS_PERF_COUNT];
	size_t count;
};

const char *perf_counter__name(enum ps_perf_counter counter); /* static */

/* An event that counts, for perf_event_open(). */
struct perf_event_attr perf_counter__attr(enum ps_perf_counter counter);

/* Names with commas between them. -EINVAL: there is no such counter, or one is named twice:
 * *ret_at and *ret_size are its name. */
int perf_choice__parse(const char *list, struct perf_choice *ret_choice, const char **ret_at,
		       size_t *ret_size);

/* Leaves those that this machine can count; what it cannot goes to *ret_missing. Needs privileges.
 */
void perf_choice__split(struct perf_choice *choice, struct perf_choice *ret_missing);

/* Tells the recording what is counted, and what cannot be. */
int perf_choice__write(struct recording_writer *writer, const struct perf_choice *choice,
		       const struct perf_choice *missing);

struct perf_counters;

/* Opens the choice's events on all CPUs and puts them into a map (BPF_MAP_TYPE_PERF_EVENT_ARRAY) at
 * place in the choice * cpus + CPU. */
int perf_counters__start(const struct perf_choice *choice, int map_fd, int cpus,
			 struct perf_counters **ret_counters);
/* Looks for CPUs that have come or gone. NULL is accepted. */
int perf_counters__update(struct perf_counters *counters);
void perf_counters__free(struct perf_counters *counters); /* NULL is accepted */

#endif
