// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "proc/rules.h"

struct rules_options {
	const char *action, *file;
};

static const char documentation[] =
	"Rules name what a process works at (task) and for whom (job).\n"
	"\n"
	"  check FILE   tell how the rules of FILE are understood, or what is wrong with them, "
	"each error as FILE:LINE: message\n"
	"  list         print the built-in rules\n"
	"\v"
	"The exit status is 0 when the rules are right, 1 when they are not or cannot be read, 2 "
	"when "
	"the command is wrong. 'pipescope record --rules FILE' uses a file of rules.";

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct rules_options *options = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (!options->action)
			options->action = argument;
		else if (!options->file && !strcmp(options->action, "check"))
			options->file = argument;
		else
			argp_error(state, "'%s' is one word too many", argument);
		return 0;
	case ARGP_KEY_END:
		if (!options->action)
			argp_error(state, "say what to do: check FILE, or list");
		else if (!strcmp(options->action, "check") && !options->file)
			argp_error(state, "check needs the FILE that holds the rules");
		else if (strcmp(options->action, "check") && strcmp(options->action, "list"))
			argp_error(state, "there is no '%s'; there are check and list",
				   options->action);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_error(const struct rules_error *error, void *context)
{
	int *count = context;

	if (error->line)
		fprintf(stderr, "%s:%d: %s\n", error->path, error->line, error->message);
	else
		fprintf(stderr, "%s: %s\n", error->path, error->message);
	++*count;
}

static void print_understood(const struct rules *rules, const char *path)
{
	size_t count = rules__file_count(rules), variable_count;
	const char *const *variables = rules__environment_names(rules, &variable_count);

	for (size_t i = 0; i < count; i++)
		rules__print(rules, i, stdout);
	printf("%s: %zu %s, in front of %zu built-in ones\n", path, count,
	       count == 1 ? "rule" : "rules", rules__count(rules) - count);
	fputs("environment variables that will be read:", stdout);
	for (size_t i = 0; i < variable_count; i++)
		printf(" %s", variables[i]);
	fputs("\n", stdout);
}

static int check(const char *path)
{
	struct rules *rules = NULL;
	int error_count = 0, err;

	err = rules__new(&rules);
	if (err) {
		log__error("cannot make the built-in rules: %s", strerror(-err));
		return EXIT_FAILED;
	}
	err = rules__add_file_reporting(rules, path, print_error, &error_count);
	if (!err)
		print_understood(rules, path);
	else if (error_count >= RULES_ERRORS_MAX)
		log__error("%d errors, the rest of %s was not read", error_count, path);
	rules__free(rules);
	return err ? EXIT_FAILED : EXIT_OK;
}

int command_rules(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_option,
		.args_doc = "check FILE\nlist",
		.doc = documentation,
	};
	struct rules_options options = {0};

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (!strcmp(options.action, "check"))
		return check(options.file);
	fputs(rules__builtin_text(), stdout);
	return EXIT_OK;
}
