// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdio.h>

#include "cli/command.h"
#include "store/reader.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		argp_error(state, "'%s' is too much: schema takes no file", argument);
	return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.parser = parse,
	.doc = "Print the layout of a recording: SQL that any SQLite understands, with what each "
	       "column means.\v"
	       "docs/FORMAT.md explains it, with questions to ask a recording with the sqlite3 "
	       "shell.",
};

int command_schema(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return EXIT_USAGE;
	fputs(recording__schema(), stdout);
	return EXIT_OK;
}
