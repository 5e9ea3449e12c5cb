/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call-frame information of an ELF file as the rows of include/unwind.h. x86-64. */
#ifndef UNWIND_ROWS_H
#define UNWIND_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "unwind.h"
#include "unwind/problems.h"

#define UNWIND_MAX_ROWS (8u << 20) /* of one file */

struct unwind_rows {
	/* Sorted. The first has the address 0, the last one holds for all that follows;
	 * neighbours differ. */
	struct ps_unwind_row *rows;
	size_t count;
	uint64_t base; /* the address in the file (p_vaddr) that row address 0 stands for */
	uint64_t described, undescribed; /* bytes of executable segments */
	/* Rows, before neighbours with the same rule were merged, and entries without a row. */
	uint64_t problems[UNWIND_PROBLEM_COUNT];
};

/* Compiles .eh_frame of the file open as fd (its position is not used), or of an image in memory as
 * the vDSO is, and .debug_frame where .eh_frame says nothing. unwind_rows__clear() after it. A file
 * that describes nothing has one row. -ENOENT: no ELF file; -EOPNOTSUPP: not an executable or
 * library for x86-64; -EBADMSG: damaged; -EFBIG: above a limit, or code farther apart than 4 GiB;
 * -ENOMEM or the error of reading. */
int unwind_rows__compile(int fd, struct unwind_rows *ret);
int unwind_rows__compile_memory(const void *image, size_t size, struct unwind_rows *ret);
void unwind_rows__clear(struct unwind_rows *rows);

/* The rule at an address of the file: PS_CFA_NONE outside of all rows. */
uint32_t unwind_rows__find(const struct unwind_rows *rows, uint64_t address);

/* Sets PS_UNWIND_EVAL on [start, end), addresses of the file; rows are split there. -ENOMEM:
 * nothing has changed. */
int unwind_rows__mark(struct unwind_rows *rows, uint64_t start, uint64_t end);

/* The problem's name: lower case, for counters. */
const char *unwind_problem__name(enum unwind_problem problem);

#endif
