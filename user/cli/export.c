// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/opening.h"
#include "cli/selection.h"
#include "cli/writing.h"
#include "export/exporter.h"

struct export_options {
	const char *path, *output;
	const struct exporter *exporter;
	struct selection selection;
};

static const struct argp_option option_table[] = {
	{"format", 'f', "FORMAT", 0, "What to write: see the list below", 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{0},
};

static const struct argp_child children[] = {{.argp = &selection__argp}, {0}};

/* The formats and their viewers, below the options. */
static char *describe_formats(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size = 0;
	FILE *stream;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	stream = open_memstream(&list, &size);
	if (!stream)
		return NULL;
	fputs("Formats, and what opens them:\n", stream);
	for (size_t i = 0; exporter__at(i); i++)
		fprintf(stream, "  %-12s %s\n", exporter__at(i)->name, exporter__at(i)->viewers);
	if (fclose(stream)) {
		free(list);
		return NULL;
	}
	return list;
}

static void parse_format(struct argp_state *state, struct export_options *options,
			 const char *argument)
{
	char known[128] = "";
	size_t used = 0;

	options->exporter = exporter__find(argument);
	if (options->exporter)
		return;
	for (size_t i = 0; exporter__at(i) && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 exporter__at(i)->name);
	argp_error(state, "there is no format '%s'; formats are: %s", argument, known);
}

static void check_request(struct argp_state *state, struct export_options *options)
{
	const char *refusal;

	if (!options->exporter)
		argp_error(state, "--format is missing; --format collapsed, for example");
	options->exporter->complete(&options->selection.request);
	refusal = options->exporter->refusal(&options->selection.request);
	if (refusal)
		argp_error(state, "%s", refusal);
	if (options->exporter->binary && !options->output && isatty(STDOUT_FILENO))
		argp_error(state, "%s is nothing for a terminal; -o FILE%s, for example",
			   options->exporter->name, options->exporter->suffix);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct export_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->selection;
		return 0;
	case 'f':
		parse_format(state, options, argument);
		return 0;
	case 'o':
		options->output = argument;
		return 0;
	case ARGP_KEY_SUCCESS:
		if (options->selection.torn || options->selection.alloc)
			argp_error(state, "'%s' is only for 'pipescope report'",
				   options->selection.torn ? "torn" : "alloc");
		check_request(state, options);
		return 0;
	default:
		return opening__argument(key, argument, state, &options->path);
	}
}

struct exporting {
	const struct export_options *options;
	struct tables *tables;
};

static int write_to(FILE *stream, void *context)
{
	const struct exporting *exporting = context;
	const struct export_options *options = exporting->options;

	return options->exporter->write(stream, exporting->tables, &options->selection.request);
}

static int export_to(const struct export_options *options, struct tables *tables)
{
	const struct metric *metric = options->selection.request.metric;
	struct exporting exporting = {options, tables};

	if (metric && !tables->recorded[metric->source]) {
		log__error(
			"%s: %s was not recorded; 'pipescope record --sources "
			"cpu,offcpu,io,ceph,mem' records all, CephFS where it is mounted",
			options->path, metric->name);
		return EXIT_FAILED;
	}
	return writing__file(options->output, options->path, write_to, &exporting) ? EXIT_FAILED
										   : EXIT_OK;
}

int command_export(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "FILE",
		.children = children,
		.doc = "Convert a recording for other viewers.\v",
		.help_filter = describe_formats,
	};
	struct export_options options = {0};
	_cleanup_opening_ struct tables *tables = NULL;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (opening__load(options.path, &tables))
		return EXIT_FAILED;
	return export_to(&options, tables);
}
