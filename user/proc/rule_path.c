// SPDX-License-Identifier: GPL-2.0-or-later
/* A pattern is compared part by part with the components of a path, "**" with any number of them,
 * as many as possible first: what lies deepest counts. A capture stands for one or more bytes of a
 * component and, where it stands again, for the same bytes. */
#include "proc/rule_path.h"

#include <errno.h>
#include <string.h>

struct path_pattern {
	const char *parts[PATH_PARTS_MAX]; /* NULL: "**" */
	size_t count;
};

struct path_rule {
	struct rule rule;
	struct path_pattern patterns[PATH_PATTERNS_MAX];
	size_t pattern_count;
	const char *captures[RULE_CAPTURES_MAX];
	size_t capture_count;
	const char *dataset; /* template */
	int dataset_line;
};

static struct path_rule *path_rule(struct rule *rule)
{
	return (struct path_rule *)rule;
}

/* --- reading the keys */

static size_t find_capture(const struct path_rule *rule, const char *name, size_t size)
{
	size_t i = 0;

	while (i < rule->capture_count &&
	       (strlen(rule->captures[i]) != size || memcmp(rule->captures[i], name, size)))
		i++;
	return i;
}

static int add_capture(struct rule_parser *parser, struct path_rule *rule, const char *at,
		       size_t size)
{
	char name[RULE_NAME_LIMIT + 1];
	size_t index;
	int err;

	if (size >= sizeof(name))
		return rule_parser__error(parser, "a capture with more than %d letters",
					  RULE_NAME_LIMIT);
	memcpy(name, at, size);
	name[size] = '\0';
	if (!rule_name__is_good(name))
		return rule_parser__error(parser, "'%.64s' is no name for a capture", name);
	index = find_capture(rule, name, size);
	if (index == RULE_CAPTURES_MAX)
		return rule_parser__error(parser, "more than %d captures", RULE_CAPTURES_MAX);
	if (index == rule->capture_count) {
		err = rule_parser__text(parser, name, &rule->captures[index]);
		if (err)
			return err;
		rule->capture_count++;
	}
	return 0;
}

/* Each "{" with its "}" in the same part. */
static int check_part(struct rule_parser *parser, struct path_rule *rule, const char *part)
{
	while (*(part += strcspn(part, "{}"))) {
		size_t size = strcspn(part + 1, "{}");
		int err;

		if (*part != '{' || part[1 + size] != '}')
			return rule_parser__error(parser, "braces that do not pair: %.40s", part);
		err = add_capture(parser, rule, part + 1, size);
		if (err)
			return err;
		part += size + 2;
	}
	return 0;
}

static int parse_path(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	struct path_rule *path = path_rule(rule);
	struct path_pattern *pattern = &path->patterns[path->pattern_count];
	char *rest = value, *part;
	int err = 0;

	(void)name;
	if (path->pattern_count == PATH_PATTERNS_MAX)
		return rule_parser__error(parser, "more than %d patterns", PATH_PATTERNS_MAX);
	if (value[0] != '/')
		return rule_parser__error(parser,
					  "a path begins with '/'; /** stands for any folders");
	if (strlen(value) > RULE_GLOB_LIMIT)
		return rule_parser__error(parser, "a pattern of more than %d bytes",
					  RULE_GLOB_LIMIT);
	while (!err && (part = strsep(&rest, "/"))) {
		if (!*part)
			continue;
		if (pattern->count == PATH_PARTS_MAX)
			return rule_parser__error(parser, "more than %d parts", PATH_PARTS_MAX);
		if (!strcmp(part, "**")) {
			pattern->parts[pattern->count++] = NULL;
			continue;
		}
		err = check_part(parser, path, part);
		err = err ?: rule_parser__text(parser, part, &pattern->parts[pattern->count++]);
	}
	path->pattern_count++;
	return err;
}

static int parse_dataset(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	struct path_rule *path = path_rule(rule);

	(void)name;
	if (strlen(value) > RULES_TEXT_LIMIT)
		return rule_parser__error(parser, "a name of more than %d bytes", RULES_TEXT_LIMIT);
	path->dataset_line = parser->line;
	return rule_parser__text(parser, value, &path->dataset);
}

static int finish_path(struct rule_parser *parser, struct rule *rule)
{
	const struct path_rule *path = path_rule(rule);
	uint32_t used = 0;

	if (!path->pattern_count)
		return rule_parser__error_at(parser, rule->line, "the rule needs path = PATTERN");
	if (!path->dataset)
		return rule_parser__error_at(parser, rule->line, "the rule needs dataset = NAME");
	return rule_template__check(parser, path->dataset_line, path->dataset, path->captures,
				    path->capture_count, &used);
}

