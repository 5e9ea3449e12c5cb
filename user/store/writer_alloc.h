/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of store/writer.h that is about allocations. */
#ifndef STORE_WRITER_ALLOC_H
#define STORE_WRITER_ALLOC_H

#include "store/writer.h"

struct alloc_window_row {
	int64_t number, process, start_ns, end_ns, closed;
	int64_t cpu_ns, cost_ns, edge_ns, hits, held_peak_bytes;
};

struct allocation_row {
	int64_t window, epoch, allocator, count, bytes, nested, nested_bytes;
	int64_t watched, watched_bytes, soon, soon_bytes, freed, freed_bytes;
	int64_t net_bytes; /* ROW_NULL: not known */
	int64_t kept, kept_bytes;
};

int recording_writer__allocator(struct recording_writer *writer, int64_t id, const char *name,
				const char *module, bool frees, bool layered, bool sized);
int recording_writer__alloc_window(struct recording_writer *writer,
				   const struct alloc_window_row *row);
int recording_writer__allocation(struct recording_writer *writer, const struct allocation_row *row);
int recording_writer__allocation_size(struct recording_writer *writer, int64_t window,
				      int64_t epoch, int64_t allocator, int64_t bucket,
				      int64_t count);

#endif
