// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/stack_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"
#include "base/strings.h"
#include "store/writer.h"

/* What makes a function, a frame or a node itself: compared as bytes, so no padding. */
struct function_key {
	int64_t kind, line;
	const char *name, *file, *module; /* interned: equal texts are equal pointers */
};

struct pair_key {
	/* Frame: function and line, or the complement of its address, which is negative; node:
	 * parent and frame. */
	int64_t first, second;
};

struct function_entry {
	struct function_key key;
	int64_t id;
	UT_hash_handle hh;
};

struct pair_entry {
	struct pair_key key;
	int64_t id;
	UT_hash_handle hh;
};

/* Entries by their ids, from 1. */
struct ids {
	const void **items;
	size_t capacity;
};

struct stack_tree {
	struct recording_writer *writer;
	struct string_pool *strings;
	struct function_entry *functions;
	struct pair_entry *frames, *nodes;
	struct ids function_ids, frame_ids, node_ids;
};

static const char *const kind_names[] = {
	[FUNCTION_PYTHON] = "python",		[FUNCTION_NATIVE] = "native",
	[FUNCTION_INTERPRETER] = "interpreter", [FUNCTION_KERNEL] = "kernel",
	[FUNCTION_SUBTASK] = "subtask",
};

struct stack_tree *stack_tree__new(struct recording_writer *writer)
{
	struct stack_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->writer = writer;
	tree->strings = string_pool__new();
	if (!tree->strings) {
		free(tree);
		return NULL;
	}
	return tree;
}

static void free_pairs(struct pair_entry *entries)
{
	struct pair_entry *one, *next;

	HASH_ITER (hh, entries, one, next) {
		HASH_DEL(entries, one);
		free(one);
	}
}

void stack_tree__free(struct stack_tree *tree)
{
	struct function_entry *one, *next;

	if (!tree)
		return;
	HASH_ITER (hh, tree->functions, one, next) {
		HASH_DEL(tree->functions, one);
		free(one);
	}
	free_pairs(tree->frames);
	free_pairs(tree->nodes);
	free(tree->function_ids.items);
	free(tree->frame_ids.items);
	free(tree->node_ids.items);
	string_pool__free(tree->strings);
	free(tree);
}

static int keep_id(struct ids *ids, int64_t id, const void *entry)
{
	int err = array__reserve(&ids->items, &ids->capacity, sizeof(*ids->items), (size_t)id + 1);

	if (!err)
		ids->items[id] = entry;
	return err;
}

static int write_function(struct stack_tree *tree, const struct function_entry *entry)
{
	struct function_row row = {
		.id = entry->id,
		.kind = kind_names[entry->key.kind],
		.name = entry->key.name,
		.file = entry->key.file,
		.line = entry->key.line ? entry->key.line : ROW_NULL,
		.module = entry->key.module,
	};

	return tree->writer ? recording_writer__function(tree->writer, &row) : 0;
}

