// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/pids.h"
#include "top/top.h"

#define DEFAULT_HZ	   99
#define MAX_HZ		   10000
#define DEFAULT_INTERVAL_S 2
#define DEFAULT_SPAN_S	   5

enum { KEY_SOURCES = 256, KEY_RULES };

struct arguments {
	struct top_options top;
	struct pid_list pids;
	const char **rules;
	size_t rule_capacity;
};

static const struct argp_option option_table[] = {
	{"by", 'b', "WHAT", 0, "Show task (the default) or process", 0},
	{"sort", 's', "WHAT", 0, "Sort by cpu (the default), wait, io, memory or name", 0},
	{"interval", 'i', "SECONDS", 0, "Look so often (2)", 0},
	{"window", 'w', "SECONDS", 0, "Figures are of so many seconds, 1 to 60 (5)", 0},
	{"duration", 'd', "SECONDS", 0, "End after so many seconds", 0},
	{"pid", 'p', "PID,...", 0, "See only these processes and their children", 0},
	{"frequency", 'F', "HZ", 0, "Samples per second on each CPU (99)", 0},
	{"sources", KEY_SOURCES, "LIST", 0,
	 "What to look at, of cpu, offcpu, io and quanta (all but quanta); cpu is always on", 0},
	{"rules", KEY_RULES, "FILE", 0, "More rules that name tasks and jobs; may be repeated", 0},
	{0},
};

static void choose_sources(struct record_options *record, const char *list,
			   struct argp_state *state)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *name;

	record->offcpu = record->io = record->quanta = false;
	record->sources = list;
	while ((name = strsep(&rest, ","))) {
		if (!strcmp(name, "offcpu"))
			record->offcpu = true;
		else if (!strcmp(name, "io"))
			record->io = true;
		else if (!strcmp(name, "quanta"))
			record->quanta = true;
		else if (strcmp(name, "cpu"))
			argp_error(state,
				   "there is no source '%s' for top; there are: cpu, offcpu, io, "
				   "quanta",
				   name);
	}
}

/* A number between two others, else the program ends. */
static double number(const char *text, double least, double most, const char *what,
		     struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value < least || value > most)
		argp_error(state, "%s must be a number from %g to %g, not '%s'", what, least, most,
			   text);
	return value;
}

static enum top_sort sort_of(const char *name, struct argp_state *state)
{
	static const char *const names[SORT_COUNT] = {
		[SORT_CPU] = "cpu",	  [SORT_WAIT] = "wait", [SORT_IO] = "io",
		[SORT_MEMORY] = "memory", [SORT_NAME] = "name",
	};

	for (size_t i = 0; i < SORT_COUNT; i++)
		if (!strcmp(name, names[i]))
			return (enum top_sort)i;
	argp_error(state, "'%s' is nothing to sort by; there are: cpu, wait, io, memory, name",
		   name);
	return SORT_CPU;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct top_options *top = &arguments->top;

	switch (key) {
	case 'b':
		if (strcmp(value, "task") && strcmp(value, "process"))
			argp_error(state, "--by takes task or process, not '%s'", value);
		top->by = !strcmp(value, "task") ? TOP_TASKS : TOP_PROCESSES;
		return 0;
	case 's':
		top->sort = sort_of(value, state);
		return 0;
	case 'i':
		top->interval_s = (int64_t)number(value, 1, 3600, "the interval", state);
		return 0;
	case 'w':
		top->span_s = (int64_t)number(value, 1, TOP_LONGEST_SPAN_S, "the window", state);
		return 0;
	case 'd':
		top->record.duration_s = number(value, 0.1, 1e7, "the duration", state);
		return 0;
	case 'p':
		pid_list__add(&arguments->pids, value, state);
		return 0;
	case 'F':
		top->record.hz = (unsigned int)number(value, 1, MAX_HZ, "the frequency", state);
		return 0;
	case KEY_SOURCES:
		choose_sources(&top->record, value, state);
		return 0;
	case KEY_RULES:
		if (array__reserve(&arguments->rules, &arguments->rule_capacity,
				   sizeof(*arguments->rules), top->record.rule_count + 1))
			argp_failure(state, EXIT_FAILED, ENOMEM, "rules");
		arguments->rules[top->record.rule_count++] = value;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: top takes options only", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int command_top(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Watch the node live, in a terminal: tasks or processes by CPU, waiting, "
		       "files and memory; Enter opens one of them. Needs root."
		       "\vThe key ? tells all keys.",
	};
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_free_ const char **rules = NULL;
	struct arguments arguments = {
		.top = {.record = {.hz = DEFAULT_HZ,
				   .sources = "cpu,offcpu,io",
				   .offcpu = true,
				   .io = true,
				   .command_line = argv[0]},
			.interval_s = DEFAULT_INTERVAL_S,
			.span_s = DEFAULT_SPAN_S},
	};

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	pids = arguments.pids.items;
	rules = arguments.rules;
	arguments.top.record.pids = pids;
	arguments.top.record.pid_count = arguments.pids.count;
	arguments.top.record.rules = rules;
	return top__run(&arguments.top) ? EXIT_FAILED : EXIT_OK;
}
