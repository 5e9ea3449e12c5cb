// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/rule_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONDITIONS_MAX 16

enum condition_kind { CONDITION_WORD, CONDITION_ENVIRONMENT, CONDITION_CGROUP, CONDITION_PARENT };

struct condition {
	enum condition_kind kind;
	const char *name; /* environment variable */
	const char *pattern; /* NULL: it is enough that the variable is there */
};

enum source_kind {
	SOURCE_OPTION,
	SOURCE_ARGUMENT,
	SOURCE_WORD,
	SOURCE_ENVIRONMENT,
	SOURCE_CGROUP,
	SOURCE_PROGRAM,
};

struct capture {
	enum source_kind source;
	struct rule_words words; /* names of options */
	const char *text; /* pattern or variable */
	unsigned long number; /* of an argument, from 1 */
	struct rule_steps steps;
	int line;
};

struct process_rule {
	struct rule rule;
	struct rule_words programs, arguments, value_options;
	struct condition conditions[CONDITIONS_MAX];
	size_t condition_count;
	struct capture captures[RULE_CAPTURES_MAX];
	const char *capture_names[RULE_CAPTURES_MAX];
	size_t capture_count;
	const char *task, *job; /* templates, NULL: not given */
	int task_line, job_line, inherit_line; /* 0: not given */
};

/* --- Reading the keys. */

static struct process_rule *process_rule(struct rule *rule)
{
	return (struct process_rule *)rule;
}

static int parse_program(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &process_rule(rule)->programs);
}

static int parse_arguments(struct rule_parser *parser, struct rule *rule, const char *name,
			   char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &process_rule(rule)->arguments);
}

static int check_options(struct rule_parser *parser, const struct rule_words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		if (words->items[i][0] != '-' || !words->items[i][1] ||
		    strchr(words->items[i], '='))
			return rule_parser__error(parser, "'%.64s' is not the name of an option",
						  words->items[i]);
	}
	return 0;
}

static int parse_value_options(struct rule_parser *parser, struct rule *rule, const char *name,
			       char *value)
{
	struct rule_words *words = &process_rule(rule)->value_options;
	int err = rule_parser__words(parser, value, words);

	(void)name;
	return err ? err : check_options(parser, words);
}

static int add_condition(struct rule_parser *parser, struct rule *rule, struct condition condition)
{
	struct process_rule *process = process_rule(rule);

	if (process->condition_count == CONDITIONS_MAX)
		return rule_parser__error(parser, "more than %d conditions", CONDITIONS_MAX);
	process->conditions[process->condition_count++] = condition;
	return 0;
}

static int parse_pattern(struct rule_parser *parser, struct rule *rule, enum condition_kind kind,
			 const char *value)
{
	struct condition condition = {.kind = kind};
	int err = rule_parser__glob(parser, value, &condition.pattern);

	return err ? err : add_condition(parser, rule, condition);
}

static int parse_word(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return parse_pattern(parser, rule, CONDITION_WORD, value);
}

static int parse_cgroup(struct rule_parser *parser, struct rule *rule, const char *name,
			char *value)
{
	(void)name;
	return parse_pattern(parser, rule, CONDITION_CGROUP, value);
}

static int parse_parent(struct rule_parser *parser, struct rule *rule, const char *name,
			char *value)
{
	(void)name;
	return parse_pattern(parser, rule, CONDITION_PARENT, value);
}

static int parse_environment(struct rule_parser *parser, struct rule *rule, const char *name,
			     char *value)
{
	struct condition condition = {.kind = CONDITION_ENVIRONMENT};
	char *variable = rule_word__next(&value);
	int err = rule_parser__variable(parser, rule, variable, &condition.name);

	(void)name;
	if (err)
		return err;
	value = rule_word__trim(value);
	if (*value) {
		err = rule_parser__glob(parser, value, &condition.pattern);
		if (err)
			return err;
	}
	return add_condition(parser, rule, condition);
}

