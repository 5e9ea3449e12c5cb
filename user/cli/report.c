// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/opening.h"
#include "model/query.h"
#include "model/summary.h"
#include "report/csv.h"
#include "report/json.h"
#include "report/text.h"

#define DEFAULT_WIDTH	  80
#define LEAST_WIDTH	  40
#define MOST_WIDTH	  1000
#define DEFAULT_TEXT_ROWS 50 /* of functions, lines, modules, stacks, files */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct report_options {
	const char *path;
	struct query_request request;
	enum format format;
	size_t limit; /* 0: all */
	bool limit_given;
};

enum {
	OPTION_BY = 'b',
	OPTION_METRIC = 'm',
	OPTION_WHERE = 'w',
	OPTION_FORMAT = 'f',
	OPTION_LIMIT = 'n'
};

static const struct argp_option option_table[] = {
	{"by", OPTION_BY, "KEY[,KEY...]", 0,
	 "Group by task, process, thread, job, time, function, line, module, stack, wait, op, "
	 "file, "
	 "mount or fs",
	 0},
	{"metric", OPTION_METRIC, "METRIC", 0,
	 "What to show and to sort by: cpu (default), samples, offcpu, waits, io_time, read_bytes, "
	 "write_bytes, ops or errors",
	 0},
	{"where", OPTION_WHERE, "KEY=VALUE", 0,
	 "Only what fits; '*' stands for any text; may be given several times, all must hold", 0},
	{"format", OPTION_FORMAT, "FORMAT", 0, "text (default), json or csv", 0},
	{"limit", OPTION_LIMIT, "N", 0, "At most N rows of a table; 0: all", 0},
	{0},
};

static void list_keys(char *text, size_t size, bool filters)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; key__at(i) && used < size; i++)
		if (!filters || key__at(i)->matches)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
						 key__at(i)->name);
}

static void list_metrics(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; metric__at(i) && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 metric__at(i)->name);
}

static void parse_by(struct argp_state *state, struct query_request *request, const char *argument)
{
	_cleanup_free_ char *copy = strdup(argument);
	char known[256], *rest, *name;

	if (!copy)
		argp_failure(state, EXIT_FAILED, ENOMEM, "cannot read the options");
	for (name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		const struct key *key = key__find(name);

		if (!key) {
			list_keys(known, sizeof(known), false);
			argp_error(state, "there is no key '%s' to group by; keys are: %s", name,
				   known);
		}
		for (size_t i = 0; i < request->key_count; i++)
			if (request->keys[i] == key)
				argp_error(state, "key '%s' is given twice; leave one out", name);
		if (request->key_count == QUERY_MAX_KEYS)
			argp_error(state, "more than %d keys to group by", QUERY_MAX_KEYS);
		request->keys[request->key_count++] = key;
	}
	if (!request->key_count)
		argp_error(state, "--by needs a key; --by task, for example");
}

static void parse_where(struct argp_state *state, struct query_request *request, char *argument)
{
	char known[256], name[64], *equals = strchr(argument, '=');
	const struct key *key = NULL;

	if (!equals)
		argp_error(state,
			   "--where takes KEY=VALUE, not '%s'; --where task=isr, for example",
			   argument);
	if ((size_t)(equals - argument) < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)(equals - argument), argument);
		key = key__find(name);
	}
	if (!key || !key->matches) {
		list_keys(known, sizeof(known), true);
		argp_error(state, "--where cannot filter by '%.*s'; it can by: %s",
			   (int)(equals - argument), argument, known);
	}
	if (request->filter_count == QUERY_MAX_FILTERS)
		argp_error(state, "more than %d times --where", QUERY_MAX_FILTERS);
	request->filters[request->filter_count++] =
		(struct query_filter){.key = key, .pattern = equals + 1};
}

static enum format parse_format(struct argp_state *state, const char *argument)
{
	static const char *const formats[] = {
		[FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(argument, formats[i]))
			return (enum format)i;
	argp_error(state, "there is no format '%s'; formats are: text, json, csv", argument);
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
	char known[256];

	switch (key) {
	case OPTION_BY:
		parse_by(state, &options->request, argument);
		return 0;
	case OPTION_METRIC:
		options->request.metric = metric__find(argument);
		if (!options->request.metric) {
			list_metrics(known, sizeof(known));
			argp_error(state, "there is no metric '%s'; metrics are: %s", argument,
				   known);
		}
		return 0;
	case OPTION_WHERE:
		parse_where(state, &options->request, argument);
		return 0;
	case OPTION_FORMAT:
		options->format = parse_format(state, argument);
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

static int print_report(struct report_options *options, struct tables *tables,
			const struct summary *summary)
{
	struct query *query;
	int error;

	if (!options->request.key_count) {
		if (options->format == FORMAT_TEXT && !options->request.filter_count &&
		    !options->request.metric)
			return text_report__page(stdout, tables, summary, output_width(),
						 options->limit);
		options->request.keys[options->request.key_count++] = key__find("task");
	}
	error = query__run(tables, &options->request, &query);
	if (error)
		return error;
	switch (options->format) {
	case FORMAT_JSON:
		error = json_report__print(stdout, tables, summary, query, options->limit);
		break;
	case FORMAT_CSV:
		error = csv_report__print(stdout, tables, query, options->limit);
		break;
	default:
		error = text_report__query(stdout, tables, summary, query, output_width(),
					   text_limit(options));
	}
	query__free(query);
	return error;
}

int command_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Print what a recording holds. Without --by: a page with its quality, its "
		       "cost, the tasks and the hottest functions and lines.",
	};
	struct report_options options = {0};
	struct recording *recording = NULL;
	struct tables *tables = NULL;
	struct summary *summary = NULL;
	int error;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	error = opening__load(options.path, &recording, &tables);
	if (error)
		return EXIT_FAILED;
	error = summary__load(tables, &summary);
	if (!error)
		error = print_report(&options, tables, summary);
	if (error && !(error == -EIO && ferror(stdout))) /* main speaks of that one */
		opening__complain(options.path, error);
	summary__free(summary);
	tables__free(tables);
	recording__close(recording);
	return error ? EXIT_FAILED : EXIT_OK;
}
