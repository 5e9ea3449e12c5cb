// SPDX-License-Identifier: GPL-2.0-or-later
/* Quanta with what they used, and files that were left torn. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/quantum_key.h"
#include "model/quantum_resources.h"
#include "report/json_stream.h"
#include "report/page_json_parts.h"
#include "report/torn.h"

static void print_quantum(struct printing *printing, uint32_t epoch)
{
	const struct table_quantum *quantum =
		&printing->tables->quanta[printing->data->epochs[epoch].quantum];
	FILE *stream = printing->stream;

	fprintf(stream, "[%u,%lld,%d,", epoch, (long long)quantum->number, quantum->whole);
	page_json__string(printing, quantum->label);
	fputc(',', stream);
	page_json__string(printing, quantum->class);
	fputc(',', stream);
	page_json__string(printing, quantum->id);
	fputc(',', stream);
	page_json__string(printing, quantum->run);
	fputc(',', stream);
	page_json__own(printing, quantum__data_text(printing->tables, quantum));
	fputc(']', stream);
}

/* Waits are among those of the epochs; what nobody used, or is the same twice, says nothing. */
static bool is_wanted(const struct resource_set *set, size_t figure, const uint32_t *quanta,
		      size_t count, bool children)
{
	const struct resource_figure *shown = resource_set__figure(set, figure);

	if (shown->is_detail || !strncmp(shown->name, "wait_", 5) ||
	    (!children && strstr(shown->name, "children")))
		return false;
	for (size_t i = 0; i < count; i++)
		if (resource_set__value(set, figure, quanta[i]) > 0)
			return true;
	return false;
}

static void print_figure(struct printing *printing, const struct resource_set *set, size_t figure,
			 const uint32_t *quanta, size_t count)
{
	const struct resource_figure *shown = resource_set__figure(set, figure);
	FILE *stream = printing->stream;

	fputc('[', stream);
	page_json__string(printing, shown->name);
	fputc(',', stream);
	page_json__string(printing, shown->title);
	fprintf(stream, ",%d,[", shown->unit);
	for (size_t i = 0; i < count; i++) {
		double value = resource_set__value(set, figure, quanta[i]);

		page_json__comma(printing, i);
		if (isnan(value))
			fputs("null", stream);
		else
			json_stream__number(stream, value);
	}
	fputs("]]", stream);
}

static bool any_children(const struct tables *tables)
{
	for (size_t i = 0; i < tables->resource_count; i++)
		if (tables->resources[i].value[PS_RESOURCE_CHILDREN] > 0)
			return true;
	return false;
}

static void print_figures(struct printing *printing, const uint32_t *quanta, size_t count)
{
	bool children = any_children(printing->tables);
	struct resource_set *set = NULL;
	size_t printed = 0;

	printing->error = printing->error ?: resource_set__new(printing->tables, &set);
	if (printing->error)
		return;
	for (size_t i = 0; i < resource_set__count(set); i++) {
		if (!is_wanted(set, i, quanta, count, children))
			continue;
		page_json__comma(printing, printed++);
		print_figure(printing, set, i, quanta, count);
	}
	resource_set__free(set);
}

static void print_torn(struct printing *printing, const struct torn_fact *torn)
{
	const struct tables *tables = printing->tables;
	FILE *stream = printing->stream;

	fprintf(stream, "[%u,", printing->data->epoch_of[torn->epoch]);
	page_json__string(printing, torn->file == NO_INDEX ? NULL : tables->files[torn->file].path);
	fputc(',', stream);
	page_json__string(printing, torn__class_name(torn));
	fputc(',', stream);
	page_json__own(printing, torn__end_text(torn));
	fprintf(stream, ",%lld,%lld,%lld,%lld,%lld]", (long long)torn->bytes, (long long)torn->size,
		(long long)torn->open_ns, (long long)torn->write_ns, (long long)torn->time_ns);
}

/* The worst first, where there are too many. */
static void print_all_torn(struct printing *printing)
{
	const struct tables *tables = printing->tables;
	size_t printed = 0;

	fputs(",\n\"torn\":[", printing->stream);
	for (int class = 0; class < TORN_CLASSES; class ++) {
		for (size_t i = 0; i < tables->torn_count; i++) {
			if (torn__class(&tables->torn[i]) != (enum torn_class) class ||
			    printed == printing->data->limits.quanta)
				continue;
			page_json__comma(printing, printed++);
			print_torn(printing, &tables->torn[i]);
		}
	}
	fprintf(printing->stream, "],\"torn_recorded\":%zu", tables->torn_count);
}

void page_json__quanta(struct printing *printing)
{
	const struct page_data *data = printing->data;
	_cleanup_free_ uint32_t *quanta = calloc((size_t)data->epoch_count + 1, sizeof(*quanta));
	size_t count = 0;

	if (!quanta) {
		printing->error = -ENOMEM;
		return;
	}
	fputs(",\n\"quanta\":[", printing->stream);
	for (uint32_t i = 0; i < data->epoch_count; i++) {
		if (data->epochs[i].quantum == NO_INDEX)
			continue;
		page_json__comma(printing, count);
		quanta[count++] = data->epochs[i].quantum;
		print_quantum(printing, i);
	}
	fputs("],\n\"quantum_figures\":[", printing->stream);
	print_figures(printing, quanta, count);
	fputc(']', printing->stream);
	print_all_torn(printing);
}
