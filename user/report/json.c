// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/mem_levels.h"
#include "report/mem_shortage.h"
#include "report/printable.h"

/* 15 digits hold nanoseconds of ten days; ASCII, because a terminal obeys some characters behind
 * it. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

struct inputs {
	const struct tables *tables;
	const struct summary *summary;
	const struct query *query;
};

/* NULL: no memory; NULL text is null. */
static json_t *json_text(const char *text)
{
	_cleanup_free_ char *valid = NULL;

	if (!text)
		return json_null();
	valid = printable__utf8(text);
	return valid ? json_string(valid) : NULL;
}

/* The numbers of table meta; the others are text, also where they look like a number. */
static json_t *meta_value(const struct summary_meta *meta)
{
	static const char *const numbers[] = {
		"cpus",		 "hz",	    "slice_ns",		"start_wall_ns",
		"start_boot_ns", "stop_ns", "offcpu_period_ns", "io_period_ns"};
	char *rest;
	long long number;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(meta->key, numbers[i]))
			continue;
		errno = 0;
		number = strtoll(meta->value, &rest, 10);
		if (!errno && rest != meta->value && !*rest)
			return json_integer(number);
	}
	return json_text(meta->value);
}

/* json_object_set_new takes NULL values as failures, so that one check per call is enough; the
 * name, too, may come from the recording. */
static int set(json_t *object, const char *name, json_t *value)
{
	_cleanup_free_ char *valid = printable__utf8(name);

	if (!valid) {
		json_decref(value);
		return -ENOMEM;
	}
	return json_object_set_new(object, valid, value) ? -ENOMEM : 0;
}

static int fill_recording(json_t *object, const struct inputs *source)
{
	const struct summary *summary = source->summary;
	int error = 0;

	for (size_t i = 0; i < summary->meta_count && !error; i++)
		error = set(object, summary->meta[i].key, meta_value(&summary->meta[i]));
	if (!error)
		error = set(object, "complete", json_boolean(summary->complete));
	if (!error)
		error = set(object, "elapsed_s", json_real(summary->elapsed_s));
	if (!error)
		error = set(object, "cpu_s", json_real(summary->cpu_s));
	if (!error && source->tables->recorded[SOURCE_OFFCPU])
		error = set(object, "offcpu_s", json_real(summary->offcpu_s));
	if (!error && source->tables->recorded[SOURCE_IO])
		error = set(object, "io_s", json_real(summary->io_s));
	if (!error && source->tables->recorded[SOURCE_CEPH])
		error = set(object, "ceph_s", json_real(summary->ceph_s));
	return error;
}

/* How the samples of a source ended. */
static int fill_stacks(json_t *object, const struct inputs *source, enum source of)
{
	const struct summary *summary = source->summary;
	const struct summary_stacks *stacks = &summary->stacks[of];
	json_t *endings = json_object();
	int error;

	/* The object owns them from here on. */
	error = set(object, "endings", endings);
	if (!error)
		error = set(object, "samples", json_integer(stacks->samples));
	for (size_t i = 0; i < summary->ending_count && !error; i++)
		error = set(endings, summary->endings[i].name,
			    json_integer(summary->endings[i].samples[of]));
	if (!error)
		error = set(object, "python_samples", json_integer(stacks->python));
	if (!error)
		error = set(object, "python_named_samples", json_integer(stacks->named));
	if (!error)
		error = set(object, "python_named_share",
			    stacks->python
				    ? json_real((double)stacks->named / (double)stacks->python)
				    : json_null());
	return error;
}

static int fill_quality(json_t *object, const struct inputs *source)
{
	static const struct {
		enum source source;
		const char *name;
	} others[] = {{SOURCE_OFFCPU, "waits"},
		      {SOURCE_IO, "operations"},
		      {SOURCE_CEPH, "ceph"},
		      {SOURCE_MEM, "memory"},
		      {SOURCE_ALLOC, "allocations"}};
	const struct summary *summary = source->summary;
	json_t *counters = json_object();
	int error;

	error = set(object, "counters", counters);
	for (size_t i = 0; i < summary->counter_count && !error; i++)
		error = set(counters, summary->counters[i].name,
			    json_integer(summary->counters[i].value));
	if (!error)
		error = fill_stacks(object, source, SOURCE_CPU);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && !error; i++) {
		json_t *stacks = json_object();

		if (!source->tables->recorded[others[i].source]) {
			json_decref(stacks);
			continue;
		}
		error = set(object, others[i].name, stacks);
		if (!error)
			error = fill_stacks(stacks, source, others[i].source);
	}
	return error;
}

