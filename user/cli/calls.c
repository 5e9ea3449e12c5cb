// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting costs much, for every call is a breakpoint: so it begins with a trial of a second, says
 * what it expects, and ends by itself when it costs more than it may. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "capture/call_counter.h"
#include "capture/call_targets.h"
#include "capture/task_pids.h"
#include "cli/calls_inlines.h"
#include "cli/calls_print.h"
#include "cli/calls_words.h"
#include "cli/command.h"
#include "cli/pids.h"
#include "cli/writing.h"
#include "model/keys.h"
#include "proc/rules.h"
#include "python/code.h"

#define MAX_PATTERNS	 64
#define MAX_PIDS	 64
#define MAX_RULES	 16
#define DEFAULT_OVERHEAD 20 /* percent */
#define TRIAL_NS	 1000000000ULL
#define BEFORE_NS	 300000000L /* how long the processes are looked at first */
#define LOOK_NS		 100000000ULL
/* Overhead is of the processes' own CPU time; below this share of a CPU it never matters. */
#define NEGLIGIBLE   0.01
#define MOST_SHOWN   1000 /* percent; what is more is noise */
#define MOST_ALLOWED 1e6 /* percent: whoever gives it is never stopped */

enum form { FORM_TEXT, FORM_JSON, FORM_PSTATS };

struct calls_options {
	struct pid_list pids;
	const char *tasks[MAX_PATTERNS], *patterns[MAX_PATTERNS], *rules[MAX_RULES];
	bool native[MAX_PATTERNS]; /* native functions fit the pattern */
	size_t task_count, pattern_count, rule_count;
	double duration_s, max_overhead;
	bool count_only;
	enum form form;
	const char *output; /* NULL: standard output */
};

enum { KEY_OVERHEAD = 256, KEY_COUNT_ONLY, KEY_TASK, KEY_RULES };

