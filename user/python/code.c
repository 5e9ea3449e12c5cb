// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/code.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "python/text.h"

#define CODE_UNIT	  2 /* bytes; 3.10 counts in them */
#define CODE_HEADER_LIMIT 512 /* bytes of a code object that hold the fields read */

/* What is read of a code object at once. */
struct header {
	uint64_t type, name, file, lines;
	uint64_t more; /* what the walker has as python__more() */
	int32_t first_line, flags;
};

static uint64_t word_at(const uint8_t *bytes, uint16_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static int32_t int_at(const uint8_t *bytes, uint16_t offset)
{
	int32_t number;

	memcpy(&number, bytes + offset, sizeof(number));
	return number;
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* As python__content() in bpf/python.bpf.h. */
static uint64_t content_of(const struct memory *memory, const struct python_layout *layout,
			   const struct header *header)
{
	uint16_t text = layout->text_ascii_data;
	uint64_t length, word = 0;

	if (header->flags & PS_PY_OPTIMIZED) {
		if (memory__read(memory, header->name + text - PS_PY_TEXT_HASH, &word,
				 sizeof(word)))
			return 0;
		return word | 1;
	}
	if (memory__read(memory, header->file + text - PS_PY_TEXT_LENGTH, &length, sizeof(length)))
		return 0;
	if (length >= sizeof(word) &&
	    memory__read(memory, header->file + text + length - sizeof(word), &word, sizeof(word)))
		return 0;
	return (word ^ length << 32) | 1;
}

/* The count of references lies in front of the type. The rest of an object stays as it was when it
 * is freed, until somebody else gets its memory; only the count becomes 0, or the allocator's
 * pointer to the next free block. The upper 16 bits are flags in 3.14. */
static bool is_alive(uint64_t references)
{
	return (uint32_t)references && !(references >> 32 & 0xffff);
}

static int read_header(const struct memory *memory, const struct python_layout *layout,
		       uint64_t address, uint64_t code_type, struct header *ret)
{
	uint16_t name =
		layout->code_qualname != PS_PY_NO_FIELD ? layout->code_qualname : layout->code_name;
	size_t size = max(layout->object_type, max(name, layout->code_file));
	uint8_t bytes[CODE_HEADER_LIMIT];
	struct header header;
	int err;

	size = max(size, max(layout->code_lines, max(layout->code_first_line, layout->code_flags)));
	if (layout->walker.version >= PS_PY_NUMBERED)
		size = max(size, layout->code_more);
	size += sizeof(uint64_t);
	if (size > sizeof(bytes))
		return -EBADMSG;
	/* Objects are aligned; 0 and the small numbers of a torn frame are none. */
	if (!address || address % sizeof(uint64_t) || address > UINT64_MAX - size)
		return -EBADMSG;
	err = memory__read(memory, address, bytes, size);
	if (err)
		return err;
	header = (struct header){
		.type = word_at(bytes, layout->object_type),
		.name = word_at(bytes, name),
		.file = word_at(bytes, layout->code_file),
		.lines = word_at(bytes, layout->code_lines),
		.first_line = int_at(bytes, layout->code_first_line),
		.flags = int_at(bytes, layout->code_flags),
	};
	if (code_type && header.type != code_type)
		return -EBADMSG;
	if (layout->object_type >= sizeof(uint64_t) &&
	    !is_alive(word_at(bytes, layout->object_type - sizeof(uint64_t))))
		return -ESRCH;
	if (layout->walker.version >= PS_PY_NUMBERED)
		header.more = word_at(bytes, layout->code_more);
	else
		header.more = content_of(memory, layout, &header);
	if (!header.type || !header.name || !header.file || !header.lines || header.first_line < 0)
		return -EBADMSG;
	*ret = header;
	return 0;
}

/* The finaliser of splitmix64: every bit of the input reaches every bit of the result. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) + 0x9e3779b97f4a7c15;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
	return hash ^ hash >> 31;
}

static uint64_t fingerprint_of(const struct header *header)
{
	uint64_t hash = mix(0, header->name);

	hash = mix(hash, header->file);
	hash = mix(hash, header->lines);
	hash = mix(hash, header->more);
	return mix(hash, (uint64_t)(uint32_t)header->first_line << 32 | (uint32_t)header->flags);
}

int python_code__fingerprint(const struct memory *memory, const struct python_layout *layout,
			     uint64_t address, uint64_t code_type, uint64_t *ret_fingerprint)
{
	struct header header;
	int err = read_header(memory, layout, address, code_type, &header);

	if (err)
		return err;
	*ret_fingerprint = fingerprint_of(&header);
	return 0;
}

static int read_lines(const struct memory *memory, const struct python_layout *layout,
		      const struct header *header, struct python_line_table *ret)
{
	_cleanup_free_ void *bytes = NULL;
	int64_t size;
	bool cut;
	int err = memory__read(memory, header->lines + layout->bytes_size, &size, sizeof(size));

	if (err)
		return err;
	if (size < 0)
		return -EBADMSG;
	cut = size > PYTHON_LINES_LIMIT;
	if (cut)
		size = PYTHON_LINES_LIMIT;
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return -ENOMEM;
	err = memory__read(memory, header->lines + layout->bytes_data, bytes, (size_t)size);
	if (err)
		return err;
	*ret = (struct python_line_table){
		.bytes = bytes,
		.size = (size_t)size,
		.cut = cut,
		.format = layout->line_format,
		.first_line = header->first_line,
	};
	bytes = NULL;
	return 0;
}

int python_code__read(const struct memory *memory, const struct python_layout *layout,
		      uint64_t address, uint64_t code_type, struct python_code *ret)
{
	struct python_code code = {0};
	struct header header;
	uint64_t again;
	int err = read_header(memory, layout, address, code_type, &header);

	if (err)
		return err;
	code.first_line = header.first_line;
	code.position = layout->walker.position;
	code.fingerprint = fingerprint_of(&header);
	code.check = ps_py_code_check(header.name, header.file, header.lines,
				      (uint32_t)header.first_line, header.more);
	err = python_text__read(memory, layout, header.name, PYTHON_NAME_LIMIT, &code.name);
	if (!err)
		err = python_text__read(memory, layout, header.file, PYTHON_FILE_LIMIT, &code.file);
	if (!err)
		err = read_lines(memory, layout, &header, &code.lines);
	/* The process runs on meanwhile: names of a freed object are not this object's. */
	if (!err)
		err = python_code__fingerprint(memory, layout, address, code_type, &again);
	if (!err && again != code.fingerprint)
		err = -EBADMSG;
	if (err) {
		python_code__clear(&code);
		return err;
	}
	*ret = code;
	return 0;
}

void python_code__clear(struct python_code *code)
{
	if (!code)
		return;
	free(code->name);
	free(code->file);
	free((void *)code->lines.bytes);
	memset(code, 0, sizeof(*code));
}

int32_t python_code__line(const struct python_code *code, int32_t position)
{
	uint32_t offset = (uint32_t)position;

	if (position < 0)
		return code->first_line;
	if (code->position == PS_PY_LASTI_UNITS)
		offset *= CODE_UNIT;
	return python_lines__find(&code->lines, offset);
}
