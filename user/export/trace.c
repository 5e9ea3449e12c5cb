// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "export/track_event.pb-c.h"
#include "report/printable.h"

#define SEQUENCE_ID	 1 /* we are the only writer */
#define NO_EARLIER_STATE 1 /* of sequence_flags */

struct trace {
	FILE *stream;
	int64_t start_ns;
	trace_track tracks; /* the last that was made */
	bool begun;
	uint8_t *buffer;
	size_t capacity;
};

int trace__new(FILE *stream, int64_t start_ns, struct trace **ret_trace)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return -ENOMEM;
	trace->stream = stream;
	trace->start_ns = start_ns;
	*ret_trace = trace;
	return 0;
}

void trace__free(struct trace *trace)
{
	if (!trace)
		return;
	free(trace->buffer);
	free(trace);
}

/* A trace is one message of packets: encoded ones that follow each other are one with all of them.
 */
static int write_packet(struct trace *trace, Perfetto__TracePacket *packet)
{
	Perfetto__Trace piece = PERFETTO__TRACE__INIT;
	size_t size;
	int error;

	packet->optional_trusted_packet_sequence_id_case =
		PERFETTO__TRACE_PACKET__OPTIONAL_TRUSTED_PACKET_SEQUENCE_ID_TRUSTED_PACKET_SEQUENCE_ID;
	packet->trusted_packet_sequence_id = SEQUENCE_ID;
	packet->has_sequence_flags = !trace->begun;
	packet->sequence_flags = NO_EARLIER_STATE;
	trace->begun = true;
	piece.n_packet = 1;
	piece.packet = &packet;
	size = perfetto__trace__get_packed_size(&piece);
	error = array__reserve(&trace->buffer, &trace->capacity, 1, size);
	if (error)
		return error;
	perfetto__trace__pack(&piece, trace->buffer);
	return fwrite(trace->buffer, 1, size, trace->stream) == size ? 0 : -EIO;
}

/* --- Tracks. */

static int write_track(struct trace *trace, Perfetto__TrackDescriptor *track,
		       trace_track *ret_track)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;
	int error;

	track->has_uuid = true;
	track->uuid = trace->tracks + 1;
	packet.data_case = PERFETTO__TRACE_PACKET__DATA_TRACK_DESCRIPTOR;
	packet.track_descriptor = track;
	error = write_packet(trace, &packet);
	if (!error)
		*ret_track = ++trace->tracks;
	return error;
}

int trace__process(struct trace *trace, int64_t pid, const char *name, const char *command,
		   trace_track *ret_track)
{
	_cleanup_free_ char *valid_name = printable__utf8(name);
	_cleanup_free_ char *valid_command = printable__utf8(command);
	Perfetto__ProcessDescriptor process = PERFETTO__PROCESS_DESCRIPTOR__INIT;
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;

	if (!valid_name || !valid_command)
		return -ENOMEM;
	process.has_pid = true;
	process.pid = (int32_t)pid;
	process.process_name = valid_name;
	process.n_cmdline = 1;
	process.cmdline = &valid_command;
	track.process = &process;
	return write_track(trace, &track, ret_track);
}

int trace__thread(struct trace *trace, int64_t pid, int64_t tid, const char *name,
		  trace_track *ret_track)
{
	_cleanup_free_ char *valid_name = printable__utf8(name);
	Perfetto__ThreadDescriptor thread = PERFETTO__THREAD_DESCRIPTOR__INIT;
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;

	if (!valid_name)
		return -ENOMEM;
	thread.has_pid = thread.has_tid = true;
	thread.pid = (int32_t)pid;
	thread.tid = (int32_t)tid;
	thread.thread_name = valid_name;
	track.thread = &thread;
	return write_track(trace, &track, ret_track);
}

static int write_named(struct trace *trace, Perfetto__TrackDescriptor *track, trace_track parent,
		       const char *name, trace_track *ret_track)
{
	_cleanup_free_ char *valid_name = printable__utf8(name);

	if (!valid_name)
		return -ENOMEM;
	track->has_parent_uuid = parent != 0;
	track->parent_uuid = parent;
	track->static_or_dynamic_name_case =
		PERFETTO__TRACK_DESCRIPTOR__STATIC_OR_DYNAMIC_NAME_NAME;
	track->name = valid_name;
	return write_track(trace, track, ret_track);
}

int trace__child(struct trace *trace, trace_track parent, const char *name, trace_track *ret_track)
{
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;

	return write_named(trace, &track, parent, name, ret_track);
}

