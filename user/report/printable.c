// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the character at text, its code point in *ret_point; 0: not UTF-8. */
static size_t decode(const unsigned char *text, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point;
	size_t size;

	if (text[0] < 0x80) {
		*ret_point = text[0];
		return 1;
	}
	if ((text[0] & 0xe0) == 0xc0)
		size = 2;
	else if ((text[0] & 0xf0) == 0xe0)
		size = 3;
	else if ((text[0] & 0xf8) == 0xf0)
		size = 4;
	else
		return 0;
	point = text[0] & (0x7f >> size);
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80) /* also at the terminating NUL */
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return size;
}

static bool is_harmful(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x200b && point <= 0x200f) || /* no width, direction marks */
	       (point >= 0x2028 && point <= 0x202e) || /* separators, direction overrides */
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || point == 0x61c;
}

static char *escape(const char *text, bool only_bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	char *escaped = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&escaped, &size);

	if (!stream)
		return NULL;
	while (*at) {
		uint32_t point = 0;
		size_t bytes = decode(at, &point);

		if (!bytes || (!only_bytes && bytes == 1 && is_harmful(point)))
			fprintf(stream, "\\x%02x", *at);
		else if (!only_bytes && is_harmful(point))
			fprintf(stream, "\\u{%x}", (unsigned int)point);
		else
			fwrite(at, 1, bytes, stream);
		at += bytes ? bytes : 1;
	}
	if (fclose(stream)) {
		free(escaped);
		return NULL;
	}
	return escaped;
}

/* Nearly every name is plain: no stream for those. */
static bool is_plain(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at >= 0x7f)
			return false;
	return true;
}

char *printable__of(const char *text)
{
	return is_plain(text) ? strdup(text) : escape(text, false);
}

char *printable__utf8(const char *text)
{
	return is_plain(text) ? strdup(text) : escape(text, true);
}

static size_t point_width(uint32_t point)
{
	static const struct range {
		uint32_t from, to;
	} wide[] = {
		{0x1100, 0x115f},   {0x2e80, 0xa4cf},	{0xac00, 0xd7a3}, {0xf900, 0xfaff},
		{0xfe30, 0xfe6f},   {0xff00, 0xff60},	{0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
		{0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
	};

	if (point >= 0x300 && point <= 0x36f) /* combining marks */
		return 0;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (point >= wide[i].from && point <= wide[i].to)
			return 2;
	return 1;
}

/* The bytes of the first characters of text that fill at most `width` columns. */
static size_t bytes_within(const char *text, size_t width)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	while (*at) {
		uint32_t point = '?';
		size_t bytes = decode(at, &point);

		used += point_width(point);
		if (used > width)
			break;
		at += bytes ? bytes : 1;
	}
	return (size_t)((const char *)at - text);
}

size_t printable__width(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t width = 0;

	while (*at) {
		uint32_t point = '?';
		size_t bytes = decode(at, &point);

		width += point_width(point);
		at += bytes ? bytes : 1;
	}
	return width;
}

char *printable__shorten(const char *text, size_t width)
{
	size_t whole = printable__width(text), head, tail_width;
	const char *tail;
	char *shortened;

	if (whole <= width)
		return strdup(text);
	/* The end tells more: of a path the file, of a name the method. */
	head = bytes_within(text, (width - 2) / 3);
	tail_width = width - 2 - (width - 2) / 3;
	tail = text + bytes_within(text, whole - tail_width);
	while (printable__width(tail) > tail_width)
		tail += bytes_within(tail, 2);
	if (asprintf(&shortened, "%.*s..%s", (int)head, text, tail) < 0)
		return NULL;
	return shortened;
}

const char *error__name(uint32_t number, char buffer[ERROR_NAME_SIZE])
{
	const char *name = strerrorname_np((int)number);

	if (name)
		return name;
	snprintf(buffer, ERROR_NAME_SIZE, "%u", number);
	return buffer;
}
