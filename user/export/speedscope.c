// SPDX-License-Identifier: GPL-2.0-or-later
/* speedscope's JSON: one profile per group, of stacks with weights. The format:
 * https://www.speedscope.app/file-format-schema.json */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "export/exporter.h"
#include "export/row_stacks.h"
#include "report/printable.h"

/* ASCII, because a terminal obeys some characters behind it; "</" would end a script of HTML. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH | JSON_ENCODE_ANY)

struct exporting {
	FILE *stream;
	struct row_stacks *stacks;
	const struct query_request *request;
	int64_t *weights; /* per row of the batch */
	size_t profiles; /* that were printed */
};

static int print_text(FILE *stream, const char *text)
{
	_cleanup_free_ char *valid = printable__utf8(text);
	json_t *value = valid ? json_string(valid) : NULL;
	int error;

	if (!value)
		return -ENOMEM;
	error = json_dumpf(value, stream, DUMP_FLAGS) ? -EIO : 0;
	json_decref(value);
	return error;
}

static int print_named(FILE *stream, const char *before, const char *text)
{
	fputs(before, stream);
	return print_text(stream, text);
}

/* Samples of a group, or their weights: the format wants one array behind the other. */
static int print_samples(struct exporting *exporting, size_t from, size_t to)
{
	bool first = true;
	int error = 0;

	for (size_t i = from; i < to && !error; i++) {
		const uint32_t *frames;
		size_t depth = 0;

		if (!exporting->weights[i])
			continue;
		error = row_stacks__frames(exporting->stacks, i, &frames, &depth);
		fputs(first ? "[" : ",[", exporting->stream);
		first = false;
		for (size_t k = 0; k < depth; k++)
			fprintf(exporting->stream, "%s%u", k ? "," : "", frames[k]);
		fputc(']', exporting->stream);
	}
	return error;
}

static void print_weights(struct exporting *exporting, size_t from, size_t to)
{
	bool first = true;

	for (size_t i = from; i < to; i++) {
		if (!exporting->weights[i])
			continue;
		fprintf(exporting->stream, "%s%lld", first ? "" : ",",
			(long long)exporting->weights[i]);
		first = false;
	}
}

static int print_group_name(struct exporting *exporting, size_t position)
{
	size_t keys = row_stacks__group_key_count(exporting->stacks), size = 0;
	_cleanup_free_ char *joined = NULL;
	FILE *text = open_memstream(&joined, &size);
	int error = text ? 0 : -ENOMEM;

	for (size_t i = 0; i < keys && !error; i++) {
		_cleanup_free_ char *part = NULL;

		error = row_stacks__group_text(exporting->stacks, position, i, &part);
		if (!error)
			fprintf(text, "%s%s", i ? ", " : "", part);
	}
	if (text && !keys)
		fputs("all", text);
	if (text && fclose(text))
		error = -ENOMEM;
	return error ? error : print_named(exporting->stream, "\"name\":", joined);
}

static const char *unit_name(const struct metric *metric)
{
	static const char *const names[] = {
		[UNIT_COUNT] = "none", [UNIT_NANOSECONDS] = "nanoseconds", [UNIT_BYTES] = "bytes"};

	return names[metric__unit(metric)];
}

static int print_profile(struct exporting *exporting, size_t from, size_t to)
{
	int64_t total = 0;
	int error;

	for (size_t i = from; i < to; i++)
		total += exporting->weights[i];
	fputs(exporting->profiles++ ? ",{\"type\":\"sampled\"," : "{\"type\":\"sampled\",",
	      exporting->stream);
	error = print_group_name(exporting, from);
	fprintf(exporting->stream,
		",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%lld,\"samples\":[",
		unit_name(exporting->request->metric), (long long)total);
	if (!error)
		error = print_samples(exporting, from, to);
	fputs("],\"weights\":[", exporting->stream);
	print_weights(exporting, from, to);
	fputs("]}\n", exporting->stream);
	return error;
}

static int weigh(struct exporting *exporting, struct rounding *rounding)
{
	size_t rows = row_stacks__row_count(exporting->stacks);
	int error = 0;

	free(exporting->weights);
	exporting->weights = calloc(rows + 1, sizeof(*exporting->weights));
	if (!exporting->weights)
		return -ENOMEM;
	for (size_t i = 0; i < rows && !error; i++)
		error = rounding__next(rounding,
				       query__measure(row_stacks__query(exporting->stacks),
						      &row_stacks__row(exporting->stacks, i)->own),
				       &exporting->weights[i]);
	return error;
}

static int print_batch(struct exporting *exporting, struct rounding *rounding)
{
	size_t rows = row_stacks__row_count(exporting->stacks), from = 0;
	int error = weigh(exporting, rounding);

	for (size_t to = 1; from < rows && !error && !ferror(exporting->stream); to++) {
		if (to < rows && row_stacks__group(exporting->stacks, to) ==
					 row_stacks__group(exporting->stacks, from))
			continue;
		error = print_profile(exporting, from, to);
		from = to;
	}
	return error;
}

static int print_profiles(struct exporting *exporting)
{
	struct rounding rounding = {0};
	int more, error = 0;

	while (!error && (more = row_stacks__next(exporting->stacks)) != 0)
		error = more < 0 ? more : print_batch(exporting, &rounding);
	return error;
}

/* Behind the profiles, because these make the frames known. */
static int print_frames(struct exporting *exporting)
{
	int error = 0;

	for (uint32_t i = 0; i < row_stacks__frame_count(exporting->stacks) && !error; i++) {
		struct stack_frame frame = row_stacks__frame(exporting->stacks, i);

		error = print_named(exporting->stream,
				    i ? ",\n{\"name\":" : "{\"name\":", frame.name);
		if (!error && frame.file)
			error = print_named(exporting->stream, ",\"file\":", frame.file);
		if (frame.line != NO_VALUE)
			fprintf(exporting->stream, ",\"line\":%lld", (long long)frame.line);
		fputc('}', exporting->stream);
	}
	return error;
}

static int print_file(struct exporting *exporting, struct tables *tables)
{
	const char *node = recording__meta(tables->recording, "node");
	_cleanup_free_ char *name = NULL;
	int error;

	if (asprintf(&name, "%s: %s", node ? node : "recording",
		     exporting->request->metric->meaning) < 0)
		return -ENOMEM;
	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\","
	      "\"exporter\":\"pipescope " PIPESCOPE_VERSION "\",\"activeProfileIndex\":0,",
	      exporting->stream);
	error = print_named(exporting->stream, "\"name\":", name);
	fputs(",\"profiles\":[\n", exporting->stream);
	if (!error)
		error = print_profiles(exporting);
	fputs("],\"shared\":{\"frames\":[\n", exporting->stream);
	if (!error)
		error = print_frames(exporting);
	fputs("]}}\n", exporting->stream);
	return error;
}

static int write_speedscope(FILE *stream, struct tables *tables,
			    const struct query_request *request)
{
	struct exporting exporting = {.stream = stream, .request = request};
	int error;

	error = row_stacks__new(tables, request, true, &exporting.stacks);
	if (!error)
		error = print_file(&exporting, tables);
	free(exporting.weights);
	row_stacks__free(exporting.stacks);
	return error ? error : ferror(stream) ? -EIO : 0;
}

static void complete(struct query_request *request)
{
	row_stacks__complete(request, (const char *const[]){"task", NULL});
}

const struct exporter speedscope__exporter = {
	.name = "speedscope",
	.suffix = ".speedscope.json",
	.viewers = "speedscope",
	.complete = complete,
	.refusal = row_stacks__refusal,
	.write = write_speedscope,
};
