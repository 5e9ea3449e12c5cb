// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/describe.h"

#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "export/exporter.h"
#include "model/keys.h"
#include "model/metrics.h"

static const char *described; /* the command */

/* Up to size bytes; no tab and no line's end reaches the output. */
static void print_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size && text[i]; i++) {
		if (text[i] == '\n')
			fputs("\\n", stdout);
		else
			putchar(text[i] == '\t' ? ' ' : text[i]);
	}
}

static void print_line(const char *kind, const char *text, size_t size)
{
	if (!text || !size || !*text)
		return;
	printf("%s\t", kind);
	print_text(text, size);
	putchar('\n');
}

static void print_value(const char *option, const char *value)
{
	printf("value\t%s\t%s\n", option, value);
}

/* Options whose argument is one of what some table holds. */
static void print_values(const struct argp_option *option)
{
	if (!option->name || !option->arg)
		return;
	if (!strncmp(option->arg, "KEY", 3)) {
		for (size_t i = 0; key__at(i); i++)
			if (strcmp(option->arg, "KEY=VALUE") || key__at(i)->matches)
				print_value(option->name, key__at(i)->name);
	} else if (!strcmp(option->arg, "METRIC")) {
		for (size_t i = 0; metric__at(i); i++)
			print_value(option->name, metric__at(i)->name);
	} else if (!strcmp(option->arg, "FORMAT") && !strcmp(described, "export")) {
		for (size_t i = 0; exporter__at(i); i++)
			print_value(option->name, exporter__at(i)->name);
	}
}

static bool is_end(const struct argp_option *option)
{
	return !option->key && !option->name && !option->doc && !option->group;
}

static void print_option(const struct argp_option *option)
{
	bool letter = option->key > 0 && option->key < 128 && isgraph(option->key);

	/* argp adds --version because of the hook: outside of it there is none. */
	if ((option->flags & (OPTION_HIDDEN | OPTION_DOC)) || (!option->name && !letter) ||
	    (option->name && !strcmp(option->name, "version")))
		return;
	printf("option\t%.*s\t%s\t%s\t", letter, (char[]){(char)option->key, '\0'},
	       option->name ? option->name : "", option->arg ? option->arg : "");
	print_text(option->doc ? option->doc : "", SIZE_MAX);
	putchar('\n');
	print_values(option);
}

static void print_tables(const struct argp *argp)
{
	const char *notes = argp->doc ? strchr(argp->doc, '\v') : NULL;

	print_line("args", argp->args_doc, SIZE_MAX);
	print_line("doc", argp->doc, notes ? (size_t)(notes - argp->doc) : SIZE_MAX);
	print_line("notes", notes ? notes + 1 : NULL, SIZE_MAX);
	for (const struct argp_option *option = argp->options; option && !is_end(option); option++)
		print_option(option);
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		print_tables(child->argp);
}

/* argp calls it with the tables that it parses by, its own among them. */
static void on_version(FILE *stream, struct argp_state *state)
{
	(void)stream;
	print_tables(state->root_argp);
}

void describe__next(const char *command)
{
	described = command;
	argp_program_version_hook = on_version;
}
