/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the kind "process"; private to the rules of this room. */
#ifndef PROC_RULE_PROCESS_H
#define PROC_RULE_PROCESS_H

#include <stdbool.h>

#include "proc/rule_command.h"
#include "proc/rule_grammar.h"
#include "proc/rule_value.h"

extern const struct rule_kind rule_kind__process;

/* A process as rules look at it. */
struct rule_case {
	const struct process_facts *facts;
	const struct command *command;
};

/* What one rule has to say: sets in *task and *job, where they are still NULL, what it gives. A
 * name from the parent is the pooled string itself, another one is put into the pool.
 * *ret_gave_task tells whether the task is from this rule. 0 or -ENOMEM. `rule` is of the kind
 * process. */
int rule_process__identify(const struct rule *rule, const struct rule_case *one,
			   struct string_pool *pool, const char **task, const char **job,
			   bool *ret_gave_task);

#endif
