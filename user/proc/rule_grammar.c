// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/rule_grammar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define BLANKS " \t\r"

struct stanza {
	struct rule *rule; /* NULL before the first header and behind a wrong one */
	bool started, broken;
	int seen[RULE_KEYS_MAX]; /* line of each key, 0: not yet */
};

/* Parts of names that mark a secret, whatever stands around them. */
static const char *const secrets[] = {
	"PASSWORD",   "PASSWD",	     "PASSPHRASE",	 "TOKEN",      "SECRET",  "AUTHKEY",
	"CREDENTIAL", "PRIVATE_KEY", "SECURITY_SESSION", "ACCESS_KEY", "API_KEY", "APIKEY",
	"COOKIE",
};

static int report(struct rule_parser *parser, int line, const char *format, va_list arguments)
{
	struct rules_error error = {.line = line};

	snprintf(error.path, sizeof(error.path), "%s", parser->path);
	vsnprintf(error.message, sizeof(error.message), format, arguments);
	parser->error_count++;
	if (parser->report)
		parser->report(&error, parser->context);
	return -EBADMSG;
}

int rule_parser__error(struct rule_parser *parser, const char *format, ...)
{
	va_list arguments;
	int err;

	va_start(arguments, format);
	err = report(parser, parser->line, format, arguments);
	va_end(arguments);
	return err;
}

int rule_parser__error_at(struct rule_parser *parser, int line, const char *format, ...)
{
	va_list arguments;
	int err;

	va_start(arguments, format);
	err = report(parser, line, format, arguments);
	va_end(arguments);
	return err;
}

void rule_list__clear(struct rule_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct rule_list){0};
}

char *rule_word__next(char **at)
{
	char *word = *at + strspn(*at, BLANKS);

	if (!*word)
		return NULL;
	*at = word + strcspn(word, BLANKS);
	if (**at)
		*(*at)++ = '\0';
	return word;
}

char *rule_word__trim(char *text)
{
	size_t size;

	text += strspn(text, BLANKS);
	size = strlen(text);
	while (size && strchr(BLANKS, text[size - 1]))
		text[--size] = '\0';
	return text;
}

void rule_words__print(const struct rule_words *words, const char *title, FILE *stream)
{
	if (words->count)
		fputs(title, stream);
	for (size_t i = 0; i < words->count; i++)
		fprintf(stream, " %s", words->items[i]);
}

bool rule_name__is_good(const char *name)
{
	size_t size = strlen(name);

	return size && size <= RULE_NAME_LIMIT &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		       size;
}

bool rule_names__add(struct rule_names *names, const char *pooled)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->items[i] == pooled)
			return true;
	}
	if (names->count == RULES_ENVIRONMENT_MAX)
		return false;
	names->items[names->count++] = pooled;
	return true;
}

int rule_parser__text(struct rule_parser *parser, const char *text, const char **ret_pooled)
{
	const char *pooled = string_pool__intern(parser->pool, text);

	if (!pooled)
		return -ENOMEM;
	*ret_pooled = pooled;
	return 0;
}

int rule_parser__glob(struct rule_parser *parser, const char *text, const char **ret_pooled)
{
	if (strlen(text) > RULE_GLOB_LIMIT)
		return rule_parser__error(parser, "a pattern of more than %d bytes",
					  RULE_GLOB_LIMIT);
	return rule_parser__text(parser, text, ret_pooled);
}

int rule_parser__words(struct rule_parser *parser, char *text, struct rule_words *words)
{
	for (char *word; (word = rule_word__next(&text));) {
		int err;

		if (words->count == RULE_WORDS_MAX)
			return rule_parser__error(parser, "more than %d words", RULE_WORDS_MAX);
		err = rule_parser__glob(parser, word, &words->items[words->count]);
		if (err)
			return err;
		words->count++;
	}
	return 0;
}

static bool is_variable_name(const char *name)
{
	size_t size = strlen(name);

	return size && size <= RULES_ENVIRONMENT_NAME && !(name[0] >= '0' && name[0] <= '9') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       size;
}