static void print_path(const struct rule *rule, FILE *stream)
{
	const struct path_rule *path = (const struct path_rule *)rule;

	for (size_t i = 0; i < path->pattern_count; i++) {
		fputs(i ? " or " : "", stream);
		for (size_t k = 0; k < path->patterns[i].count; k++)
			fprintf(stream, "/%s",
				path->patterns[i].parts[k] ? path->patterns[i].parts[k] : "**");
	}
	fprintf(stream, " -> dataset '%s'", path->dataset);
}

static const struct rule_key path_keys[] = {
	{"path", RULE_KEY_REPEATED, parse_path},
	{"dataset", RULE_KEY_ONCE, parse_dataset},
};

#define PATH_KEY_COUNT (sizeof(path_keys) / sizeof(path_keys[0]))

_Static_assert(PATH_KEY_COUNT <= RULE_KEYS_MAX, "struct stanza counts the keys");

const struct rule_kind rule_kind__path = {
	.name = "path",
	.rule_size = sizeof(struct path_rule),
	.keys = path_keys,
	.key_count = PATH_KEY_COUNT,
	.finish = finish_path,
	.print = print_path,
};

/* --- comparing */

struct slice {
	const char *at;
	size_t size;
};

/* One comparison of a pattern with a path. */
struct comparison {
	const struct path_rule *rule;
	const struct path_pattern *pattern;
	struct slice components[PATH_COMPONENTS_MAX];
	size_t count;
	struct slice captures[RULE_CAPTURES_MAX]; /* at NULL: not bound */
	unsigned int steps; /* left */
};

static bool match_parts(struct comparison *one, size_t part, size_t component);

/* The rest of a part against the rest of a component, then what follows both. */
static bool match_text(struct comparison *one, const char *pattern, struct slice text, size_t part,
		       size_t component)
{
	struct slice *capture;
	size_t name;

	for (; *pattern && *pattern != '{' && *pattern != '*'; pattern++) {
		if (!text.size || (*pattern != '?' && *pattern != *text.at))
			return false;
		text.at++;
		text.size--;
	}
	if (!one->steps || !one->steps--)
		return false;
	if (!*pattern)
		return !text.size && match_parts(one, part + 1, component + 1);
	if (*pattern == '*') {
		for (size_t size = text.size + 1; size--;)
			if (match_text(one, pattern + 1,
				       (struct slice){text.at + size, text.size - size}, part,
				       component))
				return true;
		return false;
	}
	name = strcspn(pattern + 1, "}");
	capture = &one->captures[find_capture(one->rule, pattern + 1, name)];
	pattern += name + 2;
	if (capture->at)
		return text.size >= capture->size && !memcmp(text.at, capture->at, capture->size) &&
		       match_text(
			       one, pattern,
			       (struct slice){text.at + capture->size, text.size - capture->size},
			       part, component);
	for (size_t size = text.size; size; size--) {
		*capture = (struct slice){text.at, size};
		if (match_text(one, pattern, (struct slice){text.at + size, text.size - size}, part,
			       component))
			return true;
	}
	*capture = (struct slice){0};
	return false;
}

static bool match_parts(struct comparison *one, size_t part, size_t component)
{
	if (!one->steps || !one->steps--)
		return false;
	if (part == one->pattern->count)
		return component == one->count;
	if (one->pattern->parts[part]) {
		return component < one->count &&
		       match_text(one, one->pattern->parts[part], one->components[component], part,
				  component);
	}
	for (size_t next = one->count + 1; next-- > component;)
		if (match_parts(one, part + 1, next))
			return true;
	return false;
}

/* false: too many components. */
static bool split(struct comparison *one, const char *path)
{
	for (;;) {
		size_t size;

		path += strspn(path, "/");
		size = strcspn(path, "/");
		if (!size)
			return true;
		if (one->count == PATH_COMPONENTS_MAX)
			return false;
		one->components[one->count++] = (struct slice){path, size};
		path += size;
	}
}

static bool fetch_capture(void *context, size_t index, struct rule_text *text)
{
	const struct comparison *one = context;

	if (!one->captures[index].at)
		return false;
	rule_text__append(text, one->captures[index].at, one->captures[index].size);
	return true;
}

bool rule_path__name(const struct rule *rule, const char *path, struct rule_text *ret_text)
{
	struct comparison one = {.rule = (const struct path_rule *)rule};

	if (path[0] != '/' || strnlen(path, RULE_SOURCE_LIMIT) == RULE_SOURCE_LIMIT ||
	    !split(&one, path))
		return false;
	for (size_t i = 0; i < one.rule->pattern_count; i++) {
		one.pattern = &one.rule->patterns[i];
		one.steps = PATH_STEPS_MAX;
		memset(one.captures, 0, sizeof(one.captures));
		if (match_parts(&one, 0, 0) &&
		    rule_template__expand(one.rule->dataset, one.rule->captures,
					  one.rule->capture_count, fetch_capture, &one, ret_text))
			return true;
	}
	return false;
}
