// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/writer_alloc.h"

#include <string.h>

#include "store/writer_private.h"

int recording_writer__allocator(struct recording_writer *writer, int64_t id, const char *name,
				const char *module, bool frees, bool layered, bool sized)
{
	struct row_cell cells[] = {NUMBER(id),	  TEXT(name),	   TEXT(module),
				   NUMBER(frees), NUMBER(layered), NUMBER(sized)};

	return recording_writer__put(writer, ROW_ALLOCATOR, cells);
}

int recording_writer__alloc_window(struct recording_writer *writer,
				   const struct alloc_window_row *row)
{
	struct row_cell cells[] = {NUMBER(row->number),	  NUMBER(row->process),
				   NUMBER(row->start_ns), NUMBER(row->end_ns),
				   NUMBER(row->closed),	  NUMBER(row->cpu_ns),
				   NUMBER(row->cost_ns),  NUMBER(row->edge_ns),
				   NUMBER(row->hits),	  NUMBER(row->held_peak_bytes)};

	return recording_writer__put(writer, ROW_ALLOC_WINDOW, cells);
}

int recording_writer__allocation(struct recording_writer *writer, const struct allocation_row *row)
{
	struct row_cell cells[] = {
		NUMBER(row->window),	   NUMBER(row->epoch),	    NUMBER(row->allocator),
		NUMBER(row->count),	   NUMBER(row->bytes),	    NUMBER(row->nested),
		NUMBER(row->nested_bytes), NUMBER(row->watched),    NUMBER(row->watched_bytes),
		NUMBER(row->soon),	   NUMBER(row->soon_bytes), NUMBER(row->freed),
		NUMBER(row->freed_bytes),  NUMBER(row->net_bytes),  NUMBER(row->kept),
		NUMBER(row->kept_bytes)};

	return recording_writer__put(writer, ROW_ALLOCATION, cells);
}

int recording_writer__allocation_size(struct recording_writer *writer, int64_t window,
				      int64_t epoch, int64_t allocator, int64_t bucket,
				      int64_t count)
{
	struct row_cell cells[] = {NUMBER(window), NUMBER(epoch), NUMBER(allocator), NUMBER(bucket),
				   NUMBER(count)};

	return recording_writer__put(writer, ROW_ALLOCATION_SIZE, cells);
}
