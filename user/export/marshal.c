// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/marshal.h"

#include <endian.h>
#include <string.h>

enum {
	TYPE_DICT = '{',
	TYPE_TUPLE = '(',
	TYPE_TEXT = 'u', /* UTF-8 */
	TYPE_INT = 'i', /* 32 bits */
	TYPE_LONG = 'l', /* digits of 15 bits */
	TYPE_FLOAT = 'g', /* 8 bytes */
	TYPE_END = '0' /* of a dictionary */
};

#define LONG_DIGIT_BITS 15

static void put_u32(FILE *stream, uint32_t value)
{
	value = htole32(value);
	fwrite(&value, sizeof(value), 1, stream);
}

void marshal__integer(FILE *stream, int64_t value)
{
	uint64_t rest = value > 0 ? (uint64_t)value : 0;
	uint32_t digits = 0;

	if (rest <= INT32_MAX) {
		fputc(TYPE_INT, stream);
		put_u32(stream, (uint32_t)rest);
		return;
	}
	for (uint64_t left = rest; left; left >>= LONG_DIGIT_BITS)
		digits++;
	fputc(TYPE_LONG, stream);
	put_u32(stream, digits);
	for (; rest; rest >>= LONG_DIGIT_BITS) {
		uint16_t digit = htole16(rest & ((1U << LONG_DIGIT_BITS) - 1));

		fwrite(&digit, sizeof(digit), 1, stream);
	}
}

void marshal__real(FILE *stream, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = htole64(bits);
	fputc(TYPE_FLOAT, stream);
	fwrite(&bits, sizeof(bits), 1, stream);
}

void marshal__text(FILE *stream, const char *text)
{
	size_t size = strlen(text);

	if (size > INT32_MAX)
		size = 0;
	fputc(TYPE_TEXT, stream);
	put_u32(stream, (uint32_t)size);
	fwrite(text, 1, size, stream);
}

void marshal__tuple(FILE *stream, uint32_t count)
{
	fputc(TYPE_TUPLE, stream);
	put_u32(stream, count);
}

void marshal__dict(FILE *stream)
{
	fputc(TYPE_DICT, stream);
}

void marshal__end(FILE *stream)
{
	fputc(TYPE_END, stream);
}