static int parse_template(struct rule_parser *parser, const char *value, const char **template,
			  int *line)
{
	if (strlen(value) > RULES_TEXT_LIMIT)
		return rule_parser__error(parser, "a name of more than %d bytes", RULES_TEXT_LIMIT);
	*line = parser->line;
	return rule_parser__text(parser, value, template);
}

static int parse_task(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	struct process_rule *process = process_rule(rule);

	(void)name;
	return parse_template(parser, value, &process->task, &process->task_line);
}

static int parse_job(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	struct process_rule *process = process_rule(rule);

	(void)name;
	return parse_template(parser, value, &process->job, &process->job_line);
}

static int parse_inherit(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	(void)name;
	if (strcmp(value, "parent"))
		return rule_parser__error(parser, "'inherit' can only be 'parent'");
	process_rule(rule)->inherit_line = parser->line;
	return 0;
}

/* --- Reading a capture: SOURCE [WORD…] | STEP | STEP. */

static int parse_option_source(struct rule_parser *parser, struct rule *rule,
			       struct capture *capture, char *text)
{
	int err = rule_parser__words(parser, text, &capture->words);

	(void)rule;
	return err ? err : check_options(parser, &capture->words);
}

static int parse_argument_source(struct rule_parser *parser, struct rule *rule,
				 struct capture *capture, char *text)
{
	char *end;

	(void)rule;
	capture->number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || capture->number < 1 ||
	    capture->number > COMMAND_WORDS_MAX)
		return rule_parser__error(parser, "'argument' needs a number from 1 to %d",
					  COMMAND_WORDS_MAX);
	return 0;
}

static int parse_word_source(struct rule_parser *parser, struct rule *rule, struct capture *capture,
			     char *text)
{
	(void)rule;
	return rule_parser__glob(parser, text, &capture->text);
}

static int parse_environment_source(struct rule_parser *parser, struct rule *rule,
				    struct capture *capture, char *text)
{
	return rule_parser__variable(parser, rule, text, &capture->text);
}

static const struct source {
	const char *name;
	enum source_kind kind;
	const char *usage;
	/* text is not empty; NULL: the source has none */
	int (*parse)(struct rule_parser *parser, struct rule *rule, struct capture *capture,
		     char *text);
} sources[] = {
	{"option", SOURCE_OPTION, "option NAME...", parse_option_source},
	{"argument", SOURCE_ARGUMENT, "argument NUMBER", parse_argument_source},
	{"word", SOURCE_WORD, "word PATTERN", parse_word_source},
	{"environment", SOURCE_ENVIRONMENT, "environment NAME", parse_environment_source},
	{"cgroup", SOURCE_CGROUP, "cgroup", NULL},
	{"program", SOURCE_PROGRAM, "program", NULL},
};

#define SOURCE_COUNT (sizeof(sources) / sizeof(sources[0]))

static int parse_source(struct rule_parser *parser, struct rule *rule, struct capture *capture,
			char *text)
{
	char *name = rule_word__next(&text);

	text = rule_word__trim(text);
	for (size_t i = 0; name && i < SOURCE_COUNT; i++) {
		const struct source *source = &sources[i];

		if (strcmp(source->name, name))
			continue;
		if (!source->parse != !*text)
			return rule_parser__error(parser, "the source is written: %s",
						  source->usage);
		capture->source = source->kind;
		return source->parse ? source->parse(parser, rule, capture, text) : 0;
	}
	return rule_parser__error(parser,
				  "there is no source '%.40s'; the sources are: option, argument, "
				  "word, environment, cgroup, program",
				  name ? name : "");
}

