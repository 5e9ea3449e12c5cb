/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and lines of the code objects that processes run. Equal code of different processes (a
 * node runs the same pipeline a hundred times) shares its text and line table. */
#ifndef CAPTURE_CODE_NAMES_H
#define CAPTURE_CODE_NAMES_H

#include <stdint.h>
#include <sys/types.h>

#include "python/code.h"
#include "wire.h"

struct code_cache; /* shared by all processes */
struct code_names; /* of one process: address -> code */
struct stack_tree;

struct code_place {
	int64_t function; /* row */
	int64_t line; /* 0: none */
	/* The code when it was read just now, else NULL; borrowed until the next call. Equal code
	 * of another process may stand for it: name and file are its own, no addresses. */
	const struct python_code *fresh;
};

struct code_cache *code_cache__new(struct stack_tree *tree); /* NULL: no memory */
void code_cache__free(struct code_cache *cache);

/* Marks the functions of all code that is kept, for stack_tree__sweep(). */
void code_cache__use(const struct code_cache *cache);

struct code_names *code_names__new(void); /* NULL: no memory */
void code_names__free(struct code_cache *cache, struct code_names *names);

/* What a Python frame of a live process is. code_type: address of PyCode_Type, 0: not known.
 * Another code object may take an address, even before this one's name is read: the frame's check
 * tells. -ESRCH, -EFAULT: too late, the memory or the code object is gone; -EBADMSG: no code
 * object; -ENOMEM. */
int code_names__find(struct code_cache *cache, struct code_names *names, pid_t pid,
		     const struct python_layout *layout, uint64_t code_type,
		     const struct ps_frame *frame, struct code_place *ret_place);

#endif
