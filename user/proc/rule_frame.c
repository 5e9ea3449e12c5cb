// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "proc/frame_rule.h"

#define DEFAULT_CALLS "getrusage clock_gettime"

static const char *const syscall_names[] = {
#include "syscall_names.inc"
};

int syscall__number(const char *name)
{
	for (size_t i = 0; i < sizeof(syscall_names) / sizeof(syscall_names[0]); i++)
		if (syscall_names[i] && !strcmp(syscall_names[i], name))
			return (int)i;
	return -ENOENT;
}

static struct frame_rule *frame_rule(struct rule *rule)
{
	return (struct frame_rule *)rule;
}

/* --- reading the keys */

static int parse_file(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &frame_rule(rule)->files);
}

static int parse_function(struct rule_parser *parser, struct rule *rule, const char *name,
			  char *value)
{
	(void)name;
	return rule_parser__words(parser, value, &frame_rule(rule)->functions);
}

int rule_parser__calls(struct rule_parser *parser, char *text, struct rule_words *calls)
{
	int err = rule_parser__words(parser, text, calls);

	for (size_t i = 0; i < calls->count && !err; i++) {
		int number = syscall__number(calls->items[i]);

		if (number < 0 || number >= PS_SYSCALL_LIMIT)
			err = rule_parser__error(parser, "there is no system call '%.64s'",
						 calls->items[i]);
	}
	return err;
}

static int parse_calls(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return rule_parser__calls(parser, value, &frame_rule(rule)->calls);
}

static int parse_scope(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	if (strcmp(value, "process") && strcmp(value, "thread"))
		return rule_parser__error(parser, "'%.64s' is no scope: process or thread", value);
	frame_rule(rule)->of_thread = !strcmp(value, "thread");
	return 0;
}

/* The index of a local variable, which is added when it is new. */
static int take_local(struct rule_parser *parser, struct frame_rule *frame, const char *pooled,
		      uint32_t *ret_index)
{
	uint32_t i = 0;

	while (i < frame->local_count && frame->locals[i] != pooled)
		i++;
	if (i == PS_QUANTUM_LOCALS)
		return rule_parser__error(parser, "more than %d local variables",
					  PS_QUANTUM_LOCALS);
	frame->locals[i] = pooled;
	if (i == frame->local_count)
		frame->local_count++;
	*ret_index = i;
	return 0;
}

static int parse_path(struct rule_parser *parser, const char *text, struct object_path *ret_path)
{
	const char *error = NULL;
	int err = object_path__parse(parser->pool, text, ret_path, &error);

	if (err == -EBADMSG)
		return rule_parser__error(parser, "'%.64s': %s", text, error);
	return err;
}

static int parse_quantum(struct rule_parser *parser, struct rule *rule, const char *name,
			 char *value)
{
	struct frame_rule *frame = frame_rule(rule);
	char *word;
	int err = 0;

	(void)name;
	/* First in the list, so that BPF compares the first ones. */
	if (frame->local_count)
		return rule_parser__error(parser, "'quantum' stands in front of the paths");
	while (!err && (word = rule_word__next(&value))) {
		struct object_path path;
		uint32_t index;

		err = parse_path(parser, word, &path);
		if (!err && (path.module || path.step_count))
			err = rule_parser__error(parser, "'%.64s' is no local variable", word);
		err = err ?: take_local(parser, frame, path.variable, &index);
	}
	frame->identity_count = frame->local_count;
	return err;
}

/* PATH [| uuid or count] [| STEP]... */
static int parse_value(struct rule_parser *parser, struct frame_rule *frame, char *text,
		       struct frame_value *ret_value)
{
	struct frame_value value = {.local = 0};
	char *steps = strchr(text, '|');
	int err;

	if (steps)
		*steps++ = '\0';
	err = parse_path(parser, rule_word__trim(text), &value.path);
	if (!err && !value.path.module)
		err = take_local(parser, frame, value.path.variable, &value.local);
	if (!err && steps) {
		char *more = strchr(steps, '|');

		if (more)
			*more = '\0';
		value.is_uuid = !strcmp(rule_word__trim(steps), "uuid");
		value.is_count = !strcmp(rule_word__trim(steps), "count");
		if (value.is_uuid || value.is_count)
			steps = more ? more + 1 : NULL;
		else if (more)
			*more = '|';
	}
	if (!err && steps)
		err = rule_steps__parse(parser, steps, &value.steps);
	if (!err)
		*ret_value = value;
	return err;
}