static int parse_capture(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	struct process_rule *process = process_rule(rule);
	struct capture *capture = &process->captures[process->capture_count];
	char *steps = strchr(value, '|');
	int err;

	if (!rule_name__is_good(name))
		return rule_parser__error(parser, "'%.64s' is no name for a capture", name);
	for (size_t i = 0; i < process->capture_count; i++) {
		if (!strcmp(process->capture_names[i], name))
			return rule_parser__error(parser,
						  "capture '%s' is given already in line %d", name,
						  process->captures[i].line);
	}
	if (process->capture_count == RULE_CAPTURES_MAX)
		return rule_parser__error(parser, "more than %d captures", RULE_CAPTURES_MAX);
	if (steps)
		*steps++ = '\0';
	err = parse_source(parser, rule, capture, value);
	if (!err && steps)
		err = rule_steps__parse(parser, steps, &capture->steps);
	if (!err)
		err = rule_parser__text(parser, name,
					&process->capture_names[process->capture_count]);
	if (err)
		return err;
	capture->line = parser->line;
	process->capture_count++;
	return 0;
}

static int check_template(struct rule_parser *parser, const struct process_rule *process, int line,
			  const char *template, uint32_t *used)
{
	if (!template)
		return 0;
	return rule_template__check(parser, line, template, process->capture_names,
				    process->capture_count, used);
}

static int finish_process(struct rule_parser *parser, struct rule *rule)
{
	const struct process_rule *process = process_rule(rule);
	uint32_t used = 0;
	int err;

	if (!process->programs.count && !process->arguments.count && !process->condition_count)
		return rule_parser__error_at(parser, rule->line,
					     "the rule matches every process; if that is meant, "
					     "write program = *");
	if (!process->task && !process->job && !process->inherit_line)
		return rule_parser__error_at(
			parser, rule->line,
			"the rule gives nothing: it needs task, job or inherit");
	if (process->inherit_line && (process->task || process->job))
		return rule_parser__error_at(parser, process->inherit_line,
					     "'inherit' gives both names: leave out task and job");
	err = check_template(parser, process, process->task_line, process->task, &used);
	if (err)
		return err;
	err = check_template(parser, process, process->job_line, process->job, &used);
	if (err)
		return err;
	/* This finds the misspelt capture in {lable|fallback} too, which would be a text. */
	for (size_t i = 0; i < process->capture_count; i++) {
		if (!(used & UINT32_C(1) << i))
			return rule_parser__error_at(parser, process->captures[i].line,
						     "capture '%s' is not used in task or job",
						     process->capture_names[i]);
	}
	return 0;
}

static void print_words(const char *what, const struct rule_words *words, const char **comma,
			FILE *stream)
{
	if (!words->count)
		return;
	fprintf(stream, "%s%s", *comma, what);
	for (size_t i = 0; i < words->count; i++)
		fprintf(stream, " %s", words->items[i]);
	*comma = ", ";
}

static void print_process(const struct rule *rule, FILE *stream)
{
	static const char *const kinds[] = {"word", "environment", "cgroup", "parent"};
	const struct process_rule *process = (const struct process_rule *)rule;
	const char *comma = "";

	print_words("program", &process->programs, &comma, stream);
	print_words("arguments", &process->arguments, &comma, stream);
	for (size_t i = 0; i < process->condition_count; i++) {
		const struct condition *condition = &process->conditions[i];

		fprintf(stream, "%s%s%s%s%s%s", comma, kinds[condition->kind],
			condition->name ? " " : "", condition->name ? condition->name : "",
			condition->pattern ? " " : "",
			condition->pattern ? condition->pattern : "");
		comma = ", ";
	}
	if (process->task)
		fprintf(stream, " -> task %s", process->task);
	if (process->job)
		fprintf(stream, " -> job %s", process->job);
	if (process->inherit_line)
		fputs(" -> task and job of the parent", stream);
}

