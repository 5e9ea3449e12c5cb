/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the allocators of a running process begin, by their symbols: those of the C library or what
 * stands for it (jemalloc, tcmalloc), C++'s operators, CPython's. One object belongs to one thread.
 */
#ifndef CAPTURE_ALLOC_TARGETS_H
#define CAPTURE_ALLOC_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "alloc.h"

#define ALLOC_TARGETS_FUNCTIONS 1024 /* in all files */

struct alloc_point {
	char *path; /* of the file, as we can open it; owned by the list */
	uint64_t offset; /* in the file, bytes */
	uint64_t address; /* in the process */
	pid_t pid;
	bool lost; /* there is no such file, or process, any more */
	struct ps_alloc_target target;
};

struct alloc_point_list {
	struct alloc_point *items;
	size_t count, capacity;
};

/* A function, by its number in struct ps_alloc_target. */
struct alloc_function {
	const char *name; /* as people write it; static */
	char *module; /* last part of the file's path */
	bool frees; /* and gives nothing */
	bool layered; /* gets its blocks from another one of them */
	bool heads; /* the size of its blocks can be read, whoever frees them when */
};

struct alloc_targets;

/* NULL: no memory. python: CPython's allocators too. */
struct alloc_targets *alloc_targets__new(bool python);
void alloc_targets__free(struct alloc_targets *targets); /* NULL is accepted */

/* Adds the allocators of a process that are not in the list yet: all of them, or with an error
 * none. -ESRCH: it is gone; -ENOMEM; -E2BIG: too many functions. */
int alloc_targets__find(struct alloc_targets *targets, pid_t pid, struct alloc_point_list *list);
void alloc_point_list__clear(struct alloc_point_list *list);
/* Without those that are lost. */
void alloc_point_list__sweep(struct alloc_point_list *list);

/* NULL: there is none of that number. Stays until alloc_targets__free; may be called by another
 * thread for a number that was handed to it. */
const struct alloc_function *alloc_targets__function(const struct alloc_targets *targets,
						     uint32_t number);

/* Whether a breakpoint on this first instruction costs a second trap, because the kernel must run
 * the instruction elsewhere. */
bool alloc_targets__is_stepped(const uint8_t *code, size_t size);

#endif
