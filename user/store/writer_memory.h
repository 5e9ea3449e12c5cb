/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of store/writer.h that is about memory. */
#ifndef STORE_WRITER_MEMORY_H
#define STORE_WRITER_MEMORY_H

#include "store/writer.h"

struct memory_row {
	int64_t epoch, slice;
	int64_t anonymous_bytes, file_bytes, shared_bytes, swap_bytes; /* or ROW_NULL */
	int64_t minor_faults, major_faults;
};

struct memory_map_row {
	int64_t id, epoch, stack;
	int64_t count, bytes, live_count, live_bytes, peak_count, peak_bytes;
	const char *kind, *ending;
};

int recording_writer__memory(struct recording_writer *writer, const struct memory_row *row);
int recording_writer__memory_growth(struct recording_writer *writer, int64_t epoch, int64_t slice,
				    const char *kind, int64_t faults, int64_t bytes);
int recording_writer__memory_event(struct recording_writer *writer, int64_t epoch, int64_t slice,
				   const char *kind, int64_t count, int64_t bytes);
int recording_writer__memory_map(struct recording_writer *writer, const struct memory_map_row *row);

#endif
