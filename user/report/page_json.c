// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/page_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "report/json_stream.h"
#include "report/page_json_parts.h"
#include "report/printable.h"

#define MOST_TEXT    8192
#define MOST_COMMAND 400

/* --- Pieces. */

void page_json__string(struct printing *printing, const char *text)
{
	uint32_t index;
	int error;

	if (!text) {
		fputs("-1", printing->stream);
		return;
	}
	error = tuple_set__add(printing->strings, (const uint64_t[]){(uintptr_t)text}, &index);
	if (error)
		printing->error = error;
	else
		fprintf(printing->stream, "%u", index);
}

void page_json__own(struct printing *printing, char *text)
{
	const char *interned = text ? tables__intern(printing->tables, text) : NULL;

	free(text);
	if (interned)
		page_json__string(printing, interned);
	else
		printing->error = -ENOMEM;
}

void page_json__text(struct printing *printing, const char *text)
{
	int error = json_stream__text(printing->stream, text, MOST_TEXT);

	if (error)
		printing->error = error;
}

static void print_optional(struct printing *printing, int64_t value)
{
	if (value == NO_VALUE)
		fputs("null", printing->stream);
	else
		fprintf(printing->stream, "%lld", (long long)value);
}

static void print_index(struct printing *printing, uint32_t index)
{
	if (index == NO_INDEX)
		fputs("-1", printing->stream);
	else
		fprintf(printing->stream, "%u", index);
}

void page_json__comma(struct printing *printing, size_t position)
{
	if (position)
		fputc(',', printing->stream);
}

/* --- What the recording says about itself. */

static void print_meta(struct printing *printing)
{
	const struct summary *summary = printing->summary;
	FILE *stream = printing->stream;

	fputs("\"meta\":{", stream);
	for (size_t i = 0; i < summary->meta_count; i++) {
		page_json__comma(printing, i);
		page_json__text(printing, summary->meta[i].key);
		fputc(':', stream);
		page_json__text(printing, summary->meta[i].value);
	}
	fprintf(stream, "},\n\"pipescope\":\"" PIPESCOPE_VERSION "\",\"complete\":%s",
		summary->complete ? "true" : "false");
	fprintf(stream, ",\"end_ns\":%lld", (long long)printing->tables->end_ns);
	fprintf(stream, ",\"totals\":{\"cpu_s\":%.9f,\"offcpu_s\":%.9f,\"io_s\":%.9f}",
		summary->cpu_s, summary->offcpu_s, summary->io_s);
	fputs(",\"recorded\":[", stream);
	for (int source = 0; source < SOURCE_COUNT; source++)
		fprintf(stream, source ? ",%d" : "%d", printing->tables->recorded[source]);
	fputc(']', stream);
	fprintf(stream, ",\"processes_recorded\":%zu", printing->tables->process_count);
}

static void print_quality(struct printing *printing)
{
	const struct summary *summary = printing->summary;
	const struct summary_stacks *cpu = &summary->stacks[SOURCE_CPU];
	FILE *stream = printing->stream;

	fprintf(stream, ",\n\"samples\":%lld,\"python\":[%lld,%lld],\"counters\":[",
		(long long)cpu->samples, (long long)cpu->python, (long long)cpu->named);
	for (size_t i = 0; i < summary->counter_count; i++) {
		page_json__comma(printing, i);
		fputc('[', stream);
		page_json__text(printing, summary->counters[i].name);
		fprintf(stream, ",%lld,%d,", (long long)summary->counters[i].value,
			summary->counters[i].loss);
		page_json__text(printing, summary->counters[i].meaning);
		fputc(']', stream);
	}
	fputs("],\n\"endings\":[", stream);
	for (size_t i = 0; i < summary->ending_count; i++) {
		page_json__comma(printing, i);
		fputc('[', stream);
		page_json__text(printing, summary->endings[i].name);
		fprintf(stream, ",%lld,%d,", (long long)summary->endings[i].samples[SOURCE_CPU],
			summary->endings[i].ok);
		page_json__text(printing, summary->endings[i].meaning);
		fputc(']', stream);
	}
	fprintf(stream,
		"],\n\"overhead\":{\"cpu_s\":%.9f,\"startup_cpu_s\":%.9f,\"cpu_percent\":%.6f,"
		"\"max_rss_bytes\":%lld,\"programs_percent\":",
		summary->recorder_cpu_s, summary->startup_cpu_s, summary->recorder_cpu_percent,
		(long long)summary->recorder_max_rss_bytes);
	if (summary->program_count)
		fprintf(stream, "%.6f}", summary->programs_cpu_percent);
	else
		fputs("null}", stream);
}

