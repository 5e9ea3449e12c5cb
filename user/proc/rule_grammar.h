/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar that all kinds of rules share: stanzas of "[KIND NAME]" and "key = value" lines. A
 * kind is a table of keys; private to the rules of this room. */
#ifndef PROC_RULE_GRAMMAR_H
#define PROC_RULE_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strings.h"
#include "proc/rules.h"

enum {
	RULE_LINE_LIMIT = 4096, /* bytes of a line */
	RULE_NAME_LIMIT = 64, /* bytes of the name of a rule or a capture */
	RULE_GLOB_LIMIT = 256, /* bytes of a pattern */
	RULE_WORDS_MAX = 16, /* words in one list */
	RULE_KEYS_MAX = 16, /* keys of a kind */
	RULE_VARIABLES_MAX = 32, /* mentions of environment variables in one rule */
};

struct rule_kind;

/* The head of every rule; a kind's own struct begins with it. Strings are in the pool. */
struct rule {
	const struct rule_kind *kind;
	const char *name, *path;
	int line;
	const char *variables[RULE_VARIABLES_MAX];
	size_t variable_count;
};

struct rule_list {
	struct rule **items;
	size_t count, capacity;
};

struct rule_names {
	const char *items[RULES_ENVIRONMENT_MAX];
	size_t count;
};

struct rule_words {
	const char *items[RULE_WORDS_MAX];
	size_t count;
};

struct rule_parser {
	struct string_pool *pool;
	const struct rule_kind *const *kinds;
	size_t kind_count;
	const char *path; /* in the pool */
	rules_report_fn *report;
	void *context;
	const struct rule_list *earlier; /* rules whose names are taken, and room that is used */
	size_t earlier_taken;
	struct rule_names variables; /* of all rules so far */
	struct rule_list rules; /* the result; the caller frees it */
	int line, error_count;
};

enum rule_key_use {
	RULE_KEY_ONCE, /* key = value, once in a rule */
	RULE_KEY_REPEATED, /* key = value, as often as wanted */
	RULE_KEY_NAMED, /* key NAME = value, once for each name (the kind checks that) */
};

struct rule_key {
	const char *name;
	enum rule_key_use use;
	/* value is not empty, without blanks at its ends, and may be written to; name is NULL
	 * unless RULE_KEY_NAMED. 0, -EBADMSG after rule_parser__error, -ENOMEM. */
	int (*parse)(struct rule_parser *parser, struct rule *rule, const char *name, char *value);
};

struct rule_kind {
	const char *name;
	size_t rule_size; /* of the struct that begins with struct rule; zeroed at the start */
	const struct rule_key *keys;
	size_t key_count;
	/* At the end of a rule whose lines were all right; returns like parse. */
	int (*finish)(struct rule_parser *parser, struct rule *rule);
	void (*print)(const struct rule *rule, FILE *stream);
};

/* Reads text into parser->rules. 0; -EBADMSG, every error was reported; -ENOMEM. */
int rule_grammar__parse(struct rule_parser *parser, const char *text, size_t size);

void rule_list__clear(struct rule_list *list);

/* Reports an error in the present line, or in another one. Always -EBADMSG. */
int rule_parser__error(struct rule_parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int rule_parser__error_at(struct rule_parser *parser, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Helpers of the kinds' parse functions; they return like these. */
int rule_parser__text(struct rule_parser *parser, const char *text, const char **ret_pooled);
int rule_parser__glob(struct rule_parser *parser, const char *text, const char **ret_pooled);
/* A list of words behind those that are there. */
int rule_parser__words(struct rule_parser *parser, char *text, struct rule_words *words);
/* The name of an environment variable, noted in the rule; wildcards and secrets are refused. */
int rule_parser__variable(struct rule_parser *parser, struct rule *rule, const char *name,
			  const char **ret_pooled);

/* "TITLE WORD..."; nothing when there are none. */
void rule_words__print(const struct rule_words *words, const char *title, FILE *stream);

/* Whether it can be the name of a rule or a capture: letters, digits, '.', '-', '_'. */
bool rule_name__is_good(const char *name);

/* Cuts the next blank-separated word off *at; NULL at the end. */
char *rule_word__next(char **at);

/* text without blanks at both ends, which are overwritten. */
char *rule_word__trim(char *text);

/* false: there was no more room. A name that is there already needs none. */
bool rule_names__add(struct rule_names *names, const char *pooled);

#endif
