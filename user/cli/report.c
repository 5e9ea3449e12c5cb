// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opening.h"
#include "cli/printing.h"
#include "cli/selection.h"
#include "cli/writing.h"
#include "model/query.h"
#include "model/summary.h"
#include "report/alloc_report.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/node_report.h"
#include "report/text.h"
#include "report/torn.h"

#define DEFAULT_ALLOC_ROWS 10 /* of each list of places */
#define DEFAULT_TEXT_ROWS  50 /* of functions, lines, modules, stacks, files */

struct report_options {
	const char *path, *output;
	struct selection selection;
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

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct report_options *options = state->input;
	const char *refusal;

	switch (key) {
	case ARGP_KEY_INIT:
		options->selection.may_be_node = true;
		state->child_inputs[0] = &options->selection;
		return 0;
	case OPTION_FORMAT:
		options->format = printing__format(state, argument, true);
		return 0;
	case OPTION_OUTPUT:
		options->output = argument;
		return 0;
	case OPTION_LIMIT:
		options->limit = printing__limit(state, argument);
		options->limit_given = true;
		return 0;
	case ARGP_KEY_SUCCESS:
		refusal = options->selection.alloc
				  ? alloc_report__refusal(&options->selection.request)
			  : options->selection.torn
				  ? torn_report__refusal(&options->selection.request)
				  : query__refusal(&options->selection.request);
		if (!refusal && options->selection.by_node)
			refusal = options->selection.request.key_count ||
						  options->selection.request.metric
					  ? "--by node stands alone, without --metric; --by "
					    "time,task tells of tasks over time"
					  : node__refusal(&options->selection.request);
		if (refusal)
			argp_error(state, "%s", refusal);
		if (options->format == FORMAT_HTML &&
		    (options->selection.request.key_count || options->selection.by_node ||
		     options->selection.request.filter_count || options->selection.request.metric ||
		     options->selection.torn || options->selection.alloc || options->limit_given))
			argp_error(state,
				   "the page holds all of the recording: --format html goes "
				   "without --by, --where, --metric and --limit");
		return 0;
	default:
		return opening__argument(key, argument, state, &options->path);
	}
}

static size_t text_limit(const struct report_options *options)
{
	bool where = false;

	for (size_t i = 0; i < options->selection.request.key_count; i++)
		where |= options->selection.request.keys[i]->scope == SCOPE_NODE ||
			 options->selection.request.keys[i]->scope == SCOPE_FILE;
	return options->limit_given ? options->limit : where ? DEFAULT_TEXT_ROWS : 0;
}

static int print_node(FILE *stream, const struct report_options *options, struct tables *tables,
		      const struct summary *summary)
{
	bool text = options->format == FORMAT_TEXT;
	size_t most = options->limit_given ? options->limit : text ? NODE_TEXT_ROWS : 0;
	struct node *node;
	int error = node__run(tables, &options->selection.request, most, &node);

	if (error)
		return error;
	error = text ? node_report__text(stream, summary, node, printing__width())
		: options->format == FORMAT_CSV ? node_report__csv(stream, node)
						: node_report__json(stream, summary, node);
	node__free(node);
	return error;
}

static int print_torn(FILE *stream, const struct report_options *options, struct tables *tables)
{
	const struct query_request *request = &options->selection.request;

	switch (options->format) {
	case FORMAT_JSON:
		return torn_report__json(stream, tables, request, options->limit);
	case FORMAT_CSV:
		return torn_report__csv(stream, tables, request, options->limit);
	default:
		return torn_report__text(stream, tables, request, printing__width(),
					 options->limit_given ? options->limit : DEFAULT_TEXT_ROWS);
	}
}

static int print_alloc(FILE *stream, const struct report_options *options, struct tables *tables)
{
	const struct query_request *request = &options->selection.request;

	switch (options->format) {
	case FORMAT_JSON:
		return alloc_report__json(stream, tables, request, options->limit);
	case FORMAT_CSV:
		return alloc_report__csv(stream, tables, request, options->limit);
	default:
		return alloc_report__text(stream, tables, request, printing__width(),
					  options->limit_given ? options->limit
							       : DEFAULT_ALLOC_ROWS);
	}
}

static int print_report(FILE *stream, struct report_options *options, struct tables *tables,
			const struct summary *summary)
{
	struct query *query;
	int error;

	if (options->format == FORMAT_HTML)
		return html_report__print(stream, tables, summary);
	if (options->selection.by_node)
		return print_node(stream, options, tables, summary);
	if (options->selection.alloc)
		return print_alloc(stream, options, tables);
	if (options->selection.torn)
		return print_torn(stream, options, tables);
	if (!options->selection.request.key_count) {
		if (options->format == FORMAT_TEXT && !options->selection.request.filter_count &&
		    !options->selection.request.metric)
			return text_report__page(stream, tables, summary, printing__width(),
						 options->limit);
		options->selection.request.keys[options->selection.request.key_count++] =
			key__find("task");
	}
	error = query__run(tables, &options->selection.request, &query);
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
		error = text_report__query(stream, tables, summary, query, printing__width(),
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
	_cleanup_opening_ struct tables *tables = NULL;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (opening__load(options.path, &tables))
		return EXIT_FAILED;
	return report_on(&options, tables);
}