static const struct argp_option options[] = {
	{"pid", 'p', "PID,...", 0, "The processes to look into", 0},
	{"task", KEY_TASK, "TASK", 0,
	 "All processes that work at the task now; * stands for anything; may be repeated", 0},
	{"rules", KEY_RULES, "FILE", 0, "More rules that name tasks; may be repeated", 0},
	{"function", 'f', "PATTERN", 0,
	 "Functions whose calls are counted: a name, * stands for anything; may be repeated", 0},
	{"duration", 'd', "SECONDS", 0, "End after so many seconds; else with Ctrl-C", 0},
	{"max-overhead", KEY_OVERHEAD, "PERCENT", 0,
	 "End when counting costs the processes more of their CPU time than this (20)", 0},
	{"count-only", KEY_COUNT_ONLY, NULL, 0, "Count calls without their times, at half the cost",
	 0},
	{"format", 'F', "FORMAT", 0,
	 "text (default), json, or pstats (for SnakeViz, python -m pstats)", 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{0},
};

/* A name as it was read, and whether it is wanted. */
struct named {
	struct ps_calls_function function;
	char *name, *file;
	int64_t line;
	bool wanted, timed;
};

struct calls {
	struct calls_options *options;
	struct call_targets targets;
	struct call_counter *counter;
	struct named *names; /* of code objects */
	size_t name_count, name_capacity;
	double *before; /* of each process the CPUs that it used without breakpoints */
	uint64_t cpu_ns, hits; /* when the window began */
	bool sampled; /* of an interpreter that begins frames by itself */
	const char *ended; /* why, NULL: not yet */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* --- options */

static double number_of(const char *text, double most, const char *what, struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value <= 0 || value > most)
		argp_error(state, "'%s' is no %s", text, what);
	return value;
}

static enum form form_of(const char *value, struct argp_state *state)
{
	if (!strcmp(value, "text"))
		return FORM_TEXT;
	if (!strcmp(value, "json"))
		return FORM_JSON;
	if (strcmp(value, "pstats"))
		argp_error(state, "'%s' is no format: text, json or pstats", value);
	return FORM_PSTATS;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct calls_options *calls = state->input;

	switch (key) {
	case 'p':
		pid_list__add(&calls->pids, value, state);
		if (calls->pids.count > MAX_PIDS)
			argp_error(state, "more than %d processes", MAX_PIDS);
		return 0;
	case 'f':
		if (calls->pattern_count == MAX_PATTERNS)
			argp_error(state, "more than %d patterns", MAX_PATTERNS);
		calls->patterns[calls->pattern_count++] = value;
		return 0;
	case 'd':
		calls->duration_s = number_of(value, 1e6, "duration in seconds", state);
		return 0;
	case KEY_OVERHEAD:
		calls->max_overhead = number_of(value, MOST_ALLOWED, "share in percent", state);
		return 0;
	case KEY_COUNT_ONLY:
		calls->count_only = true;
		return 0;
	case KEY_TASK:
		if (calls->task_count == MAX_PATTERNS)
			argp_error(state, "more than %d tasks", MAX_PATTERNS);
		calls->tasks[calls->task_count++] = value;
		return 0;
	case KEY_RULES:
		if (calls->rule_count == MAX_RULES)
			argp_error(state, "more than %d files of rules", MAX_RULES);
		calls->rules[calls->rule_count++] = value;
		return 0;
	case 'F':
		calls->form = form_of(value, state);
		return 0;
	case 'o':
		calls->output = value;
		return 0;
	case ARGP_KEY_END:
		if (!calls->pids.count && !calls->task_count)
			argp_error(state, "which processes? -p PID or --task TASK");
		if (calls->form == FORM_PSTATS && !calls->output && isatty(STDOUT_FILENO))
			argp_error(state, "pstats is nothing for a terminal: -o FILE");
		if (!calls->pattern_count)
			argp_error(state, "which functions? --function NAME");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- names */

/* "ns::f(int)" can also be asked for as "ns::f". */
static bool fits(const char *pattern, const char *name)
{
	_cleanup_free_ char *short_name = NULL;
	const char *end = strchr(name, '(');

	if (pattern__matches(pattern, name))
		return true;
	if (end && end != name)
		short_name = strndup(name, (size_t)(end - name));
	return short_name && pattern__matches(pattern, short_name);
}

static bool is_wanted(const struct calls_options *calls, const char *name)
{
	for (size_t i = 0; i < calls->pattern_count; i++)
		if (fits(calls->patterns[i], name))
			return true;
	return false;
}

static bool is_wanted_inline(void *context, const char *name)
{
	return is_wanted(context, name);
}

static bool is_wanted_native(void *context, const char *name)
{
	struct calls_options *calls = context;
	bool wanted = false;

	for (size_t i = 0; i < calls->pattern_count; i++) {
		bool one = fits(calls->patterns[i], name);

		calls->native[i] |= one;
		wanted |= one;
	}
	return wanted;
}

static struct named *find_name(const struct calls *calls, const struct ps_calls_function *function)
{
	for (size_t i = 0; i < calls->name_count; i++)
		if (!memcmp(&calls->names[i].function, function, sizeof(*function)))
			return &calls->names[i];
	return NULL;
}

/* Reads the code object's name while it is there. */
static int read_name(struct calls *calls, const struct ps_calls_function *function)
{
	struct process_memory memory = process_memory__of((pid_t)function->tgid);
	const struct call_python *python = NULL;
	struct python_code code;
	struct named *named;
	int err;

	for (size_t i = 0; i < calls->targets.python_count; i++)
		if (calls->targets.pythons[i].pid == (pid_t)function->tgid)
			python = &calls->targets.pythons[i];
	err = array__reserve(&calls->names, &calls->name_capacity, sizeof(*calls->names),
			     calls->name_count + 1);
	if (err || !python)
		return err;
	named = &calls->names[calls->name_count++];
	*named = (struct named){.function = *function, .timed = python->timed};
	err = python_code__read(&memory.memory, &python->layout, function->address,
				python->code_type, &code);
	if (err)
		return err == -ENOMEM ? err : call_counter__ignore(calls->counter, function);
	if (code.check == function->check && is_wanted(calls->options, code.name)) {
		named->wanted = true;
		named->name = code.name;
		named->file = code.file;
		named->line = code.first_line;
		code.name = code.file = NULL;
	}
	python_code__clear(&code);
	return named->wanted ? 0 : call_counter__ignore(calls->counter, function);
}

static int read_names(struct calls *calls)
{
	_cleanup_free_ struct call_count *counts = NULL;
	size_t count = 0;
	int err = call_counter__read(calls->counter, &counts, &count);

	for (size_t i = 0; i < count && !err; i++)
		if (counts[i].function.check && !find_name(calls, &counts[i].function))
			err = read_name(calls, &counts[i].function);
	return err;
}

/* --- what it costs */

/* CPU time of a process so far; of one that is gone nothing. */
static uint64_t cpu_ns_of_process(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time))
		return 0;
	return (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
}

static uint64_t cpu_ns_of(const struct calls_options *calls)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < calls->pids.count; i++)
		sum += cpu_ns_of_process(calls->pids.items[i]);
	return sum;
}