static void print_histograms(struct printing *printing)
{
	const struct tables *tables = printing->tables;
	FILE *stream = printing->stream;

	fputs(",\n\"histograms\":[", stream);
	for (size_t i = 0; i < tables->histogram_count; i++) {
		const struct histogram_fact *fact = &tables->histograms[i];

		page_json__comma(printing, i);
		page_json__string(printing, fact->op);
		fputc(',', stream);
		page_json__string(printing, fact->filesystem);
		fputc(',', stream);
		page_json__string(printing, fact->what);
		fprintf(stream, ",%lld,%lld", (long long)fact->bucket, (long long)fact->count);
	}
	fputc(']', stream);
}

/* --- Who, when, what. */

static void print_command(struct printing *printing, uint32_t image)
{
	char *command;
	int error = tables__command(printing->tables, image, &command);

	if (error) {
		printing->error = error;
		return;
	}
	if (strlen(command) > MOST_COMMAND) /* a character cut in two becomes visible */
		command[MOST_COMMAND] = '\0';
	page_json__own(printing, command);
}

static void print_process(struct printing *printing, const struct page_process *process,
			  const uint32_t *page_index)
{
	const struct tables *tables = printing->tables;
	const struct table_process *of;
	FILE *stream = printing->stream;
	uint32_t image;

	if (process->process == NO_INDEX) {
		fprintf(stream, "[%u]", process->count);
		return;
	}
	of = &tables->processes[process->process];
	image = tables->epochs[of->epoch].image;
	fprintf(stream, "[1,%lld,", (long long)of->pid);
	page_json__string(printing, image == NO_INDEX ? NULL : tables->images[image].comm);
	fputc(',', stream);
	print_command(printing, image);
	fputc(',', stream);
	page_json__string(printing, tables->epochs[of->epoch].task);
	fputc(',', stream);
	print_index(printing, of->parent == NO_INDEX ? NO_INDEX : page_index[of->parent]);
	fprintf(stream, ",%lld,", (long long)of->start_ns);
	print_optional(printing, of->end_ns);
	fputc(',', stream);
	print_optional(printing, of->exit_code);
	fputc(',', stream);
	print_optional(printing, of->exit_signal);
	fputc(',', stream);
	print_optional(printing, of->max_rss_bytes);
	fputc(',', stream);
	page_json__string(printing, of->python);
	fprintf(stream, ",%u]", of->other_tasks);
}

static void print_who(struct printing *printing)
{
	const struct page_data *data = printing->data;
	_cleanup_free_ uint32_t *page_index = NULL;
	FILE *stream = printing->stream;

	page_index = calloc(printing->tables->process_count + 1, sizeof(*page_index));
	if (!page_index) {
		printing->error = -ENOMEM;
		return;
	}
	memset(page_index, 0xff, printing->tables->process_count * sizeof(*page_index));
	for (uint32_t i = 0; i < data->process_count; i++)
		if (data->processes[i].process != NO_INDEX)
			page_index[data->processes[i].process] = i;
	fputs(",\n\"processes\":[", stream);
	for (uint32_t i = 0; i < data->process_count; i++) {
		page_json__comma(printing, i);
		print_process(printing, &data->processes[i], page_index);
	}
	fputs("],\n\"epochs\":[", stream);
	for (uint32_t i = 0; i < data->epoch_count; i++) {
		const struct page_epoch *epoch = &data->epochs[i];

		page_json__comma(printing, i);
		fprintf(stream, "[%u,", epoch->process);
		page_json__string(printing, epoch->task);
		fputc(',', stream);
		page_json__string(printing, epoch->job);
		fputc(',', stream);
		page_json__string(printing, epoch->rule);
		fprintf(stream, ",%lld,%lld,", (long long)epoch->start_ns,
			(long long)epoch->end_ns);
		json_stream__number(stream, epoch->elapsed_ns);
		fputc(',', stream);
		json_stream__number(stream, epoch->user_ns);
		fputc(',', stream);
		json_stream__number(stream, epoch->system_ns);
		fprintf(stream, ",%u,", epoch->failures);
		print_optional(printing, epoch->max_rss_bytes);
		fprintf(stream, ",%d]", epoch->many);
	}
	fputc(']', stream);
}

