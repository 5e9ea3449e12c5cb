// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python unwind base
// Input: format, first line (4 bytes), offset (4 bytes), line table.
#include <stdlib.h>

#include "base/cursor.h"
#include "python/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor__of(data, size);
	struct python_line_table table = {.format = cursor__u8(&cursor) % 4};
	uint32_t offset;

	table.first_line = (int32_t)cursor__u32(&cursor);
	offset = cursor__u32(&cursor);
	if (cursor.failed)
		return 0;
	table.bytes = cursor.at;
	table.size = cursor__left(&cursor);
	for (int cut = 0; cut < 2; cut++) {
		table.cut = cut;
		if (python_lines__find(&table, offset) < 0 ||
		    python_lines__find(&table, offset % 256) < 0)
			abort();
	}
	return 0;
}
