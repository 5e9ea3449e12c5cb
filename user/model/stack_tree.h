/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where: functions, frames and stacks, each once. A stack is a path in a tree from the outermost
 * frame to its leaf; equal stacks of different processes are the same node. New ones go to the
 * recording as they are met. Ids begin at 1; 0 is "none". */
#ifndef MODEL_STACK_TREE_H
#define MODEL_STACK_TREE_H

#include <stddef.h>
#include <stdint.h>

struct stack_tree;
struct recording_writer;

enum function_kind {
	FUNCTION_PYTHON,
	FUNCTION_NATIVE,
	FUNCTION_INTERPRETER, /* native code of the interpreter itself */
	FUNCTION_KERNEL,
	FUNCTION_SUBTASK /* no function: the part of a quantum that its callees work at */
};

struct stack_function {
	enum function_kind kind;
	const char *name;
	const char *file; /* NULL: none */
	const char *module;
	int64_t line; /* the function's first line; 0: none */
};

/* Rows go to writer, which must outlive the tree; NULL: they go nowhere. NULL: no memory. */
struct stack_tree *stack_tree__new(struct recording_writer *writer);
void stack_tree__free(struct stack_tree *tree);

/* Each returns the id, old or new, or a negative errno (-ENOMEM, or what the writer said). */
int64_t stack_tree__function(struct stack_tree *tree, const struct stack_function *function);
int64_t stack_tree__frame(struct stack_tree *tree, int64_t function, int64_t line /* 0: none */);
/* Native code whose lines stack_tree__expand may tell later. address: the file's, above 0. */
int64_t stack_tree__frame_at(struct stack_tree *tree, int64_t function, int64_t address);
int64_t stack_tree__push(struct stack_tree *tree, int64_t parent /* 0: outermost */, int64_t frame);

/* One function of a stack whose node is `node`; *ret_parent is the node of its caller, 0: none.
 * What is inlined is not among them. Texts are borrowed from the tree. -ENOENT: no such node. */
int stack_tree__at(const struct stack_tree *tree, int64_t node, struct stack_function *ret_function,
		   int64_t *ret_parent);

/* What is known later of a frame of stack_tree__frame_at: its rows are written anew. */
struct stack_line {
	int64_t function, line; /* line 0: none */
};

/* chain: the innermost inlined function first, the frame's own last; count at least 1. 0, or what
 * the writer said. */
int stack_tree__expand(struct stack_tree *tree, int64_t frame, int64_t address,
		       const struct stack_line *chain, size_t count);

/* For recordings of which only the latest part is kept (recording_writer__stream). What is held
 * elsewhere is marked before each sweep: a node with its callers, a frame, a function; ids that are
 * 0 or forgotten are let pass. The sweep forgets what was neither marked nor met since `age` of
 * them, and says so; met again, it gets another id. 0, or what the writer said. */
void stack_tree__use(struct stack_tree *tree, int64_t node);
void stack_tree__use_frame(struct stack_tree *tree, int64_t id);
void stack_tree__use_function(struct stack_tree *tree, int64_t id);
int stack_tree__sweep(struct stack_tree *tree, uint32_t age);

#endif
