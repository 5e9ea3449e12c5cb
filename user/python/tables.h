/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words, types and dicts of another Python process; private to objects.c. All return like the
 * functions of objects.h. */
#ifndef PYTHON_TABLES_H
#define PYTHON_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "python/objects.h"

#define TABLE_ENTRY_BYTES 24 /* of an entry, at most */
#define TABLE_AT_ONCE	  64 /* entries read at once */

/* A dict, or the attributes of an instance that shares its keys with its siblings. */
struct table {
	uint64_t entries; /* address of the first */
	uint32_t count;
	uint32_t entry_size, key_at, value_at; /* bytes */
	uint64_t values; /* address of the values; 0: they are in the entries */
};

int python_read__bytes(struct python_reader *reader, uint64_t address, void *bytes, size_t size);
int python_read__word(struct python_reader *reader, uint64_t address, uint64_t *ret_word);

/* A pointer to an object; -ENOENT: NULL. */
int python_read__pointer(struct python_reader *reader, uint64_t address, uint64_t *ret_pointer);

int python_read__type(struct python_reader *reader, uint64_t object, uint64_t *ret_type,
		      uint64_t *ret_flags);

/* 1: yes, 0: no, or an error. name is ASCII; of a type at most 31 bytes. */
int python_read__type_name_is(struct python_reader *reader, uint64_t type, const char *name);
int python_read__text_is(struct python_reader *reader, uint64_t address, const char *name);

/* Fills all but values. */
int python_table__of_keys(struct python_reader *reader, uint64_t keys, struct table *ret_table);
int python_table__of_dict(struct python_reader *reader, uint64_t dict, struct table *ret_table);

/* `count` entries, TABLE_ENTRY_BYTES of room for each. */
int python_table__read(struct python_reader *reader, const struct table *table, uint32_t from,
		       uint32_t count, uint8_t *bytes);
uint64_t python_table__key(const struct table *table, const uint8_t *entry);
int python_table__value(struct python_reader *reader, const struct table *table, uint32_t index,
			const uint8_t *entry, uint64_t *ret_value);

/* Finds a name, first where it was the last time: *hint. */
int python_table__find(struct python_reader *reader, const struct table *table, const char *name,
		       uint32_t *hint, uint64_t *ret_value);
int python_table__find_in_dict(struct python_reader *reader, uint64_t dict, const char *name,
			       uint32_t *hint, uint64_t *ret_value);

#endif
