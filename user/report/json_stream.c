// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/json_stream.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/printable.h"

static void print_bytes(FILE *stream, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '"' || byte == '\\')
			fprintf(stream, "\\%c", byte);
		else if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&')
			fprintf(stream, "\\u%04x", byte);
		else
			fputc(byte, stream);
	}
}

static bool continues_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

int json_stream__text(FILE *stream, const char *text, size_t most)
{
	_cleanup_free_ char *printable = text ? printable__of(text) : NULL;
	size_t size, head, tail;

	if (!text) {
		fputs("null", stream);
		return 0;
	}
	if (!printable)
		return -ENOMEM;
	size = strlen(printable);
	fputc('"', stream);
	if (size <= most) {
		print_bytes(stream, printable, size);
	} else {
		for (head = most / 2; head && continues_character(printable[head]);)
			head--;
		for (tail = size - (most - most / 2); continues_character(printable[tail]);)
			tail++;
		print_bytes(stream, printable, head);
		fputs("\u2026", stream);
		print_bytes(stream, printable + tail, size - tail);
	}
	fputc('"', stream);
	return 0;
}

void json_stream__number(FILE *stream, double value)
{
	double whole = round(value);
	char text[64];
	size_t size;

	if (!isfinite(value)) {
		fputs("0", stream);
	} else if (fabs(value - whole) < 5e-7 || fabs(value) > 1e12) {
		fprintf(stream, "%.0f", whole);
	} else {
		size = (size_t)snprintf(text, sizeof(text), "%.6f", value);
		while (size && text[size - 1] == '0')
			text[--size] = '\0';
		fputs(text, stream);
	}
}

void json_stream__rows(FILE *stream, const struct page_rows *rows, size_t keys, size_t values)
{
	fputc('[', stream);
	for (size_t i = 0; i < rows->count; i++) {
		const struct page_row *row = &rows->rows[i], *before = i ? row - 1 : NULL;

		for (size_t key = 0; key < keys; key++) {
			uint32_t base = before ? before->key[key] : 0;

			fprintf(stream, i || key ? ",%u" : "%u", row->key[key] - base);
			if (base != row->key[key])
				before = NULL;
		}
		for (size_t value = 0; value < values; value++) {
			fputc(',', stream);
			json_stream__number(stream, row->value[value]);
		}
	}
	fputc(']', stream);
}
