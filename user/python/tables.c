// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/tables.h"

#include <errno.h>
#include <string.h>

#define KEYS_GENERAL 0 /* dk_kind, 3.11+ */

struct python_reader python_reader__of(const struct memory *memory,
				       const struct python_layout *layout, uint64_t runtime)
{
	return (struct python_reader){memory, layout, runtime, PYTHON_READS_LIMIT};
}

/* --- words */

int python_read__bytes(struct python_reader *reader, uint64_t address, void *bytes, size_t size)
{
	if (!reader->reads_left)
		return -E2BIG;
	reader->reads_left--;
	if (address < 4096 || address > UINT64_MAX - size)
		return -EBADMSG;
	return memory__read(reader->memory, address, bytes, size);
}

int python_read__word(struct python_reader *reader, uint64_t address, uint64_t *ret_word)
{
	return python_read__bytes(reader, address, ret_word, sizeof(*ret_word));
}

int python_read__pointer(struct python_reader *reader, uint64_t address, uint64_t *ret_pointer)
{
	uint64_t pointer;
	int err = python_read__word(reader, address, &pointer);

	if (!err && !pointer)
		err = -ENOENT;
	if (!err && pointer % sizeof(uint64_t))
		err = -EBADMSG;
	if (!err)
		*ret_pointer = pointer;
	return err;
}

int python_read__type(struct python_reader *reader, uint64_t object, uint64_t *ret_type,
		      uint64_t *ret_flags)
{
	uint64_t type;
	int err;

	if (object % sizeof(uint64_t))
		return -EBADMSG;
	err = python_read__pointer(reader, object + reader->layout->object_type, &type);
	err = err ?: python_read__word(reader, type + reader->layout->type_flags, ret_flags);
	if (!err)
		*ret_type = type;
	return err == -ENOENT ? -EBADMSG : err;
}

int python_read__type_name_is(struct python_reader *reader, uint64_t type, const char *name)
{
	size_t size = strlen(name) + 1;
	char bytes[32];
	uint64_t at;
	int err = python_read__word(reader, type + reader->layout->type_name, &at);

	if (!err)
		err = python_read__bytes(reader, at, bytes, size);
	return err ?: !memcmp(bytes, name, size);
}

/* --- dicts */

/* Whether the str at address is this name, which is ASCII; negative: an error. */
int python_read__text_is(struct python_reader *reader, uint64_t address, const char *name)
{
	const struct python_layout *layout = reader->layout;
	uint32_t wanted = layout->text_compact_bit | layout->text_ascii_bit;
	uint8_t head[64], bytes[OBJECT_PATH_MODULE];
	uint64_t size = strlen(name), length;
	uint32_t state;
	int err;

	if (layout->text_ascii_data > sizeof(head) || size > sizeof(bytes))
		return -EBADMSG;
	err = python_read__bytes(reader, address, head, layout->text_ascii_data);
	if (err)
		return err;
	memcpy(&length, head + layout->text_length, sizeof(length));
	memcpy(&state, head + layout->text_state, sizeof(state));
	if (length != size || (state & wanted) != wanted)
		return 0;
	err = python_read__bytes(reader, address + layout->text_ascii_data, bytes, size);
	return err ?: !memcmp(bytes, name, size);
}

int python_table__of_keys(struct python_reader *reader, uint64_t keys, struct table *ret_table)
{
	const struct python_layout *layout = reader->layout;
	uint64_t index_bytes, size, count;
	struct table table = {0};
	uint8_t head[64];
	int err;

	if (layout->keys_indices > sizeof(head))
		return -EBADMSG;
	err = python_read__bytes(reader, keys, head, layout->keys_indices);
	if (err)
		return err;
	memcpy(&count, head + layout->keys_entry_count, sizeof(count));
	if (layout->keys_size != PS_PY_NO_FIELD) {
		memcpy(&size, head + layout->keys_size, sizeof(size));
		if (!size || size & (size - 1) || size > UINT32_MAX)
			return -EBADMSG;
		index_bytes = size <= 0xff ? size : size <= 0xffff ? 2 * size : 4 * size;
		table.entry_size = 24;
	} else {
		if (head[layout->keys_index_bytes] > 35)
			return -EBADMSG;
		index_bytes = 1ULL << head[layout->keys_index_bytes];
		table.entry_size = head[layout->keys_kind] == KEYS_GENERAL ? 24 : 16;
	}
	if (count > index_bytes)
		return -EBADMSG;
	table.entries = keys + layout->keys_indices + index_bytes;
	table.count = count > PYTHON_DICT_LIMIT ? PYTHON_DICT_LIMIT : (uint32_t)count;
	table.key_at = table.entry_size == 24 ? 8 : 0;
	table.value_at = table.key_at + 8;
	*ret_table = table;
	return 0;
}

