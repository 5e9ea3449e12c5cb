/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the kind "wait": finer classes of waits, by system call (exact) or by the functions on
 * the stack (estimated from the sampled stacks). */
#ifndef PROC_WAIT_RULE_H
#define PROC_WAIT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/rule_grammar.h"
#include "waits.h"

struct wait_rule {
	struct rule rule;
	struct rule_words calls; /* system calls: then there is nothing else */
	const char *class; /* that it refines; NULL: goes by call */
	struct rule_words frames; /* functions, or "kind:function": one of them is on the stack */
	struct rule_words callers; /* … called by one of these; none: by anything */
	const char *wait; /* its class */
};

extern const struct rule_kind rule_kind__wait;

/* The value of a key that names a new class of waits: small letters, digits and '_', not a class
 * of the kernel part. Returns like struct rule_key's parse. */
int wait_rule__parse_class(struct rule_parser *parser, char *value, const char **ret_pooled);

/* Marks the system calls that rules give a class of their own. */
void rules__wait_calls(const struct rules *rules, uint8_t calls[PS_SYSCALL_LIMIT]);

/* The first rule for this system call; NULL: none. */
const struct wait_rule *rules__wait_call(const struct rules *rules, const char *call);

/* One function of a stack: kind is "python", "native", "interpreter" or "kernel". */
struct wait_frame {
	const char *kind, *name, *module;
};

/* Tells frame `index` of a stack, 0 the innermost; false: there is none. */
typedef bool wait_frame_fn(void *context, size_t index, struct wait_frame *ret_frame);

/* The first rule that refines a class for this stack; NULL: none. */
const struct wait_rule *rules__wait_stack(const struct rules *rules, const char *class,
					  wait_frame_fn *frame, void *context);

/* Whether any rule refines the class by stacks. */
bool rules__refines(const struct rules *rules, const char *class);

#endif