int rule_parser__variable(struct rule_parser *parser, struct rule *rule, const char *name,
			  const char **ret_pooled)
{
	const char *pooled;
	int err;

	if (!is_variable_name(name))
		return rule_parser__error(parser,
					  "'%.80s' is not the name of an environment variable: "
					  "name each one, without wildcards",
					  name);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (strcasestr(name, secrets[i]))
			return rule_parser__error(parser,
						  "'%s' looks like a secret (%s): it is never read",
						  name, secrets[i]);
	}
	err = rule_parser__text(parser, name, &pooled);
	if (err)
		return err;
	if (rule->variable_count == RULE_VARIABLES_MAX ||
	    !rule_names__add(&parser->variables, pooled))
		return rule_parser__error(parser,
					  "too many environment variables: at most %d in a rule, "
					  "%d in all",
					  RULE_VARIABLES_MAX, RULES_ENVIRONMENT_MAX);
	rule->variables[rule->variable_count++] = pooled;
	*ret_pooled = pooled;
	return 0;
}

/* "a, b, c" for messages. */
static const char *list_kinds(const struct rule_parser *parser, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < parser->kind_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 parser->kinds[i]->name);
	return text;
}

static const char *list_keys(const struct rule_kind *kind, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < kind->key_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 kind->keys[i].name);
	return text;
}

static const struct rule *find_rule(const struct rule_list *list, size_t count,
				    const struct rule_kind *kind, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (list->items[i]->kind == kind && !strcmp(list->items[i]->name, name))
			return list->items[i];
	}
	return NULL;
}

static int check_header(struct rule_parser *parser, const char *kind_name, const char *name,
			const char *rest, const struct rule_kind **ret_kind)
{
	const struct rule_kind *kind = NULL;
	const struct rule *same;
	char list[160];

	for (size_t i = 0; kind_name && i < parser->kind_count; i++) {
		if (!strcmp(parser->kinds[i]->name, kind_name))
			kind = parser->kinds[i];
	}
	if (!kind)
		return rule_parser__error(parser, "there is no kind '%.40s'; the kinds are: %s",
					  kind_name ? kind_name : "",
					  list_kinds(parser, list, sizeof(list)));
	if (!name)
		return rule_parser__error(parser, "the rule has no name: [%s NAME]", kind->name);
	if (rest)
		return rule_parser__error(parser, "the name of a rule is one word: [%s NAME]",
					  kind->name);
	if (!rule_name__is_good(name))
		return rule_parser__error(
			parser,
			"'%.64s' is no name: at most %d letters, digits, '.', '-' "
			"and '_'",
			name, RULE_NAME_LIMIT);
	same = find_rule(&parser->rules, parser->rules.count, kind, name);
	if (!same)
		same = find_rule(parser->earlier, parser->earlier_taken, kind, name);
	if (same)
		return rule_parser__error(parser, "rule '%s' is there already: %.100s:%d", name,
					  same->path, same->line);
	if (parser->rules.count + parser->earlier->count >= RULES_MAX)
		return rule_parser__error(parser, "more than %d rules", RULES_MAX);
	*ret_kind = kind;
	return 0;
}

static int start_stanza(struct rule_parser *parser, struct stanza *stanza, char *line)
{
	const struct rule_kind *kind = NULL;
	char *end = strchr(line, ']'), *at = line + 1, *kind_name, *name;
	struct rule *rule;
	int err;

	*stanza = (struct stanza){.started = true, .broken = true};
	if (!end || end[1])
		return rule_parser__error(parser, "a rule begins with [KIND NAME] on its own line");
	*end = '\0';
	kind_name = rule_word__next(&at);
	name = rule_word__next(&at);
	err = check_header(parser, kind_name, name, rule_word__next(&at), &kind);
	if (err)
		return err;
	rule = calloc(1, kind->rule_size);
	if (!rule)
		return -ENOMEM;
	err = rule_parser__text(parser, name, &rule->name);
	if (err) {
		free(rule);
		return err;
	}
	rule->kind = kind;
	rule->path = parser->path;
	rule->line = parser->line;
	stanza->rule = rule;
	stanza->broken = false;
	return 0;
}

