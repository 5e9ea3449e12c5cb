// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "capture/alloc_drain.h"
#include "capture/perf_counters.h"
#include "capture/session.h"
#include "cli/command.h"
#include "cli/pids.h"

#define DEFAULT_HZ	 99
#define MAX_HZ		 10000
#define DEFAULT_OUTPUT	 "pipescope.rec"
#define SOURCES		 "cpu,offcpu,io,ceph,quanta" /* the default */
#define ALL_SOURCES	 SOURCES ",counters,mem,alloc"
#define DEFAULT_OVERHEAD 20 /* percent */
#define LEAST_PERIOD	 64 /* bytes */
#define MOST_PERIOD	 1e9

enum {
	KEY_SOURCES = 256,
	KEY_STATS,
	KEY_RULES,
	KEY_COUNTERS,
	KEY_TASK,
	KEY_PERIOD,
	KEY_PYTHON,
	KEY_OVERHEAD
};

struct arguments {
	struct record_options options;
	struct pid_list pids;
	const char **rules;
	size_t rule_capacity;
	bool all, count;
	struct perf_choice counters;
	struct alloc_options alloc;
	const char *alloc_option; /* the last one given that is of the source alloc */
};

static const struct argp_option options[] = {
	{"all", 'a', NULL, 0, "Record all processes (the default)", 0},
	{"pid", 'p', "PID,...", 0, "Record only these processes and their children", 0},
	{"duration", 'd', "SECONDS", 0, "End after so many seconds", 0},
	{"frequency", 'F', "HZ", 0, "Samples per second on each CPU (99)", 0},
	{"sources", KEY_SOURCES, "LIST", 0,
	 "What to record, of cpu, offcpu, io, ceph, quanta, counters, mem and alloc (the first "
	 "five); cpu is always on",
	 0},
	{"task", KEY_TASK, "PATTERN", 0,
	 "Of the source alloc: only processes of this task; * stands for anything", 0},
	{"alloc-period", KEY_PERIOD, "BYTES", 0,
	 "Of the source alloc: take a stack once in so many bytes, on average (65536)", 0},
	{"alloc-python", KEY_PYTHON, NULL, 0,
	 "Of the source alloc: CPython's own allocators too, many more calls", 0},
	{"max-overhead", KEY_OVERHEAD, "PERCENT", 0,
	 "Of the source alloc: count only for so much of the time that the processes use at most "
	 "this much more CPU time (20)",
	 0},
	{"counters", KEY_COUNTERS, "LIST", 0,
	 "What the source counters counts (" PERF_COUNTERS_DEFAULT ")", 0},
	{"output", 'o', "FILE", 0,
	 "Where to (" DEFAULT_OUTPUT "); an older recording is kept as FILE.old", 0},
	{"rules", KEY_RULES, "FILE", 0, "More rules that name tasks and jobs; may be repeated", 0},
	{"stats", KEY_STATS, NULL, 0, "Measure the run time of each BPF program", 0},
	{"quiet", 'q', NULL, 0, "Say nothing but errors", 0},
	{0},
};

static void choose_counters(struct arguments *arguments, const char *list, struct argp_state *state)
{
	const char *at = NULL;
	size_t size = 0;

	if (perf_choice__parse(list, &arguments->counters, &at, &size))
		argp_error(state,
			   "there is no counter '%.*s', or it is named twice; pipescope-record(1) "
			   "has a list",
			   (int)size, at);
}

static void choose_sources(struct arguments *arguments, const char *list, struct argp_state *state)
{
	struct record_options *record = &arguments->options;
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *name;

	record->offcpu = record->io = record->ceph = record->quanta = record->mem = false;
	record->alloc = NULL;
	arguments->count = false;
	record->sources = list;
	while ((name = strsep(&rest, ","))) {
		if (!strcmp(name, "offcpu"))
			record->offcpu = true;
		else if (!strcmp(name, "io"))
			record->io = true;
		else if (!strcmp(name, "quanta"))
			record->quanta = true;
		else if (!strcmp(name, "ceph"))
			record->ceph = true;
		else if (!strcmp(name, "counters"))
			arguments->count = true;
		else if (!strcmp(name, "mem"))
			record->mem = true;
		else if (!strcmp(name, "alloc"))
			record->alloc = &arguments->alloc;
		else if (strcmp(name, "cpu"))
			argp_error(state, "there is no source '%s'; there are: " ALL_SOURCES, name);
	}
}

/* Breakpoints are for chosen processes. */
static void check_alloc(const struct arguments *arguments, struct argp_state *state)
{
	const struct record_options *record = &arguments->options;

	if (record->alloc && !arguments->pids.count && !record->command && !record->alloc->task)
		argp_error(state,
			   "allocators are counted in chosen processes only: -p PID, --task "
			   "PATTERN or a command");
	if (!record->alloc && arguments->alloc_option)
		argp_error(state, "--%s goes with the source alloc: add it, as --sources cpu,alloc",
			   arguments->alloc_option);
}

