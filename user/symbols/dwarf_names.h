/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of functions in DWARF, as people write them. As little trusted as in lines.h. */
#ifndef SYMBOLS_DWARF_NAMES_H
#define SYMBOLS_DWARF_NAMES_H

#include <elfutils/libdw.h>
#include <stdbool.h>

/* The whole demangled name of a function of the unit; NULL: it has none. *ret_owned: what to free
 * when the name is no longer needed. */
const char *dwarf_names__of(Dwarf_Die *unit, Dwarf_Die *die, char **ret_owned);

/* *die becomes the next one of the same parent; false: it was the last. */
bool dwarf_names__next(Dwarf_Die *die);

#endif
