// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/strings.h"
#include "proc/frame_rule.h"
#include "proc/remote_rule.h"
#include "proc/rule_command.h"
#include "proc/rule_grammar.h"
#include "proc/rule_path.h"
#include "proc/rule_process.h"
#include "proc/rule_value.h"
#include "proc/wait_rule.h"

/* A further kind is a further entry. */
static const struct rule_kind *const kinds[] = {&rule_kind__process, &rule_kind__frame,
						&rule_kind__remote, &rule_kind__wait,
						&rule_kind__path};

#define KIND_COUNT   (sizeof(kinds) / sizeof(kinds[0]))
#define BUILTIN_PATH "built-in rules"

static const char builtin_text[] =
#include "builtin.rules.inc"
	;

struct rules {
	struct string_pool *pool;
	struct rule_list list; /* those of files, then the built-in ones */
	size_t file_count;
	struct rule_names variables;
	struct command command; /* room for rules__identify */
};

const char *rules__builtin_text(void)
{
	return builtin_text;
}

static bool is_replaced(const struct rule *rule, const struct rule_list *by)
{
	for (size_t i = 0; i < by->count; i++) {
		if (by->items[i]->kind == rule->kind && !strcmp(by->items[i]->name, rule->name))
			return true;
	}
	return false;
}

/* Takes the rules of `added` over, behind those of earlier files. */
static int merge(struct rules *rules, struct rule_list *added)
{
	struct rule_list merged = {0};
	int err = array__reserve(&merged.items, &merged.capacity, sizeof(struct rule *),
				 rules->list.count + added->count + 1);

	if (err)
		return err;
	for (size_t i = 0; i < rules->file_count; i++)
		merged.items[merged.count++] = rules->list.items[i];
	for (size_t i = 0; i < added->count; i++)
		merged.items[merged.count++] = added->items[i];
	for (size_t i = rules->file_count; i < rules->list.count; i++) {
		struct rule *rule = rules->list.items[i];

		if (is_replaced(rule, added))
			free(rule);
		else
			merged.items[merged.count++] = rule;
	}
	rules->file_count += added->count;
	free(rules->list.items);
	free(added->items);
	*added = (struct rule_list){0};
	rules->list = merged;

	/* The parser has seen that all of them fit. */
	rules->variables = (struct rule_names){0};
	for (size_t i = 0; i < merged.count; i++) {
		for (size_t j = 0; j < merged.items[i]->variable_count; j++)
			rule_names__add(&rules->variables, merged.items[i]->variables[j]);
	}
	return 0;
}

static void report_whole(const char *path, const char *message, rules_report_fn *report,
			 void *context)
{
	struct rules_error error = {0};

	snprintf(error.path, sizeof(error.path), "%s", path);
	snprintf(error.message, sizeof(error.message), "%s", message);
	if (report)
		report(&error, context);
}

int rules__add_text(struct rules *rules, const char *path, const char *text, size_t size,
		    rules_report_fn *report, void *context)
{
	struct rule_parser parser = {
		.pool = rules->pool,
		.kinds = kinds,
		.kind_count = KIND_COUNT,
		.path = string_pool__intern(rules->pool, path),
		.report = report,
		.context = context,
		.earlier = &rules->list,
		.earlier_taken = rules->file_count,
		.variables = rules->variables,
	};
	int err = parser.path ? rule_grammar__parse(&parser, text, size) : -ENOMEM;

	if (!err)
		err = merge(rules, &parser.rules);
	rule_list__clear(&parser.rules);
	if (err == -ENOMEM)
		report_whole(path, "no memory", report, context);
	return err;
}

int rules__add_file_reporting(struct rules *rules, const char *path, rules_report_fn *report,
			      void *context)
{
	_cleanup_free_ char *text = NULL;
	struct stat status;
	size_t size;
	int err;

	/* Before it is opened: opening a pipe would wait for a writer. */
	if (stat(path, &status)) {
		err = -errno;
		report_whole(path, strerror(-err), report, context);
		return err;
	}
	if (!S_ISREG(status.st_mode)) {
		report_whole(path, "not a regular file", report, context);
		return -EINVAL;
	}
	err = file__read(path, RULES_FILE_LIMIT, &text, &size);
	if (err) {
		report_whole(path, err == -EFBIG ? "larger than 1 MiB" : strerror(-err), report,
			     context);
		return err;
	}
	return rules__add_text(rules, path, text, size, report, context);
}

