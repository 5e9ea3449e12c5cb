// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/stack_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/strings.h"
#include "store/forgetting.h"
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
	uint32_t used; /* number of the sweep before its last use */
	uint32_t marked; /* 1 + that of the sweep it was last marked for */
	UT_hash_handle hh, by_id;
};

struct pair_entry {
	struct pair_key key;
	int64_t id;
	uint32_t used;
	uint32_t marked; /* the same as a function's; of a node: with its callers */
	uint32_t line_count;
	int64_t *lines; /* of a frame: functions that its rows name since stack_tree__expand() */
	UT_hash_handle hh, by_id;
};

/* Pairs, and the highest id that was given out. */
struct pairs {
	struct pair_entry *entries, *by_id;
	int64_t last;
};

struct stack_tree {
	struct recording_writer *writer;
	struct string_pool *strings;
	struct function_entry *functions, *functions_by_id;
	int64_t last_function;
	struct pairs frames, nodes;
	uint32_t sweeps;
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

static void free_function(struct stack_tree *tree, struct function_entry *entry)
{
	HASH_DEL(tree->functions, entry);
	HASH_DELETE(by_id, tree->functions_by_id, entry);
	free(entry);
}

static void free_pair(struct pairs *pairs, struct pair_entry *entry)
{
	HASH_DEL(pairs->entries, entry);
	HASH_DELETE(by_id, pairs->by_id, entry);
	free(entry->lines);
	free(entry);
}

static void free_pairs(struct pairs *pairs)
{
	struct pair_entry *one, *next;

	HASH_ITER (hh, pairs->entries, one, next)
		free_pair(pairs, one);
}

void stack_tree__free(struct stack_tree *tree)
{
	struct function_entry *one, *next;

	if (!tree)
		return;
	HASH_ITER (hh, tree->functions, one, next)
		free_function(tree, one);
	free_pairs(&tree->frames);
	free_pairs(&tree->nodes);
	string_pool__free(tree->strings);
	free(tree);
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
	if (entry) {
		entry->used = tree->sweeps;
		return entry->id;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	entry->used = tree->sweeps;
	entry->id = tree->last_function + 1;
	HASH_ADD(hh, tree->functions, key, sizeof(key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	HASH_ADD(by_id, tree->functions_by_id, id, sizeof(entry->id), entry);
	if (!entry->by_id.tbl) {
		HASH_DEL(tree->functions, entry);
		free(entry);
		return -ENOMEM;
	}
	err = write_function(tree, entry);
	if (err) { /* an id without a row must not be given out the next time */
		free_function(tree, entry);
		return err;
	}
	return ++tree->last_function;
}

/* Finds the pair or adds it, with *ret_new that entry. */
static int64_t pair_id(struct stack_tree *tree, struct pairs *pairs, int64_t first, int64_t second,
		       struct pair_entry **ret_new)
{
	struct pair_key key = {.first = first, .second = second};
	struct pair_entry *entry;

	HASH_FIND(hh, pairs->entries, &key, sizeof(key), entry);
	if (entry) {
		entry->used = tree->sweeps;
		return entry->id;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	entry->used = tree->sweeps;
	entry->id = pairs->last + 1;
	HASH_ADD(hh, pairs->entries, key, sizeof(key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	HASH_ADD(by_id, pairs->by_id, id, sizeof(entry->id), entry);
	if (!entry->by_id.tbl) {
		HASH_DEL(pairs->entries, entry);
		free(entry);
		return -ENOMEM;
	}
	pairs->last++;
	*ret_new = entry;
	return entry->id;
}

static int64_t drop_pair(struct pairs *pairs, struct pair_entry *entry, int err)
{
	pairs->last--;
	free_pair(pairs, entry);
	return err;
}

int64_t stack_tree__frame(struct stack_tree *tree, int64_t function, int64_t line)
{
	struct pair_entry *added = NULL;
	int64_t id = pair_id(tree, &tree->frames, function, line, &added);
	int err = 0;

	if (added && tree->writer)
		err = recording_writer__frame(tree->writer, id, function, line ? line : ROW_NULL,
					      ROW_NULL);
	return err ? drop_pair(&tree->frames, added, err) : id;
}

int64_t stack_tree__frame_at(struct stack_tree *tree, int64_t function, int64_t address)
{
	struct pair_entry *added = NULL;
	int64_t id = pair_id(tree, &tree->frames, function, ~address, &added);
	int err = 0;

	if (added && tree->writer)
		err = recording_writer__frame(tree->writer, id, function, ROW_NULL, address);
	return err ? drop_pair(&tree->frames, added, err) : id;
}

static struct pair_entry *find_pair(const struct pairs *pairs, int64_t id)
{
	struct pair_entry *entry;

	HASH_FIND(by_id, pairs->by_id, &id, sizeof(id), entry);
	return entry;
}

static struct function_entry *find_function(const struct stack_tree *tree, int64_t id)
{
	struct function_entry *entry;

	HASH_FIND(by_id, tree->functions_by_id, &id, sizeof(id), entry);
	return entry;
}

static int64_t row_line(const struct stack_line *line)
{
	return line->line ? line->line : ROW_NULL;
}

int stack_tree__expand(struct stack_tree *tree, int64_t frame, int64_t address,
		       const struct stack_line *chain, size_t count)
{
	const struct stack_line *own = &chain[count - 1];
	struct pair_entry *entry = find_pair(&tree->frames, frame);
	int64_t *lines;
	int err = 0;

	if (!tree->writer || !entry) /* forgotten meanwhile */
		return 0;
	lines = calloc(count, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		lines[i] = chain[i].function;
	free(entry->lines);
	entry->lines = lines;
	entry->line_count = (uint32_t)count;
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
	int64_t id = pair_id(tree, &tree->nodes, parent, frame, &added);
	int err = 0;

	if (added && tree->writer)
		err = recording_writer__stack(tree->writer, id, parent ? parent : ROW_NULL, frame);
	return err ? drop_pair(&tree->nodes, added, err) : id;
}

int stack_tree__at(const struct stack_tree *tree, int64_t node, struct stack_function *ret_function,
		   int64_t *ret_parent)
{
	const struct pair_entry *pair = find_pair(&tree->nodes, node), *frame;
	const struct function_entry *function;

	frame = pair ? find_pair(&tree->frames, pair->key.second) : NULL;
	function = frame ? find_function(tree, frame->key.first) : NULL;
	if (!function)
		return -ENOENT;
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

/* --- what is forgotten */

void stack_tree__use_function(struct stack_tree *tree, int64_t id)
{
	struct function_entry *function = find_function(tree, id);

	if (function)
		function->used = tree->sweeps;
}

void stack_tree__use_frame(struct stack_tree *tree, int64_t id)
{
	struct pair_entry *frame = find_pair(&tree->frames, id);

	if (!frame)
		return;
	frame->used = tree->sweeps;
	stack_tree__use_function(tree, frame->key.first);
}

void stack_tree__use(struct stack_tree *tree, int64_t node)
{
	struct pair_entry *pair = find_pair(&tree->nodes, node);

	while (pair && pair->marked != tree->sweeps + 1) {
		pair->used = tree->sweeps;
		pair->marked = tree->sweeps + 1;
		pair = find_pair(&tree->nodes, pair->key.first);
	}
}

static bool is_kept(const struct stack_tree *tree, uint32_t used, uint32_t marked, uint32_t age)
{
	return tree->sweeps - used < age || marked == tree->sweeps + 1;
}

static void mark_function(struct stack_tree *tree, int64_t id)
{
	struct function_entry *function = find_function(tree, id);

	if (function)
		function->marked = tree->sweeps + 1;
}

/* Who is kept keeps what it refers to. */
static void mark_referred(struct stack_tree *tree, uint32_t age)
{
	for (struct pair_entry *one = tree->nodes.entries; one; one = one->hh.next) {
		struct pair_entry *frame = find_pair(&tree->frames, one->key.second);

		if (frame && is_kept(tree, one->used, one->marked, age))
			frame->marked = tree->sweeps + 1;
	}
	for (struct pair_entry *one = tree->frames.entries; one; one = one->hh.next) {
		if (!is_kept(tree, one->used, one->marked, age))
			continue;
		mark_function(tree, one->key.first);
		for (uint32_t i = 0; i < one->line_count; i++)
			mark_function(tree, one->lines[i]);
	}
}

static int sweep_pairs(struct stack_tree *tree, struct pairs *pairs, uint32_t age,
		       int (*tell)(struct recording_writer *writer, int64_t id))
{
	struct pair_entry *one, *next;
	int err = 0;

	HASH_ITER (hh, pairs->entries, one, next) {
		if (is_kept(tree, one->used, one->marked, age))
			continue;
		err = tell(tree->writer, one->id);
		if (err)
			return err;
		free_pair(pairs, one);
	}
	return 0;
}

static int sweep_functions(struct stack_tree *tree, uint32_t age)
{
	struct function_entry *one, *next;

	HASH_ITER (hh, tree->functions, one, next) {
		int err;

		if (is_kept(tree, one->used, one->marked, age)) {
			string_pool__use(tree->strings, one->key.name);
			string_pool__use(tree->strings, one->key.file);
			string_pool__use(tree->strings, one->key.module);
			continue;
		}
		err = recording_writer__forget_function(tree->writer, one->id);
		if (err)
			return err;
		free_function(tree, one);
	}
	string_pool__sweep(tree->strings);
	return 0;
}

int stack_tree__sweep(struct stack_tree *tree, uint32_t age)
{
	int err;

	mark_referred(tree, age);
	err = sweep_pairs(tree, &tree->nodes, age, recording_writer__forget_stack);
	err = err ?: sweep_pairs(tree, &tree->frames, age, recording_writer__forget_frame);
	err = err ?: sweep_functions(tree, age);
	tree->sweeps++;
	return err;
}
