// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/features.h"
#include "capture/programs.h"
#include "capture/pythons.h"
#include "cli/command.h"
#include "report/printable.h"

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

/* --- running Pythons */

#define PIDS_SHOWN  5
#define PYTHON_3_11 0x030b
#define PYTHON_3_15 0x030f

/* "malloc, free of PATH (not: calloc)" of the offers first to last. */
static void print_functions(const char *what, const struct python_kind *kind, const char *file,
			    enum pythons_offer first, enum pythons_offer last)
{
	const char *separator = "";
	bool missing = false;

	printf("         %s: ", what);
	for (enum pythons_offer i = first; i <= last; i++) {
		missing |= !kind->offers[i];
		if (!kind->offers[i])
			continue;
		printf("%s%s", separator, pythons__symbol(i));
		separator = ", ";
	}
	printf("%s%s%s", *separator ? "" : "none", file ? " of " : "", file ?: "");
	separator = *separator && missing ? "; not " : "";
	for (enum pythons_offer i = first; i <= last && *separator; i++) {
		if (kind->offers[i])
			continue;
		printf("%s%s", separator, pythons__symbol(i));
		separator = ", ";
	}
	putchar('\n');
}

static const char *calls_of(const struct python_kind *kind)
{
	if (!kind->layout_known)
		return "none: its frames cannot be read";
	if (!kind->offers[PYTHONS_PY_LOOP])
		return "none: the interpreter's loop has no symbol";
	return kind->version < PYTHON_3_11
		       ? "every Python function's"
		       : "those that come from C; those from Python to Python are estimated";
}

static const char *probes_of(const struct python_kind *kind)
{
	if (!kind->offers[PYTHONS_USDT_ENTRY] || !kind->offers[PYTHONS_USDT_RETURN])
		return "none (built without --with-dtrace)";
	if (kind->version < PYTHON_3_11)
		return "there, and not needed: the loop tells every call";
	return kind->version < PYTHON_3_15 ? "there, and not used: not safe in this version"
					   : "there, and not used";
}

static void print_kind(const struct python_kind *kind)
{
	_cleanup_free_ char *program = printable__of(kind->program);
	_cleanup_free_ char *allocator = kind->allocator ? printable__of(kind->allocator) : NULL;
	_cleanup_free_ char *cxx = kind->cxx ? printable__of(kind->cxx) : NULL;

	printf("Python %d.%d in %s: process", kind->version >> 8, kind->version & 0xff,
	       program ?: "");
	for (size_t i = 0; i < kind->pid_count && i < PIDS_SHOWN; i++)
		printf(" %d", kind->pids[i]);
	if (kind->pid_count > PIDS_SHOWN)
		printf(" and %zu more", kind->pid_count - PIDS_SHOWN);
	printf("\n         calls: %s\n", calls_of(kind));
	printf("         probes function__entry, function__return: %s\n", probes_of(kind));
	print_functions("allocations", kind, allocator, PYTHONS_MALLOC, PYTHONS_MEMALIGN);
	if (kind->cxx)
		print_functions("C++'s", kind, cxx, PYTHONS_NEW, PYTHONS_DELETE_ARRAY);
	print_functions("Python's own", kind, NULL, PYTHONS_PY_OBJECT, PYTHONS_PY_RAW);
}

/* What they offer to `pipescope calls` and for allocations. */
static void print_pythons(void)
{
	struct pythons pythons = {0};
	int err = pythons__find(&pythons);

	if (err)
		log__warning("cannot look for running Pythons: %s", strerror(-err));
	for (size_t i = 0; i < pythons.count && !err; i++)
		print_kind(&pythons.kinds[i]);
	if (pythons.unread)
		printf("%zu processes could not be looked into.\n", pythons.unread);
	pythons__clear(&pythons);
}

static void print_program(const char *program, unsigned long instructions)
{
	printf("%s %lu\n", program, instructions);
}

static int print_programs(void)
{
	int err = programs__verified(print_program);

	if (err)
		log__error("the kernel refused the BPF programs: %s", strerror(-err));
	return err;
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
		return print_programs() ? EXIT_FAILED : EXIT_OK;
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
	print_pythons();
	puts(possible ? "Recording is possible here." : "Recording is not possible here.");
	return possible ? EXIT_OK : EXIT_FAILED;
}