static int finish_stanza(struct rule_parser *parser, struct stanza *stanza)
{
	struct rule_list *list = &parser->rules;
	struct rule *rule = stanza->rule;
	int err = 0;

	stanza->rule = NULL;
	if (!rule)
		return 0;
	if (stanza->broken)
		goto drop;
	err = rule->kind->finish(parser, rule);
	if (err)
		goto drop;
	err = array__reserve(&list->items, &list->capacity, sizeof(struct rule *), list->count + 1);
	if (err)
		goto drop;
	list->items[list->count++] = rule;
	return 0;
drop:
	free(rule);
	return err;
}

static int parse_key(struct rule_parser *parser, struct stanza *stanza, char *line)
{
	const struct rule_kind *kind = stanza->rule->kind;
	char *value = strchr(line, '='), *key_name, *name, *rest;
	char list[160];

	if (!value)
		return rule_parser__error(parser,
					  "a line is 'key = value', [KIND NAME] or # comment");
	*value = '\0';
	value = rule_word__trim(value + 1);
	key_name = rule_word__next(&line);
	name = rule_word__next(&line);
	rest = rule_word__next(&line);
	for (size_t i = 0; key_name && i < kind->key_count; i++) {
		const struct rule_key *key = &kind->keys[i];

		if (strcmp(key->name, key_name))
			continue;
		if (rest || (key->use == RULE_KEY_NAMED) != !!name)
			return rule_parser__error(parser, "'%s' is written: %s%s = value", key_name,
						  key_name,
						  key->use == RULE_KEY_NAMED ? " NAME" : "");
		if (!*value)
			return rule_parser__error(parser, "'%s' has no value", key_name);
		if (key->use == RULE_KEY_ONCE && stanza->seen[i])
			return rule_parser__error(parser, "'%s' is given already in line %d",
						  key_name, stanza->seen[i]);
		stanza->seen[i] = parser->line;
		return key->parse(parser, stanza->rule, name, value);
	}
	return rule_parser__error(parser, "there is no key '%.40s'; a %s rule has: %s",
				  key_name ? key_name : "", kind->name,
				  list_keys(kind, list, sizeof(list)));
}

/* Rules and messages about them go to terminals. */
static bool has_control(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7f)
			return true;
	}
	return false;
}

static int parse_line(struct rule_parser *parser, struct stanza *stanza, const char *text,
		      size_t size)
{
	char copy[RULE_LINE_LIMIT + 1], *line;
	int err;

	if (size > RULE_LINE_LIMIT)
		err = rule_parser__error(parser, "a line of more than %d bytes", RULE_LINE_LIMIT);
	else if (has_control(text, size))
		err = rule_parser__error(parser, "a control character: this is not text");
	else
		err = 0;
	if (err) {
		stanza->broken = true;
		return err;
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	line = rule_word__trim(copy);
	if (!*line || *line == '#')
		return 0;
	if (*line == '[') {
		/* The end of the rule before shows only here; its error names its own line. */
		int finished = finish_stanza(parser, stanza);

		err = start_stanza(parser, stanza, line);
		return finished && finished != -EBADMSG ? finished : err ? err : finished;
	}
	if (!stanza->started)
		return rule_parser__error(parser, "a rule begins with [KIND NAME]");
	if (!stanza->rule)
		return 0; /* the header was wrong, and told so */
	err = parse_key(parser, stanza, line);
	if (err)
		stanza->broken = true;
	return err;
}

int rule_grammar__parse(struct rule_parser *parser, const char *text, size_t size)
{
	struct stanza stanza = {0};
	int err = 0;

	while (size && parser->error_count < RULES_ERRORS_MAX) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;

		parser->line++;
		err = parse_line(parser, &stanza, text, length);
		if (err && err != -EBADMSG)
			break;
		text += length + !!end;
		size -= length + !!end;
	}
	if (!err || err == -EBADMSG)
		err = finish_stanza(parser, &stanza);
	free(stanza.rule);
	if (err && err != -EBADMSG)
		return err;
	return parser->error_count ? -EBADMSG : 0;
}
