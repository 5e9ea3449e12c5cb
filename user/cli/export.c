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
#include "export/exporter.h"
#include "export/output.h"

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
	case ARGP_KEY_ARG:
		if (options->path)
			argp_error(state, "one recording at a time; '%s' is one more", argument);
		options->path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which recording? Give the file that 'pipescope record' wrote");
		return 0;
	case ARGP_KEY_SUCCESS:
		check_request(state, options);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int complain_output(const char *path, int error)
{
	if (error == -ELOOP)
		log__error("%s: not written: it is a link; give the file itself", path);
	else if (error == -EEXIST)
		log__error("%s: not written: it exists and is no regular file", path);
	else
		log__error("%s: cannot be written: %s", path, strerror(-error));
	return EXIT_FAILED;
}

static int export_to(const struct export_options *options, struct tables *tables)
{
	const struct metric *metric = options->selection.request.metric;
	struct output *output = NULL;
	FILE *stream = stdout;
	int error;

	if (metric && !tables->recorded[metric->source]) {
		log__error(
			"%s: %s was not recorded; 'pipescope record --sources cpu,offcpu,io' "
			"records all",
			options->path, metric->name);
		return EXIT_FAILED;
	}
	if (options->output) {
		error = output__open(options->output, &output);
		if (error)
			return complain_output(options->output, error);
		stream = output__stream(output);
	}
	error = options->exporter->write(stream, tables, &options->selection.request);
	if (error == -EIO && ferror(stream)) {
		output__abandon(output);
		/* main speaks of a failed standard output */
		return output ? complain_output(options->output, error) : EXIT_FAILED;
	}
	if (error) {
		output__abandon(output);
		opening__complain(options->path, error);
		return EXIT_FAILED;
	}
	error = output ? output__finish(output) : 0;
	return error ? complain_output(options->output, error) : EXIT_OK;
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
	struct recording *recording = NULL;
	struct tables *tables = NULL;
	int status;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (opening__load(options.path, &recording, &tables))
		return EXIT_FAILED;
	status = export_to(&options, tables);
	tables__free(tables);
	recording__close(recording);
	return status;
}