static int add_path(struct rule_parser *parser, struct rule *rule, enum frame_name name,
		    char *value)
{
	struct frame_rule *frame = frame_rule(rule);

	if (frame->path_count == FRAME_PATHS_MAX)
		return rule_parser__error(parser, "more than %d paths", FRAME_PATHS_MAX);
	frame->paths[frame->path_count].name = name;
	return parse_value(parser, frame, value, &frame->paths[frame->path_count++].value);
}

static int parse_label(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return add_path(parser, rule, FRAME_LABEL, value);
}

static int parse_class(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return add_path(parser, rule, FRAME_CLASS, value);
}

static int parse_id(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return add_path(parser, rule, FRAME_ID, value);
}

static int parse_run(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	(void)name;
	return add_path(parser, rule, FRAME_RUN, value);
}

/* PATH, or PATH by PATH */
static int parse_dataid(struct rule_parser *parser, struct rule *rule, const char *name,
			char *value)
{
	struct frame_rule *frame = frame_rule(rule);
	char *by = strstr(value, " by ");
	int err;

	(void)name;
	if (frame->dataid_count == FRAME_DATAIDS_MAX)
		return rule_parser__error(parser, "more than %d ways to the data",
					  FRAME_DATAIDS_MAX);
	if (strchr(value, '|'))
		return rule_parser__error(parser, "'dataid' has no steps");
	if (by) {
		*by = '\0';
		frame->dataids[frame->dataid_count].has_places = true;
		err = parse_value(parser, frame, by + 4,
				  &frame->dataids[frame->dataid_count].places);
		if (err)
			return err;
	}
	return parse_value(parser, frame, value, &frame->dataids[frame->dataid_count++].values);
}

static int parse_part(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	struct frame_rule *frame = frame_rule(rule);
	int err;

	(void)name;
	if (frame->local_count)
		return rule_parser__error(parser,
					  "'subtask' does not go with 'quantum': make it "
					  "a rule of its own");
	err = parse_value(parser, frame, value, &frame->part);
	if (!err && frame->part.path.module)
		err = rule_parser__error(parser, "'subtask' begins with a local variable");
	frame->has_part = true;
	return err;
}

static int parse_field(struct rule_parser *parser, struct rule *rule, const char *name, char *value)
{
	struct frame_rule *frame = frame_rule(rule);

	if (!rule_name__is_good(name))
		return rule_parser__error(parser, "'%.64s' is no name of a field", name);
	for (size_t i = 0; i < frame->field_count; i++)
		if (!strcmp(frame->fields[i].name, name))
			return rule_parser__error(parser, "field '%s' is there already", name);
	if (frame->field_count == FRAME_FIELDS_MAX)
		return rule_parser__error(parser, "more than %d fields", FRAME_FIELDS_MAX);
	return rule_parser__text(parser, name, &frame->fields[frame->field_count].name)
		       ?: parse_value(parser, frame, value,
				      &frame->fields[frame->field_count++].value);
}

static int finish_frame(struct rule_parser *parser, struct rule *rule)
{
	struct frame_rule *frame = frame_rule(rule);
	bool has_label = false;
	char calls[] = DEFAULT_CALLS;

	if (!frame->functions.count)
		return rule_parser__error_at(parser, rule->line,
					     "the rule needs function = NAME...");
	if (!frame->files.count)
		return rule_parser__error_at(parser, rule->line,
					     "the rule needs file = PATTERN...");
	if (frame->has_part && !frame->identity_count && !frame->path_count && !frame->of_thread)
		return 0;
	if (frame->has_part)
		return rule_parser__error_at(
			parser, rule->line,
			"'subtask' stands without 'quantum', 'label' and 'scope'");
	if (!frame->identity_count)
		return rule_parser__error_at(
			parser, rule->line,
			"the rule needs quantum = VARIABLE...: what differs from one to the next");
	for (size_t i = 0; i < frame->path_count; i++)
		has_label |= frame->paths[i].name == FRAME_LABEL;
	if (!has_label)
		return rule_parser__error_at(parser, rule->line, "the rule needs label = PATH");
	return frame->calls.count ? 0 : rule_parser__words(parser, calls, &frame->calls);
}