static error_t parse_alloc(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct alloc_options *alloc = &arguments->alloc;
	char *end;

	switch (key) {
	case KEY_TASK:
		arguments->alloc_option = "task";
		alloc->task = value;
		return 0;
	case KEY_PERIOD:
		arguments->alloc_option = "alloc-period";
		alloc->period_bytes = strtod(value, &end);
		if (end == value || *end || !(alloc->period_bytes >= LEAST_PERIOD) ||
		    alloc->period_bytes > MOST_PERIOD)
			argp_error(state, "'%s' is no number of bytes from %d to %g", value,
				   LEAST_PERIOD, MOST_PERIOD);
		return 0;
	case KEY_PYTHON:
		arguments->alloc_option = "alloc-python";
		alloc->python = true;
		return 0;
	case KEY_OVERHEAD:
		arguments->alloc_option = "max-overhead";
		alloc->max_overhead = strtod(value, &end);
		if (end == value || *end || !(alloc->max_overhead > 0) || alloc->max_overhead > 1e6)
			argp_error(state, "'%s' is no share in percent", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct record_options *record = &arguments->options;
	char *end;

	switch (key) {
	case 'a':
		arguments->all = true;
		return 0;
	case 'p':
		pid_list__add(&arguments->pids, value, state);
		return 0;
	case 'd':
		record->duration_s = strtod(value, &end);
		if (end == value || *end || !isfinite(record->duration_s) ||
		    record->duration_s <= 0 || record->duration_s > 1e6)
			argp_error(state, "'%s' is no duration in seconds", value);
		return 0;
	case 'F': {
		unsigned long hz = strtoul(value, &end, 10);

		if (end == value || *end || hz < 1 || hz > MAX_HZ)
			argp_error(state, "the frequency must be 1 to %d Hz, not '%s'", MAX_HZ,
				   value);
		record->hz = (unsigned int)hz;
		return 0;
	}
	case KEY_SOURCES:
		choose_sources(arguments, value, state);
		return 0;
	case 'o':
		record->output = value;
		return 0;
	case KEY_RULES:
		if (array__reserve(&arguments->rules, &arguments->rule_capacity,
				   sizeof(*arguments->rules), record->rule_count + 1))
			argp_failure(state, EXIT_FAILED, ENOMEM, "rules");
		arguments->rules[record->rule_count++] = value;
		return 0;
	case KEY_COUNTERS:
		choose_counters(arguments, value, state);
		return 0;
	case KEY_STATS:
		record->stats = true;
		return 0;
	case 'q':
		record->quiet = true;
		return 0;
	case ARGP_KEY_ARGS:
		record->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		if (arguments->all + (arguments->pids.count > 0) + !!record->command > 1)
			argp_error(state, "choose one: -a, -p PID or a command");
		if (arguments->count && !record->quanta)
			argp_error(state,
				   "counters are counted per quantum: add the source quanta");
		check_alloc(arguments, state);
		if (arguments->counters.count && !arguments->count)
			argp_error(state, "--counters goes with the source counters");
		if (arguments->count && !arguments->counters.count)
			choose_counters(arguments, PERF_COUNTERS_DEFAULT, state);
		record->counters = arguments->count ? &arguments->counters : NULL;
		return 0;
	default:
		return parse_alloc(key, value, state);
	}
}

/* The words of the command line, for the recording. */
static char *join(int argc, char **argv)
{
	size_t size = 1;
	char *text, *at;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = at = malloc(size);
	for (int i = 0; text && i < argc; i++)
		at += sprintf(at, "%s%s", i ? " " : "", argv[i]);
	return text;
}

int command_record(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[-- COMMAND [ARGUMENT...]]",
		.doc = "Record what processes do, until Ctrl-C, the duration or COMMAND's end. "
		       "Needs "
		       "root."
		       "\vExit status: 0 when all that was asked was recorded, 1 on failure, 2 for "
		       "wrong usage; with COMMAND, its own.",
	};
	_cleanup_free_ char *command_line = join(argc, argv);
	_cleanup_free_ pid_t *pids = NULL;
	_cleanup_free_ const char **rules = NULL;
	struct arguments arguments = {
		.options = {.hz = DEFAULT_HZ,
			    .output = DEFAULT_OUTPUT,
			    .sources = SOURCES,
			    .offcpu = true,
			    .io = true,
			    .ceph = true,
			    .quanta = true},
		.alloc = {.period_bytes = PS_ALLOC_PERIOD, .max_overhead = DEFAULT_OVERHEAD},
	};
	int exit_code = EXIT_OK;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
	pids = arguments.pids.items;
	rules = arguments.rules;
	arguments.options.pids = pids;
	arguments.options.pid_count = arguments.pids.count;
	arguments.options.rules = rules;
	arguments.options.command_line = command_line ? command_line : argv[0];
	if (session__record(&arguments.options, &exit_code))
		return EXIT_FAILED;
	return exit_code;
}
