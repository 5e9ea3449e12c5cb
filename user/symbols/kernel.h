/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of kernel addresses, from /proc/kallsyms: the kernel's own text, modules, BPF programs.
 * One object belongs to one thread. */
#ifndef SYMBOLS_KERNEL_H
#define SYMBOLS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct kernel_symbols;

/* name and module are borrowed: until the next kernel_symbols__refresh or __free. */
struct kernel_symbol {
	const char *name;
	const char *module; /* without brackets; "bpf" for a BPF program; NULL: the kernel itself */
	uint64_t start;
};

/* Reads all names (about 50 ms, 45 bytes each). -EPERM: the kernel hides the addresses
 * (kptr_restrict, or no CAP_SYSLOG); -ENOENT: no kallsyms in this kernel; -EBADMSG: not its
 * format; -EFBIG: more than 4 million lines or 256 MiB of names; -ENOMEM. */
int kernel_symbols__new(struct kernel_symbols **ret);

/* The same from another file in that format; interval_ms: the least time between two readings. */
int kernel_symbols__new_from(const char *path, unsigned int interval_ms,
			     struct kernel_symbols **ret);
void kernel_symbols__free(struct kernel_symbols *symbols);

/* The function that holds address. Functions have no size in kallsyms: one ends where any other
 * symbol starts, data too, and 128 KiB from its start at the latest. -ENOENT: outside. */
int kernel_symbols__find(const struct kernel_symbols *symbols, uint64_t address,
			 struct kernel_symbol *ret);

/* Reads anew, for an address without a name or after a module or BPF program appeared. -EAGAIN:
 * the last reading is less than a second ago, or it took more than a hundredth of the time since.
 * Other errors as in kernel_symbols__new; the old names then stay. */
int kernel_symbols__refresh(struct kernel_symbols *symbols);

/* How many functions have names, and the bytes they take. */
size_t kernel_symbols__count(const struct kernel_symbols *symbols);
size_t kernel_symbols__bytes(const struct kernel_symbols *symbols);

#endif
