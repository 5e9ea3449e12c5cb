/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where functions begin and end, also in files without symbols: the ranges of their call-frame
 * information. A function's .cold part is a range of its own; .plt is one range. Addresses are the
 * file's (p_vaddr), sizes bytes. 8 bytes of memory each. */
#ifndef UNWIND_FUNCTIONS_H
#define UNWIND_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

struct unwind_functions;

struct unwind_function {
	uint64_t start, size;
};

/* unwind_functions__free() after success. Errors as unwind_rows__compile(). */
int unwind_functions__open(int fd, struct unwind_functions **ret);
void unwind_functions__free(struct unwind_functions *functions);

/* The function that holds address. -ENOENT: none is known. */
int unwind_functions__find(const struct unwind_functions *functions, uint64_t address,
			   struct unwind_function *ret);

/* They are sorted by address. */
size_t unwind_functions__count(const struct unwind_functions *functions);
struct unwind_function unwind_functions__at(const struct unwind_functions *functions, size_t index);

#endif
