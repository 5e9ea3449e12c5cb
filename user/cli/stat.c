// SPDX-License-Identifier: GPL-2.0-or-later
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "capture/child.h"
#include "capture/live_counters.h"
#include "cli/command.h"
#include "cli/pids.h"
#include "cli/stat_print.h"

#define DEFAULT_INTERVAL_S 1.0
#define LEAST_INTERVAL_S   0.01
#define MOST_S		   1e6
#define PARANOID_FILE	   "/proc/sys/kernel/perf_event_paranoid"

struct stat_session {
	struct stat_options {
		struct pid_list pids;
		char **command;
		const char *output; /* NULL: standard output */
		double interval_s, duration_s; /* 0: no end */
		bool interval_given;
		enum stat_format format;
	} options;
	struct child child;
	struct pollfd *ends; /* of processes, behind that of signals */
	size_t end_count;
	int signals;
	struct live_counters *counters;
	struct stat_printer *printer;
	struct stat_reading start, last;
	uint64_t start_ns;
	bool stopping;
};

static const struct argp_option option_table[] = {
	{"all", 'a', NULL, 0, "Count all processes of the node (the default)", 0},
	{"pid", 'p', "PID,...", 0, "Count these processes, and what they start from now on", 0},
	{"interval", 'i', "SECONDS", 0,
	 "Print the figures of each interval; on a terminal they are shown every second", 0},
	{"duration", 'd', "SECONDS", 0, "End after so many seconds", 0},
	{"format", 'f', "FORMAT", 0, "text (default), json or csv: one line for each interval", 0},
	{"output", 'o', "FILE", 0, "Write to FILE, not to standard output", 0},
	{0},
};

/* --- options */

static double seconds_of(struct argp_state *state, const char *text, double least)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < least || seconds > MOST_S)
		argp_error(state, "'%s' is no time in seconds from %g to %g", text, least, MOST_S);
	return seconds;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	static const char *const formats[] = {"text", "json", "csv"};
	struct stat_session *session = state->input;
	struct stat_options *options = &session->options;

	switch (key) {
	case 'a':
		return 0;
	case 'p':
		pid_list__add(&options->pids, value, state);
		return 0;
	case 'i':
		options->interval_s = seconds_of(state, value, LEAST_INTERVAL_S);
		options->interval_given = true;
		return 0;
	case 'd':
		options->duration_s = seconds_of(state, value, LEAST_INTERVAL_S);
		return 0;
	case 'f':
		for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
			if (strcmp(value, formats[i]))
				continue;
			options->format = (enum stat_format)i;
			return 0;
		}
		argp_error(state, "there is no format '%s'; formats are: text, json, csv", value);
		return 0;
	case 'o':
		options->output = value;
		return 0;
	case ARGP_KEY_ARGS:
		options->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		if (options->pids.count && options->command)
			argp_error(state, "choose one: -p PID or a command");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- readings */

/* The kernel's own split, of all threads and of children that were waited for. A process that has
 * ended keeps what it had. */
static void add_times(pid_t pid, struct stat_reading *reading)
{
	unsigned long long user, system, child_user, child_system;
	_cleanup_free_ char *text = NULL;
	double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file__read(path, 4096, &text, NULL))
		return;
	at = strrchr(text, ')'); /* the name may hold anything */
	if (!at ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
		   &user, &system, &child_user, &child_system) != 4)
		return;
	reading->user_s += (double)(user + child_user) * tick_s;
	reading->system_s += (double)(system + child_system) * tick_s;
}

static int take_reading(struct stat_session *session, struct stat_reading *ret_reading)
{
	struct stat_reading reading = {.user_s = 0};
	int err = live_counters__read(session->counters, reading.sums);

	if (err)
		return err;
	reading.time_s = (double)(clock__ns(CLOCK_MONOTONIC) - session->start_ns) / 1e9;
	if (session->child.pid && session->child.ended) {
		struct rusage usage;

		getrusage(RUSAGE_CHILDREN, &usage);
		reading.user_s = (double)usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6;
		reading.system_s = (double)usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
	} else if (session->child.pid) {
		add_times(session->child.pid, &reading);
	}
	for (size_t i = 0; i < session->options.pids.count; i++)
		add_times(session->options.pids.items[i], &reading);
	/* What has ended since has no times any more. */
	reading.user_s = fmax(reading.user_s, session->last.user_s);
	reading.system_s = fmax(reading.system_s, session->last.system_s);
	*ret_reading = reading;
	return 0;
}

static int end_interval(struct stat_session *session)
{
	struct stat_reading now;
	int err = take_reading(session, &now);

	if (err)
		return err;
	stat_printer__interval(session->printer, &session->last, &now);
	session->last = now;
	return 0;
}

/* --- the loop */

/* Milliseconds until the interval or the duration is over. */
static int wait_ms(const struct stat_session *session)
{
	double now_s = (double)(clock__ns(CLOCK_MONOTONIC) - session->start_ns) / 1e9;
	double until_s = session->last.time_s + session->options.interval_s;

	if (session->options.duration_s > 0 && session->options.duration_s < until_s)
		until_s = session->options.duration_s;
	return until_s <= now_s ? 0 : (int)((until_s - now_s) * 1000) + 1;
}

/* true: all of them have ended. */
static bool note_ends(struct stat_session *session)
{
	bool any = false;

	for (size_t i = 1; i <= session->end_count; i++) {
		if (session->ends[i].revents)
			session->ends[i].fd = -1;
		any |= session->ends[i].fd >= 0;
	}
	return session->end_count && !any;
}

