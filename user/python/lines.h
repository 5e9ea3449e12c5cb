/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPython's line tables: bytecode offset -> source line. The tables are outside bytes. */
#ifndef PYTHON_LINES_H
#define PYTHON_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum python_line_format {
	PYTHON_LINES_LNOTAB = 1, /* co_lnotab, 3.8 and 3.9: (bytes, lines) where a line begins */
	PYTHON_LINES_RANGES, /* co_linetable, 3.10: (bytes, lines) of each range */
	PYTHON_LINES_LOCATIONS /* co_linetable, 3.11+: 1cccclll, length, more by the code cccc */
};

struct python_line_table {
	const void *bytes;
	size_t size;
	bool cut; /* there was more of it: nothing is known behind its end */
	enum python_line_format format;
	int32_t first_line; /* co_firstlineno */
};

/* The line of the instruction at offset (bytes into the bytecode), > 0; 0: it has none, or the
 * table does not reach it. */
int32_t python_lines__find(const struct python_line_table *table, uint32_t offset);

#endif