static void print_files(struct printing *printing)
{
	const struct page_data *data = printing->data;
	FILE *stream = printing->stream;

	fputs(",\n\"files\":[", stream);
	for (uint32_t i = 0; i < data->file_count; i++) {
		const struct page_file *file = &data->files[i];

		page_json__comma(printing, i);
		page_json__string(printing, file->kind);
		fputc(',', stream);
		page_json__string(printing, file->path);
		fputc(',', stream);
		page_json__string(printing, file->filesystem);
		fputc(',', stream);
		page_json__string(printing, file->mount);
		fprintf(stream, ",%u,", file->count);
		page_json__string(printing, file->dataset);
		fputc(',', stream);
		page_json__string(printing, file->service);
		fprintf(stream, ",%d,%u,%u,%.0f,%.0f", file->own, file->read, file->read_here,
			file->asked, file->distinct);
	}
	fputs("],\n\"outcomes\":[", stream);
	for (uint32_t i = 0; i < data->outcome_count; i++) {
		char buffer[ERROR_NAME_SIZE];

		page_json__comma(printing, i);
		fprintf(stream, "[%u,", data->outcomes[i].op);
		page_json__text(printing, data->outcomes[i].error
						  ? error__name(data->outcomes[i].error, buffer)
						  : NULL);
		fputc(']', stream);
	}
	fputc(']', stream);
}

static void print_counted(struct printing *printing)
{
	const struct page_data *data = printing->data;
	const struct tables *tables = printing->tables;
	FILE *stream = printing->stream;

	fputs(",\n\"bucket_ends\":[", stream);
	for (uint32_t i = 0; i < data->bucket_count; i++)
		fprintf(stream, i ? ",%lld" : "%lld", (long long)data->bucket_ends[i]);
	fputs("],\n\"classes\":[", stream);
	for (size_t i = 0; i < tables->class_count; i++) {
		page_json__comma(printing, i);
		page_json__string(printing, tables->waits_for[i]);
	}
	fputs("],\n\"ops\":[", stream);
	for (size_t i = 0; i < tables->op_count; i++) {
		page_json__comma(printing, i);
		fputc('[', stream);
		page_json__string(printing, tables->ops[i].name);
		fprintf(stream, ",%d]", tables->ops[i].direction);
	}
	fputs("],\n\"alive\":", stream);
	json_stream__rows(stream, &data->alive, 2, 1);
	fputs(",\n\"usage\":", stream);
	json_stream__rows(stream, &data->usage, 2, 1);
	fputs(",\n\"waits\":", stream);
	json_stream__rows(stream, &data->waits, 3, 2);
	print_histograms(printing);
	page_json__memory(printing);
}

static void print_operations(struct printing *printing)
{
	fputs(",\n\"io\":", printing->stream);
	json_stream__rows(printing->stream, &printing->data->io, 4, 3);
	page_json__storage(printing);
}

/* --- Where. */

static void print_stacks(struct printing *printing)
{
	const struct page_data *data = printing->data;
	FILE *stream = printing->stream;

	fputs(",\n\"nodes\":[", stream);
	for (uint32_t i = 0; i < data->node_count; i++) {
		const struct page_node *node = &data->nodes[i];
		uint32_t function;
		int error;

		page_json__comma(printing, i);
		/* The distance to the parent, 0: outermost. */
		fprintf(stream, "%u,", node->parent == NO_INDEX ? 0 : i - node->parent);
		if (node->function == NO_INDEX) {
			fputs("-1,0", stream);
			continue;
		}
		error = tuple_set__add(printing->functions, (const uint64_t[]){node->function},
				       &function);
		if (error)
			printing->error = error;
		else
			fprintf(stream, "%u,%u", function, node->line);
	}
	fputs("],\n\"functions\":[", stream);
	for (uint32_t i = 0; i < tuple_set__count(printing->functions); i++) {
		uint64_t index = tuple_set__at(printing->functions, i)[0];
		const struct table_function *function = &printing->tables->functions[index];

		page_json__comma(printing, i);
		fprintf(stream, "%u,%d,", function->kind, function->eval_loop);
		page_json__string(printing, function->name);
		fputc(',', stream);
		page_json__string(printing, function->file);
		fputc(',', stream);
		page_json__string(printing, function->module);
		fprintf(stream, ",%lld",
			function->line == NO_VALUE ? 0 : (long long)function->line);
	}
	fputc(']', stream);
}

