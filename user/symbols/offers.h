/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which functions and probes of known names an executable or library defines: every alias counts,
 * unlike in elf.h. The file is not trusted. */
#ifndef SYMBOLS_OFFERS_H
#define SYMBOLS_OFFERS_H

#include <stdbool.h>
#include <stddef.h>

/* A function by its raw name, without symbol version; or with a provider a static probe (USDT). */
struct elf_offer {
	const char *provider; /* NULL: a function */
	const char *name;
	bool defined; /* set to true where it is found, else left alone */
};

/* Looks for all of them, in .dynsym, .symtab and .note.stapsdt. fd stays the caller's. 0; -EBADMSG:
 * no executable or library, or a damaged one (what was found before counts); -EFBIG: beyond a
 * limit; -ENOMEM. */
int elf_offers__find(int fd, struct elf_offer *offers, size_t count);

#endif
