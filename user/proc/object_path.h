/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where in a Python process a value is: a local variable or a module's variable, and a way from
 * there: task_node.key[1], report.dataId["visit"], package.module:Class._table["RUN"]. */
#ifndef PROC_OBJECT_PATH_H
#define PROC_OBJECT_PATH_H

#include <stddef.h>
#include <stdint.h>

struct string_pool;

enum {
	OBJECT_PATH_STEPS = 10,
	OBJECT_PATH_NAME = 64, /* bytes of a name or key, without the NUL */
	OBJECT_PATH_MODULE = 128,
};

enum object_step_kind {
	OBJECT_STEP_ATTRIBUTE, /* .NAME */
	OBJECT_STEP_KEY, /* ["KEY"]: of a dict */
	OBJECT_STEP_INDEX, /* [NUMBER]: of a tuple or list */
	OBJECT_STEP_CLASS, /* .__class__ */
};

struct object_step {
	enum object_step_kind kind;
	const char *name; /* in the pool */
	uint32_t index;
	uint32_t hint; /* the reader's: the place in a dict where it was last time */
};

struct object_path {
	const char *module; /* in the pool; NULL: it begins with a local variable */
	const char *variable; /* in the pool */
	struct object_step steps[OBJECT_PATH_STEPS];
	size_t step_count;
	uint32_t module_hint, variable_hint; /* see object_step.hint */
};

/* text is ASCII without blanks at its ends. -EBADMSG and *ret_error (static) when it is no path;
 * -ENOMEM. */
int object_path__parse(struct string_pool *pool, const char *text, struct object_path *ret_path,
		       const char **ret_error);

#endif