/* What the processes use without breakpoints: with them, it is the small difference of two large
 * figures, of which one is an estimate. */
static int look_before(struct calls *calls)
{
	const struct pid_list *pids = &calls->options->pids;
	const struct timespec pause = {.tv_nsec = BEFORE_NS};
	uint64_t begin = clock__ns(CLOCK_MONOTONIC), end;
	_cleanup_free_ uint64_t *first = calloc(pids->count, sizeof(*first));

	calls->before = calloc(pids->count, sizeof(*calls->before));
	if (!first || !calls->before)
		return -ENOMEM;
	for (size_t i = 0; i < pids->count; i++)
		first[i] = cpu_ns_of_process(pids->items[i]);
	nanosleep(&pause, NULL);
	end = clock__ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < pids->count; i++) {
		uint64_t last = cpu_ns_of_process(pids->items[i]);

		if (last > first[i])
			calls->before[i] = (double)(last - first[i]) / (double)(end - begin);
	}
	return 0;
}

/* Percent of the CPU time that the processes would have used without: as before, or what is left
 * now when that is more. */
static double overhead(const struct calls *calls, uint64_t hits, uint64_t cpu_ns,
		       uint64_t window_ns)
{
	const struct pid_list *pids = &calls->options->pids;
	double cost = (double)hits * call_counter__cost_ns(calls->counter), before = 0;

	for (size_t i = 0; i < pids->count; i++)
		if (cpu_ns_of_process(pids->items[i]))
			before += calls->before[i] * (double)window_ns;
	if (cost < NEGLIGIBLE * (double)window_ns)
		return 0;
	cost = fmin(cost, (double)cpu_ns);
	before = fmax(before, (double)cpu_ns - cost);
	return before > 0 ? fmin(cost / before * 100, MOST_ALLOWED) : MOST_ALLOWED;
}

static int hits_of(const struct calls *calls, uint64_t *ret_hits)
{
	uint64_t values[PS_CALLS_COUNTER_COUNT];
	int err = call_counter__counters(calls->counter, values);

	if (!err)
		*ret_hits = values[PS_CALLS_HITS];
	return err;
}

static bool any_lives(const struct calls_options *calls)
{
	for (size_t i = 0; i < calls->pids.count; i++)
		if (!kill(calls->pids.items[i], 0) || errno != ESRCH)
			return true;
	return false;
}

