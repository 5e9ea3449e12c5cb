/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of another Python process, found by the ways that rules name, and nothing else of it. The
 * process runs on meanwhile, and its objects can be anything: every read counts against a budget,
 * every size has a limit. */
#ifndef PYTHON_OBJECTS_H
#define PYTHON_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "proc/object_path.h"
#include "python/layout.h"

#define PYTHON_READS_LIMIT   20000 /* of memory, for one reader */
#define PYTHON_DICT_LIMIT    16384 /* entries of a dict that are looked at */
#define PYTHON_MRO_LIMIT     64 /* classes that a class descends from */
#define PYTHON_LOCALS_LIMIT  512 /* local variables of a function that are looked at */
#define PYTHON_MEMBERS_LIMIT 64 /* members of a dict or tuple that are told */
#define PYTHON_COUNT_LIMIT   1024 /* entries of a dict whose members are counted */
#define PYTHON_UUID_SIZE     37 /* bytes of a UUID as text, with the NUL */

struct python_reader {
	const struct memory *memory;
	const struct python_layout *layout;
	uint64_t runtime; /* address of _PyRuntime; 0: paths that begin in a module find nothing */
	uint32_t reads_left;
};

/* memory and layout are borrowed. */
struct python_reader python_reader__of(const struct memory *memory,
				       const struct python_layout *layout, uint64_t runtime);

/* All of these return 0; -ENOENT: there is no such thing, or it is None; -EBADMSG: no valid object;
 * -E2BIG: the budget is used up; or the memory's error. */

/* The object at the end of a path. local: the local variable that it begins with; not looked at
 * when it begins in a module. Writes hints into the path. */
int python_object__follow(struct python_reader *reader, uint64_t local, struct object_path *path,
			  uint64_t *ret_object);

/* What a str, an int of up to 128 bits, a bool, a float or a class (by its full name) is as text:
 * malloc'ed, valid UTF-8 without control characters, at most limit (>= 64) bytes. -ENOENT for any
 * other. */
int python_object__text(struct python_reader *reader, uint64_t object, size_t limit,
			char **ret_text);

/* An int of up to 128 bits as the UUID that it is the number of. */
int python_object__uuid(struct python_reader *reader, uint64_t object,
			char ret_text[PYTHON_UUID_SIZE]);

/* An int from 0 to 2^64 - 1. */
int python_object__number(struct python_reader *reader, uint64_t object, uint64_t *ret_number);

/* The member of a tuple or list. */
int python_object__item(struct python_reader *reader, uint64_t object, uint32_t index,
			uint64_t *ret_item);

/* Tells the members of a dict whose keys are str, in their order, at most PYTHON_MEMBERS_LIMIT.
 * `tell` ends it by returning non-zero, which is returned. */
typedef int python_member_fn(void *context, const char *key, uint64_t object);
int python_object__members(struct python_reader *reader, uint64_t object, python_member_fn *tell,
			   void *context);

/* How many members a tuple, list or dict has; of a dict, each tuple or list in it counts for its
 * own members. */
int python_object__count(struct python_reader *reader, uint64_t object, uint64_t *ret_count);

struct python_local {
	uint16_t slot; /* in the frame's local variables */
	bool is_cell; /* the slot holds a cell, and that the object */
};

/* Where the code object at `code` has a local variable. */
int python_code__local(struct python_reader *reader, uint64_t code, const char *name,
		       struct python_local *ret_local);

#endif
