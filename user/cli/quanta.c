// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/opening.h"
#include "cli/printing.h"
#include "cli/selection.h"
#include "model/summary.h"
#include "report/csv.h"
#include "report/json.h"
#include "report/text.h"

struct quanta_options {
	const char *path;
	struct selection selection;
	enum format format;
	size_t limit; /* 0: all */
};

static const struct argp_option option_table[] = {
	{"where", 'w', "KEY=VALUE", 0,
	 "Only what fits; '*' stands for any text; may be given several times, all must hold", 0},
	{"format", 'f', "FORMAT", 0, "text (default), json or csv", 0},
	{"limit", 'n', "N", 0, "At most N quanta; 0: all (default)", 0},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct quanta_options *options = state->input;
	const char *refusal;

	switch (key) {
	case 'w':
		selection__where(state, &options->selection, argument);
		return 0;
	case 'f':
		options->format = printing__format(state, argument, false);
		return 0;
	case 'n':
		options->limit = printing__limit(state, argument);
		return 0;
	case ARGP_KEY_SUCCESS:
		refusal = query__refusal(&options->selection.request);
		if (refusal)
			argp_error(state, "%s", refusal);
		return 0;
	default:
		return opening__argument(key, argument, state, &options->path);
	}
}

/* A column for each field of the data, in the order in which they are met. */
static void add_fields(struct selection *selection, const struct tables *tables)
{
	struct query_request *request = &selection->request;

	for (size_t i = 0; i < tables->datum_count; i++) {
		char name[SELECTION_NAME];
		const struct key *key = NULL;
		bool known = false;

		if (snprintf(name, sizeof(name), "dataid.%s", tables->data[i].field) <
		    (int)sizeof(name))
			key = selection__key(selection, name);
		for (size_t k = 0; k < request->key_count; k++)
			known |= request->keys[k] == key;
		if (key && !known && request->key_count < QUERY_MAX_KEYS)
			request->keys[request->key_count++] = key;
	}
}

static int print_quanta(struct quanta_options *options, struct tables *tables,
			const struct summary *summary)
{
	struct query *query;
	int error;

	if (options->format != FORMAT_TEXT)
		add_fields(&options->selection, tables);
	error = query__run(tables, &options->selection.request, &query);
	if (error)
		return error;
	if (options->format == FORMAT_JSON)
		error = json_report__print(stdout, tables, summary, query, options->limit);
	else if (options->format == FORMAT_CSV)
		error = csv_report__print(stdout, tables, query, options->limit);
	else
		error = text_report__query(stdout, tables, summary, query, printing__width(),
					   options->limit);
	query__free(query);
	return error;
}

int command_quanta(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Print the quanta of a recording, one line each, in the order in which they "
		       "began.",
	};
	struct quanta_options options = {0};
	struct query_request *request = &options.selection.request;
	_cleanup_opening_ struct tables *tables = NULL;
	struct summary *summary = NULL;
	int error;

	argp_err_exit_status = EXIT_USAGE;
	request->in_order = true;
	request->keys[request->key_count++] = key__find("quantum");
	/* Not the processes' own time. */
	request->filters[request->filter_count++] =
		(struct query_filter){.key = key__find("quantum"), .pattern = "*"};
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (opening__load(options.path, &tables))
		return EXIT_FAILED;
	error = summary__load(tables, &summary);
	if (!error)
		error = print_quanta(&options, tables, summary);
	if (error && !(error == -EIO && ferror(stdout))) /* main speaks of that one */
		opening__complain(options.path, error);
	summary__free(summary);
	return error ? EXIT_FAILED : EXIT_OK;
}
