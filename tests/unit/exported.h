/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings through exporters, and what the tests read back from their output. */
#ifndef TESTS_EXPORTED_H
#define TESTS_EXPORTED_H

#include "unit/fixture.h"

#include <errno.h>
#include <math.h>
#include <zlib.h>

#include "export/exporter.h"
#include "export/profile.pb-c.h"
#include "export/track_event.pb-c.h"

struct printed {
	char *text;
	size_t size;
};

/* by, metric: NULL: what the format means then. */
static inline struct query_request export_request(const char *format, const char *by,
						  const char *const *where, const char *metric)
{
	struct query_request request = fixture__request(by ? by : "", where, metric);

	assert_non_null(exporter__find(format));
	exporter__find(format)->complete(&request);
	return request;
}

static inline void export_to(struct printed *printed, struct fixture *fixture, const char *format,
			     const char *by, const char *const *where, const char *metric)
{
	struct query_request request = export_request(format, by, where, metric);
	const char *refusal = exporter__find(format)->refusal(&request);
	FILE *stream;

	if (refusal)
		fail_msg("%s: %s", format, refusal);
	*printed = (struct printed){0};
	stream = open_memstream(&printed->text, &printed->size);
	assert_non_null(stream);
	assert_int_equal(exporter__find(format)->write(stream, fixture->tables, &request), 0);
	assert_int_equal(fclose(stream), 0);
}

/* What the report says is the sum. */
static inline double reported_total(struct fixture *fixture, const char *const *where,
				    const char *metric)
{
	/* What is known by stacks only has no table of tasks. */
	const char *by = strcmp(metric, "held") ? "task" : "stack";
	struct query_request request = fixture__request(by, where, metric);
	struct query *query = NULL;
	double total = 0;

	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	for (size_t i = 0; i < query__row_count(query); i++)
		total += query__measure(query, &query__row(query, i)->own);
	query__free(query);
	return total;
}

/* In place of the compressed bytes. */
static inline void decompress(struct printed *printed)
{
	z_stream state = {.next_in = (unsigned char *)printed->text,
			  .avail_in = (uInt)printed->size};
	size_t capacity = 1 << 24;
	char *plain = malloc(capacity);

	assert_non_null(plain);
	assert_int_equal(inflateInit2(&state, 15 + 16), Z_OK);
	state.next_out = (unsigned char *)plain;
	state.avail_out = (uInt)capacity;
	assert_int_equal(inflate(&state, Z_FINISH), Z_STREAM_END);
	assert_int_equal(state.avail_in, 0);
	free(printed->text);
	printed->text = plain;
	printed->size = state.total_out;
	inflateEnd(&state);
}

static inline Pprof__Profile *pprof_of(struct printed *printed)
{
	Pprof__Profile *profile;

	decompress(printed);
	profile = pprof__profile__unpack(NULL, printed->size, (uint8_t *)printed->text);
	assert_non_null(profile);
	return profile;
}

static inline const Perfetto__TrackDescriptor *track_of(const Perfetto__Trace *trace, uint64_t uuid)
{
	for (size_t i = 0; i < trace->n_packet; i++)
		if (trace->packet[i]->data_case == PERFETTO__TRACE_PACKET__DATA_TRACK_DESCRIPTOR &&
		    trace->packet[i]->track_descriptor->uuid == uuid)
			return trace->packet[i]->track_descriptor;
	fail_msg("there is no track %llu", (unsigned long long)uuid);
	return NULL;
}

static inline Perfetto__Trace *trace_of(const struct printed *printed)
{
	Perfetto__Trace *trace =
		perfetto__trace__unpack(NULL, printed->size, (const uint8_t *)printed->text);

	assert_non_null(trace);
	return trace;
}

#endif
