/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each quantum has used: takes what BPF tells of processes, at the ends of quanta and once a
 * slice, and writes rows of tables resource and counter. */
#ifndef CAPTURE_RESOURCES_H
#define CAPTURE_RESOURCES_H

#include "capture/perf_counters.h"
#include "capture/tracker.h"
#include "resource_sums.h"

struct resources;
struct recording_writer;

/* Borrowed: tracker and writer, which must outlive it. counters: in the order in which BPF counts
 * them. */
int resources__new(struct tracker *tracker, struct recording_writer *writer,
		   const struct perf_choice *counters, struct resources **ret_resources);
void resources__free(struct resources *resources); /* NULL is accepted */

/* Behind the event of the epoch that begins. */
int resources__on_event(struct resources *resources, const struct ps_resource_event *event);

/* Frees what is kept with a process. */
void resources__forget(struct process *process);

#endif
