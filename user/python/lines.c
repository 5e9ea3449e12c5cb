// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/lines.h"

#include "base/cursor.h"

#define CODE_UNIT     2 /* bytes of an instruction without its caches */
#define RANGE_NO_LINE (-128)

/* Location table: kinds of entries, the field cccc of their first byte. */
#define LOCATION_FIRST	   0x80 /* set in the first byte of each entry only */
#define LOCATION_ONE_LINE  10 /* 10, 11, 12: the line is 0, 1, 2 further, columns follow */
#define LOCATION_NO_COLUMN 13 /* a signed variable-length integer: lines further */
#define LOCATION_LONG	   14 /* the same, then end line and columns */
#define LOCATION_NONE	   15

static int32_t valid_line(int64_t line)
{
	return line > 0 && line <= INT32_MAX ? (int32_t)line : 0;
}

static int32_t find_lnotab(const struct python_line_table *table, uint32_t offset)
{
	struct cursor cursor = cursor__of(table->bytes, table->size);
	int64_t line = table->first_line;
	uint64_t start = 0;

	while (cursor__left(&cursor) >= 2) {
		start += cursor__u8(&cursor);
		if (start > offset)
			return valid_line(line);
		line += (int8_t)cursor__u8(&cursor);
	}
	/* The last line goes on to the end of the code, which a cut table does not show. */
	return table->cut ? 0 : valid_line(line);
}

static int32_t find_ranges(const struct python_line_table *table, uint32_t offset)
{
	struct cursor cursor = cursor__of(table->bytes, table->size);
	int64_t line = table->first_line;
	uint64_t end = 0;

	while (cursor__left(&cursor) >= 2) {
		int8_t lines;

		end += cursor__u8(&cursor);
		lines = (int8_t)cursor__u8(&cursor);
		if (lines != RANGE_NO_LINE)
			line += lines;
		if (end > offset)
			return lines == RANGE_NO_LINE ? 0 : valid_line(line);
	}
	return 0;
}

/* Six bits per byte, the lowest first; 0x40: another byte follows. */
static int64_t read_signed(struct cursor *cursor)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = cursor__u8(cursor);
		if (shift < 36)
			value |= (uint64_t)(byte & 0x3f) << shift;
		shift += 6;
	} while (byte & 0x40 && !cursor->failed);
	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static int32_t find_locations(const struct python_line_table *table, uint32_t offset)
{
	struct cursor cursor = cursor__of(table->bytes, table->size);
	int64_t line = table->first_line;
	uint64_t end = 0;

	while (cursor__left(&cursor)) {
		uint8_t first = cursor__u8(&cursor);
		unsigned int code = first >> 3 & 0xf;

		if (!(first & LOCATION_FIRST))
			return 0;
		end += ((first & 7u) + 1) * CODE_UNIT;
		if (code == LOCATION_NO_COLUMN || code == LOCATION_LONG)
			line += read_signed(&cursor);
		else if (code > LOCATION_ONE_LINE && code < LOCATION_NO_COLUMN)
			line += code - LOCATION_ONE_LINE;
		if (cursor.failed)
			return 0;
		if (end > offset)
			return code == LOCATION_NONE ? 0 : valid_line(line);
		while (cursor__left(&cursor) && !(*cursor.at & LOCATION_FIRST))
			cursor.at++;
	}
	return 0;
}

int32_t python_lines__find(const struct python_line_table *table, uint32_t offset)
{
	switch (table->format) {
	case PYTHON_LINES_LNOTAB:
		return find_lnotab(table, offset);
	case PYTHON_LINES_RANGES:
		return find_ranges(table, offset);
	case PYTHON_LINES_LOCATIONS:
		return find_locations(table, offset);
	}
	return 0;
}
