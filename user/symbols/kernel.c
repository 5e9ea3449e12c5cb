// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define KALLSYMS_PATH "/proc/kallsyms"
#define INTERVAL_MS   1000
/* A reading may take this part of the time at most. */
#define READING_SHARE 100
#define MAX_LINE      2048 /* the longest kernel name is 512 bytes */
#define MAX_SYMBOLS   (4u << 20)
#define MAX_NAMES     (256u << 20)
/* The last function before a hole has no neighbour that ends it. The longest real ones are some
 * 20 KiB; large BPF programs come near this. */
#define MAX_FUNCTION (128u << 10)
#define MS_NS	     1000000ull
#define SECOND_NS    1000000000ull

/* In names, each name has its type letter in front: aliases are chosen by it. A symbol that is no
 * function has name 0: it only ends the function before it. */
struct kernel_entry {
	uint64_t start;
	uint32_t name;
	uint32_t module; /* offset in names; 0: none */
};

struct kernel_table {
	struct kernel_entry *entries; /* ascending, starts unique */
	size_t count, capacity;
	char *names; /* names[0] is the empty string */
	size_t names_size, names_capacity;
	size_t functions;
	uint32_t last_module;
};

struct kernel_symbols {
	struct kernel_table table;
	uint64_t interval_ns, read_at_ns, reading_ns;
	char path[];
};

static void table__clear(struct kernel_table *table)
{
	free(table->entries);
	free(table->names);
	*table = (struct kernel_table){0};
}

static int table__add_text(struct kernel_table *table, const char *text, size_t size,
			   uint32_t *ret_offset)
{
	int err;

	if (table->names_size + size + 1 > MAX_NAMES)
		return -EFBIG;
	err = array__reserve(&table->names, &table->names_capacity, 1,
			     table->names_size + size + 1);
	if (err)
		return err;
	memcpy(table->names + table->names_size, text, size);
	table->names[table->names_size + size] = '\0';
	*ret_offset = (uint32_t)table->names_size;
	table->names_size += size + 1;
	return 0;
}

/* Lines come sorted by module: the last one is the only one worth comparing with. */
static int table__add_module(struct kernel_table *table, const char *bracket, uint32_t *ret_module)
{
	size_t size = strcspn(bracket + 1, "]\n");
	const char *last = table->names + table->last_module;
	int err;

	if (bracket[0] != '[' || bracket[1 + size] != ']' || !size)
		return -EBADMSG;
	if (strlen(last) != size || memcmp(last, bracket + 1, size)) {
		err = table__add_text(table, bracket + 1, size, &table->last_module);
		if (err)
			return err;
	}
	*ret_module = table->last_module;
	return 0;
}

