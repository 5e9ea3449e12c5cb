// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "proc/frame_rule.h"
#include "proc/rule_value.h"
#include "proc/wait_rule.h"

static const char *const class_names[] = {
#define X(name, text, meaning) text,
	PS_WAITS(X)
#undef X
};

static struct wait_rule *wait_rule(struct rule *rule)
{
	return (struct wait_rule *)rule;
}

/* --- reading the keys */

static bool is_class(const char *name)
{
	for (size_t i = 0; i < sizeof(class_names) / sizeof(class_names[0]); i++)
		if (!strcmp(class_names[i], name))
			return true;
	return !strcmp(name, "idle"); /* reports make it of others */
}

int wait_rule__parse_class(struct rule_parser *parser, char *value, const char **ret_pooled)
{
	size_t size = strlen(value);

	if (size > RULE_NAME_LIMIT / 2 ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") != size)
		return rule_parser__error(parser,
					  "'%.64s' is no class of waits: at most %d small letters, "
					  "digits and '_'",
					  value, RULE_NAME_LIMIT / 2);
	if (is_class(value))
		return rule_parser__error(parser,
					  "'%s' is a class that the kernel part counts: give the "
					  "finer one a name of its own",
					  value);
	return rule_parser__text(parser, value, ret_pooled);
}

static int parse_call(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return rule_parser__calls(parser, value, &wait_rule(rule)->calls);
}

static int parse_class(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	if (strpbrk(value, " \t"))
		return rule_parser__error(parser, "a rule refines one class");
	return rule_parser__glob(parser, value, &wait_rule(rule)->class);
}

static int parse_frame(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &wait_rule(rule)->frames);
}

static int parse_caller(struct rule_parser *parser, struct rule *rule, const char *name,
			char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &wait_rule(rule)->callers);
}

static int parse_wait(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return wait_rule__parse_class(parser, value, &wait_rule(rule)->wait);
}

static int finish_wait(struct rule_parser *parser, struct rule *rule)
{
	const struct wait_rule *wait = wait_rule(rule);
	bool by_stack = wait->class || wait->frames.count || wait->callers.count;

	if (!wait->wait)
		return rule_parser__error_at(parser, rule->line, "the rule needs wait = CLASS");
	if (wait->calls.count && by_stack)
		return rule_parser__error_at(parser, rule->line,
					     "a rule goes by call, or by class and frame: calls "
					     "are counted exactly, stacks are sampled");
	if (!wait->calls.count && (!wait->class || !wait->frames.count))
		return rule_parser__error_at(
			parser, rule->line,
			"the rule needs call = CALL..., or class = CLASS and frame = NAME...");
	return 0;
}

static void print_wait(const struct rule *rule, FILE *stream)
{
	const struct wait_rule *wait = (const struct wait_rule *)rule;

	rule_words__print(&wait->calls, "in the call", stream);
	if (wait->class)
		fprintf(stream, "of class %s", wait->class);
	rule_words__print(&wait->frames, ", in a function", stream);
	rule_words__print(&wait->callers, " called by", stream);
	fprintf(stream, " -> %s, %s", wait->wait,
		wait->calls.count ? "exact" : "estimated from samples");
}

static const struct rule_key wait_keys[] = {
	{"call", RULE_KEY_ONCE, parse_call},   {"class", RULE_KEY_ONCE, parse_class},
	{"frame", RULE_KEY_ONCE, parse_frame}, {"caller", RULE_KEY_ONCE, parse_caller},
	{"wait", RULE_KEY_ONCE, parse_wait},
};

#define WAIT_KEY_COUNT (sizeof(wait_keys) / sizeof(wait_keys[0]))

_Static_assert(WAIT_KEY_COUNT <= RULE_KEYS_MAX, "struct stanza counts the keys");

const struct rule_kind rule_kind__wait = {
	.name = "wait",
	.rule_size = sizeof(struct wait_rule),
	.keys = wait_keys,
	.key_count = WAIT_KEY_COUNT,
	.finish = finish_wait,
	.print = print_wait,
};

/* --- looking at a wait */

static const struct wait_rule *wait_rule_at(const struct rules *rules, size_t index)
{
	const struct rule *rule = rules__at(rules, index);

	return rule->kind == &rule_kind__wait ? (const struct wait_rule *)rule : NULL;
}

static bool is_among(const struct rule_words *words, const char *text)
{
	for (size_t i = 0; i < words->count; i++)
		if (!strcmp(words->items[i], text))
			return true;
	return false;
}

void rules__wait_calls(const struct rules *rules, uint8_t calls[PS_SYSCALL_LIMIT])
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct wait_rule *rule = wait_rule_at(rules, i);

		for (size_t j = 0; rule && j < rule->calls.count; j++)
			calls[syscall__number(rule->calls.items[j])] = 1;
	}
}

const struct wait_rule *rules__wait_call(const struct rules *rules, const char *call)
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct wait_rule *rule = wait_rule_at(rules, i);

		if (rule && is_among(&rule->calls, call))
			return rule;
	}
	return NULL;
}

/* "pattern", or "kind:pattern"; C++ names have colons, too, but two of them. */
static bool matches_one(const char *pattern, const struct wait_frame *frame)
{
	static const char *const kinds[] = {"python", "native", "interpreter", "kernel"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t size = strlen(kinds[i]);

		if (strncmp(pattern, kinds[i], size) != 0 || pattern[size] != ':' ||
		    pattern[size + 1] == ':')
			continue;
		return !strcmp(frame->kind, kinds[i]) &&
		       rule_glob__matches(pattern + size + 1, frame->name);
	}
	return rule_glob__matches(pattern, frame->name);
}

static bool matches_any(const struct rule_words *patterns, const struct wait_frame *frame)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (matches_one(patterns->items[i], frame))
			return true;
	return false;
}

static bool matches_stack(const struct wait_rule *rule, wait_frame_fn *frame, void *context)
{
	struct wait_frame one, caller;

	for (size_t i = 0; frame(context, i, &one); i++) {
		if (!matches_any(&rule->frames, &one))
			continue;
		if (!rule->callers.count ||
		    (frame(context, i + 1, &caller) && matches_any(&rule->callers, &caller)))
			return true;
	}
	return false;
}

const struct wait_rule *rules__wait_stack(const struct rules *rules, const char *class,
					  wait_frame_fn *frame, void *context)
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct wait_rule *rule = wait_rule_at(rules, i);

		if (rule && rule->class && !strcmp(rule->class, class) &&
		    matches_stack(rule, frame, context))
			return rule;
	}
	return NULL;
}

bool rules__refines(const struct rules *rules, const char *class)
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct wait_rule *rule = wait_rule_at(rules, i);

		if (rule && rule->class && !strcmp(rule->class, class))
			return true;
	}
	return false;
}