static int fill_overhead(json_t *object, const struct inputs *source)
{
	const struct summary *summary = source->summary;
	json_t *programs = json_array();
	int error;

	error = set(object, "cpu_s", json_real(summary->recorder_cpu_s));
	if (!error)
		error = set(object, "startup_cpu_s", json_real(summary->startup_cpu_s));
	if (!error)
		error = set(object, "cpu_percent", json_real(summary->recorder_cpu_percent));
	if (!error)
		error = set(object, "max_rss_bytes", json_integer(summary->recorder_max_rss_bytes));
	error = set(object, "programs", programs) || error ? -ENOMEM : 0;
	for (size_t i = 0; i < summary->program_count && !error; i++) {
		const struct summary_program *program = &summary->programs[i];
		json_t *one = json_object();

		error = json_array_append_new(programs, one) ? -ENOMEM : 0;
		if (!error)
			error = set(one, "name", json_text(program->name));
		if (!error)
			error = set(one, "runs", json_integer(program->runs));
		if (!error)
			error = set(one, "cpu_s", json_real((double)program->run_ns / 1e9));
	}
	return error;
}

/* Fields that rows do not have: what was not recorded, or has no meaning for these keys. */
static int fill_missing(json_t *missing, const struct query *query)
{
	static const struct {
		enum source source;
		const char *name;
		bool only_exact;
	} fields[] = {
		{SOURCE_CPU, "cpu_s", false},
		{SOURCE_CPU, "samples", false},
		{SOURCE_OFFCPU, "offcpu_s", false},
		{SOURCE_OFFCPU, "wait", false},
		{SOURCE_OFFCPU, "wait_count", true},
		{SOURCE_IO, "io_s", false},
		{SOURCE_IO, "read_bytes", false},
		{SOURCE_IO, "write_bytes", false},
		{SOURCE_IO, "ops", false},
		{SOURCE_IO, "op_count", false},
		{SOURCE_IO, "errors", true},
		{SOURCE_IO, "error_count", true},
		{SOURCE_CEPH, "ceph_s", false},
		{SOURCE_CEPH, "ceph_read_bytes", false},
		{SOURCE_CEPH, "ceph_write_bytes", false},
		{SOURCE_CEPH, "ceph_op_count", false},
		{SOURCE_CEPH, "ceph_ops", false},
		{SOURCE_CEPH, "ceph_error_count", true},
		{SOURCE_MEM, "rss_growth", false},
		{SOURCE_MEM, "rss_growth_bytes", false},
		{SOURCE_MEM, "fault_count", false},
		{SOURCE_MEM, "mmap_live_bytes", false},
		{SOURCE_MEM, "mmap_peak_bytes", false},
		{SOURCE_ALLOC, "alloc_bytes", false},
		{SOURCE_ALLOC, "alloc_count", false},
		{SOURCE_ALLOC, "alloc_kept_bytes", false},
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !failed; i++)
		if (!query__knows(query, fields[i].source) ||
		    (fields[i].only_exact && query__estimated(query)))
			failed = json_array_append_new(missing, json_string(fields[i].name));
	if (!failed && !query__has_waited(query))
		failed = json_array_append_new(missing, json_string("waited_s")) ||
			 json_array_append_new(missing, json_string("waited_count"));
	return failed ? -ENOMEM : 0;
}