static bool is_text(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

/* "address type name", then for modules "\t[module]". */
static int table__add_line(struct kernel_table *table, char *line, bool *ret_hidden)
{
	struct kernel_entry entry = {0};
	char *at, *name;
	size_t size;
	int err;

	errno = 0;
	entry.start = strtoull(line, &at, 16);
	if (errno || at == line || at[0] != ' ' || !at[1] || at[2] != ' ')
		return -EBADMSG;
	name = at + 3;
	size = strcspn(name, " \t\n");
	if (!size)
		return -EBADMSG;
	if (table->count >= MAX_SYMBOLS)
		return -EFBIG;
	if (is_text(at[1])) {
		const char *bracket = name + size + strspn(name + size, " \t");

		*ret_hidden = entry.start == 0;
		name[-1] = at[1];
		err = table__add_text(table, name - 1, size + 1, &entry.name);
		if (!err && *bracket && *bracket != '\n')
			err = table__add_module(table, bracket, &entry.module);
		if (err)
			return err;
		entry.name++;
	}
	err = array__reserve(&table->entries, &table->capacity, sizeof(entry), table->count + 1);
	if (err)
		return err;
	table->entries[table->count++] = entry;
	return 0;
}

/* Visible from outside before local, then fewer leading underscores, then by the alphabet. */
static int compare_names(const char *one, const char *other)
{
	bool one_local = one[-1] == 't' || one[-1] == 'w';
	bool other_local = other[-1] == 't' || other[-1] == 'w';
	size_t one_underscores = strspn(one, "_"), other_underscores = strspn(other, "_");

	if (one_local != other_local)
		return one_local ? 1 : -1;
	if (one_underscores != other_underscores)
		return one_underscores < other_underscores ? -1 : 1;
	return strcmp(one, other);
}

static int compare_entries(const void *left, const void *right, void *names)
{
	const struct kernel_entry *one = left, *other = right;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	if (!one->name || !other->name)
		return !one->name - !other->name;
	return compare_names((char *)names + one->name, (char *)names + other->name);
}

/* One name per address; one entry for a run of data symbols. */
static void table__finish(struct kernel_table *table)
{
	size_t kept = 0;
	void *smaller;

	qsort_r(table->entries, table->count, sizeof(*table->entries), compare_entries,
		table->names);
	for (size_t i = 0; i < table->count; i++) {
		const struct kernel_entry *entry = &table->entries[i];

		if (kept && table->entries[kept - 1].start == entry->start)
			continue;
		if (kept && !table->entries[kept - 1].name && !entry->name)
			continue;
		table->functions += entry->name != 0;
		table->entries[kept++] = *entry;
	}
	table->count = kept;
	smaller = realloc(table->entries, kept * sizeof(*table->entries));
	if (smaller) {
		table->entries = smaller;
		table->capacity = kept;
	}
	smaller = realloc(table->names, table->names_size);
	if (smaller) {
		table->names = smaller;
		table->names_capacity = table->names_size;
	}
}

static int table__read_lines(struct kernel_table *table, FILE *stream)
{
	bool hidden, any_seen = false;
	char line[MAX_LINE];
	uint32_t empty;
	int err;

	err = table__add_text(table, "", 0, &empty);
	if (err)
		return err;
	while (fgets(line, sizeof(line), stream)) {
		hidden = true;
		if (!strchr(line, '\n') && !feof(stream))
			return -EBADMSG;
		err = table__add_line(table, line, &hidden);
		if (err)
			return err;
		any_seen |= !hidden;
	}
	if (ferror(stream))
		return -EIO;
	if (!table->count)
		return -EBADMSG;
	return any_seen ? 0 : -EPERM;
}

static int symbols__read(struct kernel_symbols *symbols)
{
	_cleanup_fclose_ FILE *stream = fopen(symbols->path, "re");
	struct kernel_table table = {0};
	uint64_t started = clock__ns(CLOCK_MONOTONIC);
	int err;

	if (!stream)
		return -errno;
	/* A failed reading counts for the rate as well. */
	symbols->read_at_ns = started;
	err = table__read_lines(&table, stream);
	symbols->reading_ns = clock__ns(CLOCK_MONOTONIC) - started;
	if (err) {
		table__clear(&table);
		return err;
	}
	table__finish(&table);
	symbols->reading_ns = clock__ns(CLOCK_MONOTONIC) - started;
	table__clear(&symbols->table);
	symbols->table = table;
	return 0;
}

int kernel_symbols__new_from(const char *path, unsigned int interval_ms,
			     struct kernel_symbols **ret)
{
	struct kernel_symbols *symbols = calloc(1, sizeof(*symbols) + strlen(path) + 1);
	int err;

	if (!symbols)
		return -ENOMEM;
	strcpy(symbols->path, path);
	symbols->interval_ns = interval_ms * MS_NS;
	err = symbols__read(symbols);
	if (err) {
		kernel_symbols__free(symbols);
		return err;
	}
	*ret = symbols;
	return 0;
}

int kernel_symbols__new(struct kernel_symbols **ret)
{
	return kernel_symbols__new_from(KALLSYMS_PATH, INTERVAL_MS, ret);
}

void kernel_symbols__free(struct kernel_symbols *symbols)
{
	if (!symbols)
		return;
	table__clear(&symbols->table);
	free(symbols);
}

int kernel_symbols__find(const struct kernel_symbols *symbols, uint64_t address,
			 struct kernel_symbol *ret)
{
	const struct kernel_table *table = &symbols->table;
	const struct kernel_entry *entry;
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->entries[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return -ENOENT;
	entry = &table->entries[low - 1];
	if (!entry->name || address - entry->start >= MAX_FUNCTION)
		return -ENOENT;
	*ret = (struct kernel_symbol){
		.name = table->names + entry->name,
		.module = entry->module ? table->names + entry->module : NULL,
		.start = entry->start,
	};
	return 0;
}

int kernel_symbols__refresh(struct kernel_symbols *symbols)
{
	uint64_t since = clock__ns(CLOCK_MONOTONIC) - symbols->read_at_ns;

	if (since < symbols->interval_ns || since < symbols->reading_ns * READING_SHARE)
		return -EAGAIN;
	return symbols__read(symbols);
}

size_t kernel_symbols__count(const struct kernel_symbols *symbols)
{
	return symbols->table.functions;
}

size_t kernel_symbols__bytes(const struct kernel_symbols *symbols)
{
	const struct kernel_table *table = &symbols->table;

	return sizeof(*symbols) + strlen(symbols->path) + 1 +
	       table->capacity * sizeof(*table->entries) + table->names_capacity;
}
