// SPDX-License-Identifier: GPL-2.0-or-later
/* Attributes are looked for where CPython's own default lookup would find plain data: in the
 * instance's dict or values, then among the __slots__ and plain values of its classes. Properties
 * and other descriptors are code, which nobody runs here: they are "not there". */
#include "python/objects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "python/tables.h"
#include "python/text.h"

/* tp_flags, the same in all versions. */
#define TYPE_INLINE_VALUES (1UL << 2) /* 3.13+ */
#define TYPE_MANAGED_DICT  (1UL << 4) /* 3.11+ */
#define TYPE_HEAP	   (1UL << 9)
#define TYPE_IS_INT	   (1UL << 24)
#define TYPE_IS_LIST	   (1UL << 25)
#define TYPE_IS_TUPLE	   (1UL << 26)
#define TYPE_IS_STR	   (1UL << 28)
#define TYPE_IS_DICT	   (1UL << 29)
#define TYPE_IS_TYPE	   (1UL << 31)

/* In front of an instance, in words: from 3.11 to now. */
#define MANAGED_VALUES_AT -4 /* 3.11 */
#define MANAGED_DICT_AT	  -3

/* struct PyMemberDef and its T_OBJECT, T_OBJECT_EX: part of the stable ABI. */
#define MEMBER_TYPE	 8
#define MEMBER_OFFSET	 16
#define MEMBER_OBJECT	 6
#define MEMBER_OBJECT_EX 16

#define MODULE_DICT 16 /* PyModuleObject.md_dict, right behind the head in all versions */

#define DIGIT_BITS   30
#define DIGITS_LIMIT 5 /* 128 bits */

/* --- attributes */

/* The instance's values, whose keys its class has; -ENOENT: they are in a dict. */
static int open_values(struct python_reader *reader, uint64_t type, uint64_t values,
		       struct table *ret_table)
{
	uint64_t keys;
	int err = python_read__pointer(reader, type + reader->layout->type_cached_keys, &keys);

	err = err ?: python_table__of_keys(reader, keys, ret_table);
	if (!err)
		ret_table->values = values + reader->layout->values_first;
	return err;
}

static int open_managed(struct python_reader *reader, uint64_t object, uint64_t type,
			uint64_t flags, struct table *ret_table)
{
	const struct python_layout *layout = reader->layout;
	uint64_t words[2], size; /* MANAGED_VALUES_AT, MANAGED_DICT_AT */
	uint8_t head[8];
	int err = python_read__bytes(reader, object + MANAGED_VALUES_AT * (int64_t)sizeof(uint64_t),
				     words, sizeof(words));

	if (err)
		return err;
	switch (layout->instances) {
	case PYTHON_INSTANCES_APART:
		if (words[0])
			return open_values(reader, type, words[0], ret_table);
		break;
	case PYTHON_INSTANCES_TAGGED:
		if (words[1] & 1)
			return open_values(reader, type, words[1] + 1, ret_table);
		break;
	case PYTHON_INSTANCES_INLINE:
		if (words[1] || !(flags & TYPE_INLINE_VALUES))
			break;
		err = python_read__word(reader, type + layout->type_basic_size, &size);
		if (!err && (size % sizeof(uint64_t) || size > UINT32_MAX))
			err = -EBADMSG;
		err = err ?: python_read__bytes(reader, object + size, head, sizeof(head));
		if (err)
			return err;
		return head[3] /* valid */ ? open_values(reader, type, object + size, ret_table)
					   : -ENOENT;
	case PYTHON_INSTANCES_DICT:
		break;
	}
	return words[1] ? python_table__of_dict(reader, words[1], ret_table) : -ENOENT;
}

