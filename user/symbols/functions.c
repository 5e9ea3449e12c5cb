// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbols/elf_file.h"

/* Real functions nest two deep (an assembly routine with named parts). */
#define MAX_NESTING 64

static const char plt_suffix[] = "@plt";

struct function_entry {
	uint64_t start;
	uint32_t size;
	uint32_t name;
	uint32_t outer; /* 1 + index of the nearest earlier function that ends later; 0: none */
};

_Static_assert(sizeof(struct function_entry) == 24, "the table's memory is planned with this");

static uint64_t entry__end(const struct function_entry *entry)
{
	return entry->start + entry->size;
}

static int compare_candidates(const void *left, const void *right)
{
	const struct function_candidate *one = left, *other = right;
	uint32_t common;
	int order;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	if (one->size != other->size)
		return one->size > other->size ? -1 : 1;
	if (one->rank != other->rank)
		return one->rank < other->rank ? -1 : 1;
	common = one->name_size < other->name_size ? one->name_size : other->name_size;
	order = memcmp(one->name, other->name, common);
	if (order || one->name_size == other->name_size)
		return order;
	return one->name_size < other->name_size ? -1 : 1;
}

static int table__add_name(struct function_table *table, const struct function_candidate *candidate,
			   uint32_t *ret_offset)
{
	size_t suffix = candidate->rank & FUNCTION_RANK_PLT ? sizeof(plt_suffix) - 1 : 0;
	size_t size = candidate->name_size + suffix + 1;
	char *name;
	int err;

	if (size > ELF_FILE_MAX_TEXT || table->names_size > ELF_FILE_MAX_TEXT - size)
		return -EFBIG;
	err = array__reserve(&table->names, &table->names_capacity, 1, table->names_size + size);
	if (err)
		return err;
	name = table->names + table->names_size;
	memcpy(name, candidate->name, candidate->name_size);
	memcpy(name + candidate->name_size, plt_suffix, suffix);
	name[size - 1] = '\0';
	*ret_offset = (uint32_t)table->names_size;
	table->names_size += size;
	return 0;
}

static uint32_t table__outer(const struct function_table *table, size_t index)
{
	const struct function_entry *entries = table->entries;
	uint32_t outer = (uint32_t)index;

	while (outer && entry__end(&entries[outer - 1]) <= entry__end(&entries[index]))
		outer = entries[outer - 1].outer;
	return outer;
}

static bool same_bytes(const struct function_candidate *one, const struct function_candidate *other)
{
	return one->start == other->start && one->size == other->size;
}

static bool same_name(const struct function_candidate *one, const struct function_candidate *other)
{
	return one->name_size == other->name_size &&
	       !memcmp(one->name, other->name, one->name_size);
}

/* Drops the candidates that name the same bytes as a better one, with `aliases` only those that do
 * so by its name; returns how many are left. */
static size_t drop_aliases(struct function_candidate *candidates, size_t count, bool aliases)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept && same_bytes(&candidates[kept - 1], &candidates[i]) &&
		    (!aliases || same_name(&candidates[kept - 1], &candidates[i])))
			continue;
		candidates[kept++] = candidates[i];
	}
	return kept;
}

int function_table__build(struct function_candidate *candidates, size_t count, bool aliases,
			  struct function_table *ret)
{
	struct function_table table = {0};
	char *smaller;
	int err;

	if (!count) {
		*ret = table;
		return 0;
	}
	qsort(candidates, count, sizeof(*candidates), compare_candidates);
	count = drop_aliases(candidates, count, aliases);
	table.entries = calloc(count, sizeof(*table.entries));
	if (!table.entries)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct function_entry *entry = &table.entries[i];

		entry->start = candidates[i].start;
		entry->size = candidates[i].size;
		entry->outer = table__outer(&table, i);
		err = table__add_name(&table, &candidates[i], &entry->name);
		if (err) {
			function_table__clear(&table);
			return err;
		}
		table.count = i + 1;
	}
	smaller = realloc(table.names, table.names_size);
	if (smaller) {
		table.names = smaller;
		table.names_capacity = table.names_size;
	}
	*ret = table;
	return 0;
}

void function_table__clear(struct function_table *table)
{
	free(table->entries);
	free(table->names);
	*table = (struct function_table){0};
}

int function_table__find(const struct function_table *table, uint64_t address,
			 struct elf_symbol *ret)
{
	size_t low = 0, high = table->count;
	uint32_t at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->entries[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	at = (uint32_t)low;
	for (size_t step = 0; at && step < MAX_NESTING; step++) {
		const struct function_entry *entry = &table->entries[at - 1];

		if (address - entry->start < entry->size) {
			*ret = (struct elf_symbol){
				.name = table->names + entry->name,
				.start = entry->start,
				.size = entry->size,
			};
			return 0;
		}
		at = entry->outer;
	}
	return -ENOENT;
}

struct elf_symbol function_table__at(const struct function_table *table, size_t index)
{
	const struct function_entry *entry = &table->entries[index];

	return (struct elf_symbol){
		.name = table->names + entry->name,
		.start = entry->start,
		.size = entry->size,
	};
}

size_t function_table__bytes(const struct function_table *table)
{
	return table->count * sizeof(*table->entries) + table->names_capacity;
}
