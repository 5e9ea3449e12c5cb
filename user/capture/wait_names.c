// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wait_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "capture/wait_kinds.h"
#include "model/stack_tree.h"
#include "proc/remote_rule.h"
#include "proc/wait_rule.h"
#include "store/writer.h"

#define FRAMES_MOST 512 /* of a stack that are looked at */
#define STACKS_MOST 65536 /* remembered; then all are looked at anew */

/* What a stack makes of a class. */
struct known_wait {
	struct {
		int64_t stack;
		const char *class; /* interned by the rules */
	} key;
	const struct wait_rule *rule; /* NULL: nothing finer */
	UT_hash_handle hh;
};

/* A class of rules of which the recording has a row. */
struct told_class {
	const char *name, *part_of; /* interned */
	struct told_class *next;
};

struct wait_names {
	struct recording_writer *writer;
	struct rules *rules;
	struct remotes *remotes;
	struct known_wait *known;
	struct told_class *told;
};

struct wait_names *wait_names__new(struct recording_writer *writer, struct rules *rules)
{
	struct wait_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->writer = writer;
	names->rules = rules;
	names->remotes = remotes__new(writer, rules);
	if (!names->remotes) {
		free(names);
		return NULL;
	}
	return names;
}

static void forget_all(struct wait_names *names)
{
	struct known_wait *one, *next;

	HASH_ITER (hh, names->known, one, next) {
		HASH_DEL(names->known, one);
		free(one);
	}
}

void wait_names__free(struct wait_names *names)
{
	if (!names)
		return;
	forget_all(names);
	while (names->told) {
		struct told_class *next = names->told->next;

		free(names->told);
		names->told = next;
	}
	remotes__free(names->remotes);
	free(names);
}

struct remotes *wait_names__remotes(struct wait_names *names)
{
	return names->remotes;
}

/* Writes the row of a class that is not one of the kernel part's, once. -EEXIST: it is a part of
 * another class, and nobody could tell which of them to take it from. */
static int tell_class(struct wait_names *names, const char *name, const char *part_of,
		      const char *rule, bool estimated)
{
	struct told_class *told = names->told;
	const char *pooled = rules__intern(names->rules, part_of);
	int err;

	if (!pooled)
		return -ENOMEM;
	while (told && strcmp(told->name, name) != 0)
		told = told->next;
	if (told)
		return told->part_of == pooled ? 0 : -EEXIST;
	told = calloc(1, sizeof(*told));
	if (!told)
		return -ENOMEM;
	err = recording_writer__wait_class(names->writer, name, pooled, rule, estimated);
	if (err) {
		free(told);
		return err;
	}
	*told = (struct told_class){.name = name, .part_of = pooled, .next = names->told};
	names->told = told;
	return 0;
}

const char *wait_names__class(struct wait_names *names, uint32_t class, uint64_t detail,
			      char buffer[WAIT_CLASS_NAME_SIZE], int *ret_error)
{
	const char *plain = wait_class__name(class, detail, buffer), *name = NULL, *rule = NULL;
	int err;

	if (class == PS_WAIT_SOCKET && detail) {
		const struct remote_rule *remote = remotes__rule(names->remotes, detail);

		name = remote ? remote->wait : NULL;
		rule = remote ? remote->rule.name : NULL;
	} else if (class == PS_WAIT_OTHER && detail && detail <= PS_SYSCALL_LIMIT) {
		const char *call = syscall__name((uint32_t)detail - 1);
		const struct wait_rule *wait = call ? rules__wait_call(names->rules, call) : NULL;

		name = wait ? wait->wait : NULL;
		rule = wait ? wait->rule.name : NULL;
	}
	if (!name)
		return plain;
	/* "other:CALL" is apart for each call. */
	err = tell_class(names, name, wait_class__name(class, 0, buffer), rule, false);
	if (err == -EEXIST)
		return plain;
	if (err) {
		*ret_error = err;
		return NULL;
	}
	return name;
}

/* --- by stack */

struct stack_frames {
	const struct stack_tree *tree;
	int64_t next; /* node of frame `count`, 0: there is none */
	size_t count;
	struct wait_frame frames[FRAMES_MOST];
};

static bool frame_at(void *context, size_t index, struct wait_frame *ret_frame)
{
	static const char *const kinds[] = {
		[FUNCTION_PYTHON] = "python",
		[FUNCTION_NATIVE] = "native",
		[FUNCTION_INTERPRETER] = "interpreter",
		[FUNCTION_KERNEL] = "kernel",
	};
	struct stack_frames *frames = context;

	while (frames->count <= index && frames->count < FRAMES_MOST) {
		struct stack_function function;

		if (!frames->next ||
		    stack_tree__at(frames->tree, frames->next, &function, &frames->next))
			return false;
		frames->frames[frames->count++] = (struct wait_frame){.kind = kinds[function.kind],
								      .name = function.name,
								      .module = function.module};
	}
	if (index >= frames->count)
		return false;
	*ret_frame = frames->frames[index];
	return true;
}

static int look_at(struct wait_names *names, const struct stack_tree *tree, const char *class,
		   int64_t stack, const struct wait_rule **ret_rule)
{
	struct stack_frames frames = {.tree = tree, .next = stack};
	struct known_wait *known;

	if (HASH_COUNT(names->known) >= STACKS_MOST)
		forget_all(names);
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->key.stack = stack;
	known->key.class = class;
	known->rule = rules__wait_stack(names->rules, class, frame_at, &frames);
	HASH_ADD(hh, names->known, key, sizeof(known->key), known);
	if (!known->hh.tbl) {
		free(known);
		return -ENOMEM;
	}
	*ret_rule = known->rule;
	return 0;
}

const char *wait_names__finer(struct wait_names *names, const struct stack_tree *tree,
			      const char *exact, int64_t stack, int *ret_error)
{
	const struct wait_rule *rule = NULL;
	struct known_wait *known, wanted = {};
	int err = 0;

	if (stack <= 0 || !rules__refines(names->rules, exact))
		return exact;
	wanted.key.stack = stack;
	wanted.key.class = rules__intern(names->rules, exact);
	if (!wanted.key.class) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	HASH_FIND(hh, names->known, &wanted.key, sizeof(wanted.key), known);
	if (known)
		rule = known->rule;
	else
		err = look_at(names, tree, wanted.key.class, stack, &rule);
	if (!err && rule)
		err = tell_class(names, rule->wait, exact, rule->rule.name, true);
	if (err == -EEXIST)
		return exact;
	if (err) {
		*ret_error = err;
		return NULL;
	}
	return rule ? rule->wait : exact;
}
