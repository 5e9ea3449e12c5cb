// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/code_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/memory.h"
#include "model/stack_tree.h"

/* One code, in however many processes. */
struct shared_code {
	int64_t function; /* row: equal rows mean equal name, file and first line */
	size_t references;
	struct python_code code;
	struct shared_code *next; /* of the same function: other line tables */
	UT_hash_handle hh;
};

struct code_cache {
	struct stack_tree *tree;
	struct shared_code *codes;
};

struct code_entry {
	uint64_t address;
	uint32_t check; /* of the code object that was read there */
	struct shared_code *code;
	UT_hash_handle hh;
};

struct code_names {
	struct code_entry *entries;
};

struct code_cache *code_cache__new(struct stack_tree *tree)
{
	struct code_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		cache->tree = tree;
	return cache;
}

static void free_shared(struct shared_code *code)
{
	python_code__clear(&code->code);
	free(code);
}

void code_cache__free(struct code_cache *cache)
{
	struct shared_code *one, *next;

	if (!cache)
		return;
	HASH_ITER (hh, cache->codes, one, next) {
		HASH_DEL(cache->codes, one);
		while (one) {
			struct shared_code *other = one->next;

			free_shared(one);
			one = other;
		}
	}
	free(cache);
}

void code_cache__use(const struct code_cache *cache)
{
	for (const struct shared_code *one = cache->codes; one; one = one->hh.next)
		stack_tree__use_function(cache->tree, one->function);
}

struct code_names *code_names__new(void)
{
	return calloc(1, sizeof(struct code_names));
}

/* Shared code that no process refers to stays only if others of its function do: simplest is to
 * drop a function's whole chain when nothing refers to any of it. */
static void unref(struct code_cache *cache, struct shared_code *code)
{
	struct shared_code *head, *one;

	code->references--;
	HASH_FIND(hh, cache->codes, &code->function, sizeof(code->function), head);
	for (one = head; one; one = one->next)
		if (one->references)
			return;
	HASH_DEL(cache->codes, head);
	while (head) {
		one = head->next;
		free_shared(head);
		head = one;
	}
}

void code_names__free(struct code_cache *cache, struct code_names *names)
{
	struct code_entry *one, *next;

	if (!names)
		return;
	HASH_ITER (hh, names->entries, one, next) {
		HASH_DEL(names->entries, one);
		unref(cache, one->code);
		free(one);
	}
	free(names);
}

static bool same_lines(const struct python_code *left, const struct python_code *right)
{
	return left->position == right->position && left->lines.size == right->lines.size &&
	       left->lines.format == right->lines.format &&
	       (!left->lines.size ||
		!memcmp(left->lines.bytes, right->lines.bytes, left->lines.size));
}

/* The shared form of code, which is taken over on success. */
static int share(struct code_cache *cache, struct python_code *code,
		 struct shared_code **ret_shared)
{
	struct stack_function function = {
		.kind = FUNCTION_PYTHON,
		.name = code->name,
		.file = code->file,
		.module = code->file,
		.line = code->first_line,
	};
	int64_t id = stack_tree__function(cache->tree, &function);
	struct shared_code *head, *one;

	if (id < 0)
		return (int)id;
	HASH_FIND(hh, cache->codes, &id, sizeof(id), head);
	for (one = head; one; one = one->next)
		if (same_lines(&one->code, code))
			break;
	if (one) {
		python_code__clear(code);
	} else {
		one = calloc(1, sizeof(*one));
		if (!one)
			return -ENOMEM;
		one->function = id;
		if (head) {
			one->next = head->next;
			head->next = one;
		} else {
			HASH_ADD(hh, cache->codes, function, sizeof(one->function), one);
			if (!one->hh.tbl) {
				free(one);
				return -ENOMEM;
			}
		}
		one->code = *code;
	}
	one->references++;
	*ret_shared = one;
	return 0;
}

/* Reads the code at the entry's address; what the entry held before is let go. */
static int read_code(struct code_cache *cache, struct code_entry *entry,
		     const struct memory *memory, const struct python_layout *layout,
		     uint64_t code_type)
{
	struct shared_code *before = entry->code;
	struct python_code code;
	int err = python_code__read(memory, layout, entry->address, code_type, &code);

	if (err)
		return err;
	entry->check = code.check;
	err = share(cache, &code, &entry->code);
	if (err)
		python_code__clear(&code);
	else if (before)
		unref(cache, before);
	return err;
}

static int add_entry(struct code_cache *cache, struct code_names *names,
		     const struct memory *memory, const struct python_layout *layout,
		     uint64_t code_type, uint64_t address, struct code_entry **ret_entry)
{
	struct code_entry *entry = calloc(1, sizeof(*entry));
	int err;

	if (!entry)
		return -ENOMEM;
	entry->address = address;
	err = read_code(cache, entry, memory, layout, code_type);
	if (!err) {
		HASH_ADD(hh, names->entries, address, sizeof(entry->address), entry);
		if (!entry->hh.tbl) {
			unref(cache, entry->code);
			err = -ENOMEM;
		}
	}
	if (err)
		free(entry);
	else
		*ret_entry = entry;
	return err;
}

int code_names__find(struct code_cache *cache, struct code_names *names, pid_t pid,
		     const struct python_layout *layout, uint64_t code_type,
		     const struct ps_frame *frame, struct code_place *ret_place)
{
	struct process_memory process = process_memory__of(pid);
	uint32_t check = PS_FRAME_CHECK(frame);
	struct code_entry *entry;
	bool fresh = false;
	int err = 0;

	HASH_FIND(hh, names->entries, &frame->address, sizeof(frame->address), entry);
	if (!entry || entry->check != check)
		fresh = true;
	if (!entry)
		err = add_entry(cache, names, &process.memory, layout, code_type, frame->address,
				&entry);
	else if (entry->check != check)
		err = read_code(cache, entry, &process.memory, layout, code_type);
	if (!err && entry->check != check)
		err = -ESRCH; /* it was another one when the frame was met */
	if (err)
		return err;
	ret_place->function = entry->code->function;
	ret_place->fresh = fresh ? &entry->code->code : NULL;
	ret_place->line = python_code__line(&entry->code->code, frame->position);
	return 0;
}
