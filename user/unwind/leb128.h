/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DWARF's numbers of variable length. More than 64 bits make the cursor fail. */
#ifndef UNWIND_LEB128_H
#define UNWIND_LEB128_H

#include "base/cursor.h"

#define LEB128_MAX_BYTES 10

static inline uint64_t leb128__read(struct cursor *cursor, unsigned int *ret_bits,
				    uint8_t *ret_last)
{
	uint64_t value = 0;
	unsigned int bits = 0;
	uint8_t byte;

	do {
		byte = cursor__u8(cursor);
		if (bits < 64)
			value |= (uint64_t)(byte & 0x7f) << bits;
		bits += 7;
		if (bits >= LEB128_MAX_BYTES * 7 && (byte & 0x80))
			cursor->failed = true;
	} while ((byte & 0x80) && !cursor->failed);
	*ret_bits = bits;
	*ret_last = byte;
	return value;
}

static inline uint64_t leb128__unsigned(struct cursor *cursor)
{
	unsigned int bits;
	uint8_t last;

	return leb128__read(cursor, &bits, &last);
}

static inline int64_t leb128__signed(struct cursor *cursor)
{
	unsigned int bits;
	uint8_t last;
	uint64_t value = leb128__read(cursor, &bits, &last);

	if ((last & 0x40) && bits < 64)
		value |= ~0ull << bits;
	return (int64_t)value;
}

#endif
