// SPDX-License-Identifier: GPL-2.0-or-later
/* pprof's profile: a gzip of one protobuf message. Encoded messages that follow each other are one
 * message with the items of all, so each text, function and sample is encoded and forgotten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/strings.h"
#include "export/exporter.h"
#include "export/gzip.h"
#include "export/profile.pb-c.h"
#include "export/row_stacks.h"
#include "report/printable.h"

struct exporting {
	struct tables *tables;
	const struct query_request *request;
	struct row_stacks *stacks;
	struct gzip *gzip;
	uint8_t *buffer; /* an encoded piece */
	size_t capacity;

	struct string_pool *names;
	struct tuple_set *texts; /* pointers into names; the index is that of the string table */
	struct tuple_set *mappings; /* texts of their files */
	uint32_t frames; /* that were written: all below this number */
	bool *functions; /* of the tables: written */
	uint64_t *path; /* of one sample */
	size_t path_capacity;
};

static int write_piece(struct exporting *exporting, const Pprof__Profile *piece)
{
	size_t size = pprof__profile__get_packed_size(piece);
	int error;

	error = array__reserve(&exporting->buffer, &exporting->capacity, 1, size);
	if (error)
		return error;
	pprof__profile__pack(piece, exporting->buffer);
	return gzip__write(exporting->gzip, exporting->buffer, size);
}

/* A text is written when it is first used. */
static int text_index(struct exporting *exporting, const char *text, int64_t *ret_index)
{
	_cleanup_free_ char *valid = printable__utf8(text);
	const char *interned = valid ? string_pool__intern(exporting->names, valid) : NULL;
	size_t before = tuple_set__count(exporting->texts);
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	uint32_t index;
	int error;

	if (!interned)
		return -ENOMEM;
	error = tuple_set__add(exporting->texts, (const uint64_t[]){(uintptr_t)interned}, &index);
	if (error)
		return error;
	*ret_index = index;
	if (index < before)
		return 0;
	piece.n_string_table = 1;
	piece.string_table = (char *[]){(char *)interned};
	return write_piece(exporting, &piece);
}

static int write_type(struct exporting *exporting, const char *name, const char *unit)
{
	Pprof__ValueType type = PPROF__VALUE_TYPE__INIT;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	int error;

	error = text_index(exporting, name, &type.type);
	if (!error)
		error = text_index(exporting, unit, &type.unit);
	piece.n_sample_type = 1;
	piece.sample_type = (Pprof__ValueType *[]){&type};
	return error ? error : write_piece(exporting, &piece);
}

/* Beside CPU time pprof's users expect the number of samples, in front. */
static bool has_samples(const struct query_request *request)
{
	return request->metric->value == METRIC_CPU;
}

static int write_types(struct exporting *exporting)
{
	static const char *const units[] = {
		[UNIT_COUNT] = "count", [UNIT_NANOSECONDS] = "nanoseconds", [UNIT_BYTES] = "bytes"};
	const struct metric *metric = exporting->request->metric;
	int error = 0;

	if (has_samples(exporting->request))
		error = write_type(exporting, "samples", "count");
	return error ? error : write_type(exporting, metric->name, units[metric__unit(metric)]);
}

static int write_head(struct exporting *exporting)
{
	const struct metric *metric = exporting->request->metric;
	struct recording *recording = exporting->tables->recording;
	int64_t hz = recording__meta_number(recording, "hz", 0), comment = 0;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
	int error;

	error = text_index(exporting, "", &comment); /* the first is always this */
	if (!error)
		error = write_types(exporting);
	if (!error)
		error = text_index(exporting, metric->name, &piece.default_sample_type);
	if (!error)
		error = text_index(exporting, "figures are exact sums, shared out over samples",
				   &comment);
	if (!error && metric->source == SOURCE_CPU && hz > 0) {
		error = text_index(exporting, "cpu", &period.type);
		if (!error)
			error = text_index(exporting, "nanoseconds", &period.unit);
		piece.period_type = &period;
		piece.period = 1000000000 / hz;
	}
	piece.n_comment = 1;
	piece.comment = &comment;
	piece.time_nanos = recording__meta_number(recording, "start_wall_ns", 0);
	piece.duration_nanos = exporting->tables->end_ns;
	return error ? error : write_piece(exporting, &piece);
}

