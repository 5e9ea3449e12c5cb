/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded reader of bytes from outside (ELF, DWARF, line tables). Reading past the end returns
 * zeros and sets `failed`, once and for all: parsers check it where they use what they read. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at, *end;
	bool failed;
};

static inline struct cursor cursor__of(const void *bytes, size_t size)
{
	const uint8_t *start = bytes;

	return (struct cursor){.at = start, .end = start + size};
}

static inline size_t cursor__left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* Native byte order; destination is zeroed when the bytes are not there. */
static inline void cursor__bytes(struct cursor *cursor, void *destination, size_t size)
{
	if (cursor->failed || cursor__left(cursor) < size) {
		cursor->failed = true;
		memset(destination, 0, size);
		return;
	}
	memcpy(destination, cursor->at, size);
	cursor->at += size;
}

static inline uint8_t cursor__u8(struct cursor *cursor)
{
	uint8_t value;

	cursor__bytes(cursor, &value, sizeof(value));
	return value;
}

static inline uint16_t cursor__u16(struct cursor *cursor)
{
	uint16_t value;

	cursor__bytes(cursor, &value, sizeof(value));
	return value;
}

static inline uint32_t cursor__u32(struct cursor *cursor)
{
	uint32_t value;

	cursor__bytes(cursor, &value, sizeof(value));
	return value;
}

static inline uint64_t cursor__u64(struct cursor *cursor)
{
	uint64_t value;

	cursor__bytes(cursor, &value, sizeof(value));
	return value;
}

#endif