static int run(struct stat_session *session)
{
	int err = 0;

	while (!session->stopping && !err) {
		struct signalfd_siginfo info;
		double duration_s = session->options.duration_s, now_s;

		if (poll(session->ends, 1 + session->end_count, wait_ms(session)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		while (read(session->signals, &info, sizeof(info)) == sizeof(info))
			session->stopping = true;
		session->stopping |= note_ends(session);
		now_s = (double)(clock__ns(CLOCK_MONOTONIC) - session->start_ns) / 1e9;
		session->stopping |= duration_s > 0 && now_s >= duration_s;
		if (session->stopping ||
		    now_s - session->last.time_s >= session->options.interval_s)
			err = session->stopping ? 0 : end_interval(session);
	}
	return err;
}

/* --- start and end */

static int watch(struct stat_session *session)
{
	size_t count = session->options.pids.count;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	session->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	session->ends = calloc(count + 2, sizeof(*session->ends));
	if (session->signals < 0 || !session->ends)
		return session->ends ? -errno : -ENOMEM;
	session->ends[0] = (struct pollfd){.fd = session->signals, .events = POLLIN};
	for (size_t i = 0; i < count; i++) {
		int fd = (int)syscall(SYS_pidfd_open, session->options.pids.items[i], 0);

		if (fd < 0)
			return -errno;
		session->ends[1 + session->end_count++] =
			(struct pollfd){.fd = fd, .events = POLLIN};
	}
	if (session->child.pid)
		session->ends[1 + session->end_count++] =
			(struct pollfd){.fd = session->child.pid_fd, .events = POLLIN};
	return 0;
}

static void complain(int err)
{
	_cleanup_free_ char *level = NULL;

	switch (err) {
	case -EACCES:
	case -EPERM:
		if (file__read(PARANOID_FILE, 64, &level, NULL) || !level)
			level = strdup("?");
		if (level)
			level[strcspn(level, "\n")] = '\0';
		log__error(
			"the kernel does not let you count this (kernel.perf_event_paranoid is "
			"%s): "
			"run it as root, or count processes of your own with a level of at most 1",
			level ? level : "?");
		break;
	case -ESRCH:
		log__error("there is no such process; it may have ended");
		break;
	case -EMFILE:
	case -ENFILE:
		log__error(
			"too many threads: each counter of each takes a file descriptor; raise "
			"the limit (ulimit -n), or count the whole node (-a)");
		break;
	default:
		log__error("cannot count: %s", strerror(-err));
	}
}

static int start(struct stat_session *session)
{
	struct stat_options *options = &session->options;
	int err = 0;

	if (options->command)
		err = child__prepare(options->command, &session->child);
	if (!err && options->command)
		err = live_counters__of_processes(&session->child.pid, 1, true, &session->counters);
	else if (!err && options->pids.count)
		err = live_counters__of_processes(options->pids.items, options->pids.count, false,
						  &session->counters);
	else if (!err)
		err = live_counters__of_node(&session->counters);
	err = err ?: watch(session);
	session->start_ns = clock__ns(CLOCK_MONOTONIC);
	err = err ?: take_reading(session, &session->start);
	if (err)
		return err;
	session->last = session->start;
	if (session->child.pid)
		child__start(&session->child);
	return 0;
}

static int count(struct stat_session *session)
{
	struct stat_reading end;
	int err = start(session);

	err = err ?: run(session);
	if (!err && session->child.pid)
		child__wait(&session->child, false);
	err = err ?: take_reading(session, &end);
	if (err)
		complain(err);
	else
		stat_printer__total(session->printer, &session->start, &session->last, &end);
	return err;
}

static void finish(struct stat_session *session)
{
	live_counters__free(session->counters);
	for (size_t i = 1; session->ends && i <= session->options.pids.count; i++)
		if (session->ends[i].fd >= 0)
			close(session->ends[i].fd);
	child__abandon(&session->child);
	free(session->ends);
	free(session->options.pids.items);
	if (session->signals >= 0)
		close(session->signals);
}

int command_stat(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "[-- COMMAND [ARGUMENT...]]",
		.doc = "Count cycles, instructions, cache misses, switches and faults of running "
		       "processes, of COMMAND, or of the whole node, until Ctrl-C, the duration or "
		       "their end."
		       "\vExit status: 0 when all that was asked was counted, 1 on failure, 2 for "
		       "wrong usage; with COMMAND, its own.",
	};
	struct stat_session session = {
		.options = {.interval_s = DEFAULT_INTERVAL_S},
		.child = CHILD_NONE,
		.signals = -1,
	};
	struct stat_printer printer;
	FILE *out = stdout;
	int err, status = EXIT_FAILED;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &session);
	if (session.options.output && strcmp(session.options.output, "-") != 0 &&
	    !(out = fopen(session.options.output, "we"))) {
		log__error("%s: cannot be written: %s", session.options.output, strerror(errno));
		return EXIT_FAILED;
	}
	stat_printer__init(&printer, out, session.options.format, session.options.interval_given,
			   !session.options.command);
	session.printer = &printer;
	err = count(&session);
	if (!err && session.child.pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (!session.child.ended)
			log__info("waiting for the command to end");
		child__wait(&session.child, true);
		status = child__exit_code(&session.child);
	} else if (!err) {
		status = EXIT_OK;
	}
	finish(&session);
	/* Of standard output main speaks. */
	if (out != stdout && (ferror(out) | fclose(out))) {
		log__error("%s: cannot be written: %s", session.options.output, strerror(errno));
		return status ? status : EXIT_FAILED;
	}
	return status;
}
