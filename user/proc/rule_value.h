/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a rule makes a name: captured values go through steps ("after # | last"), then into a
 * template
 * ("{label|pipetask run}"). Shared by all kinds of rules, private to this room. */
#ifndef PROC_RULE_VALUE_H
#define PROC_RULE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/rule_grammar.h"

enum {
	RULE_STEPS_MAX = 8,
	RULE_SLICES_MAX = 64, /* values of one capture; more are left out */
	RULE_SOURCE_LIMIT = 4096, /* bytes that are looked at in one value from outside */
	RULE_CAPTURES_MAX = 16, /* in one rule */
};

struct rule_step {
	const struct rule_step_word *word;
	const char *text; /* pooled; NULL when the step has none */
};

struct rule_steps {
	struct rule_step items[RULE_STEPS_MAX];
	size_t count;
};

/* Parts of somebody else's strings. */
struct rule_slices {
	struct {
		const char *at;
		size_t size;
	} items[RULE_SLICES_MAX];
	size_t count;
};

/* A text in the making, always NUL-terminated. */
struct rule_text {
	char bytes[RULES_TEXT_LIMIT + 1];
	size_t size;
	bool full;
};

/* "STEP [TEXT] | STEP [TEXT] …"; returns like struct rule_key's parse. */
int rule_steps__parse(struct rule_parser *parser, char *text, struct rule_steps *ret_steps);

/* Only pieces of the values come out, never an empty one. */
void rule_steps__apply(const struct rule_steps *steps, struct rule_slices *slices);

/* Looks at RULE_SOURCE_LIMIT bytes at most. */
void rule_slices__add(struct rule_slices *slices, const char *text);

/* Shell pattern against the first RULE_SOURCE_LIMIT bytes of text. */
bool rule_glob__matches(const char *pattern, const char *text);
/* Whether one of the patterns does. */
bool rule_words__match(const struct rule_words *patterns, const char *text);

/* What does not fit is cut off, between two characters. */
void rule_text__append(struct rule_text *text, const char *bytes, size_t size);

/* Makes bytes from outside printable: UTF-8 without control characters or blanks at the ends. */
void rule_text__clean(struct rule_text *text);

/* Checks a template against the names of the captures and sets the bits of those it uses. */
int rule_template__check(struct rule_parser *parser, int line, const char *template,
			 const char *const *names, size_t name_count, uint32_t *used);

/* Adds the value of a capture; false when there is none. */
typedef bool rule_fetch_fn(void *context, size_t capture, struct rule_text *text);

/* false: a capture without fallback has no value, or the result is empty. *ret_text is clean. */
bool rule_template__expand(const char *template, const char *const *names, size_t name_count,
			   rule_fetch_fn *fetch, void *context, struct rule_text *ret_text);

#endif
