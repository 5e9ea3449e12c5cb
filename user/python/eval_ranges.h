/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which code of a file is CPython's interpreter loop, _PyEval_EvalFrameDefault: compilers put its
 * rare parts elsewhere, as functions of their own for unwinding, and stripped files do not name
 * them. x86-64. */
#ifndef PYTHON_EVAL_RANGES_H
#define PYTHON_EVAL_RANGES_H

#include <stddef.h>
#include <stdint.h>

#define EVAL_RANGES_MOST 16

/* [start, end), addresses of the file (p_vaddr). */
struct eval_range {
	uint64_t start, end;
};

/* The range of the symbol (.dynsym, else .symtab), and those parts outside of it that begin with a
 * frame that is set up already and that it jumps to, or that jump into it. Sorted; at most `room`.
 * The file's position is not used. -ENOENT: no CPython, or its loop has no call-frame information;
 * -ENOSPC: more than room; -EBADMSG: damaged; -ENOMEM or the error of reading. */
int eval_ranges__find(int fd, struct eval_range *ranges, size_t room, size_t *ret_count);

#endif