static int fill_query(json_t *object, const struct inputs *source)
{
	const struct query *query = source->query;
	const struct query_request *request = query__request(query);
	json_t *by = json_array(), *where = json_array(), *missing = json_array();
	int error;

	error = set(object, "by", by);
	error = set(object, "where", where) || error ? -ENOMEM : 0;
	error = set(object, "missing", missing) || error ? -ENOMEM : 0;
	if (!error)
		error = fill_missing(missing, query);
	for (size_t i = 0; i < request->key_count && !error; i++)
		error = json_array_append_new(by, json_string(request->keys[i]->name)) ? -ENOMEM
										       : 0;
	for (size_t i = 0; i < request->filter_count && !error; i++) {
		json_t *one = json_object();

		error = json_array_append_new(where, one) ? -ENOMEM : 0;
		if (!error)
			error = set(one, request->filters[i].key->name,
				    json_text(request->filters[i].pattern));
	}
	if (!error)
		error = set(object, "metric", json_string(request->metric->name));
	if (!error)
		error = set(object, "estimated", json_boolean(query__estimated(query)));
	if (!error)
		error = set(object, "rows", json_integer((json_int_t)query__row_count(query)));
	return error;
}

/* Outermost first. */
static json_t *stack_value(const struct tables *tables, const struct field *field)
{
	json_t *frames = json_array();
	uint32_t shown = field->integer < 0 ? NO_INDEX : (uint32_t)field->integer;
	int failed = 0;

	if (shown == NO_INDEX && frames)
		failed = json_array_append_new(frames, json_text(field->text));
	for (; frames && !failed && shown != NO_INDEX;
	     shown = (uint32_t)tuple_set__at(tables->shown, shown)[0])
		failed = json_array_append_new(frames, json_text(tables->shown_labels[shown]));
	if (failed) {
		json_decref(frames);
		return NULL;
	}
	for (size_t i = 0, n = json_array_size(frames); i < n / 2; i++) {
		json_t *low = json_incref(json_array_get(frames, i));

		json_array_set(frames, i, json_array_get(frames, n - 1 - i));
		json_array_set_new(frames, n - 1 - i, low);
	}
	return frames;
}

static json_t *field_value(const struct tables *tables, const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
		return json_text(field->text);
	case FIELD_INTEGER:
		return json_integer(field->integer);
	case FIELD_REAL:
		return json_real(field->real);
	case FIELD_STACK:
		return stack_value(tables, field);
	default:
		return json_null();
	}
}

/* With a key "wait" the field of that name is the key's. */
static bool has_wait_key(const struct query *query)
{
	const struct query_request *request = query__request(query);

	for (size_t i = 0; i < request->key_count; i++)
		if (request->keys[i]->scope == SCOPE_WAIT)
			return true;
	return false;
}

/* An object of this name in the row, made of the row's parts of one kind. */
static int fill_parts(json_t *object, const struct inputs *source, const struct query_row *row,
		      enum query_part_kind kind, const char *name, bool total)
{
	bool seconds = kind == PART_WAIT;
	bool real = seconds || query__estimated(source->query);
	const struct query_part *part = NULL;
	json_t *parts = json_object();
	int error = set(object, name, parts);
	char buffer[ERROR_NAME_SIZE];

	while (!error && (part = query__part(source->query, row, part))) {
		double value = (total ? part->total : part->own) / (seconds ? 1e9 : 1);
		const char *item = kind == PART_WAIT	 ? source->tables->waits_for[part->item]
				   : kind == PART_OP	 ? source->tables->ops[part->item].name
				   : kind == PART_CEPH	 ? source->tables->ceph_ops[part->item].name
				   : kind == PART_GROWTH ? source->tables->mem_kinds[part->item]
							 : error__name(part->item, buffer);

		if (part->kind == kind && value > 0)
			error = set(parts, item,
				    real ? json_real(value) : json_integer((json_int_t)value));
	}
	return error;
}

static int fill_all_parts(json_t *object, const struct inputs *source, const struct query_row *row,
			  bool total)
{
	const struct query *query = source->query;
	int error = 0;

	if (query__knows(query, SOURCE_OFFCPU) && !has_wait_key(query))
		error = fill_parts(object, source, row, PART_WAIT, "wait", total);
	if (!error && query__knows(query, SOURCE_CEPH))
		error = fill_parts(object, source, row, PART_CEPH, "ceph_ops", total);
	if (!error && query__knows(query, SOURCE_MEM))
		error = fill_parts(object, source, row, PART_GROWTH, "rss_growth", total);
	if (error || !query__knows(query, SOURCE_IO))
		return error;
	error = fill_parts(object, source, row, PART_OP, "ops", total);
	if (!error && !query__estimated(query))
		error = fill_parts(object, source, row, PART_ERROR, "errors", total);
	return error;
}

