// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

#define REPLACEMENT	 "\xef\xbf\xbd" /* U+FFFD */
#define REPLACEMENT_SIZE 3
#define ESCAPE_SIZE	 6 /* \u001f: the longest that one byte becomes */

/* Bytes of the valid sequence that begins at bytes, 0: none does. Neither surrogates, nor longer
 * forms than needed, nor what is beyond U+10FFFF (Unicode, table 3-7). */
static size_t sequence_size(const uint8_t *bytes, size_t left)
{
	uint8_t first = bytes[0], low = 0x80, high = 0xbf;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (left < size)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

bool text__is_utf8(const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t sequence = sequence_size((const uint8_t *)bytes + at, size - at);

		if (!sequence)
			return false;
		at += sequence;
	}
	return true;
}

static void put(struct text *text, const char *bytes, size_t size)
{
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

static int reserve(struct text *text, size_t items, size_t item_size, size_t more)
{
	size_t needed;

	if (__builtin_mul_overflow(items, item_size, &needed) ||
	    __builtin_add_overflow(needed, text->size + more, &needed))
		return -EOVERFLOW;
	return array__reserve(&text->bytes, &text->capacity, 1, needed);
}

int text__append(struct text *text, const char *bytes, size_t size)
{
	int err = reserve(text, size, REPLACEMENT_SIZE, 0);

	if (err)
		return err;
	for (size_t at = 0; at < size;) {
		size_t sequence = sequence_size((const uint8_t *)bytes + at, size - at);

		if (sequence)
			put(text, bytes + at, sequence);
		else
			put(text, REPLACEMENT, REPLACEMENT_SIZE);
		at += sequence ? sequence : 1;
	}
	return 0;
}

static void put_escaped(struct text *text, char byte)
{
	char escaped[ESCAPE_SIZE + 1];
	int size;

	if (byte == '"' || byte == '\\')
		size = snprintf(escaped, sizeof(escaped), "\\%c", byte);
	else
		size = snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned int)(uint8_t)byte);
	put(text, escaped, (size_t)size);
}

int text__append_arguments(struct text *text, const char *bytes, size_t size)
{
	int err = reserve(text, size, ESCAPE_SIZE, sizeof("[\"\"]"));

	if (err)
		return err;
	if (!size) {
		put(text, "[]", 2);
		return 0;
	}
	if (!bytes[size - 1])
		size--;
	put(text, "[\"", 2);
	for (size_t at = 0; at < size;) {
		size_t sequence = sequence_size((const uint8_t *)bytes + at, size - at);

		if (!bytes[at])
			put(text, "\",\"", 3);
		else if (!sequence)
			put(text, REPLACEMENT, REPLACEMENT_SIZE);
		else if (bytes[at] == '"' || bytes[at] == '\\' || (uint8_t)bytes[at] < 0x20)
			put_escaped(text, bytes[at]);
		else
			put(text, bytes + at, sequence);
		at += sequence ? sequence : 1;
	}
	put(text, "\"]", 2);
	return 0;
}