static void print_frame(const struct rule *rule, FILE *stream)
{
	static const char *const names[] = {"label", "class", "id", "run"};
	const struct frame_rule *frame = (const struct frame_rule *)rule;
	unsigned int seen = 0;

	rule_words__print(&frame->functions, "function", stream);
	rule_words__print(&frame->files, " in", stream);
	if (frame->has_part) {
		fputs(" -> subtask", stream);
		return;
	}
	rule_words__print(&frame->calls, ", at", stream);
	fputs(frame->of_thread ? ", a thread's quantum is" : ", a quantum is", stream);
	for (size_t i = 0; i < frame->identity_count; i++)
		fprintf(stream, " %s", frame->locals[i]);
	fputs(" ->", stream);
	for (size_t i = 0; i < frame->path_count; i++) {
		if (!(seen & 1U << frame->paths[i].name))
			fprintf(stream, " %s", names[frame->paths[i].name]);
		seen |= 1U << frame->paths[i].name;
	}
	if (frame->dataid_count)
		fputs(" dataid", stream);
	for (size_t i = 0; i < frame->field_count; i++)
		fprintf(stream, " %s", frame->fields[i].name);
}

static const struct rule_key frame_keys[] = {
	{"file", RULE_KEY_ONCE, parse_file},	   {"function", RULE_KEY_ONCE, parse_function},
	{"quantum", RULE_KEY_ONCE, parse_quantum}, {"label", RULE_KEY_REPEATED, parse_label},
	{"class", RULE_KEY_REPEATED, parse_class}, {"id", RULE_KEY_REPEATED, parse_id},
	{"run", RULE_KEY_REPEATED, parse_run},	   {"dataid", RULE_KEY_REPEATED, parse_dataid},
	{"field", RULE_KEY_NAMED, parse_field},	   {"calls", RULE_KEY_ONCE, parse_calls},
	{"subtask", RULE_KEY_ONCE, parse_part},	   {"scope", RULE_KEY_ONCE, parse_scope},
};

#define FRAME_KEY_COUNT (sizeof(frame_keys) / sizeof(frame_keys[0]))

_Static_assert(FRAME_KEY_COUNT <= RULE_KEYS_MAX, "struct stanza counts the keys");

const struct rule_kind rule_kind__frame = {
	.name = "frame",
	.rule_size = sizeof(struct frame_rule),
	.keys = frame_keys,
	.key_count = FRAME_KEY_COUNT,
	.finish = finish_frame,
	.print = print_frame,
};

/* --- looking at a function */

bool frame_rule__matches(const struct frame_rule *rule, const char *name, const char *file)
{
	const char *last = strrchr(name, '.');

	/* CPython before 3.11 knows only the last part of a name. */
	return (rule_words__match(&rule->functions, name) ||
		(last && rule_words__match(&rule->functions, last + 1))) &&
	       rule_words__match(&rule->files, file);
}

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

const char *frame_rule__plain_name(const char *pattern)
{
	const char *last = last_part(pattern);

	return strpbrk(pattern, "[\\") || strpbrk(last, "*?") ? NULL : last;
}

bool frame_rule__has_name(const struct frame_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->functions.count; i++) {
		const char *plain = frame_rule__plain_name(rule->functions.items[i]);

		if (plain && !strcmp(plain, last_part(name)))
			return true;
	}
	return false;
}

bool frame_value__finish(const struct frame_value *value, const char *text,
			 struct rule_text *ret_text)
{
	struct rule_slices slices = {0};

	*ret_text = (struct rule_text){0};
	rule_slices__add(&slices, text);
	rule_steps__apply(&value->steps, &slices);
	if (slices.count)
		rule_text__append(ret_text, slices.items[0].at, slices.items[0].size);
	rule_text__clean(ret_text);
	return ret_text->size > 0;
}
