// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define HEADER_LIMIT 256 /* bytes of a str object in front of its characters */
#define REPLACEMENT  0xfffd
#define ELLIPSIS     0x2026
#define UTF8_MAX     4 /* bytes of one character */

struct text {
	uint64_t length; /* characters */
	unsigned int kind; /* bytes per character */
	uint64_t data; /* address */
};

static bool is_printable(uint32_t character)
{
	if (character < 0x20 || (character >= 0x7f && character < 0xa0))
		return false;
	if (character >= 0xd800 && character < 0xe000)
		return false;
	/* Line and paragraph separators, overrides and isolates of the direction of text. */
	if ((character >= 0x2028 && character <= 0x202e) ||
	    (character >= 0x2066 && character <= 0x2069))
		return false;
	return character <= 0x10ffff;
}

static size_t encode(uint32_t character, char *destination)
{
	if (character < 0x80) {
		destination[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		destination[0] = (char)(0xc0 | character >> 6);
		destination[1] = (char)(0x80 | (character & 0x3f));
		return 2;
	}
	if (character < 0x10000) {
		destination[0] = (char)(0xe0 | character >> 12);
		destination[1] = (char)(0x80 | (character >> 6 & 0x3f));
		destination[2] = (char)(0x80 | (character & 0x3f));
		return 3;
	}
	destination[0] = (char)(0xf0 | character >> 18);
	destination[1] = (char)(0x80 | (character >> 12 & 0x3f));
	destination[2] = (char)(0x80 | (character >> 6 & 0x3f));
	destination[3] = (char)(0x80 | (character & 0x3f));
	return 4;
}

static int read_header(const struct memory *memory, const struct python_layout *layout,
		       uint64_t address, struct text *ret)
{
	uint8_t header[HEADER_LIMIT];
	uint32_t state, kind;
	int64_t length;
	bool ascii;
	int err;

	if (layout->text_ascii_data > sizeof(header) ||
	    layout->text_length + sizeof(length) > layout->text_ascii_data ||
	    layout->text_state + sizeof(state) > layout->text_ascii_data)
		return -EBADMSG;
	err = memory__read(memory, address, header, layout->text_ascii_data);
	if (err)
		return err;
	memcpy(&length, header + layout->text_length, sizeof(length));
	memcpy(&state, header + layout->text_state, sizeof(state));
	if (length < 0 || !(state & layout->text_compact_bit))
		return -EBADMSG;
	/* The mask's lowest bit is the field's unit. */
	kind = (state & layout->text_kind_bits) /
	       (layout->text_kind_bits & -layout->text_kind_bits);
	ascii = state & layout->text_ascii_bit;
	if ((kind != 1 && kind != 2 && kind != 4) || (ascii && kind != 1))
		return -EBADMSG;
	*ret = (struct text){
		.length = (uint64_t)length,
		.kind = kind,
		.data = address + (ascii ? layout->text_ascii_data : layout->text_data),
	};
	return 0;
}

static uint32_t character_at(const uint8_t *data, size_t index, unsigned int kind)
{
	uint32_t wide;
	uint16_t half;

	if (kind == 1)
		return data[index];
	if (kind == 2) {
		memcpy(&half, data + index * 2, sizeof(half));
		return half;
	}
	memcpy(&wide, data + index * 4, sizeof(wide));
	return wide;
}

int python_text__read(const struct memory *memory, const struct python_layout *layout,
		      uint64_t address, size_t limit, char **ret_text)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *text = NULL;
	size_t count, filled = 0, fits = 0;
	struct text header;
	int err = read_header(memory, layout, address, &header);

	if (err)
		return err;
	/* A character is at least a byte: more than `limit` of them never fit. */
	count = header.length <= limit ? header.length : limit + 1;
	data = malloc(count * header.kind + 1);
	text = malloc(limit + UTF8_MAX + 1);
	if (!data || !text)
		return -ENOMEM;
	err = memory__read(memory, header.data, data, count * header.kind);
	if (err)
		return err;
	for (size_t i = 0; i < count && filled <= limit; i++) {
		uint32_t character = character_at(data, i, header.kind);

		filled += encode(is_printable(character) ? character : REPLACEMENT, text + filled);
		if (filled + 3 <= limit)
			fits = filled; /* an ellipsis would still go behind this character */
	}
	if (filled > limit)
		filled = fits + encode(ELLIPSIS, text + fits);
	text[filled] = '\0';
	*ret_text = text;
	text = NULL;
	return 0;
}
