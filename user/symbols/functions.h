/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sorted table of functions, filled once, then searched: 24 bytes and the name for each. */
#ifndef SYMBOLS_FUNCTIONS_H
#define SYMBOLS_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elf.h"

/* What decides between aliases, the smallest sum wins; leading underscores are added to it. */
enum function_rank {
	FUNCTION_RANK_WEAK = 1,
	FUNCTION_RANK_UNDERSCORE = 2,
	FUNCTION_RANK_LOCAL = 1 << 16,
	FUNCTION_RANK_LABEL = 1 << 17,
	FUNCTION_RANK_PLT = 1 << 18, /* "@plt" is added to the name */
};

struct function_candidate {
	uint64_t start;
	uint32_t size, rank;
	const char *name; /* name_size bytes, borrowed until function_table__build has returned */
	uint32_t name_size;
};

struct function_entry;

struct function_table {
	struct function_entry *entries; /* by start, then the larger one first */
	size_t count;
	char *names;
	size_t names_size, names_capacity;
};

/* Sorts the candidates and takes of each (start, size) the best; with `aliases` all names, the best
 * one first. -EFBIG: more than 512 MiB of names; -ENOMEM; on failure *ret is untouched. */
int function_table__build(struct function_candidate *candidates, size_t count, bool aliases,
			  struct function_table *ret);
void function_table__clear(struct function_table *table);

/* The innermost function that holds address. -ENOENT: none. */
int function_table__find(const struct function_table *table, uint64_t address,
			 struct elf_symbol *ret);
/* Number `index`, below count. */
struct elf_symbol function_table__at(const struct function_table *table, size_t index);
size_t function_table__bytes(const struct function_table *table);

#endif