int trace__counter(struct trace *trace, trace_track parent, const char *name, enum metric_unit unit,
		   trace_track *ret_track)
{
	static const Perfetto__CounterDescriptor__Unit units[] = {
		[UNIT_COUNT] = PERFETTO__COUNTER_DESCRIPTOR__UNIT__UNIT_COUNT,
		[UNIT_NANOSECONDS] = PERFETTO__COUNTER_DESCRIPTOR__UNIT__UNIT_TIME_NS,
		[UNIT_BYTES] = PERFETTO__COUNTER_DESCRIPTOR__UNIT__UNIT_SIZE_BYTES,
	};
	Perfetto__CounterDescriptor counter = PERFETTO__COUNTER_DESCRIPTOR__INIT;
	Perfetto__TrackDescriptor track = PERFETTO__TRACK_DESCRIPTOR__INIT;

	counter.has_unit = true;
	counter.unit = units[unit];
	track.counter = &counter;
	return write_named(trace, &track, parent, name, ret_track);
}

/* --- Events. */

static int write_event(struct trace *trace, trace_track track, int64_t time_ns,
		       Perfetto__TrackEvent__Type type, Perfetto__TrackEvent *event)
{
	Perfetto__TracePacket packet = PERFETTO__TRACE_PACKET__INIT;
	int64_t time = trace->start_ns + time_ns;

	event->has_type = event->has_track_uuid = true;
	event->type = type;
	event->track_uuid = track;
	packet.has_timestamp = true;
	packet.timestamp = time > 0 ? (uint64_t)time : 0;
	packet.data_case = PERFETTO__TRACE_PACKET__DATA_TRACK_EVENT;
	packet.track_event = event;
	return write_packet(trace, &packet);
}

static int write_begin(struct trace *trace, trace_track track, const char *name, int64_t time_ns,
		       const struct trace_note *notes, size_t note_count)
{
	Perfetto__DebugAnnotation values[TRACE_MAX_NOTES], *list[TRACE_MAX_NOTES];
	Perfetto__TrackEvent event = PERFETTO__TRACK_EVENT__INIT;
	char *texts[TRACE_MAX_NOTES] = {0};
	int error = 0;

	for (size_t i = 0; i < note_count; i++) {
		perfetto__debug_annotation__init(&values[i]);
		list[i] = &values[i];
		values[i].name_field_case = PERFETTO__DEBUG_ANNOTATION__NAME_FIELD_NAME;
		values[i].name = (char *)notes[i].name;
		values[i].value_case = PERFETTO__DEBUG_ANNOTATION__VALUE_INT_VALUE;
		values[i].int_value = notes[i].number;
		if (!notes[i].text)
			continue;
		texts[i] = printable__utf8(notes[i].text);
		if (!texts[i])
			error = -ENOMEM;
		values[i].value_case = PERFETTO__DEBUG_ANNOTATION__VALUE_STRING_VALUE;
		values[i].string_value = texts[i];
	}
	event.n_debug_annotations = note_count;
	event.debug_annotations = list;
	event.name_field_case = PERFETTO__TRACK_EVENT__NAME_FIELD_NAME;
	event.name = (char *)name;
	if (!error)
		error = write_event(trace, track, time_ns,
				    PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN, &event);
	for (size_t i = 0; i < note_count; i++)
		free(texts[i]);
	return error;
}

int trace__slice(struct trace *trace, trace_track track, const char *name, int64_t start_ns,
		 int64_t end_ns, const struct trace_note *notes, size_t note_count)
{
	_cleanup_free_ char *valid_name = printable__utf8(name);
	Perfetto__TrackEvent end = PERFETTO__TRACK_EVENT__INIT;
	int error;

	if (!valid_name)
		return -ENOMEM;
	error = write_begin(trace, track, valid_name, start_ns, notes, note_count);
	return error ? error
		     : write_event(trace, track, end_ns,
				   PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_END, &end);
}

int trace__value(struct trace *trace, trace_track counter, int64_t time_ns, int64_t value)
{
	Perfetto__TrackEvent event = PERFETTO__TRACK_EVENT__INIT;

	event.counter_value_field_case = PERFETTO__TRACK_EVENT__COUNTER_VALUE_FIELD_COUNTER_VALUE;
	event.counter_value = value;
	return write_event(trace, counter, time_ns, PERFETTO__TRACK_EVENT__TYPE__TYPE_COUNTER,
			   &event);
}