static int fill_row(json_t *object, const struct inputs *source, const struct query_row *row,
		    const struct field_list *list)
{
	static const char prefix[] = "total_";
	json_t *total = NULL;
	int error = 0;

	for (size_t i = 0; i < list->count && !error; i++) {
		const struct field *field = &list->fields[i];
		json_t *value = field_value(source->tables, field);

		if (strncmp(field->name, prefix, sizeof(prefix) - 1)) {
			error = set(object, field->name, value);
			continue;
		}
		if (!total) {
			total = json_object();
			error = set(object, "total", total);
		}
		if (error)
			json_decref(value);
		else
			error = set(total, field->name + sizeof(prefix) - 1, value);
	}
	if (!error)
		error = fill_all_parts(object, source, row, false);
	if (!error && total)
		error = fill_all_parts(total, source, row, true);
	return error;
}

int json_report__dump(FILE *stream, json_t *object)
{
	int error = 0;

	if (!object || json_dumpf(object, stream, DUMP_FLAGS))
		error = ferror(stream) ? -EIO : -ENOMEM;
	json_decref(object);
	return error;
}

/* Takes the object. */
static int dump(FILE *stream, json_t *object, int error)
{
	if (!error)
		return json_report__dump(stream, object);
	json_decref(object);
	return error;
}

static const struct part {
	const char *name;
	int (*fill)(json_t *object, const struct inputs *source);
} parts[] = {
	{"recording", fill_recording},
	{"quality", fill_quality},
	{"overhead", fill_overhead},
	{"query", fill_query},
};

static int print_part(FILE *stream, const struct part *part, const struct inputs *source)
{
	json_t *object = json_object();
	int error;

	fprintf(stream, "\"%s\":", part->name);
	error = dump(stream, object, part->fill(object, source));
	fputs(",\n", stream);
	return error;
}

/* Row by row: a recording has many more stacks than should be in memory as JSON. */
static int print_rows(FILE *stream, const struct inputs *source, size_t limit)
{
	const struct query *query = source->query;
	size_t count = query__row_count(query);
	struct field_list list = {0};
	int error = 0;

	if (limit && limit < count)
		count = limit;
	fputs("\"rows\":[", stream);
	for (size_t i = 0; i < count && !error; i++) {
		const struct query_row *row = query__row(query, i);
		json_t *object = json_object();

		fputs(i ? ",\n" : "\n", stream);
		error = query__describe(query, row, &list);
		if (!error)
			error = fill_row(object, source, row, &list);
		error = dump(stream, object, error);
	}
	field_list__free(&list);
	fputs("]", stream);
	return error;
}

static json_t *histogram_object(const struct tables *tables, size_t index)
{
	const struct histogram_fact *fact = &tables->histograms[index];
	json_int_t start = fact->bucket ? (json_int_t)1 << fact->bucket : 0;

	return json_pack("{s:o, s:o, s:o, s:I, s:I}", "op", json_text(fact->op), "fs",
			 json_text(fact->filesystem), "what", json_text(fact->what), "bucket_start",
			 start, "count", (json_int_t)fact->count);
}

static json_t *mount_of(const struct tables *tables, uint32_t file)
{
	return file == NO_INDEX ? json_null() : json_text(tables->files[file].mount);
}

static json_t *ceph_histogram_object(const struct tables *tables, size_t index)
{
	const struct ceph_histogram_fact *fact = &tables->ceph_histograms[index];
	json_int_t start = fact->bucket ? (json_int_t)1 << fact->bucket : 0;

	return json_pack("{s:o, s:o, s:I, s:I}", "ceph", json_text(tables->ceph_ops[fact->op].name),
			 "mount", mount_of(tables, fact->file), "bucket_start", start, "count",
			 (json_int_t)fact->count);
}

