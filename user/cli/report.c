// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/opening.h"
#include "cli/selection.h"
#include "cli/writing.h"
#include "model/query.h"
#include "model/summary.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/text.h"

#define DEFAULT_WIDTH	  80
#define LEAST_WIDTH	  40
#define MOST_WIDTH	  1000
#define DEFAULT_TEXT_ROWS 50 /* of functions, lines, modules, stacks, files */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_HTML };

struct report_options {
	const char *path, *output;
	struct query_request request;
	enum format format;
	size_t limit; /* 0: all */
	bool limit_given;
};

enum { OPTION_FORMAT = 'f', OPTION_OUTPUT = 'o', OPTION_LIMIT = 'n' };

static const struct argp_option option_table[] = {
	{"format", OPTION_FORMAT, "FORMAT", 0,
	 "text (default), json, csv, or html: a page with all of it, for a browser", 0},
	{"output", OPTION_OUTPUT, "FILE", 0, "Write to FILE, not to standard output", 0},
	{"limit", OPTION_LIMIT, "N", 0, "At most N rows of a table; 0: all", 0},
	{0},
};

static const struct argp_child children[] = {{.argp = &selection__argp}, {0}};

static enum format parse_format(struct argp_state *state, const char *argument)
{
	static const char *const formats[] = {
		[FORMAT_TEXT] = "text",
		[FORMAT_JSON] = "json",
		[FORMAT_CSV] = "csv",
		[FORMAT_HTML] = "html",
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(argument, formats[i]))
			return (enum format)i;
	argp_error(state, "there is no format '%s'; formats are: text, json, csv, html", argument);
	return FORMAT_TEXT;
}

static size_t parse_limit(struct argp_state *state, const char *argument)
{
	unsigned long long limit;
	char *rest;

	errno = 0;
	limit = strtoull(argument, &rest, 10);
	if (errno || *rest || *argument < '0' || *argument > '9' || limit > SIZE_MAX)
		argp_error(state, "--limit takes a number of rows, not '%s'", argument);
	return (size_t)limit;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct report_options *options = state->input;
	const char *refusal;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->request;
		return 0;
	case OPTION_FORMAT:
		options->format = parse_format(state, argument);
		return 0;
	case OPTION_OUTPUT:
		options->output = argument;
		return 0;
	case OPTION_LIMIT:
		options->limit = parse_limit(state, argument);
		options->limit_given = true;
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
		refusal = query__refusal(&options->request);
		if (refusal)
			argp_error(state, "%s", refusal);
		if (options->format == FORMAT_HTML &&
		    (options->request.key_count || options->request.filter_count ||
		     options->request.metric || options->limit_given))
			argp_error(state,
				   "the page holds all of the recording: --format html goes "
				   "without --by, --where, --metric and --limit");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static size_t output_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long width = 0;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		width = size.ws_col;
	if (!width && columns)
		width = strtoul(columns, NULL, 10);
	if (!width)
		return DEFAULT_WIDTH;
	return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
}

static size_t text_limit(const struct report_options *options)
{
	bool where = false;

	for (size_t i = 0; i < options->request.key_count; i++)
		where |= options->request.keys[i]->scope == SCOPE_NODE ||
			 options->request.keys[i]->scope == SCOPE_FILE;
	return options->limit_given ? options->limit : where ? DEFAULT_TEXT_ROWS : 0;
}

static int print_report(FILE *stream, struct report_options *options, struct tables *tables,
			const struct summary *summary)
{
	struct query *query;
	int error;

	if (options->format == FORMAT_HTML)
		return html_report__print(stream, tables, summary);
	if (!options->request.key_count) {
		if (options->format == FORMAT_TEXT && !options->request.filter_count &&
		    !options->request.metric)
			return text_report__page(stream, tables, summary, output_width(),
						 options->limit);
		options->request.keys[options->request.key_count++] = key__find("task");
	}
	error = query__run(tables, &options->request, &query);
	if (error)
		return error;
	switch (options->format) {
	case FORMAT_JSON:
		error = json_report__print(stream, tables, summary, query, options->limit);
		break;
	case FORMAT_CSV:
		error = csv_report__print(stream, tables, query, options->limit);
		break;
	default:
		error = text_report__query(stream, tables, summary, query, output_width(),
					   text_limit(options));
	}
	query__free(query);
	return error;
}

struct printing {
	struct report_options *options;
	struct tables *tables;
	const struct summary *summary;
};

static int print_to(FILE *stream, void *context)
{
	struct printing *printing = context;

	return print_report(stream, printing->options, printing->tables, printing->summary);
}

/* What cannot be read is said here, what cannot be written by writing__file or main. */
static int report_on(struct report_options *options, struct tables *tables)
{
	struct printing printing = {.options = options, .tables = tables};
	struct summary *summary = NULL;
	int error;

	if (options->format == FORMAT_HTML && !writing__has_page())
		return EXIT_FAILED;
	error = summary__load(tables, &summary);
	if (error) {
		opening__complain(options->path, error);
		return EXIT_FAILED;
	}
	printing.summary = summary;
	error = writing__file(options->output, options->path, print_to, &printing);
	summary__free(summary);
	return error ? EXIT_FAILED : EXIT_OK;
}

int command_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.children = children,
		.args_doc = "FILE",
		.doc = "Print what a recording holds. Without --by: a page with its quality, its "
		       "cost, the tasks and the hottest functions and lines.",
	};
	struct report_options options = {0};
	struct recording *recording = NULL;
	struct tables *tables = NULL;
	int status;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (opening__load(options.path, &recording, &tables))
		return EXIT_FAILED;
	status = report_on(&options, tables);
	tables__free(tables);
	recording__close(recording);
	return status;
}