int64_t stack_tree__function(struct stack_tree *tree, const struct stack_function *function)
{
	struct function_key key = {
		.kind = function->kind,
		.line = function->line,
		.name = string_pool__intern(tree->strings, function->name),
		.file = function->file ? string_pool__intern(tree->strings, function->file) : NULL,
		.module = string_pool__intern(tree->strings, function->module),
	};
	struct function_entry *entry;
	int err;

	if (!key.name || !key.module || (function->file && !key.file))
		return -ENOMEM;
	HASH_FIND(hh, tree->functions, &key, sizeof(key), entry);
	if (entry)
		return entry->id;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	entry->id = HASH_COUNT(tree->functions) + 1;
	HASH_ADD(hh, tree->functions, key, sizeof(key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	err = keep_id(&tree->function_ids, entry->id, entry) ?: write_function(tree, entry);
	if (err) { /* an id without a row must not be given out the next time */
		HASH_DEL(tree->functions, entry);
		free(entry);
		return err;
	}
	return entry->id;
}

/* Finds the pair or adds it, with *ret_new that entry. */
static int64_t pair_id(struct pair_entry **entries, struct ids *ids, int64_t first, int64_t second,
		       struct pair_entry **ret_new)
{
	struct pair_key key = {.first = first, .second = second};
	struct pair_entry *entry;

	HASH_FIND(hh, *entries, &key, sizeof(key), entry);
	if (entry)
		return entry->id;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	entry->id = HASH_COUNT(*entries) + 1;
	HASH_ADD(hh, *entries, key, sizeof(key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	if (keep_id(ids, entry->id, entry)) {
		HASH_DEL(*entries, entry);
		free(entry);
		return -ENOMEM;
	}
	*ret_new = entry;
	return entry->id;
}

static int64_t drop_pair(struct pair_entry **entries, struct pair_entry *entry, int err)
{
	HASH_DEL(*entries, entry);
	free(entry);
	return err;
}

int64_t stack_tree__frame(struct stack_tree *tree, int64_t function, int64_t line)
{
	struct pair_entry *added = NULL;
	int64_t id = pair_id(&tree->frames, &tree->frame_ids, function, line, &added);
	int err = 0;

	if (added && tree->writer)
		err = recording_writer__frame(tree->writer, id, function, line ? line : ROW_NULL,
					      ROW_NULL);
	return err ? drop_pair(&tree->frames, added, err) : id;
}

int64_t stack_tree__frame_at(struct stack_tree *tree, int64_t function, int64_t address)
{
	struct pair_entry *added = NULL;
	int64_t id = pair_id(&tree->frames, &tree->frame_ids, function, ~address, &added);
	int err = 0;

	if (added && tree->writer)
		err = recording_writer__frame(tree->writer, id, function, ROW_NULL, address);
	return err ? drop_pair(&tree->frames, added, err) : id;
}

static int64_t row_line(const struct stack_line *line)
{
	return line->line ? line->line : ROW_NULL;
}

int stack_tree__expand(struct stack_tree *tree, int64_t frame, int64_t address,
		       const struct stack_line *chain, size_t count)
{
	const struct stack_line *own = &chain[count - 1];
	int err = 0;

	if (!tree->writer)
		return 0;
	for (size_t i = 0; i + 1 < count && !err; i++)
		err = recording_writer__inline(tree->writer, frame, (int64_t)i, chain[i].function,
					       row_line(&chain[i]));
	return err
		       ?: recording_writer__frame(tree->writer, frame, own->function, row_line(own),
						  address);
}

int64_t stack_tree__push(struct stack_tree *tree, int64_t parent, int64_t frame)
{
	struct pair_entry *added = NULL;
	int64_t id = pair_id(&tree->nodes, &tree->node_ids, parent, frame, &added);
	int err = 0;

	if (added && tree->writer)
		err = recording_writer__stack(tree->writer, id, parent ? parent : ROW_NULL, frame);
	return err ? drop_pair(&tree->nodes, added, err) : id;
}

int stack_tree__at(const struct stack_tree *tree, int64_t node, struct stack_function *ret_function,
		   int64_t *ret_parent)
{
	const struct pair_entry *pair, *frame;
	const struct function_entry *function;

	if (node <= 0 || node > (int64_t)HASH_COUNT(tree->nodes))
		return -ENOENT;
	pair = tree->node_ids.items[node];
	if (pair->key.second <= 0 || pair->key.second > (int64_t)HASH_COUNT(tree->frames))
		return -ENOENT;
	frame = tree->frame_ids.items[pair->key.second];
	if (frame->key.first <= 0 || frame->key.first > (int64_t)HASH_COUNT(tree->functions))
		return -ENOENT;
	function = tree->function_ids.items[frame->key.first];
	*ret_function = (struct stack_function){
		.kind = (enum function_kind)function->key.kind,
		.name = function->key.name,
		.file = function->key.file,
		.module = function->key.module,
		.line = function->key.line,
	};
	*ret_parent = pair->key.first;
	return 0;
}
