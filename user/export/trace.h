/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Perfetto's trace, packet after packet: tracks, and slices and counters on them. Texts may be any
 * bytes. Times are nanoseconds since the recording's start. */
#ifndef EXPORT_TRACE_H
#define EXPORT_TRACE_H

#include <stdint.h>
#include <stdio.h>

#include "model/keys.h"
#include "model/metrics.h"

struct trace;

/* Of what a track is; 0: of the whole node. */
typedef uint64_t trace_track;

#define TRACE_MAX_NOTES 8

/* Text or number beside a slice's name. */
struct trace_note {
	const char *name; /* static */
	const char *text; /* NULL: it is a number */
	int64_t number;
};

/* start_ns: of the recording, on the clock since boot. -ENOMEM. */
int trace__new(FILE *stream, int64_t start_ns, struct trace **ret_trace);
void trace__free(struct trace *trace); /* NULL is accepted */

/* Each makes a new track. -ENOMEM, -EIO: the stream failed. */
int trace__process(struct trace *trace, int64_t pid, const char *name, const char *command,
		   trace_track *ret_track);
int trace__thread(struct trace *trace, int64_t pid, int64_t tid, const char *name,
		  trace_track *ret_track);
int trace__child(struct trace *trace, trace_track parent, const char *name, trace_track *ret_track);
int trace__counter(struct trace *trace, trace_track parent, const char *name, enum metric_unit unit,
		   trace_track *ret_track);

int trace__slice(struct trace *trace, trace_track track, const char *name, int64_t start_ns,
		 int64_t end_ns, const struct trace_note *notes, size_t note_count);
int trace__value(struct trace *trace, trace_track counter, int64_t time_ns, int64_t value);

#endif
