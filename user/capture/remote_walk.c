// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/remote_walk.h"

#include "base/memory.h"

static __thread const struct memory *walked;

static long ps_read_user(void *destination, __u32 size, __u64 address);

#include "native.bpf.h"
#include "python.bpf.h"

static long ps_read_user(void *destination, __u32 size, __u64 address)
{
	return memory__read(walked, address, destination, size);
}

uint32_t remote_walk__python(const struct memory *memory, uint64_t tcb,
			     const struct ps_py_offsets *layout, uint64_t runtime,
			     struct ps_frame *frames, size_t *ret_count)
{
	struct python_walk walk;
	bool closed = false, any = false;
	uint32_t ending;

	*ret_count = 0;
	walked = memory;
	ending = python__begin(&walk, layout, runtime, tcb);
	if (ending)
		return ending;
	for (size_t step = 0; walk.frame && step < 2 * PS_MAX_PYTHON; step++) {
		int status;

		if (*ret_count == PS_MAX_PYTHON)
			return PS_END_PY_TOO_DEEP;
		status = python__step(&walk, layout, &frames[*ret_count]);
		if (status < 0)
			return PS_END_PY_UNREADABLE;
		if (status == PY_NO_FRAME && *ret_count && !closed) {
			frames[*ret_count - 1].kind |= PS_FRAME_LAST;
			closed = true;
			continue;
		}
		if (status == PY_NO_FRAME)
			frames[*ret_count] =
				(struct ps_frame){.kind = PS_FRAME_NONE | PS_FRAME_LAST};
		else
			any = true;
		closed = PS_FRAME_FLAGS(&frames[*ret_count]) & PS_FRAME_LAST;
		(*ret_count)++;
	}
	if (walk.frame)
		return PS_END_PY_TOO_DEEP;
	return any ? PS_END_PYTHON : PS_END_PY_IDLE;
}

/* Into walk->range: 0, or an enum ps_ending. */
static uint32_t find_range(struct native_walk *walk, const struct remote_rows *rows)
{
	uint64_t address = native__address(walk);
	uint32_t at;

	if (!rows->ranges.count)
		return PS_END_NATIVE_NOT_YET;
	at = native__search_ranges(rows->table, rows->ranges.first, rows->ranges.count, address);
	walk->range = rows->table->ranges[at];
	return address - walk->range.start < walk->range.size ? 0 : PS_END_UNMAPPED;
}

uint32_t remote_walk__native(const struct memory *memory, const struct remote_rows *rows,
			     const struct remote_place *place, uint64_t *words, size_t room,
			     size_t *ret_count)
{
	struct native_walk walk;
	uint32_t ending = 0;

	walked = memory;
	native__begin(&walk, place->rip, place->rsp, place->rbp);
	walk.is_caller = place->is_caller;
	walk.rbp_lost = place->rbp_lost;
	*ret_count = 0;
	while (!ending) {
		const struct ps_unwind_range *range = &walk.range;
		uint32_t rule = 0;

		if (*ret_count == room)
			return PS_END_NATIVE_TOO_DEEP;
		if (native__address(&walk) - range->start >= range->size)
			ending = find_range(&walk, rows);
		if (!ending && (range->chunk >= PS_UNWIND_CHUNKS || !rows->chunks[range->chunk]))
			ending = PS_END_NO_ROWS;
		if (!ending)
			rule = native__search_rows(
				rows->chunks[range->chunk], range->first, range->last,
				(uint32_t)(native__address(&walk) - range->start) + range->delta);
		words[(*ret_count)++] = walk.rip | (rule & PS_UNWIND_EVAL ? PS_NATIVE_EVAL : 0);
		if (!ending)
			ending = native__step(&walk, rule);
	}
	return ending;
}