/* The attributes that an instance has itself. */
static int open_instance(struct python_reader *reader, uint64_t object, uint64_t type,
			 uint64_t flags, struct table *ret_table)
{
	const struct python_layout *layout = reader->layout;
	uint64_t word, dict;
	int64_t offset;
	int err;

	if (layout->instances != PYTHON_INSTANCES_DICT && flags & TYPE_MANAGED_DICT)
		return open_managed(reader, object, type, flags, ret_table);
	err = python_read__word(reader, type + layout->type_dict_offset, &word);
	offset = (int64_t)word;
	if (err)
		return err;
	/* Negative: behind items whose number varies, as in classes that derive from int. */
	if (offset <= 0 || offset > INT32_MAX || offset % (int64_t)sizeof(uint64_t))
		return -ENOENT;
	err = python_read__pointer(reader, object + (uint64_t)offset, &dict);
	return err ?: python_table__of_dict(reader, dict, ret_table);
}

/* What an attribute of a class says of its instance `object`: the __slots__ member that it
 * describes, or itself. */
static int resolve_member(struct python_reader *reader, uint64_t object, uint64_t attribute,
			  uint64_t *ret_value)
{
	uint64_t type, flags, definition, offset;
	uint32_t kind;
	int is_member, err = python_read__type(reader, attribute, &type, &flags);

	if (err)
		return err;
	is_member = python_read__type_name_is(reader, type, "member_descriptor");
	if (is_member < 0)
		return is_member;
	if (!is_member) {
		*ret_value = attribute;
		return 0;
	}
	err = python_read__pointer(reader, attribute + reader->layout->member_definition,
				   &definition);
	err = err ?: python_read__bytes(reader, definition + MEMBER_TYPE, &kind, sizeof(kind));
	err = err ?: python_read__word(reader, definition + MEMBER_OFFSET, &offset);
	if (!err && (kind != MEMBER_OBJECT && kind != MEMBER_OBJECT_EX))
		err = -ENOENT;
	if (!err && (offset > INT32_MAX || offset % sizeof(uint64_t)))
		err = -EBADMSG;
	return err ?: python_read__pointer(reader, object + offset, ret_value);
}

/* In the class and those that it descends from, in their order. */
static int find_in_classes(struct python_reader *reader, uint64_t type, const char *name,
			   uint32_t *hint, uint64_t *ret_attribute)
{
	const struct python_layout *layout = reader->layout;
	uint64_t mro, count, classes[PYTHON_MRO_LIMIT];
	int err = python_read__pointer(reader, type + layout->type_mro, &mro);

	err = err ?: python_read__word(reader, mro + layout->sequence_size, &count);
	if (!err && count > PYTHON_MRO_LIMIT)
		count = PYTHON_MRO_LIMIT;
	err = err
		      ?: python_read__bytes(reader, mro + layout->tuple_items, classes,
					    count * sizeof(uint64_t));
	for (uint64_t i = 0; i < count && !err; i++) {
		uint64_t dict;

		err = python_read__pointer(reader, classes[i] + layout->type_dict, &dict);
		err = err ?: python_table__find_in_dict(reader, dict, name, hint, ret_attribute);
		if (err != -ENOENT) /* 3.12+: built-in classes have their dict elsewhere */
			return err;
		err = 0;
	}
	return err ?: -ENOENT;
}

static int attribute_of(struct python_reader *reader, uint64_t object, const char *name,
			uint32_t *hint, uint64_t *ret_value)
{
	uint64_t type, flags, attribute;
	struct table table;
	int err = python_read__type(reader, object, &type, &flags);

	if (err)
		return err;
	if (flags & TYPE_IS_TYPE)
		return find_in_classes(reader, object, name, hint, ret_value);
	err = open_instance(reader, object, type, flags, &table);
	err = err ?: python_table__find(reader, &table, name, hint, ret_value);
	if (err != -ENOENT)
		return err;
	err = find_in_classes(reader, type, name, hint, &attribute);
	return err ?: resolve_member(reader, object, attribute, ret_value);
}

/* --- paths */

