// SPDX-License-Identifier: GPL-2.0-or-later
/* "Collapsed" stacks, the input of flame graph tools: "group;frame;frame count" per line, outermost
 * frame first. Times are microseconds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "export/exporter.h"
#include "export/row_stacks.h"
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
	struct row_stacks *stacks;
	char **texts; /* per frame, made when first needed */
	size_t text_capacity;
};

static int print_frame(struct exporting *exporting, uint32_t frame)
{
	int error;

	error = array__reserve(&exporting->texts, &exporting->text_capacity,
			       sizeof(*exporting->texts), (size_t)frame + 1);
	if (error)
		return error;
	if (!exporting->texts[frame])
		exporting->texts[frame] =
			frame_text(row_stacks__frame(exporting->stacks, frame).label);
	if (!exporting->texts[frame])
		return -ENOMEM;
	fputs(exporting->texts[frame], exporting->stream);
	return 0;
}

static int print_group(struct exporting *exporting, size_t position)
{
	int error = 0;

	for (size_t i = 0; i < row_stacks__group_key_count(exporting->stacks) && !error; i++) {
		_cleanup_free_ char *label = NULL, *text = NULL;

		error = row_stacks__group_text(exporting->stacks, position, i, &label);
		text = error ? NULL : frame_text(label);
		if (!text)
			return -ENOMEM;
		fprintf(exporting->stream, "%s%s", i ? ";" : "", text);
	}
	return error;
}

static int print_line(struct exporting *exporting, size_t position, int64_t count)
{
	const uint32_t *frames;
	size_t depth = 0;
	int error;

	error = print_group(exporting, position);
	if (!error)
		error = row_stacks__frames(exporting->stacks, position, &frames, &depth);
	for (size_t i = 0; i < depth && !error; i++) {
		if (i || row_stacks__group_key_count(exporting->stacks))
			fputc(';', exporting->stream);
		error = print_frame(exporting, frames[i]);
	}
	fprintf(exporting->stream, " %lld\n", (long long)count);
	return error;
}

static int print_batch(struct exporting *exporting, double scale, struct rounding *rounding)
{
	int error = 0;

	for (size_t i = 0; i < row_stacks__row_count(exporting->stacks) && !error; i++) {
		double measure = query__measure(row_stacks__query(exporting->stacks),
						&row_stacks__row(exporting->stacks, i)->own);
		int64_t count = 0;

		error = rounding__next(rounding, measure * scale, &count);
		if (!error && count)
			error = print_line(exporting, i, count);
		if (ferror(exporting->stream))
			error = -EIO;
	}
	return error;
}

static int write_collapsed(FILE *stream, struct tables *tables, const struct query_request *request)
{
	double scale = metric__unit(request->metric) == UNIT_NANOSECONDS ? 1e-3 : 1;
	struct exporting exporting = {.stream = stream};
	struct rounding rounding = {0};
	int more, error;

	error = row_stacks__new(tables, request, false, &exporting.stacks);
	while (!error && (more = row_stacks__next(exporting.stacks)) != 0)
		error = more < 0 ? more : print_batch(&exporting, scale, &rounding);
	for (size_t i = 0; i < exporting.text_capacity; i++)
		free(exporting.texts[i]);
	free(exporting.texts);
	row_stacks__free(exporting.stacks);
	return error ? error : ferror(stream) ? -EIO : 0;
}

static void complete(struct query_request *request)
{
	row_stacks__complete(request, (const char *const[]){"task", NULL});
}

const struct exporter collapsed__exporter = {
	.name = "collapsed",
	.suffix = ".folded",
	.viewers = "flamegraph.pl, inferno, speedscope",
	.complete = complete,
	.refusal = row_stacks__refusal,
	.write = write_collapsed,
};
