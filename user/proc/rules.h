/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that give names: what a process works at (its task) and for whom (its job), from its
 * command line, environment, cgroup and parent; what kind of data a file holds, from its path. The
 * built-in rules and the files of users are in one grammar, docs/RULES.md. Not thread-safe: one
 * struct rules per thread. */
#ifndef PROC_RULES_H
#define PROC_RULES_H

#include <stddef.h>
#include <stdio.h>

enum {
	RULES_TEXT_LIMIT = 256, /* bytes of a task or a job, without the NUL */
	RULES_FILE_LIMIT = 1 << 20, /* bytes of a file of rules */
	RULES_MAX = 1024, /* rules in all */
	RULES_ERRORS_MAX = 100, /* errors told of one text; reading stops there */
	RULES_ENVIRONMENT_MAX = 64, /* environment variables named by all rules */
	RULES_ENVIRONMENT_NAME = 64, /* bytes of such a name, without the NUL */
};

struct rules;
struct frame_rule;
struct rule;

struct rules_error {
	char path[256]; /* cut when longer */
	int line; /* from 1; 0: the file as a whole */
	char message[256];
};

/* Called for each error, in the order of the lines that were read. */
typedef void rules_report_fn(const struct rules_error *error, void *context);

/* Only the built-in rules. 0, -ENOMEM. */
int rules__new(struct rules **ret);
void rules__free(struct rules *rules);

/* Adds the rules of a regular file (at most RULES_FILE_LIMIT bytes) behind those of earlier files
 * and in front of the built-in ones; a built-in rule with the name of a new one is replaced. All or
 * nothing: 0; -EBADMSG when the text is wrong; another negative errno when the file cannot be read;
 * -ENOMEM. On each failure the first error, with its message, is in *ret_error. */
int rules__add_file(struct rules *rules, const char *path, struct rules_error *ret_error);

/* The same, but tells every error (at least one on each failure). report may be NULL. */
int rules__add_file_reporting(struct rules *rules, const char *path, rules_report_fn *report,
			      void *context);

/* The same for a text in memory; `path` stands in the messages. */
int rules__add_text(struct rules *rules, const char *path, const char *text, size_t size,
		    rules_report_fn *report, void *context);

/* The source of the built-in rules; static. */
const char *rules__builtin_text(void);

/* The number of rules in the order in which they are tried: those of files, then the built-in ones.
 */
size_t rules__count(const struct rules *rules);
size_t rules__file_count(const struct rules *rules);

/* One line that tells how rule `index` (below rules__count) was understood. */
void rules__print(const struct rules *rules, size_t index, FILE *stream);

/* The environment variables that rules look at: no other may be read. At most
 * RULES_ENVIRONMENT_MAX, never one that looks like a secret. Borrowed until rules are added or
 * freed. */
const char *const *rules__environment_names(const struct rules *rules, size_t *ret_count);

/* Rule `index` when it is of the kind frame, else NULL. It is not const: paths hold hints for
 * whoever follows them. */
struct frame_rule *rules__frame(const struct rules *rules, size_t index);

/* Rule `index`, below rules__count, of whatever kind. */
const struct rule *rules__at(const struct rules *rules, size_t index);

/* A text that lives as long as the rules. NULL: no memory. */
const char *rules__intern(struct rules *rules, const char *text);

/* What a process is. The strings live in the rules object until rules__free; they are UTF-8 without
 * control characters, at most RULES_TEXT_LIMIT bytes. Each distinct name is kept. */
struct identity {
	const char *task; /* never NULL */
	const char *job; /* NULL: none is known */
	const char *rule; /* the rule that gave the task; NULL: none did, the task is the comm */
};

struct environment_variable {
	const char *name, *value;
};

/* Outside data, all of it: bytes are taken as they come, what is beyond the limits is not looked at
 * (32 KiB and 1024 words of arguments, 4 KiB of a word, of a variable and of the cgroup). */
struct process_facts {
	const char *comm; /* NULL like "" */
	const char *arguments; /* as in /proc/PID/cmdline, NUL between the words; may be NULL */
	size_t arguments_size;
	const char *cgroup; /* path, NULL: unknown */
	const struct environment_variable *environment;
	size_t environment_count;
	const struct identity *parent; /* NULL: unknown; its strings from this struct rules */
};

/* Names a process: for task and job each, the first rule that matches and can give it. What no rule
 * gives: the job of the parent, the comm as the task. 0 or -ENOMEM. */
int rules__identify(struct rules *rules, const struct process_facts *facts,
		    struct identity *ret_identity);

/* The dataset type of a file by its path, which is absolute: what the first rule of the kind path
 * that matches gives. 1, and *ret_type and *ret_rule (borrowed until rules__free; each distinct
 * type is kept); 0: no rule knows it; -ENOMEM. */
int rules__dataset(struct rules *rules, const char *path, const char **ret_type,
		   const char **ret_rule);

#endif
