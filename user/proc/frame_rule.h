/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of the kind "frame": which Python function's call is a quantum, and where its names are. */
#ifndef PROC_FRAME_RULE_H
#define PROC_FRAME_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/object_path.h"
#include "proc/rule_value.h"
#include "wire.h"

enum {
	FRAME_PATHS_MAX = 12, /* of all names together */
	FRAME_DATAIDS_MAX = 4,
	FRAME_FIELDS_MAX = 8,
};

enum frame_name {
	FRAME_LABEL, /* of the task */
	FRAME_CLASS,
	FRAME_ID, /* of the quantum */
	FRAME_RUN, /* the collection of outputs */
	FRAME_NAMES
};

/* A value; `local` is the index of the variable it begins with, when it begins with one. */
struct frame_value {
	struct object_path path;
	uint32_t local;
	bool is_uuid; /* a number that is to be shown as a UUID */
	bool is_count; /* not the object, but how many members it has */
	struct rule_steps steps;
};

struct frame_rule {
	struct rule rule;
	struct rule_words files, functions;
	/* Local variables: those that tell one quantum from the next, then those that only paths
	 * begin with. */
	const char *locals[PS_QUANTUM_LOCALS];
	uint32_t local_count, identity_count;
	struct rule_words calls; /* system calls at which the process is looked at */
	bool of_thread; /* quanta are their threads', not the process's */
	/* For each name those that are tried, in their order. */
	struct {
		enum frame_name name;
		struct frame_value value;
	} paths[FRAME_PATHS_MAX];
	size_t path_count;
	/* The data: a dict, or a tuple and the dict of its members' places. */
	struct {
		struct frame_value values, places;
		bool has_places;
	} dataids[FRAME_DATAIDS_MAX];
	size_t dataid_count;
	struct {
		const char *name;
		struct frame_value value;
	} fields[FRAME_FIELDS_MAX];
	size_t field_count;
	struct frame_value part; /* which part of a quantum a call is; has_part: it tells */
	bool has_part;
};

extern const struct rule_kind rule_kind__frame;

/* Whether it is about this function of this file. name may be qualified: Class.method. */
bool frame_rule__matches(const struct frame_rule *rule, const char *name, const char *file);

/* Whether the function's name, without its class and file, is one that the rule names. */
bool frame_rule__has_name(const struct frame_rule *rule, const char *name);

/* What stands behind the last dot of a pattern of functions; NULL: that is a pattern itself. */
const char *frame_rule__plain_name(const char *pattern);

/* The text of a value after the steps; false: nothing is left. */
bool frame_value__finish(const struct frame_value *value, const char *text,
			 struct rule_text *ret_text);

/* The number of a system call of this machine; -ENOENT. */
int syscall__number(const char *name);

/* As rule_parser__words(): the words are names of system calls. */
int rule_parser__calls(struct rule_parser *parser, char *text, struct rule_words *calls);

#endif