static const struct rule_key process_keys[] = {
	{"program", RULE_KEY_ONCE, parse_program},
	{"arguments", RULE_KEY_ONCE, parse_arguments},
	{"value-options", RULE_KEY_ONCE, parse_value_options},
	{"word", RULE_KEY_REPEATED, parse_word},
	{"environment", RULE_KEY_REPEATED, parse_environment},
	{"cgroup", RULE_KEY_REPEATED, parse_cgroup},
	{"parent", RULE_KEY_REPEATED, parse_parent},
	{"capture", RULE_KEY_NAMED, parse_capture},
	{"task", RULE_KEY_ONCE, parse_task},
	{"job", RULE_KEY_ONCE, parse_job},
	{"inherit", RULE_KEY_ONCE, parse_inherit},
};

#define PROCESS_KEY_COUNT (sizeof(process_keys) / sizeof(process_keys[0]))

_Static_assert(PROCESS_KEY_COUNT <= RULE_KEYS_MAX, "struct stanza counts the keys");
_Static_assert(RULE_CAPTURES_MAX <= 32, "used captures are bits of 32");
_Static_assert((int)COMMAND_WORD_LIMIT <= (int)RULE_SOURCE_LIMIT, "words are matched whole");

const struct rule_kind rule_kind__process = {
	.name = "process",
	.rule_size = sizeof(struct process_rule),
	.keys = process_keys,
	.key_count = PROCESS_KEY_COUNT,
	.finish = finish_process,
	.print = print_process,
};

/* --- Looking at a process. */

static bool is_listed(const struct rule_words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (!strcmp(words->items[i], word))
			return true;
	}
	return false;
}

static const char *find_variable(const struct process_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->environment_count; i++) {
		if (!strcmp(facts->environment[i].name, name))
			return facts->environment[i].value;
	}
	return NULL;
}

/* The number-th word behind the program that is neither an option nor the value of one; NULL. */
static const char *find_argument(const struct process_rule *rule, const struct command *command,
				 size_t number)
{
	bool options = true;

	for (size_t i = command->first; i < command->count; i++) {
		const char *word = command->words[i];

		if (options && !strcmp(word, "--")) {
			options = false;
			continue;
		}
		if (options && word[0] == '-' && word[1]) {
			i += is_listed(&rule->value_options, word);
			continue;
		}
		if (!--number)
			return word;
	}
	return NULL;
}

static bool has_word(const struct command *command, const char *pattern)
{
	for (size_t i = 1; i < command->count; i++) {
		if (rule_glob__matches(pattern, command->words[i]))
			return true;
	}
	return false;
}

static bool holds(const struct condition *condition, const struct rule_case *one)
{
	const struct process_facts *facts = one->facts;
	const char *text = NULL;

	switch (condition->kind) {
	case CONDITION_WORD:
		return has_word(one->command, condition->pattern);
	case CONDITION_ENVIRONMENT:
		text = find_variable(facts, condition->name);
		break;
	case CONDITION_CGROUP:
		text = facts->cgroup;
		break;
	case CONDITION_PARENT:
		text = facts->parent ? facts->parent->rule : NULL;
		break;
	}
	return text && (!condition->pattern || rule_glob__matches(condition->pattern, text));
}

static bool matches(const struct process_rule *rule, const struct rule_case *one)
{
	const struct command *command = one->command;
	bool program = !rule->programs.count;

	for (size_t i = 0; i < rule->programs.count && !program; i++) {
		program = rule_glob__matches(rule->programs.items[i], command->name) ||
			  rule_glob__matches(rule->programs.items[i], command->program);
	}
	if (!program)
		return false;
	for (size_t i = 0; i < rule->arguments.count; i++) {
		const char *word = find_argument(rule, command, i + 1);

		if (!word || !rule_glob__matches(rule->arguments.items[i], word))
			return false;
	}
	for (size_t i = 0; i < rule->condition_count; i++) {
		if (!holds(&rule->conditions[i], one))
			return false;
	}
	return true;
}

/* What stands behind `name` in the same word: --name=VALUE, -nVALUE; NULL: nothing. */
static const char *joined_value(const char *word, const char *name)
{
	size_t size = strlen(name);

	if (strncmp(word, name, size) || !word[size])
		return NULL;
	if (size == 2 && name[1] != '-')
		return word + size;
	return word[size] == '=' ? word + size + 1 : NULL;
}