/* Looks for window_ns, or until something ends it. *ret_overhead: percent, of that time. */
static int watch(struct calls *calls, uint64_t window_ns, double *ret_overhead)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t begin = clock__ns(CLOCK_MONOTONIC), hits = 0, cpu_ns;
	int err = hits_of(calls, &calls->hits);

	calls->cpu_ns = cpu_ns_of(calls->options);
	*ret_overhead = 0;
	while (!err && clock__ns(CLOCK_MONOTONIC) - begin < window_ns && !calls->ended) {
		nanosleep(&pause, NULL);
		err = read_names(calls);
		err = err ?: hits_of(calls, &hits);
		cpu_ns = cpu_ns_of(calls->options);
		if (!err && cpu_ns > calls->cpu_ns)
			*ret_overhead = overhead(calls, hits - calls->hits, cpu_ns - calls->cpu_ns,
						 clock__ns(CLOCK_MONOTONIC) - begin);
		if (interrupted)
			calls->ended = "interrupted";
		else if (!any_lives(calls->options))
			calls->ended = "the processes ended";
	}
	return err;
}

/* --- printing */

static int compare_rows(const void *one, const void *other)
{
	const struct calls_row *a = one, *b = other;

	if (a->sum.count != b->sum.count)
		return a->sum.count > b->sum.count ? -1 : 1;
	return strcmp(a->name, b->name);
}

struct printing {
	enum form form;
	const struct calls_figures *figures;
};

/* Where ends are not looked for, nobody knows of a call whether it was inside of another one. */
static void forget_times(struct ps_calls_sum *sum)
{
	*sum = (struct ps_calls_sum){
		.count = sum->count,
		.unknown = sum->count,
		.sampled = sum->sampled,
		.inlined = sum->inlined,
	};
}