/* --- Places. */

/* Of native code and the kernel; Python's files are no mappings. 0: none. */
static int mapping_id(struct exporting *exporting, const struct table_function *function,
		      uint64_t *ret_id)
{
	size_t before = tuple_set__count(exporting->mappings);
	Pprof__Mapping mapping = PPROF__MAPPING__INIT;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	uint32_t index;
	int error;

	if (function->kind == FUNCTION_PYTHON)
		return 0;
	error = tuple_set__add(exporting->mappings, (const uint64_t[]){(uintptr_t)function->module},
			       &index);
	if (error)
		return error;
	*ret_id = (uint64_t)index + 1;
	if (index < before)
		return 0;
	mapping.id = *ret_id;
	error = text_index(exporting, function->module, &mapping.filename);
	/* Else pprof looks for symbols by itself, by addresses that there are not. */
	mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers =
		mapping.has_inline_frames = true;
	piece.n_mapping = 1;
	piece.mapping = (Pprof__Mapping *[]){&mapping};
	return error ? error : write_piece(exporting, &piece);
}

static int write_function(struct exporting *exporting, uint64_t id, const struct stack_frame *frame)
{
	Pprof__Function function = PPROF__FUNCTION__INIT;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	int error;

	function.id = id;
	error = text_index(exporting, frame->name, &function.name);
	function.system_name = function.name;
	if (!error && frame->file)
		error = text_index(exporting, frame->file, &function.filename);
	if (frame->function != NO_INDEX &&
	    exporting->tables->functions[frame->function].line != NO_VALUE)
		function.start_line = exporting->tables->functions[frame->function].line;
	piece.n_function = 1;
	piece.function = (Pprof__Function *[]){&function};
	return error ? error : write_piece(exporting, &piece);
}

/* Frames that are no code are functions of their own, behind those of the tables. */
static int write_location(struct exporting *exporting, uint32_t number)
{
	struct stack_frame frame = row_stacks__frame(exporting->stacks, number);
	bool code = frame.function != NO_INDEX;
	Pprof__Location location = PPROF__LOCATION__INIT;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	Pprof__Line line = PPROF__LINE__INIT;
	int error = 0;

	line.function_id = code ? (uint64_t)frame.function + 1
				: exporting->tables->function_count + 1 + number;
	if (!code || !exporting->functions[frame.function])
		error = write_function(exporting, line.function_id, &frame);
	if (!error && code) {
		exporting->functions[frame.function] = true;
		error = mapping_id(exporting, &exporting->tables->functions[frame.function],
				   &location.mapping_id);
	}
	if (frame.line != NO_VALUE)
		line.line = frame.line;
	location.id = (uint64_t)number + 1;
	location.n_line = 1;
	location.line = (Pprof__Line *[]){&line};
	piece.n_location = 1;
	piece.location = (Pprof__Location *[]){&location};
	return error ? error : write_piece(exporting, &piece);
}

/* --- Samples. */

/* Processes and threads as numbers, "pid" and "tid", so that pprof can take ranges of them. */
static int fill_label(struct exporting *exporting, size_t position, size_t number,
		      Pprof__Label *label)
{
	size_t key = row_stacks__group_key(exporting->stacks, number);
	const char *name = exporting->request->keys[key]->name;
	uint64_t value = query__value(row_stacks__query(exporting->stacks),
				      row_stacks__row(exporting->stacks, position), key);
	const struct tables *tables = exporting->tables;
	_cleanup_free_ char *text = NULL;
	int error;

	if (!strcmp(name, "process")) {
		label->num = tables->processes[value].pid;
		return text_index(exporting, "pid", &label->key);
	}
	if (!strcmp(name, "thread") && value != VALUE_UNKNOWN) {
		label->num = tables->threads[value].tid;
		return text_index(exporting, "tid", &label->key);
	}
	error = text_index(exporting, name, &label->key);
	if (!error)
		error = row_stacks__group_text(exporting->stacks, position, number, &text);
	return error ? error : text_index(exporting, text, &label->str);
}