int python_object__item(struct python_reader *reader, uint64_t object, uint32_t index,
			uint64_t *ret_item)
{
	const struct python_layout *layout = reader->layout;
	uint64_t type, flags, count, items = object + layout->tuple_items;
	int err = python_read__type(reader, object, &type, &flags);

	if (!err && !(flags & (TYPE_IS_TUPLE | TYPE_IS_LIST)))
		err = -ENOENT;
	err = err ?: python_read__word(reader, object + layout->sequence_size, &count);
	if (!err && index >= count)
		err = -ENOENT;
	if (!err && flags & TYPE_IS_LIST)
		err = python_read__pointer(reader, object + layout->list_items, &items);
	return err ?: python_read__pointer(reader, items + index * sizeof(uint64_t), ret_item);
}

static int key_value(struct python_reader *reader, uint64_t object, const char *key, uint32_t *hint,
		     uint64_t *ret_value)
{
	uint64_t type, flags;
	int err = python_read__type(reader, object, &type, &flags);

	if (!err && !(flags & TYPE_IS_DICT))
		err = -ENOENT;
	return err ?: python_table__find_in_dict(reader, object, key, hint, ret_value);
}

static int module_variable(struct python_reader *reader, struct object_path *path,
			   uint64_t *ret_object)
{
	uint64_t interpreter, modules, module, dict;
	int err;

	if (!reader->runtime)
		return -ENOENT;
	err = python_read__pointer(reader, reader->runtime + reader->layout->runtime_interpreters,
				   &interpreter);
	err = err
		      ?: python_read__pointer(reader,
					      interpreter + reader->layout->interpreter_modules,
					      &modules);
	err = err ?: key_value(reader, modules, path->module, &path->module_hint, &module);
	err = err ?: python_read__pointer(reader, module + MODULE_DICT, &dict);
	return err ?: key_value(reader, dict, path->variable, &path->variable_hint, ret_object);
}

static int take_step(struct python_reader *reader, struct object_step *step, uint64_t *object)
{
	uint64_t flags;

	switch (step->kind) {
	case OBJECT_STEP_ATTRIBUTE:
		return attribute_of(reader, *object, step->name, &step->hint, object);
	case OBJECT_STEP_KEY:
		return key_value(reader, *object, step->name, &step->hint, object);
	case OBJECT_STEP_INDEX:
		return python_object__item(reader, *object, step->index, object);
	case OBJECT_STEP_CLASS:
		return python_read__type(reader, *object, object, &flags);
	}
	return -ENOENT;
}

int python_object__follow(struct python_reader *reader, uint64_t local, struct object_path *path,
			  uint64_t *ret_object)
{
	uint64_t object = local;
	int err = 0;

	if (path->module)
		err = module_variable(reader, path, &object);
	else if (!local)
		err = -ENOENT;
	for (size_t i = 0; i < path->step_count && !err; i++)
		err = take_step(reader, &path->steps[i], &object);
	if (!err)
		*ret_object = object;
	return err;
}

/* --- values */

/* An int's magnitude; *ret_negative: below 0. -ENOENT: no int, or more than 128 bits. */
static int read_int(struct python_reader *reader, uint64_t object, unsigned __int128 *ret_value,
		    bool *ret_negative)
{
	const struct python_layout *layout = reader->layout;
	uint64_t type, flags, word, count;
	uint32_t digits[DIGITS_LIMIT];
	unsigned __int128 value = 0;
	bool negative;
	int err = python_read__type(reader, object, &type, &flags);

	if (!err && !(flags & TYPE_IS_INT))
		err = -ENOENT;
	err = err ?: python_read__word(reader, object + layout->int_size, &word);
	if (err)
		return err;
	if (layout->int_tag_shift) {
		negative = (word & 3) == 2;
		count = word >> layout->int_tag_shift;
		if ((word & 3) == 1) /* zero */
			count = 0;
	} else {
		negative = (int64_t)word < 0;
		count = negative ? -word : word;
	}
	if (count > DIGITS_LIMIT)
		return -ENOENT;
	if (count) {
		err = python_read__bytes(reader, object + layout->int_digits, digits,
					 count * sizeof(digits[0]));
		if (err)
			return err;
	}
	while (count-- > 0) {
		if (digits[count] >> DIGIT_BITS)
			return -EBADMSG;
		if (value >> (128 - DIGIT_BITS))
			return -ENOENT;
		value = value << DIGIT_BITS | digits[count];
	}
	*ret_value = value;
	*ret_negative = negative;
	return 0;
}