static int collect(const struct calls *calls, struct calls_row **ret_shown, size_t *ret_count)
{
	const struct call_targets *targets = &calls->targets;
	_cleanup_free_ struct call_count *counts = NULL;
	size_t count = 0, shown_count = 0;
	struct calls_row *shown;
	int err = call_counter__read(calls->counter, &counts, &count);

	if (err)
		return err;
	shown = calloc(targets->function_count + count + 1, sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	for (size_t i = 0; i < targets->function_count; i++) {
		const struct call_function *function = &targets->functions[i];
		struct calls_row *one = &shown[shown_count];

		*one = (struct calls_row){.name = function->name,
					  .module = function->module,
					  .pid = function->pid,
					  .unwatched = function->unwatched};
		for (size_t k = 0; k < count; k++)
			if (!counts[k].function.check &&
			    counts[k].function.address == function->address &&
			    counts[k].function.tgid == (uint32_t)function->pid)
				one->sum = counts[k].sum;
		if (!function->timed)
			forget_times(&one->sum);
		shown_count += one->sum.count > 0;
	}
	for (size_t i = 0; i < count; i++) {
		const struct named *named = find_name(calls, &counts[i].function);

		if (named && !named->timed)
			forget_times(&counts[i].sum);
		if (named && named->wanted && (counts[i].sum.count || counts[i].sum.sampled))
			shown[shown_count++] = (struct calls_row){
				.name = named->name,
				.module = named->file,
				.pid = (pid_t)named->function.tgid,
				.line = named->line,
				.sum = counts[i].sum,
			};
	}
	qsort(shown, shown_count, sizeof(*shown), compare_rows);
	*ret_shown = shown;
	*ret_count = shown_count;
	return 0;
}

static void tell_unmet(const struct calls *calls, const struct calls_row *rows, size_t count)
{
	/* Where nothing is Python it was told at the start. */
	for (size_t i = 0; i < calls->options->pattern_count && calls->targets.python_count; i++) {
		bool met = calls->options->native[i];

		for (size_t k = 0; k < count && !met; k++)
			met = fits(calls->options->patterns[i], rows[k].name);
		if (!met)
			calls_words__tell_unmet(calls->options->patterns[i], &calls->targets);
	}
}

static int print_figures(FILE *stream, void *context)
{
	const struct printing *printing = context;

	switch (printing->form) {
	case FORM_JSON:
		return calls_print__json(stream, printing->figures);
	case FORM_PSTATS:
		return calls_print__pstats(stream, printing->figures);
	default:
		return calls_print__text(stream, printing->figures);
	}
}

static int print_counts(const struct calls *calls, double seconds)
{
	uint64_t values[PS_CALLS_COUNTER_COUNT];
	_cleanup_free_ struct calls_row *rows = NULL;
	struct calls_figures figures = {
		.seconds = seconds,
		.ended = calls->ended,
		.breakpoint_ns = call_counter__cost_ns(calls->counter),
		.sampled = calls->sampled,
	};
	struct printing printing = {calls->options->form, &figures};
	int err = collect(calls, &rows, &figures.count);

	err = err ?: call_counter__counters(calls->counter, values);
	if (err)
		return err;
	figures.rows = rows;
	err = writing__file(calls->options->output, "the calls", print_figures, &printing);
	calls_words__tell_losses(values, &figures);
	tell_unmet(calls, rows, figures.count);
	return err;
}

/* --- the whole */

static bool is_wanted_task(void *context, const char *task)
{
	const struct calls_options *calls = context;

	for (size_t i = 0; i < calls->task_count; i++)
		if (pattern__matches(calls->tasks[i], task))
			return true;
	return false;
}

static int add_pid(struct pid_list *pids, pid_t pid)
{
	int err;

	for (size_t i = 0; i < pids->count; i++)
		if (pids->items[i] == pid)
			return 0;
	err = array__reserve(&pids->items, &pids->capacity, sizeof(*pids->items), pids->count + 1);
	if (!err)
		pids->items[pids->count++] = pid;
	return err;
}

static int find_tasks(struct calls_options *asked)
{
	_cleanup_free_ pid_t *pids = NULL;
	struct rules *rules = NULL;
	struct rules_error error;
	size_t count = 0;
	int err = rules__new(&rules);

	for (size_t i = 0; i < asked->rule_count && !err; i++) {
		err = rules__add_file(rules, asked->rules[i], &error);
		if (err)
			log__error("%s:%d: %s", error.path, error.line, error.message);
	}
	if (!err) {
		err = task_pids__find(rules, is_wanted_task, asked, &pids, &count);
		if (err)
			log__error("cannot look for the task: %s", strerror(-err));
	}
	rules__free(rules);
	for (size_t i = 0; i < count && !err; i++)
		err = add_pid(&asked->pids, pids[i]);
	if (err)
		return err;
	if (!asked->pids.count || asked->pids.count > MAX_PIDS) {
		log__error(asked->pids.count
				   ? "%zu processes work at it: more than %d, choose by -p"
				   : "%zu processes work at it (pipescope top and "
				     "report --by task tell tasks; at most %d)",
			   asked->pids.count, MAX_PIDS);
		return -ESRCH;
	}
	for (size_t i = 0; i < asked->pids.count; i++)
		log__info("process %d", asked->pids.items[i]);
	return 0;
}

static int find_targets(struct calls *calls)
{
	const struct calls_options *asked = calls->options;

	for (size_t i = 0; i < asked->pids.count; i++) {
		int err = call_targets__add(&calls->targets, asked->pids.items[i], is_wanted_native,
					    calls->options, true, !asked->count_only);

		/* One of a task's processes may have ended meanwhile. */
		if (err == -ESRCH && asked->task_count)
			continue;

		if (err == -E2BIG)
			log__error("too many functions fit: at most %d; choose fewer",
				   CALL_TARGETS_MOST);
		else if (err)
			log__error("cannot look into process %d: %s", asked->pids.items[i],
				   strerror(-err));
		if (err)
			return err;
	}
	calls_inlines__tell(&asked->pids, &calls->targets, is_wanted_inline, calls->options);
	if (!calls->targets.function_count && !calls->targets.python_count) {
		log__error("no function of these processes fits: %s", CALLS_NO_SYMBOL);
		return -ENOENT;
	}
	for (size_t i = 0; i < asked->pattern_count; i++)
		if (!asked->native[i])
			calls_words__tell_unfit(asked->patterns[i], &calls->targets);
	calls_words__tell_pythons(&calls->targets);
	return 0;
}

static int count(struct calls *calls, double *ret_seconds)
{
	double cost, limit = calls->options->max_overhead;
	uint64_t begin = clock__ns(CLOCK_MONOTONIC), window_ns;
	int err = watch(calls, TRIAL_NS, &cost);

	/* What is told when it goes no further. */
	*ret_seconds = (double)(clock__ns(CLOCK_MONOTONIC) - begin) / 1e9;
	if (err || calls->ended)
		return err;
	log__info(
		"a breakpoint costs %.1f us; counting costs these processes %s%.*f %% of their CPU "
		"time",
		call_counter__cost_ns(calls->counter) / 1e3, cost > MOST_SHOWN ? "more than " : "",
		cost < 100 ? 1 : 0, fmin(cost, MOST_SHOWN));
	if (cost > limit) {
		calls->ended = "it would cost more than --max-overhead allows";
		return -EDQUOT;
	}
	err = call_counter__zero(calls->counter);
	begin = clock__ns(CLOCK_MONOTONIC);
	log__info("counting");
	while (!err && !calls->ended) {
		*ret_seconds = (double)(clock__ns(CLOCK_MONOTONIC) - begin) / 1e9;
		window_ns = TRIAL_NS;
		if (calls->options->duration_s > 0) {
			double left = calls->options->duration_s - *ret_seconds;

			if (left <= 0) {
				calls->ended = "the time was over";
				break;
			}
			if (left < 1)
				window_ns = (uint64_t)(left * 1e9);
		}
		err = watch(calls, window_ns, &cost);
		if (!err && !calls->ended && cost > limit) {
			calls->ended = "it cost more than --max-overhead allows";
			err = -EDQUOT;
		}
	}
	*ret_seconds = (double)(clock__ns(CLOCK_MONOTONIC) - begin) / 1e9;
	return err;
}

static int run(struct calls *calls)
{
	const struct sigaction action = {.sa_handler = on_signal};
	double seconds = 0;
	int err, printed;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	err = writing__try(calls->options->output);
	if (!err && calls->options->task_count)
		err = find_tasks(calls->options);
	err = err ?: find_targets(calls);
	if (err)
		return err;
	err = look_before(calls);
	err = err ?: call_counter__new(&calls->targets, &calls->counter);
	if (err) {
		log__error("cannot count calls: %s%s", strerror(-err),
			   err == -EPERM ? "; it needs root" : "");
		return err;
	}
	calls->sampled = call_counter__samples(calls->counter);
	if (call_counter__refused(calls->counter))
		log__info("%zu places where functions return cannot be watched",
			  call_counter__refused(calls->counter));
	err = count(calls, &seconds);
	if (err == -EDQUOT)
		log__error("stopped: %s (%.0f %%)", calls->ended, calls->options->max_overhead);
	else if (err)
		log__error("counting ended early: %s", strerror(-err));
	call_counter__detach(calls->counter);
	if (err && err != -EDQUOT)
		return err;
	printed = print_counts(calls, seconds);
	return err ?: printed;
}

int command_calls(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Count every call of functions in running processes, and how long each "
		       "takes: native functions by name, and Python functions. Needs root. The "
		       "processes are slowed down: each call is a breakpoint or two, of some ten "
		       "microseconds."
		       "\vExit status: 0 when all was counted, 1 on failure, or when it cost more "
		       "than it may; 2 for wrong usage.",
	};
	struct calls_options asked = {.max_overhead = DEFAULT_OVERHEAD};
	struct calls calls = {.options = &asked};
	int err;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &asked);
	err = run(&calls);
	call_counter__free(calls.counter);
	call_targets__clear(&calls.targets);
	free(calls.before);
	free(asked.pids.items);
	for (size_t i = 0; i < calls.name_count; i++) {
		free(calls.names[i].name);
		free(calls.names[i].file);
	}
	free(calls.names);
	return err ? EXIT_FAILED : EXIT_OK;
}
