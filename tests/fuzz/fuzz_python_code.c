// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python unwind base
// Input: minor version (8-14), offset of the code object in units of 8, then a memory that lies at
// 0x10000. From 3.13 on it begins with what the runtime publishes; before, an object that looks
// right is checked for its type as well when the minor version's byte says so.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_memory.h"
#include "python/code.h"
#include "python/text.h"

/* Every character whole, none that a terminal would act on. */
static bool is_clean(const char *text, size_t limit)
{
	size_t size = strlen(text);

	if (size > limit)
		return false;
	for (size_t i = 0; i < size;) {
		uint8_t first = (uint8_t)text[i];
		size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;

		if (first < 0x20 || first == 0x7f || (first >= 0x80 && first < 0xc2) ||
		    first > 0xf4 || (first == 0xc2 && (uint8_t)text[i + 1] < 0xa0))
			return false;
		for (size_t j = 1; j <= more; j++)
			if (((uint8_t)text[i + j] & 0xc0) != 0x80)
				return false;
		i += more + 1;
	}
	return true;
}

/* A layout that a hostile process made is as good as any. */
static bool find_layout(const struct fuzz_input *input, int minor, struct python_layout *ret)
{
	const struct python_layout *known = python_layout__of((uint16_t)(0x0300 | minor));
	uint16_t version;

	if (known)
		*ret = *known;
	return known ||
	       !python_layout__from_debug_offsets(input->bytes, input->size, &version, ret);
}

/* The object taken for a str, short and whole. */
static void read_text(const struct fuzz_input *input, const struct python_layout *layout,
		      uint64_t address)
{
	static const size_t limits[] = {8, 9, 64, PYTHON_NAME_LIMIT};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char *text = NULL;

		if (python_text__read(&input->memory, layout, address, limits[i], &text)) {
			if (text)
				abort();
			continue;
		}
		if (!is_clean(text, limits[i]))
			abort();
		free(text);
	}
}

static void check_code(const struct python_code *code)
{
	if (!is_clean(code->name, PYTHON_NAME_LIMIT) || !is_clean(code->file, PYTHON_FILE_LIMIT) ||
	    code->lines.size > PYTHON_LINES_LIMIT || code->check >> 24)
		abort();
	for (int32_t position = -2; position < 64; position++)
		if (python_code__line(code, position) < 0)
			abort();
	if (python_code__line(code, INT32_MAX) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.memory.read = fuzz_input__read};
	struct python_layout layout;
	struct python_code code;
	uint64_t address, code_type, fingerprint = 0;
	bool found;

	if (size < 2)
		return 0;
	address = MEMORY_AT + data[1] * 8u;
	code_type = data[0] & 0x80 ? MEMORY_AT : 0;
	input.bytes = data + 2;
	input.size = size - 2;
	if (!find_layout(&input, 8 + (data[0] & 0x7f) % 7, &layout))
		return 0;
	read_text(&input, &layout, address);
	found = !python_code__fingerprint(&input.memory, &layout, address, code_type, &fingerprint);
	if (python_code__read(&input.memory, &layout, address, code_type, &code))
		return 0;
	if (!found || fingerprint != code.fingerprint)
		abort();
	check_code(&code);
	python_code__clear(&code);
	return 0;
}
