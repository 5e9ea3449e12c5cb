/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code objects of another process: what a function is called and where its lines are. */
#ifndef PYTHON_CODE_H
#define PYTHON_CODE_H

#include <stdint.h>

#include "base/memory.h"
#include "python/layout.h"

#define PYTHON_NAME_LIMIT  512 /* bytes of a name, what is longer ends in "…" */
#define PYTHON_FILE_LIMIT  4096 /* bytes of a file's name, the same */
#define PYTHON_LINES_LIMIT 65536 /* bytes of a line table: about 10,000 lines */

/* Text is valid UTF-8 without control characters: they, and whatever is no character, have become
 * U+FFFD. Everything is the object's own copy. */
struct python_code {
	char *name; /* co_qualname (3.11+), else co_name */
	char *file; /* co_filename */
	int32_t first_line;
	enum ps_py_position position; /* what python_code__line() is asked with */
	struct python_line_table lines; /* .bytes is malloc'ed */
	uint64_t fingerprint; /* see python_code__fingerprint() */
	uint32_t check; /* ps_py_code_check(), as the walker has it */
};

/* Reads the code object at address. code_type: address of PyCode_Type in that process, 0: not known
 * (then any object that looks right is taken). python_code__clear() after success. -EBADMSG: no
 * code object, or it changed meanwhile; -ESRCH: it has been freed, or the process has ended;
 * -EFAULT, -EPERM: from the memory; -ENOMEM. */
int python_code__read(const struct memory *memory, const struct python_layout *layout,
		      uint64_t address, uint64_t code_type, struct python_code *ret);

/* Frees what python_code__read() allocated and zeroes *code. NULL is allowed. */
void python_code__clear(struct python_code *code);

/* A hash of what identifies the code object at address: the addresses of its names and line table,
 * its first line and flags. It differs when another object has taken the address. One read. Errors
 * as above. */
int python_code__fingerprint(const struct memory *memory, const struct python_layout *layout,
			     uint64_t address, uint64_t code_type, uint64_t *ret_fingerprint);

/* The source line at a position as the walker sends it (enum ps_py_position): negative, the frame
 * has not started: first_line. 0: the instruction has no line. */
int32_t python_code__line(const struct python_code *code, int32_t position);

#endif
