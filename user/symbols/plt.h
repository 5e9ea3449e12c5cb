/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stubs of the procedure linkage table, which no symbol names. */
#ifndef SYMBOLS_PLT_H
#define SYMBOLS_PLT_H

#include "symbols/elf_file.h"

/* One stub, or (name NULL) a whole section of them. name is borrowed from file. */
typedef int plt_take(void *context, uint64_t start, uint64_t size, const char *name, size_t length);

/* Hands every stub to take; its first error ends the walk and is returned. Damaged tables give
 * fewer names, no error. -ENOMEM. */
int plt__walk(const struct elf_file *file, plt_take *take, void *context);

#endif
