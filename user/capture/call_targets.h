/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where functions of running processes begin and return: the breakpoints that count their calls. */
#ifndef CAPTURE_CALL_TARGETS_H
#define CAPTURE_CALL_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"
#include "wire.h"
#include "python/layout.h"

#define CALL_TARGETS_MOST 512 /* native functions, of all processes */

struct call_point {
	char *path; /* of the file, as we can open it */
	uint64_t offset; /* in the file, bytes */
	pid_t pid;
	uint64_t address; /* in the process */
	struct ps_calls_target target;
};

struct call_function {
	pid_t pid;
	uint64_t address;
	char *name, *module;
	bool timed; /* where it returns is known */
	bool unwatched; /* … and it may leave by a jump that is not watched, too */
};

/* A process's interpreter. */
struct call_python {
	pid_t pid;
	uint16_t version;
	uint64_t runtime; /* address of _PyRuntime in the process */
	uint64_t code_type; /* of PyCode_Type; 0: not known */
	struct python_layout layout;
	bool timed; /* where its loop returns is known */
};

struct call_targets {
	struct call_point *points;
	struct call_function *functions;
	struct call_python *pythons;
	size_t point_count, function_count, python_count;
	size_t point_capacity, function_capacity, python_capacity;
};

/* Whether a native function is wanted; its name as people write it. */
typedef bool call_wanted(void *context, const char *name);

/* Adds the native functions of a process that are wanted, and with `python` the interpreter's loop.
 * timed: also the places where they return. -ESRCH; -ENOMEM; -E2BIG: more than CALL_TARGETS_MOST,
 * or more breakpoints than PS_CALLS_POINTS; -EBADMSG. */
int call_targets__add(struct call_targets *targets, pid_t pid, call_wanted *wanted, void *context,
		      bool python, bool timed);
void call_targets__clear(struct call_targets *targets);

#endif
