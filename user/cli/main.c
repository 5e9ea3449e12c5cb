// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/describe.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"record", command_record, "record what the node's processes do, until Ctrl-C"},
	{"top", command_top, "watch the node live, in a terminal"},
	{"report", command_report, "print what a recording holds"},
	{"view", command_view, "look at a recording in a browser"},
	{"quanta", command_quanta, "print each piece of work of the processes"},
	{"stat", command_stat, "count cycles, cache misses and faults of running processes"},
	{"export", command_export, "convert a recording for other viewers"},
	{"rules", command_rules, "check rules that name tasks and jobs"},
	{"doctor", command_doctor, "tell what this kernel can do, and what is lost"},
	{"calls", command_calls, "count every call of functions in running processes"},
	{"schema", command_schema, "print the layout of a recording"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *stream)
{
	fputs("Usage: pipescope COMMAND [OPTION...]\n"
	      "See what every running job does, down to the Python line, without touching it.\n\n",
	      stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'pipescope COMMAND --help' tells the options of a command; man pipescope more.\n",
	      stream);
}

static int list_commands(void)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("command\t%s\t%s\n", commands[i].name, commands[i].summary);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	char name[64];

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("pipescope " PIPESCOPE_VERSION);
		return EXIT_OK;
	}
	/* Not in --help: what man pages and completion are made of. */
	if (!strcmp(argv[1], "--describe")) {
		static char version[] = "--version";

		if (argc < 3)
			return list_commands();
		describe__next(argv[2]);
		argv[1] = argv[2];
		argv[2] = version;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		int status;

		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "pipescope %s", commands[i].name);
		argv[1] = name;
		program_invocation_name = name;
		status = commands[i].run(argc - 1, argv + 1);
		/* A full disk or a closed pipe shows only here; half a report is no success. */
		if (fflush(stdout) || ferror(stdout)) {
			fprintf(stderr, "pipescope: cannot write the output: %s\n",
				strerror(errno));
			return status ? status : EXIT_FAILED;
		}
		return status;
	}
	fprintf(stderr, "pipescope: there is no command '%s'; 'pipescope --help' lists them\n",
		argv[1]);
	return EXIT_USAGE;
}