static void gather_options(const struct process_rule *rule, const struct capture *capture,
			   const struct command *command, struct rule_slices *slices)
{
	for (size_t i = command->first; i < command->count; i++) {
		const char *word = command->words[i];

		if (!strcmp(word, "--"))
			break;
		if (is_listed(&capture->words, word)) {
			if (++i < command->count)
				rule_slices__add(slices, command->words[i]);
			continue;
		}
		if (is_listed(&rule->value_options, word)) {
			i++;
			continue;
		}
		for (size_t j = 0; j < capture->words.count; j++) {
			const char *value = joined_value(word, capture->words.items[j]);

			if (!value)
				continue;
			rule_slices__add(slices, value);
			break;
		}
	}
}

static void gather(const struct process_rule *rule, const struct capture *capture,
		   const struct rule_case *one, struct rule_slices *slices)
{
	const char *text = NULL;

	switch (capture->source) {
	case SOURCE_OPTION:
		gather_options(rule, capture, one->command, slices);
		break;
	case SOURCE_ARGUMENT:
		text = find_argument(rule, one->command, capture->number);
		break;
	case SOURCE_WORD:
		for (size_t i = 1; i < one->command->count; i++) {
			if (rule_glob__matches(capture->text, one->command->words[i]))
				rule_slices__add(slices, one->command->words[i]);
		}
		break;
	case SOURCE_ENVIRONMENT:
		text = find_variable(one->facts, capture->text);
		break;
	case SOURCE_CGROUP:
		text = one->facts->cgroup;
		break;
	case SOURCE_PROGRAM:
		text = one->command->name;
		break;
	}
	if (text)
		rule_slices__add(slices, text);
}

struct fetch {
	const struct process_rule *rule;
	const struct rule_case *one;
};

static bool fetch_capture(void *context, size_t index, struct rule_text *text)
{
	const struct fetch *fetch = context;
	const struct capture *capture = &fetch->rule->captures[index];
	struct rule_slices slices = {0};

	gather(fetch->rule, capture, fetch->one, &slices);
	rule_steps__apply(&capture->steps, &slices);
	for (size_t i = 0; i < slices.count; i++) {
		if (i)
			rule_text__append(text, ",", 1);
		rule_text__append(text, slices.items[i].at, slices.items[i].size);
	}
	return slices.count > 0;
}

/* 0 and *name set when the template gives one; -ENOMEM. */
static int give(const char *template, const struct process_rule *rule, const struct rule_case *one,
		struct string_pool *pool, const char **name)
{
	struct fetch fetch = {rule, one};
	struct rule_text text;
	const char *pooled;

	if (!template || *name ||
	    !rule_template__expand(template, rule->capture_names, rule->capture_count,
				   fetch_capture, &fetch, &text))
		return 0;
	pooled = string_pool__intern(pool, text.bytes);
	if (!pooled)
		return -ENOMEM;
	*name = pooled;
	return 0;
}

int rule_process__identify(const struct rule *rule, const struct rule_case *one,
			   struct string_pool *pool, const char **task, const char **job,
			   bool *ret_gave_task)
{
	const struct process_rule *process = (const struct process_rule *)rule;
	const struct identity *parent = one->facts->parent;
	bool had_task = *task, gives_task = process->task || process->inherit_line;
	bool gives_job = process->job || process->inherit_line;
	int err;

	*ret_gave_task = false;
	if ((had_task || !gives_task) && (*job || !gives_job))
		return 0;
	if (!matches(process, one))
		return 0;
	if (process->inherit_line && parent) {
		if (!*task)
			*task = parent->task;
		if (!*job)
			*job = parent->job;
	}
	err = give(process->task, process, one, pool, task);
	if (!err)
		err = give(process->job, process, one, pool, job);
	*ret_gave_task = !had_task && *task;
	return err;
}
