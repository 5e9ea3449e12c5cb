// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/opening.h"
#include "export/collapsed.h"
#include "export/output.h"
#include "model/keys.h"

static const struct export_format {
	const char *name;
	int (*print)(FILE *stream, struct tables *tables, const struct metric *metric);
} formats[] = {
	{"collapsed", collapsed__print},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

struct export_options {
	const char *path, *output;
	const struct export_format *format;
	const struct metric *metric;
};

static const struct argp_option option_table[] = {
	{"format", 'f', "FORMAT", 0, "collapsed: stacks for flame graph tools", 0},
	{"metric", 'm', "METRIC", 0,
	 "cpu (default), samples, offcpu, io_time, read_bytes, write_bytes or ops; times are "
	 "microseconds",
	 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{0},
};

static void parse_format(struct argp_state *state, struct export_options *options,
			 const char *argument)
{
	for (size_t i = 0; i < FORMAT_COUNT; i++)
		if (!strcmp(formats[i].name, argument))
			options->format = &formats[i];
	if (!options->format || strcmp(options->format->name, argument))
		argp_error(state, "there is no format '%s'; formats are: collapsed", argument);
}

/* Those that stacks were sampled for. */
static void parse_metric(struct argp_state *state, struct export_options *options,
			 const char *argument)
{
	char known[256] = "";
	size_t used = 0;

	options->metric = metric__find(argument);
	if (options->metric && !options->metric->only_exact)
		return;
	for (size_t i = 0; metric__at(i) && used < sizeof(known); i++)
		if (!metric__at(i)->only_exact)
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 used ? ", " : "", metric__at(i)->name);
	argp_error(state,
		   options->metric ? "metric '%s' is counted without stacks; metrics are: %s"
				   : "there is no metric '%s'; metrics are: %s",
		   argument, known);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct export_options *options = state->input;

	switch (key) {
	case 'f':
		parse_format(state, options, argument);
		return 0;
	case 'm':
		parse_metric(state, options, argument);
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
		if (!options->format)
			argp_error(state, "--format is missing; --format collapsed, for example");
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
	struct output *output = NULL;
	FILE *stream = stdout;
	int error;

	if (!tables->recorded[options->metric->source]) {
		log__error(
			"%s: %s was not recorded; 'pipescope record --sources cpu,offcpu,io' "
			"records all",
			options->path, options->metric->name);
		return EXIT_FAILED;
	}
	if (options->output) {
		error = output__open(options->output, &output);
		if (error)
			return complain_output(options->output, error);
		stream = output__stream(output);
	}
	error = options->format->print(stream, tables, options->metric);
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
		.doc = "Convert a recording for other viewers.",
	};
	struct export_options options = {.metric = metric__find("cpu")};
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
