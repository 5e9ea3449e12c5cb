/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The native part of a Python process: registers and return addresses of its threads, and what the
 * native walker is told of its code. Live (host/native_live.h), or saved. */
#ifndef HOST_NATIVE_PART_H
#define HOST_NATIVE_PART_H

#include "capture/remote_walk.h"
#include "host/python_saved.h"

enum { MAX_RETURNS = 256, MAX_NAMES = 512 };

struct native_thread {
	uint64_t rip, rsp, rbp;
	uint64_t returns[MAX_RETURNS]; /* as the thread itself finds them, innermost first */
	size_t return_count;
};

struct native_name {
	uint64_t address;
	char name[64];
};

struct native_part {
	struct native_thread threads[MAX_TOLD_THREADS]; /* as the process's */
	struct native_name names[MAX_NAMES]; /* of frames */
	size_t name_count;
	struct ps_unwind_table table;
	struct ps_unwind_chunk *chunks[PS_UNWIND_CHUNKS];
	size_t chunk_count, range_count;
	struct remote_rows rows;
};

static struct native_part native;

static void native_part__clear(void)
{
	for (size_t i = 0; i < native.chunk_count; i++)
		free(native.chunks[i]);
	memset(&native, 0, sizeof(native));
	native.rows.chunks = (const struct ps_unwind_chunk *const *)native.chunks;
	native.rows.table = &native.table;
}

/* A new chunk, or none any more. */
static struct ps_unwind_chunk *native_part__add_chunk(void)
{
	struct ps_unwind_chunk *chunk;

	if (native.chunk_count == PS_UNWIND_CHUNKS)
		return NULL;
	chunk = calloc(1, sizeof(*chunk));
	if (chunk)
		native.chunks[native.chunk_count++] = chunk;
	return chunk;
}

static bool native_part__add_range(const struct ps_unwind_range *range)
{
	if (native.range_count == PS_UNWIND_TABLE_RANGES)
		return false;
	native.table.ranges[native.range_count++] = *range;
	native.rows.ranges.count = (uint16_t)native.range_count;
	return true;
}

/* A row of the latest range; all of them lie in one chunk. */
static bool native_part__add_row(const struct ps_unwind_row *row)
{
	struct ps_unwind_range *range = native.table.ranges + native.range_count - 1;
	uint32_t at = 0;

	if (!native.range_count || (!native.chunk_count && !native_part__add_chunk()))
		return false;
	if (range->chunk != PS_UNWIND_NO_ROWS) {
		at = ++range->last;
	} else {
		for (size_t i = 0; i + 1 < native.range_count; i++)
			if (native.table.ranges[i].chunk != PS_UNWIND_NO_ROWS)
				at = native.table.ranges[i].last + 1u;
		range->chunk = 0;
		range->first = range->last = (uint16_t)at;
	}
	native.chunks[0]->rows[at] = *row;
	return at < PS_UNWIND_CHUNK_ROWS - 1;
}

static bool native_part__take(struct python_process *process, const char *line)
{
	struct ps_unwind_range range = {.chunk = PS_UNWIND_NO_ROWS};
	struct native_name *name = &native.names[native.name_count];
	size_t of = process->thread_count ? process->thread_count - 1 : MAX_TOLD_THREADS;
	unsigned long long one, two, three;
	struct ps_unwind_row row;

	if (sscanf(line, "registers %zu %llx %llx %llx", &of, &one, &two, &three) == 4) {
		if (of >= MAX_TOLD_THREADS)
			return false;
		native.threads[of].rip = one;
		native.threads[of].rsp = two;
		native.threads[of].rbp = three;
		return true;
	}
	/* Of the thread that talks, or, saved, of any. */
	if (sscanf(line, "returned %zu %llx", &of, &one) == 2 ||
	    sscanf(line, "return %llx", &one) == 1) {
		if (of >= MAX_TOLD_THREADS || native.threads[of].return_count == MAX_RETURNS)
			return false;
		native.threads[of].returns[native.threads[of].return_count++] = one;
		return true;
	}
	if (sscanf(line, "range %llx %x %x", &one, &range.size, &range.delta) == 3) {
		range.start = one;
		return native_part__add_range(&range);
	}
	if (sscanf(line, "row %x %x", &row.address, &row.rule) == 2)
		return native_part__add_row(&row);
	if (sscanf(line, "name %llx %63s", &one, name->name) == 2) {
		name->address = one;
		native.name_count++;
		return native.name_count < MAX_NAMES;
	}
	return false;
}

/* NULL: none was saved. */
static const char *native_part__name(uint64_t address)
{
	for (size_t i = 0; i < native.name_count; i++)
		if (native.names[i].address == address)
			return native.names[i].name;
	return NULL;
}

#endif
