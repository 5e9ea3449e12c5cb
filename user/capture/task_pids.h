/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which running processes work at a task, by the rules that name processes in recordings. */
#ifndef CAPTURE_TASK_PIDS_H
#define CAPTURE_TASK_PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rules;

/* Whether a task's name is wanted. */
typedef bool task_wanted(void *context, const char *task);

/* The processes of this moment whose task is wanted, malloc'ed, in the order of their numbers.
 * Kernel threads and the caller have none. One that ends meanwhile may be among them. Errors of
 * reading /proc; -ENOMEM. */
int task_pids__find(struct rules *rules, task_wanted *wanted, void *context, pid_t **ret_pids,
		    size_t *ret_count);

#endif
