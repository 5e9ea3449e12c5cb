// SPDX-License-Identifier: GPL-2.0-or-later
/* Files besides their operations, memory, and CephFS. */
#include <errno.h>
#include <stdlib.h>

#include "report/json_stream.h"
#include "report/page_json_parts.h"
#include "report/printable.h"

void page_json__storage(struct printing *printing)
{
	const struct page_data *data = printing->data;

	fputs(",\n\"waits_on\":", printing->stream);
	json_stream__rows(printing->stream, &data->waits_on, 3, 2);
	fputs(",\n\"written\":", printing->stream);
	json_stream__rows(printing->stream, &data->written, 3, 2);
	fputs(",\n\"patterns\":", printing->stream);
	json_stream__rows(printing->stream, &data->patterns, 3, 4);
}

void page_json__memory(struct printing *printing)
{
	const struct page_data *data = printing->data;
	const struct tables *tables = printing->tables;

	fputs(",\n\"mem_kinds\":[", printing->stream);
	for (size_t i = 0; i < tables->mem_kind_count; i++) {
		page_json__comma(printing, i);
		page_json__string(printing, tables->mem_kinds[i]);
	}
	fputs("],\n\"levels\":", printing->stream);
	json_stream__rows(printing->stream, &data->levels, 2, 4);
	fputs(",\n\"growth\":", printing->stream);
	json_stream__rows(printing->stream, &data->growth, 3, 2);
	fputs(",\n\"maps\":", printing->stream);
	json_stream__rows(printing->stream, &data->maps, 2, 2);
	fputs(",\n\"shortages\":", printing->stream);
	json_stream__rows(printing->stream, &data->shortages, 3, 2);
}

static void print_ceph_histograms(struct printing *printing)
{
	const struct tables *tables = printing->tables;

	fputs(",\n\"ceph_histograms\":[", printing->stream);
	for (size_t i = 0; i < tables->ceph_histogram_count; i++) {
		const struct ceph_histogram_fact *fact = &tables->ceph_histograms[i];

		page_json__comma(printing, i);
		page_json__string(printing,
				  fact->file == NO_INDEX ? NULL : tables->files[fact->file].mount);
		fprintf(printing->stream, ",%u,%lld,%lld", fact->op, (long long)fact->bucket,
			(long long)fact->count);
	}
	fputc(']', printing->stream);
}

void page_json__ceph(struct printing *printing)
{
	const struct page_data *data = printing->data;
	const struct tables *tables = printing->tables;
	FILE *stream = printing->stream;

	fputs(",\n\"ceph_ops\":[", stream);
	for (size_t i = 0; i < tables->ceph_op_count; i++) {
		page_json__comma(printing, i);
		fputc('[', stream);
		page_json__string(printing, tables->ceph_ops[i].name);
		fprintf(stream, ",%d,%d]", tables->ceph_ops[i].direction,
			tables->ceph_ops[i].is_request);
	}
	fputs("],\n\"mounts\":[", stream);
	for (uint32_t i = 0; i < data->mount_count; i++) {
		page_json__comma(printing, i);
		page_json__string(printing, data->mounts[i]);
	}
	fputs("],\n\"ceph_outcomes\":[", stream);
	for (uint32_t i = 0; i < data->ceph_outcome_count; i++) {
		const struct page_outcome *outcome = &data->ceph_outcomes[i];
		char buffer[ERROR_NAME_SIZE];

		page_json__comma(printing, i);
		fprintf(stream, "[%u,", outcome->op);
		page_json__text(printing,
				outcome->error ? error__name(outcome->error, buffer) : NULL);
		fputc(']', stream);
	}
	fputs("],\n\"ceph\":", stream);
	json_stream__rows(stream, &data->ceph, 4, 3);
	fputs(",\n\"in_flight\":", stream);
	json_stream__rows(stream, &data->in_flight, 3, 2);
	print_ceph_histograms(printing);
}
