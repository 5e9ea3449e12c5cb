/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory as pieces of bytes: made by a test, or noted down while a process's memory is read, so
 * that the same reading can be done again without the process. */
#ifndef HOST_SAVED_MEMORY_H
#define HOST_SAVED_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"

struct piece {
	uint64_t address, size;
	uint8_t *bytes;
};

struct saved_memory {
	struct memory memory; /* first: a struct memory * is this object */
	const struct memory *source; /* what is noted down; NULL: only the pieces are there */
	struct piece *pieces;
	size_t count, capacity;
};

/* Pieces are apart from each other, so a read lies in one or is not possible. */
static inline int saved_memory__copy(const struct saved_memory *saved, uint64_t address,
				     void *destination, size_t size)
{
	for (size_t i = 0; i < saved->count && size; i++) {
		const struct piece *piece = &saved->pieces[i];

		if (address < piece->address || address - piece->address > piece->size ||
		    size > piece->size - (address - piece->address))
			continue;
		memcpy(destination, piece->bytes + (address - piece->address), size);
		return 0;
	}
	return size ? -EFAULT : 0;
}

/* Joins what touches or overlaps. Its bytes are not copied: piece->bytes is the object's. */
static inline int saved_memory__add(struct saved_memory *saved, uint64_t address, const void *bytes,
				    size_t size)
{
	struct piece joined = {.address = address, .size = size};
	size_t kept = 0;
	int err = array__reserve(&saved->pieces, &saved->capacity, sizeof(*saved->pieces),
				 saved->count + 1);

	if (err)
		return err;
	for (size_t i = 0; i < saved->count; i++) {
		const struct piece *piece = &saved->pieces[i];
		uint64_t end = joined.address + joined.size;

		if (piece->address > end || piece->address + piece->size < joined.address)
			continue;
		if (piece->address + piece->size > end)
			end = piece->address + piece->size;
		if (piece->address < joined.address)
			joined.address = piece->address;
		joined.size = end - joined.address;
	}
	joined.bytes = calloc(1, joined.size + 1);
	if (!joined.bytes)
		return -ENOMEM;
	for (size_t i = 0; i < saved->count; i++) {
		struct piece piece = saved->pieces[i];

		if (piece.address < joined.address ||
		    piece.address >= joined.address + joined.size) {
			saved->pieces[kept++] = piece;
			continue;
		}
		memcpy(joined.bytes + (piece.address - joined.address), piece.bytes, piece.size);
		free(piece.bytes);
	}
	memcpy(joined.bytes + (address - joined.address), bytes, size);
	saved->pieces[kept++] = joined;
	saved->count = kept;
	return 0;
}

static inline int saved_memory__read(const struct memory *memory, uint64_t address,
				     void *destination, size_t size)
{
	/* Noting down changes only what is noted. */
	struct saved_memory *saved = (struct saved_memory *)(uintptr_t)memory;
	int err;

	if (!saved->source)
		return saved_memory__copy(saved, address, destination, size);
	err = memory__read(saved->source, address, destination, size);
	return err || !size ? err : saved_memory__add(saved, address, destination, size);
}

static inline struct saved_memory saved_memory__of(const struct memory *source)
{
	return (struct saved_memory){.memory = {.read = saved_memory__read}, .source = source};
}

static inline void saved_memory__clear(struct saved_memory *saved)
{
	for (size_t i = 0; i < saved->count; i++)
		free(saved->pieces[i].bytes);
	free(saved->pieces);
	*saved = saved_memory__of(NULL);
}

/* "memory COUNT", then each piece: "HEX SIZE", newline, bytes, newline. */
static inline bool saved_memory__store(const struct saved_memory *saved, FILE *file)
{
	fprintf(file, "memory %zu\n", saved->count);
	for (size_t i = 0; i < saved->count; i++) {
		const struct piece *piece = &saved->pieces[i];

		fprintf(file, "%llx %llu\n", (unsigned long long)piece->address,
			(unsigned long long)piece->size);
		fwrite(piece->bytes, 1, piece->size, file);
		fputc('\n', file);
	}
	return !ferror(file);
}

/* The pieces behind a "memory" line. */
static inline bool saved_memory__load(struct saved_memory *saved, FILE *file, size_t count)
{
	unsigned long long address, size;
	bool good = true;

	for (size_t i = 0; i < count && good; i++) {
		uint8_t *bytes;

		if (fscanf(file, "%llx %llu", &address, &size) != 2 || size > 65536 ||
		    fgetc(file) != '\n')
			return false;
		bytes = malloc(size + 1);
		good = bytes && fread(bytes, 1, size, file) == size &&
		       !saved_memory__add(saved, address, bytes, size);
		free(bytes);
	}
	return good;
}

#endif