int python_table__of_dict(struct python_reader *reader, uint64_t dict, struct table *ret_table)
{
	const struct python_layout *layout = reader->layout;
	uint64_t keys, values = 0;
	int err = python_read__pointer(reader, dict + layout->dict_keys, &keys);

	err = err ?: python_read__word(reader, dict + layout->dict_values, &values);
	err = err ?: python_table__of_keys(reader, keys, ret_table);
	if (!err && values)
		ret_table->values = values + layout->values_first;
	return err == -ENOENT ? -EBADMSG : err;
}

int python_table__value(struct python_reader *reader, const struct table *table, uint32_t index,
			const uint8_t *entry, uint64_t *ret_value)
{
	uint64_t value;

	if (table->values)
		return python_read__pointer(reader, table->values + index * sizeof(uint64_t),
					    ret_value);
	memcpy(&value, entry + table->value_at, sizeof(value));
	if (!value)
		return -ENOENT;
	if (value % sizeof(uint64_t))
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

int python_table__read(struct python_reader *reader, const struct table *table, uint32_t from,
		       uint32_t count, uint8_t *bytes)
{
	return python_read__bytes(reader, table->entries + (uint64_t)from * table->entry_size,
				  bytes, (size_t)count * table->entry_size);
}

uint64_t python_table__key(const struct table *table, const uint8_t *entry)
{
	uint64_t key;

	memcpy(&key, entry + table->key_at, sizeof(key));
	return key;
}

/* 1: the entry has this name. */
static int entry_is(struct python_reader *reader, const struct table *table, const uint8_t *entry,
		    const char *name)
{
	uint64_t key = python_table__key(table, entry);

	if (!key || key % sizeof(uint64_t)) /* removed */
		return 0;
	return python_read__text_is(reader, key, name);
}

int python_table__find(struct python_reader *reader, const struct table *table, const char *name,
		       uint32_t *hint, uint64_t *ret_value)
{
	uint8_t entries[TABLE_ENTRY_BYTES * TABLE_AT_ONCE];
	int found;

	if (*hint < table->count) {
		int err = python_table__read(reader, table, *hint, 1, entries);

		found = err ?: entry_is(reader, table, entries, name);
		if (found > 0)
			return python_table__value(reader, table, *hint, entries, ret_value);
	}
	for (uint32_t from = 0; from < table->count; from += TABLE_AT_ONCE) {
		uint32_t left = table->count - from;
		uint32_t count = left < TABLE_AT_ONCE ? left : TABLE_AT_ONCE;
		int err = python_table__read(reader, table, from, count, entries);

		if (err)
			return err;
		for (uint32_t i = 0; i < count; i++) {
			const uint8_t *entry = entries + i * table->entry_size;

			/* Keys need not be str at all: one that cannot be read is another. */
			found = entry_is(reader, table, entry, name);
			if (found == -E2BIG || found == -ESRCH || found == -EPERM)
				return found;
			if (found <= 0)
				continue;
			*hint = from + i;
			return python_table__value(reader, table, from + i, entry, ret_value);
		}
	}
	return -ENOENT;
}

int python_table__find_in_dict(struct python_reader *reader, uint64_t dict, const char *name,
			       uint32_t *hint, uint64_t *ret_value)
{
	struct table table;
	int err = python_table__of_dict(reader, dict, &table);

	return err ?: python_table__find(reader, &table, name, hint, ret_value);
}
