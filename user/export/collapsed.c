// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/collapsed.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/query.h"
#include "report/printable.h"

/* A frame must neither end the line nor look like two frames. */
static char *frame_text(const char *label)
{
	char *text = printable__of(label);

	for (char *at = text; at && *at; at++)
		if (*at == ';')
			*at = ':';
	return text;
}

struct exporting {
	FILE *stream;
	struct tables *tables;
	char **frames; /* per shown stack: its innermost frame; made when first needed */
};

static int print_frame(struct exporting *exporting, uint32_t shown)
{
	char **frame = &exporting->frames[shown];

	if (!*frame)
		*frame = frame_text(exporting->tables->shown_labels[shown]);
	if (!*frame)
		return -ENOMEM;
	fputc(';', exporting->stream);
	fputs(*frame, exporting->stream);
	return 0;
}

static int print_stack(struct exporting *exporting, uint64_t value)
{
	uint32_t path[TABLES_MAX_DEPTH];
	size_t depth = 0;
	int error = 0;

	if (value == VALUE_UNKNOWN || value == VALUE_NOT_SAMPLED) {
		fputs(value == VALUE_UNKNOWN ? ";(unknown)" : ";(not sampled)", exporting->stream);
		return 0;
	}
	for (uint32_t at = (uint32_t)value; at != NO_INDEX;
	     at = (uint32_t)tuple_set__at(exporting->tables->shown, at)[0])
		path[depth++] = at;
	while (depth && !error)
		error = print_frame(exporting, path[--depth]);
	return error;
}

/* What was waited for or done, as if it were called: "[lock]". */
static int print_item(struct exporting *exporting, uint64_t value)
{
	char *text = frame_text((const char *)(uintptr_t)value);

	if (!text)
		return -ENOMEM;
	fprintf(exporting->stream, ";[%s]", text);
	free(text);
	return 0;
}

static bool is_time(const struct metric *metric)
{
	return metric->value == METRIC_CPU || metric->value == METRIC_OFFCPU ||
	       metric->value == METRIC_IO_TIME;
}

static int print_line(struct exporting *exporting, const struct query *query,
		      const struct query_row *row)
{
	const struct query_request *request = query__request(query);
	double measure = query__measure(query, &row->own);
	long long count = llround(is_time(request->metric) ? measure / 1e3 : measure);
	char *task;
	int error;

	if (count <= 0)
		return 0;
	task = frame_text((const char *)(uintptr_t)query__value(query, row, 0));
	if (!task)
		return -ENOMEM;
	fputs(task, exporting->stream);
	free(task);
	error = print_stack(exporting, query__value(query, row, 1));
	if (!error && request->key_count > 2)
		error = print_item(exporting, query__value(query, row, 2));
	fprintf(exporting->stream, " %lld\n", count);
	return error;
}

int collapsed__print(FILE *stream, struct tables *tables, const struct metric *metric)
{
	struct query_request request = {.metric = metric, .key_count = 2};
	struct exporting exporting = {.stream = stream, .tables = tables};
	struct query *query;
	size_t shown;
	int error;

	request.keys[0] = key__find("task");
	request.keys[1] = key__find("stack");
	if (metric->source != SOURCE_CPU)
		request.keys[request.key_count++] =
			key__find(metric->source == SOURCE_OFFCPU ? "wait" : "op");
	error = query__run(tables, &request, &query);
	if (error)
		return error;
	shown = tuple_set__count(tables->shown);
	exporting.frames = calloc(shown + 1, sizeof(*exporting.frames));
	if (!exporting.frames)
		error = -ENOMEM;
	for (size_t i = 0; i < query__row_count(query) && !error && !ferror(stream); i++)
		error = print_line(&exporting, query, query__row(query, i));
	for (size_t i = 0; exporting.frames && i < shown; i++)
		free(exporting.frames[i]);
	free(exporting.frames);
	query__free(query);
	return error ? error : ferror(stream) ? -EIO : 0;
}
