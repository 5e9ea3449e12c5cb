/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of functions that some distributions leave in stripped files: section .gnu_debugdata,
 * an xz-compressed ELF file that holds a .symtab and little else. */
#ifndef SYMBOLS_MINI_DEBUG_H
#define SYMBOLS_MINI_DEBUG_H

#include "symbols/elf_file.h"

/* Unpacks and opens it. -ENOENT: main has none; -EBADMSG: damaged, or made for another machine;
 * -EFBIG: more than 64 MiB; -ENOMEM. */
int mini_debug__open(const struct elf_file *main, struct elf_file *ret);

#endif
