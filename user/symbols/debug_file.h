/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The separate debug file that belongs to a stripped one. */
#ifndef SYMBOLS_DEBUG_FILE_H
#define SYMBOLS_DEBUG_FILE_H

#include "symbols/elf_file.h"

/* Searches as elf.h tells; a file that does not belong to main (other build id, machine or CRC32,
 * neither .symtab nor DWARF) is passed over. *ret_path is malloc'ed. -ENOENT: none found; -ENOMEM.
 */
int debug_file__open(const struct elf_file *main, const char *path, const char *debug_root,
		     struct elf_file *ret, char **ret_path);

#endif