static int int_text(struct python_reader *reader, uint64_t object, char **ret_text)
{
	unsigned __int128 value;
	char digits[48], *at = digits + sizeof(digits);
	bool negative;
	int err = read_int(reader, object, &value, &negative);

	if (err)
		return err;
	*--at = '\0';
	do {
		*--at = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value);
	if (negative)
		*--at = '-';
	*ret_text = strdup(at);
	return *ret_text ? 0 : -ENOMEM;
}

static int float_text(struct python_reader *reader, uint64_t object, char **ret_text)
{
	double value;
	int err = python_read__bytes(reader, object + reader->layout->float_value, &value,
				     sizeof(value));

	if (err)
		return err;
	return asprintf(ret_text, "%.15g", value) < 0 ? -ENOMEM : 0;
}

static int read_text(struct python_reader *reader, uint64_t object, size_t limit, char **ret_text)
{
	if (!reader->reads_left)
		return -E2BIG;
	reader->reads_left--;
	return python_text__read(reader->memory, reader->layout, object, limit, ret_text);
}

static int class_text(struct python_reader *reader, uint64_t class, size_t limit, char **ret_text)
{
	_cleanup_free_ char *module = NULL, *name = NULL, *whole = NULL;
	uint64_t flags, dict, object, name_object;
	uint32_t hint = 0;
	size_t size;
	int err = python_read__word(reader, class + reader->layout->type_flags, &flags);

	if (!err && !(flags & TYPE_HEAP)) /* made in C: its name is no str */
		err = -ENOENT;
	err = err
		      ?: python_read__pointer(reader, class + reader->layout->type_qualname,
					      &name_object);
	err = err ?: read_text(reader, name_object, limit, &name);
	if (err)
		return err;
	if (!python_read__pointer(reader, class + reader->layout->type_dict, &dict) &&
	    !python_table__find_in_dict(reader, dict, "__module__", &hint, &object))
		read_text(reader, object, limit, &module);
	if (asprintf(&whole, "%s%s%s", module ? module : "", module ? "." : "", name) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	size = strlen(whole);
	/* The last part of it tells more. */
	*ret_text = strdup(size <= limit ? whole : name);
	return *ret_text ? 0 : -ENOMEM;
}

int python_object__text(struct python_reader *reader, uint64_t object, size_t limit,
			char **ret_text)
{
	uint64_t type, flags;
	int is_type, err = python_read__type(reader, object, &type, &flags);

	if (err)
		return err;
	if (flags & TYPE_IS_STR)
		return read_text(reader, object, limit, ret_text);
	if (flags & TYPE_IS_TYPE)
		return class_text(reader, object, limit, ret_text);
	if (flags & TYPE_IS_INT) {
		err = int_text(reader, object, ret_text);
		is_type = err ? 0 : python_read__type_name_is(reader, type, "bool");
		if (is_type > 0) {
			const char *text = **ret_text == '0' ? "False" : "True";

			free(*ret_text);
			*ret_text = strdup(text);
			return *ret_text ? 0 : -ENOMEM;
		}
		return err;
	}
	is_type = python_read__type_name_is(reader, type, "float");
	if (is_type <= 0)
		return is_type ?: -ENOENT;
	return float_text(reader, object, ret_text);
}

int python_object__uuid(struct python_reader *reader, uint64_t object,
			char ret_text[PYTHON_UUID_SIZE])
{
	unsigned __int128 value;
	uint64_t high, low;
	bool negative;
	int err = read_int(reader, object, &value, &negative);

	if (err)
		return err;
	if (negative)
		return -ENOENT;
	high = (uint64_t)(value >> 64);
	low = (uint64_t)value;
	snprintf(ret_text, PYTHON_UUID_SIZE, "%08x-%04x-%04x-%04x-%012" PRIx64,
		 (uint32_t)(high >> 32), (uint32_t)(high >> 16 & 0xffff), (uint32_t)(high & 0xffff),
		 (uint32_t)(low >> 48), low & UINT64_C(0xffffffffffff));
	return 0;
}

int python_object__number(struct python_reader *reader, uint64_t object, uint64_t *ret_number)
{
	unsigned __int128 value;
	bool negative;
	int err = read_int(reader, object, &value, &negative);

	if (!err && (negative || value > UINT64_MAX))
		err = -ENOENT;
	if (!err)
		*ret_number = (uint64_t)value;
	return err;
}

/* -ENOENT: neither tuple nor list. */
static int sequence_size(struct python_reader *reader, uint64_t object, uint64_t *ret_size)
{
	uint64_t type, flags, size;
	int err = python_read__type(reader, object, &type, &flags);

	if (!err && !(flags & (TYPE_IS_TUPLE | TYPE_IS_LIST)))
		err = -ENOENT;
	err = err ?: python_read__word(reader, object + reader->layout->sequence_size, &size);
	if (!err && size > UINT32_MAX)
		err = -EBADMSG;
	if (!err)
		*ret_size = size;
	return err;
}

/* What is done with an entry of a dict that has a key. Other than 0: no more. */
typedef int take_entry(void *context, const struct table *table, uint32_t index,
		       const uint8_t *entry);

static int each_entry(struct python_reader *reader, const struct table *table, take_entry *take,
		      void *context)
{
	uint8_t entries[TABLE_ENTRY_BYTES * TABLE_AT_ONCE];
	int err = 0;

	for (uint32_t from = 0; !err && from < table->count; from += TABLE_AT_ONCE) {
		uint32_t left = table->count - from;
		uint32_t count = left < TABLE_AT_ONCE ? left : TABLE_AT_ONCE;

		err = python_table__read(reader, table, from, count, entries);
		for (uint32_t i = 0; i < count && !err; i++) {
			const uint8_t *entry = entries + i * table->entry_size;

			if (python_table__key(table, entry))
				err = take(context, table, from + i, entry);
		}
	}
	return err;
}

struct count {
	struct python_reader *reader;
	uint64_t sum;
};

static int take_count(void *context, const struct table *table, uint32_t index,
		      const uint8_t *entry)
{
	struct count *count = context;
	uint64_t value, members = 1;
	int err = python_table__value(count->reader, table, index, entry, &value);

	err = err ?: sequence_size(count->reader, value, &members);
	if (err == -ENOENT) /* an entry that was deleted, or one thing */
		err = 0;
	count->sum += members;
	return err;
}

int python_object__count(struct python_reader *reader, uint64_t object, uint64_t *ret_count)
{
	struct count count = {.reader = reader};
	uint64_t type, flags;
	struct table table;
	int err = python_read__type(reader, object, &type, &flags);

	if (!err && !(flags & TYPE_IS_DICT))
		return sequence_size(reader, object, ret_count);
	err = err ?: python_table__of_dict(reader, object, &table);
	if (!err && table.count > PYTHON_COUNT_LIMIT)
		err = -E2BIG;
	err = err ?: each_entry(reader, &table, take_count, &count);
	if (!err)
		*ret_count = count.sum;
	return err;
}

struct members {
	struct python_reader *reader;
	python_member_fn *tell;
	void *context;
	uint64_t told;
	bool full;
};

static int take_member(void *context, const struct table *table, uint32_t index,
		       const uint8_t *entry)
{
	struct members *members = context;
	_cleanup_free_ char *key = NULL;
	uint64_t object = python_table__key(table, entry), type, flags, value;
	int err;

	if (python_read__type(members->reader, object, &type, &flags) || !(flags & TYPE_IS_STR))
		return 0;
	members->full = members->told++ == PYTHON_MEMBERS_LIMIT;
	if (members->full)
		return 1;
	err = read_text(members->reader, object, OBJECT_PATH_NAME, &key);
	err = err ?: python_table__value(members->reader, table, index, entry, &value);
	if (err == -ENOENT)
		return 0;
	return err ?: members->tell(members->context, key, value);
}

int python_object__members(struct python_reader *reader, uint64_t object, python_member_fn *tell,
			   void *context)
{
	struct members members = {.reader = reader, .tell = tell, .context = context};
	uint64_t type, flags;
	struct table table;
	int err = python_read__type(reader, object, &type, &flags);

	if (!err && !(flags & TYPE_IS_DICT))
		err = -ENOENT;
	err = err ?: python_table__of_dict(reader, object, &table);
	err = err ?: each_entry(reader, &table, take_member, &members);
	return members.full ? 0 : err;
}

/* --- local variables */

/* The place of a name in a tuple of names. *ret_count is set when the tuple could be read. */
static int find_name(struct python_reader *reader, uint64_t code, uint16_t field, const char *name,
		     uint64_t *ret_count, uint16_t *ret_index)
{
	const struct python_layout *layout = reader->layout;
	uint64_t names[PYTHON_LOCALS_LIMIT], tuple, type, flags, count;
	int err = python_read__pointer(reader, code + field, &tuple);

	err = err ?: python_read__type(reader, tuple, &type, &flags);
	if (!err && !(flags & TYPE_IS_TUPLE))
		err = -EBADMSG;
	err = err ?: python_read__word(reader, tuple + layout->sequence_size, &count);
	if (!err && count > PYTHON_LOCALS_LIMIT)
		err = -EBADMSG;
	if (!err && count)
		err = python_read__bytes(reader, tuple + layout->tuple_items, names,
					 count * sizeof(names[0]));
	if (err)
		return err;
	*ret_count = count;
	for (uint64_t i = 0; i < count; i++) {
		int found = python_read__text_is(reader, names[i], name);

		if (found < 0)
			return found;
		if (!found)
			continue;
		*ret_index = (uint16_t)i;
		return 0;
	}
	return -ENOENT;
}

#define LOCAL_IS_CELL 0x40 /* co_localspluskinds, 3.11+: CO_FAST_CELL; free: 0x80 */
#define LOCAL_IS_FREE 0x80

int python_code__local(struct python_reader *reader, uint64_t code, const char *name,
		       struct python_local *ret_local)
{
	const struct python_layout *layout = reader->layout;
	uint64_t count = 0, cells = 0, frees = 0, kinds;
	uint16_t index = 0;
	uint8_t kind;
	int err = find_name(reader, code, layout->code_local_names, name, &count, &index);

	if (layout->code_local_kinds != PS_PY_NO_FIELD) {
		err = err ?: python_read__pointer(reader, code + layout->code_local_kinds, &kinds);
		err = err
			      ?: python_read__bytes(reader, kinds + layout->bytes_data + index,
						    &kind, 1);
		if (!err)
			*ret_local = (struct python_local){index,
							   kind & (LOCAL_IS_CELL | LOCAL_IS_FREE)};
		return err;
	}
	/* An argument that an inner function uses is in both lists; the cell has it. */
	if (!err || err == -ENOENT) {
		int as_cell =
			find_name(reader, code, layout->code_cell_names, name, &cells, &index);

		if (!as_cell)
			*ret_local = (struct python_local){(uint16_t)(count + index), true};
		if (as_cell != -ENOENT)
			return as_cell;
		if (!err) {
			*ret_local = (struct python_local){index, false};
			return 0;
		}
		err = find_name(reader, code, layout->code_free_names, name, &frees, &index);
		if (!err)
			*ret_local = (struct python_local){(uint16_t)(count + cells + index), true};
	}
	return err;
}