struct first_error {
	struct rules_error *error;
	bool told;
};

static void keep_first(const struct rules_error *error, void *context)
{
	struct first_error *first = context;

	if (!first->told)
		*first->error = *error;
	first->told = true;
}

int rules__add_file(struct rules *rules, const char *path, struct rules_error *ret_error)
{
	struct first_error first = {.error = ret_error};

	return rules__add_file_reporting(rules, path, keep_first, &first);
}

int rules__new(struct rules **ret)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	int err = -ENOMEM;

	if (!rules)
		return err;
	rules->pool = string_pool__new();
	if (rules->pool)
		err = rules__add_text(rules, BUILTIN_PATH, builtin_text, strlen(builtin_text), NULL,
				      NULL);
	if (err) {
		rules__free(rules);
		return err;
	}
	rules->file_count = 0;
	*ret = rules;
	return 0;
}

void rules__free(struct rules *rules)
{
	if (!rules)
		return;
	rule_list__clear(&rules->list);
	string_pool__free(rules->pool);
	free(rules);
}

size_t rules__count(const struct rules *rules)
{
	return rules->list.count;
}

size_t rules__file_count(const struct rules *rules)
{
	return rules->file_count;
}

void rules__print(const struct rules *rules, size_t index, FILE *stream)
{
	const struct rule *rule = rules->list.items[index];

	fprintf(stream, "%s:%d: %s %s: ", rule->path, rule->line, rule->kind->name, rule->name);
	rule->kind->print(rule, stream);
	fputc('\n', stream);
}

const char *const *rules__environment_names(const struct rules *rules, size_t *ret_count)
{
	*ret_count = rules->variables.count;
	return rules->variables.items;
}

struct frame_rule *rules__frame(const struct rules *rules, size_t index)
{
	struct rule *rule = index < rules->list.count ? rules->list.items[index] : NULL;

	return rule && rule->kind == &rule_kind__frame ? (struct frame_rule *)rule : NULL;
}

const struct rule *rules__at(const struct rules *rules, size_t index)
{
	return rules->list.items[index];
}

const char *rules__intern(struct rules *rules, const char *text)
{
	return string_pool__intern(rules->pool, text);
}

/* The comm made printable; a process may have set it to anything, or to nothing. */
static const char *name_of_comm(struct string_pool *pool, const char *comm)
{
	struct rule_text text = {0};

	rule_text__append(&text, comm, strnlen(comm, RULES_TEXT_LIMIT));
	rule_text__clean(&text);
	return string_pool__intern(pool, text.size ? text.bytes : "?");
}

int rules__identify(struct rules *rules, const struct process_facts *facts,
		    struct identity *ret_identity)
{
	const char *comm = facts->comm ? facts->comm : "";
	struct rule_case one = {.facts = facts, .command = &rules->command};
	struct identity identity = {0};

	command__read(&rules->command, facts->arguments, facts->arguments_size, comm);
	for (size_t i = 0; i < rules->list.count && !(identity.task && identity.job); i++) {
		const struct rule *rule = rules->list.items[i];
		bool gave_task;
		int err;

		if (rule->kind != &rule_kind__process)
			continue;
		err = rule_process__identify(rule, &one, rules->pool, &identity.task, &identity.job,
					     &gave_task);
		if (err)
			return err;
		if (gave_task)
			identity.rule = rule->name;
	}
	if (!identity.task)
		identity.task = name_of_comm(rules->pool, comm);
	if (!identity.task)
		return -ENOMEM;
	if (!identity.job && facts->parent)
		identity.job = facts->parent->job;
	*ret_identity = identity;
	return 0;
}

int rules__dataset(struct rules *rules, const char *path, const char **ret_type,
		   const char **ret_rule)
{
	struct rule_text text;

	for (size_t i = 0; i < rules->list.count; i++) {
		const struct rule *rule = rules->list.items[i];
		const char *type;

		if (rule->kind != &rule_kind__path || !rule_path__name(rule, path, &text))
			continue;
		type = string_pool__intern(rules->pool, text.bytes);
		if (!type)
			return -ENOMEM;
		*ret_type = type;
		*ret_rule = rule->name;
		return 1;
	}
	return 0;
}
