// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/selection.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"

enum { OPTION_BY = 'b', OPTION_METRIC = 'm', OPTION_WHERE = 'w' };

static const struct argp_option option_table[] = {
	{"by", OPTION_BY, "KEY[,KEY...]", 0,
	 "Group by task, quantum, dataid.FIELD, subtask, process, thread, job, time, function, "
	 "line, module, stack, wait, waker, op, file, mount, fs, dataset, ceph, remote, service, "
	 "ending or outermost; quality is short for ending,outermost,task, throughput for "
	 "mount,task,time in their order; torn (alone, of report) lists the files that killed "
	 "writers left, alloc (the same) tells what was allocated, node (the same) is the node "
	 "over time",
	 0},
	{"metric", OPTION_METRIC, "METRIC", 0,
	 "What to show and to sort by: cpu (default), samples, offcpu, waits, io_time, read_bytes, "
	 "write_bytes, ops, errors, waited, ceph_time, ceph_ops, ceph_read_bytes, "
	 "ceph_write_bytes, rss_growth, faults, mmap_live or mmap_peak",
	 0},
	{"where", OPTION_WHERE, "KEY=VALUE", 0,
	 "Only what fits; '*' stands for any text; may be given several times, all must hold", 0},
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

const struct key *selection__key(struct selection *selection, const char *name)
{
	const struct key *key = key__find(name);
	size_t at = selection->field_count;

	for (size_t i = 0; i < at && !key; i++)
		if (!strcmp(selection->names[i], name))
			key = &selection->fields[i];
	if (key || at == SELECTION_FIELDS || strlen(name) >= SELECTION_NAME)
		return key;
	strcpy(selection->names[at], name);
	if (!key__of_field(selection->names[at], &selection->fields[at]))
		return NULL;
	return &selection->fields[selection->field_count++];
}

static void list_metrics(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; metric__at(i) && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 metric__at(i)->name);
}

/* What short words for several keys stand for. */
static const char *written_out(const char *argument)
{
	static const struct {
		const char *word, *keys;
	} words[] = {
		{"quality", "ending,outermost,task"},
		{"throughput", "mount,task,time"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(argument, words[i].word))
			return words[i].keys;
	return argument;
}

static void parse_by(struct argp_state *state, struct selection *selection, const char *argument)
{
	struct query_request *request = &selection->request;
	_cleanup_free_ char *copy = strdup(written_out(argument));
	char known[400], *rest = copy, *name;

	if (!copy)
		argp_failure(state, EXIT_FAILED, ENOMEM, "cannot read the options");
	request->in_order |= !strcmp(argument, "throughput");
	if (selection->may_be_node && !strcmp(argument, "node")) {
		selection->by_node = true;
		return;
	}
	if (!strcmp(argument, "torn")) {
		selection->torn = true;
		return;
	}
	if (!strcmp(argument, "alloc")) {
		selection->alloc = true;
		return;
	}
	if (!*copy)
		argp_error(state, "--by needs a key; --by task, for example");
	while ((name = strsep(&rest, ","))) {
		const struct key *key = selection__key(selection, name);

		if (!*name)
			argp_error(state, "'%s' has a comma without a key; leave it out", argument);
		if (!key) {
			list_keys(known, sizeof(known), false);
			argp_error(state,
				   "there is no key '%s' to group by; keys are: %s and "
				   "dataid.FIELD; each alone: throughput, quality%s",
				   name, known,
				   selection->may_be_node ? ", torn, alloc, node" : "");
		}
		for (size_t i = 0; i < request->key_count; i++)
			if (request->keys[i] == key)
				argp_error(state, "key '%s' is given twice; leave one out", name);
		if (request->key_count == QUERY_MAX_KEYS)
			argp_error(state, "more than %d keys to group by", QUERY_MAX_KEYS);
		request->keys[request->key_count++] = key;
	}
}

void selection__where(struct argp_state *state, struct selection *selection, char *argument)
{
	struct query_request *request = &selection->request;
	char known[400], name[SELECTION_NAME], *equals = strchr(argument, '=');
	const struct key *key = NULL;

	if (!equals)
		argp_error(state,
			   "--where takes KEY=VALUE, not '%s'; --where task=isr, for example",
			   argument);
	if ((size_t)(equals - argument) < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)(equals - argument), argument);
		key = selection__key(selection, name);
	}
	if (!key || !key->matches) {
		list_keys(known, sizeof(known), true);
		argp_error(state, "--where cannot filter by '%.*s'; it can by: %s and dataid.FIELD",
			   (int)(equals - argument), argument, known);
	}
	if (key->refusal && key->refusal(equals + 1))
		argp_error(state, "--where %s takes %s; not '%s'", key->name,
			   key->refusal(equals + 1), equals + 1);
	if (request->filter_count == QUERY_MAX_FILTERS)
		argp_error(state, "more than %d times --where", QUERY_MAX_FILTERS);
	request->filters[request->filter_count++] =
		(struct query_filter){.key = key, .pattern = equals + 1};
}

static void parse_metric(struct argp_state *state, struct query_request *request,
			 const char *argument)
{
	char known[400];

	request->metric = metric__find(argument);
	if (request->metric)
		return;
	list_metrics(known, sizeof(known));
	argp_error(state, "there is no metric '%s'; metrics are: %s", argument, known);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct selection *selection = state->input;

	switch (key) {
	case OPTION_BY:
		parse_by(state, selection, argument);
		return 0;
	case OPTION_METRIC:
		parse_metric(state, &selection->request, argument);
		return 0;
	case OPTION_WHERE:
		selection__where(state, selection, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp selection__argp = {.options = option_table, .parser = parse_option};