/* Innermost first. */
static int fill_path(struct exporting *exporting, size_t position, Pprof__Sample *sample)
{
	const uint32_t *frames;
	size_t depth = 0;
	int error;

	error = row_stacks__frames(exporting->stacks, position, &frames, &depth);
	while (!error && exporting->frames < row_stacks__frame_count(exporting->stacks))
		error = write_location(exporting, exporting->frames++);
	if (!error)
		error = array__reserve(&exporting->path, &exporting->path_capacity,
				       sizeof(*exporting->path), depth);
	for (size_t i = 0; i < depth && !error; i++)
		exporting->path[depth - 1 - i] = (uint64_t)frames[i] + 1;
	sample->n_location_id = depth;
	sample->location_id = exporting->path;
	return error;
}

static int write_sample(struct exporting *exporting, size_t position, int64_t *values)
{
	size_t labels = row_stacks__group_key_count(exporting->stacks);
	Pprof__Sample sample = PPROF__SAMPLE__INIT;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	Pprof__Label label[QUERY_MAX_KEYS], *list[QUERY_MAX_KEYS];
	int error;

	error = fill_path(exporting, position, &sample);
	for (size_t i = 0; i < labels && !error; i++) {
		pprof__label__init(&label[i]);
		list[i] = &label[i];
		error = fill_label(exporting, position, i, &label[i]);
	}
	sample.n_value = has_samples(exporting->request) ? 2 : 1;
	sample.value = values + (2 - sample.n_value);
	sample.n_label = labels;
	sample.label = list;
	piece.n_sample = 1;
	piece.sample = (Pprof__Sample *[]){&sample};
	return error ? error : write_piece(exporting, &piece);
}

static int write_batch(struct exporting *exporting, struct rounding *rounding)
{
	int error = 0;

	for (size_t i = 0; i < row_stacks__row_count(exporting->stacks) && !error; i++) {
		const struct query_figures *own = &row_stacks__row(exporting->stacks, i)->own;
		int64_t values[] = {own->samples, 0};

		error = rounding__next(rounding,
				       query__measure(row_stacks__query(exporting->stacks), own),
				       &values[1]);
		if (!error && (values[1] || (has_samples(exporting->request) && values[0])))
			error = write_sample(exporting, i, values);
	}
	return error;
}

static int write_samples(struct exporting *exporting)
{
	struct rounding rounding = {0};
	int more, error = 0;

	while (!error && (more = row_stacks__next(exporting->stacks)) != 0)
		error = more < 0 ? more : write_batch(exporting, &rounding);
	return error;
}

static int write_pprof(FILE *stream, struct tables *tables, const struct query_request *request)
{
	struct exporting exporting = {.tables = tables, .request = request};
	int error;

	error = row_stacks__new(tables, request, false, &exporting.stacks);
	if (!error)
		error = gzip__new(stream, &exporting.gzip);
	exporting.names = string_pool__new();
	exporting.texts = tuple_set__new(1);
	exporting.mappings = tuple_set__new(1);
	exporting.functions = calloc(tables->function_count + 1, sizeof(*exporting.functions));
	if (!error &&
	    (!exporting.names || !exporting.texts || !exporting.mappings || !exporting.functions))
		error = -ENOMEM;
	if (!error)
		error = write_head(&exporting);
	if (!error)
		error = write_samples(&exporting);
	if (!error)
		error = gzip__finish(exporting.gzip);
	gzip__free(exporting.gzip);
	row_stacks__free(exporting.stacks);
	tuple_set__free(exporting.texts);
	tuple_set__free(exporting.mappings);
	string_pool__free(exporting.names);
	free(exporting.functions);
	free(exporting.buffer);
	free(exporting.path);
	return error ? error : ferror(stream) ? -EIO : 0;
}

static void complete(struct query_request *request)
{
	row_stacks__complete(request, (const char *const[]){"task", "process", NULL});
}

const struct exporter pprof__exporter = {
	.name = "pprof",
	.suffix = ".pb.gz",
	.viewers = "go tool pprof",
	.binary = true,
	.complete = complete,
	.refusal = row_stacks__refusal,
	.write = write_pprof,
};