static uint32_t shares_of(enum source source)
{
	return source == SOURCE_MEM			      ? SHARE_HELD
	       : source == SOURCE_ALLOC			      ? SHARE_LIVE + 1
	       : source == SOURCE_IO || source == SOURCE_CEPH ? SHARE_OPS + 1
							      : SHARE_TIME + 1;
}

static void print_sampled(struct printing *printing)
{
	const struct page_data *data = printing->data;
	FILE *stream = printing->stream;

	fputs(",\n\"pools\":[", stream);
	for (uint32_t i = 0; i < data->pool_count; i++) {
		const struct page_pool *pool = &data->pools[i];

		fprintf(stream, i ? ",%u,%u,%u" : "%u,%u,%u", pool->source, pool->epoch,
			pool->item);
		for (uint32_t share = 0; share < shares_of(pool->source); share++)
			fprintf(stream, ",%.12g", pool->factor[share]);
	}
	fputs("],\n\"sampled\":", stream);
	json_stream__rows(stream, &data->samples, 5, 2);
	fprintf(stream, ",\n\"sample_files\":%u", data->limits.sample_files);
}

static void print_strings(struct printing *printing)
{
	FILE *stream = printing->stream;

	fputs(",\n\"strings\":[", stream);
	for (uint32_t i = 0; i < tuple_set__count(printing->strings); i++) {
		const char *text = (const char *)(uintptr_t)tuple_set__at(printing->strings, i)[0];
		int error;

		page_json__comma(printing, i);
		printing->cut_names += strlen(text) > printing->data->limits.name_bytes;
		error = json_stream__text(stream, text, printing->data->limits.name_bytes);
		if (error)
			printing->error = error;
	}
	fputc(']', stream);
}

/* --- The whole. */

static void (*const print_section[PAGE_SECTIONS])(struct printing *printing) = {
	[PAGE_WHO] = print_who,
	[PAGE_QUANTA] = page_json__quanta,
	[PAGE_FILES] = print_files,
	[PAGE_COUNTED] = print_counted,
	[PAGE_OPERATIONS] = print_operations,
	[PAGE_CEPH] = page_json__ceph,
	[PAGE_STACKS] = print_stacks,
	[PAGE_SAMPLED] = print_sampled,
	[PAGE_STRINGS] = print_strings, /* the last: the others make them */
};

static int print_body(struct printing *printing, size_t sizes[PAGE_SECTIONS])
{
	printing->strings = tuple_set__new(1);
	printing->functions = tuple_set__new(1);
	printing->error = printing->strings && printing->functions ? 0 : -ENOMEM;
	for (size_t i = 0; i < PAGE_SECTIONS && !printing->error; i++) {
		long before = ftell(printing->stream);

		print_section[i](printing);
		sizes[i] = (size_t)(ftell(printing->stream) - before);
	}
	tuple_set__free(printing->strings);
	tuple_set__free(printing->functions);
	return printing->error;
}

/* Behind the strings, which know how many were cut. */
static void print_folded(struct printing *printing)
{
	const struct page_data *data = printing->data;

	fprintf(printing->stream,
		",\n\"folded\":{\"processes\":%u,\"files\":%u,\"stacks\":%u,\"share\":%.6f,"
		"\"names\":%u,\"quanta\":%u}",
		data->folded_processes, data->folded_files, data->folded_nodes, data->folded_share,
		printing->cut_names, data->folded_quanta);
}

int page_json__make(struct tables *tables, const struct summary *summary,
		    const struct page_data *data, struct page_text *ret_text)
{
	struct printing printing = {.tables = tables, .summary = summary, .data = data};
	struct page_text text = {0};
	int error;

	printing.stream = open_memstream(&text.bytes, &text.size);
	if (!printing.stream)
		return -ENOMEM;
	fputs("{\"format\":1,\n", printing.stream);
	print_meta(&printing);
	print_quality(&printing);
	error = print_body(&printing, text.sections);
	print_folded(&printing);
	fputs("}\n", printing.stream);
	if (fclose(printing.stream) && !error)
		error = -ENOMEM;
	if (error)
		free(text.bytes);
	else
		*ret_text = text;
	return error;
}
