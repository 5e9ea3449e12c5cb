/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that the compiler has put into their callers, from DWARF. Not trusted, as in lines.h:
 * for a process that may do nothing. Units of compilation may be many: it takes seconds for 100 MB
 * of DWARF. */
#ifndef SYMBOLS_INLINES_H
#define SYMBOLS_INLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a function, its name demangled, is of interest. */
typedef bool inlines_wanted(void *context, const char *name);
/* It was put into other functions at so many places. A name may come more than once, each time with
 * other places. A negative errno ends it and is returned. */
typedef int inlines_take(void *context, const char *name, uint64_t places);

/* fd stays the caller's. -ENOENT: no DWARF; -EBADMSG; -ENOMEM; or what take returned. */
int inlines__find(int fd, inlines_wanted *wanted, inlines_take *take, void *context);

#endif
