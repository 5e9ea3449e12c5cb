// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python base
// Input: minor version (8-12), offset of the code object in units of 8, then a memory that lies at
// 0x10000.
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "python/code.h"

#define BASE 0x10000

struct bytes_memory {
	struct memory memory;
	const uint8_t *bytes;
	size_t size;
};

static int bytes_read(const struct memory *memory, uint64_t address, void *destination, size_t size)
{
	const struct bytes_memory *bytes = (const void *)memory;

	if (address < BASE || address - BASE > bytes->size || size > bytes->size - (address - BASE))
		return -EFAULT;
	memcpy(destination, bytes->bytes + (address - BASE), size);
	return 0;
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_memory bytes = {.memory.read = bytes_read};
	const struct python_layout *layout;
	struct python_code code;
	uint64_t address;
	int err;

	if (size < 2)
		return 0;
	layout = python_layout__of(0x0308 + data[0] % 5);
	address = BASE + data[1] * 8u;
	bytes.bytes = data + 2;
	bytes.size = size - 2;
	err = python_code__read(&bytes.memory, layout, address, 0, &code);
	if (err)
		return 0;
	if (!is_clean(code.name, PYTHON_NAME_LIMIT) || !is_clean(code.file, PYTHON_FILE_LIMIT) ||
	    code.lines.size > PYTHON_LINES_LIMIT)
		abort();
	for (int32_t position = -2; position < 64; position++)
		if (python_code__line(&code, position) < 0)
			abort();
	if (python_code__line(&code, INT32_MAX) < 0)
		abort();
	python_code__clear(&code);
	return 0;
}
