// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "capture/features.h"
#include "capture/session.h"
#include "cli/command.h"

enum { KEY_LOAD = 256 };

static const struct argp_option options[] = {
	{"load", KEY_LOAD, NULL, 0,
	 "Load every BPF program, and print the instructions that the kernel verified for each", 0},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	bool *load = state->input;

	(void)value;
	if (key != KEY_LOAD)
		return ARGP_ERR_UNKNOWN;
	*load = true;
	return 0;
}

int command_doctor(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Tell what this machine offers, what is lost where it does not, and how to "
		       "get it."
		       "\vExit status: 0 when recording is possible here, 1 when not.",
	};
	const struct feature *table;
	bool load = false, possible = true;
	size_t count;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &load);
	if (load)
		return session__print_programs() ? EXIT_FAILED : EXIT_OK;
	table = features__table(&count);
	for (size_t i = 0; i < count; i++) {
		bool present = table[i].present();

		printf("%-8s %s\n",
		       present		   ? "yes"
		       : table[i].required ? "MISSING"
					   : "no",
		       table[i].name);
		if (present)
			continue;
		printf("         lost: %s\n         remedy: %s\n", table[i].lost, table[i].remedy);
		possible = possible && !table[i].required;
	}
	puts(possible ? "Recording is possible here." : "Recording is not possible here.");
	return possible ? EXIT_OK : EXIT_FAILED;
}
