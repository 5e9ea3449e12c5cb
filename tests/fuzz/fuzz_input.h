/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets of the walkers share: numbers taken off an input, whose rest is a process's
 * memory. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "capture/remote_walk.h"
#include "fuzz_memory.h"

#define CODE_AT 0x800000ULL /* of executable ranges: 64 KiB from here on */

/* The next `size` bytes; zeros behind the end. */
static void fuzz_input__take(struct fuzz_input *input, void *destination, size_t size)
{
	size_t there = size < input->size ? size : input->size;

	memset(destination, 0, size);
	memcpy(destination, input->bytes, there);
	input->bytes += there;
	input->size -= there;
}

static uint8_t fuzz_input__byte(struct fuzz_input *input)
{
	uint8_t byte;

	fuzz_input__take(input, &byte, sizeof(byte));
	return byte;
}

static uint16_t fuzz_input__short(struct fuzz_input *input)
{
	uint16_t number;

	fuzz_input__take(input, &number, sizeof(number));
	return number;
}

/* An address in the memory, mostly. */
static uint64_t fuzz_input__address(struct fuzz_input *input)
{
	return MEMORY_AT + fuzz_input__short(input);
}

static struct ps_unwind_chunk fuzz_chunk;
static struct ps_unwind_table fuzz_table;

/* Rows and ranges: those that the recorder makes lie in chunks that are there, and that is all that
 * is taken for granted. */
static struct remote_rows fuzz_input__rows(struct fuzz_input *input)
{
	static const struct ps_unwind_chunk *chunks[PS_UNWIND_CHUNKS];
	struct remote_rows rows = {.chunks = chunks, .table = &fuzz_table};
	uint8_t row_count = fuzz_input__byte(input) % 64;

	chunks[0] = &fuzz_chunk;
	for (size_t i = 0; i < 64; i++)
		fuzz_chunk.rows[i] = (struct ps_unwind_row){};
	for (size_t i = 0; i < row_count; i++) {
		fuzz_chunk.rows[i].address = fuzz_input__short(input);
		fuzz_input__take(input, &fuzz_chunk.rows[i].rule, sizeof(uint32_t));
	}
	rows.ranges.count = fuzz_input__byte(input) % 9;
	for (size_t i = 0; i < rows.ranges.count; i++) {
		struct ps_unwind_range *range = &fuzz_table.ranges[i];

		range->start = CODE_AT + fuzz_input__short(input);
		range->size = fuzz_input__short(input);
		range->delta = fuzz_input__short(input);
		range->first = fuzz_input__byte(input);
		range->last = fuzz_input__byte(input);
		range->chunk = range->last == UINT8_MAX ? PS_UNWIND_NO_ROWS : 0;
	}
	return rows;
}

#endif