static json_t *ceph_in_flight_object(const struct tables *tables, size_t index)
{
	const struct ceph_in_flight_fact *fact = &tables->ceph_in_flight[index];
	double end_s =
		fact->slice == NO_INDEX ? 0 : (double)tables->slices[fact->slice].end_ns / 1e9;

	return json_pack("{s:f, s:o, s:o, s:I, s:f}", "time", end_s, "mount",
			 mount_of(tables, fact->file), "ceph",
			 json_text(tables->ceph_ops[fact->op].name), "count",
			 (json_int_t)fact->count, "oldest_s", (double)fact->oldest_ns / 1e9);
}

static int print_objects(FILE *stream, const struct tables *tables, const char *name, size_t count,
			 json_t *(*make)(const struct tables *tables, size_t index))
{
	int error = 0;

	fprintf(stream, ",\n\"%s\":[", name);
	for (size_t i = 0; i < count && !error; i++) {
		fputs(i ? ",\n" : "\n", stream);
		error = json_report__dump(stream, make(tables, i));
	}
	fputs("]", stream);
	return error;
}

/* Of the whole recording, whatever the query. */
static int print_ceph(FILE *stream, const struct tables *tables)
{
	int error;

	if (!tables->recorded[SOURCE_CEPH])
		return 0;
	error = print_objects(stream, tables, "ceph_histograms", tables->ceph_histogram_count,
			      ceph_histogram_object);
	if (!error)
		error = print_objects(stream, tables, "ceph_in_flight",
				      tables->ceph_in_flight_count, ceph_in_flight_object);
	return error;
}

/* Of the whole recording, too. */
static int print_shortages(FILE *stream, const struct tables *tables)
{
	int error;

	if (!tables->recorded[SOURCE_MEM])
		return 0;
	fputs(",\n\"memory_shortages\":[", stream);
	error = mem_shortage__json(stream, tables);
	fputs("]", stream);
	return error;
}

/* Of all processes together, at the end of each slice. */
static int print_memory(FILE *stream, const struct tables *tables)
{
	_cleanup_free_ double *sums = NULL;

	if (!tables->level_count)
		return 0;
	sums = mem_levels__by_slice(tables);
	if (!sums)
		return -ENOMEM;
	fputs(",\n\"memory_levels\":[", stream);
	for (size_t i = 0; i < tables->slice_count; i++) {
		const double *bytes = &sums[i * LEVEL_COUNT];

		fprintf(stream,
			"%s{\"time\":%.6f,\"anonymous_bytes\":%.0f,\"file_bytes\":%.0f,"
			"\"shared_bytes\":%.0f,\"swap_bytes\":%.0f}",
			i ? ",\n" : "\n", (double)tables->slices[i].end_ns / 1e9,
			bytes[LEVEL_ANONYMOUS], bytes[LEVEL_FILE], bytes[LEVEL_SHARED],
			bytes[LEVEL_SWAP]);
	}
	fputs("]", stream);
	return 0;
}

int json_report__print(FILE *stream, const struct tables *tables, const struct summary *summary,
		       const struct query *query, size_t limit)
{
	const struct inputs source = {tables, summary, query};
	int error = 0;

	fputs("{", stream);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !error; i++)
		error = print_part(stream, &parts[i], &source);
	if (!error)
		error = print_rows(stream, &source, limit);
	if (!error && tables->histogram_count)
		error = print_objects(stream, tables, "histograms", tables->histogram_count,
				      histogram_object);
	if (!error)
		error = print_ceph(stream, tables);
	if (!error)
		error = print_memory(stream, tables);
	if (!error)
		error = print_shortages(stream, tables);
	fputs("}\n", stream);
	return error ? error : ferror(stream) ? -EIO : 0;
}

int json_report__fields(FILE *stream, const struct tables *tables, const struct field_list *list)
{
	json_t *object = json_object();
	int error = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < list->count && !error; i++)
		error = set(object, list->fields[i].name, field_value(tables, &list->fields[i]));
	return dump(stream, object, error);
}
