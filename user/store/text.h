/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes from other processes as text that SQLite and JSON accept. Every byte that is no part of
 * valid UTF-8 becomes U+FFFD; all else stays, control characters too. */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* malloc'ed, no NUL behind; the caller frees it */
	size_t size, capacity;
};

bool text__is_utf8(const char *bytes, size_t size);

/* 0, -ENOMEM or -EOVERFLOW. */
int text__append(struct text *text, const char *bytes, size_t size);

/* Arguments with a NUL between and maybe one behind them, as a JSON array of strings. */
int text__append_arguments(struct text *text, const char *bytes, size_t size);

#endif
