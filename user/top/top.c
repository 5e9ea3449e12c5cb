// SPDX-License-Identifier: GPL-2.0-or-later
#include "top/top.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cap-ng.h>
#include <curses.h>
#include <term.h>

#include "base/clock.h"
#include "base/log.h"
#include "top/display.h"

/* A recorder's memory grows with what it has met; so another one follows it, sooner or later. One
 * that ends before it could have been of use is not followed. */
#define GENERATION_S	  7200.0
#define MOST_GROWTH_BYTES (256u << 20)
#define LEAST_LIFE_NS	  20000000000ULL
#define PATIENCE_MS	  5000 /* for processes that are to end */
#define PIPE_BYTES	  (1 << 20)
#define WORDS_LIMIT	  4096 /* of a recorder's messages that are shown */
/* What is larger goes back to the kernel as soon as it is free. glibc would raise this with each
 * block of up to 32 MiB, and then keep what lies below one that is still in use. */
#define LARGE_BYTES (1 << 20)

enum { DISPLAY_BAD_TERMINAL = 3, DISPLAY_FAILED = 4 };

struct top {
	const struct top_options *options;
	struct termios terminal;
	int rows[2]; /* the pipe from recorder to display */
	int words; /* what recorders say: nothing may be printed while the display is there */
	int signals;
	pid_t recorder, display; /* 0: there is none */
	uint64_t recorder_start_ns, end_ns;
	int display_status;
	bool stopping;
};

/* --- the two others */

static void limit_malloc(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

/* In a child: nothing blocked, and gone when the first process is. */
static void begin_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_recorder(const struct top *top)
{
	const struct record_live live = {
		.fd = top->rows[1],
		.most_growth_bytes = MOST_GROWTH_BYTES,
	};
	struct record_options record = top->options->record;
	int unused;

	setpgid(0, 0); /* keys that send signals are for the display */
	begin_child();
	limit_malloc();
	if (top->rows[0] >= 0)
		close(top->rows[0]);
	dup2(top->words, STDERR_FILENO);
	record.live = &live;
	record.output = "the display";
	record.duration_s = GENERATION_S;
	record.quiet = true;
	_exit(session__record(&record, &unused) ? 1 : 0);
}

static void run_display(const struct top *top)
{
	sigset_t blocked;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* They come when the display waits, and only then. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	close(top->rows[1]);
	limit_malloc();
	/* It reads names that any process of the node could choose. */
	capng_clear(CAPNG_SELECT_ALL);
	capng_apply(CAPNG_SELECT_CAPS);
	err = display__run(top->options, top->rows[0]);
	_exit(!err ? 0 : err == -ENOTTY ? DISPLAY_BAD_TERMINAL : DISPLAY_FAILED);
}

static int start_child(const struct top *top, void (*run)(const struct top *top), pid_t *ret_pid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		run(top);
	*ret_pid = pid;
	return 0;
}

static int start_recorder(struct top *top)
{
	/* Of a recorder that ended well nobody wants the words. */
	if (ftruncate(top->words, 0) || lseek(top->words, 0, SEEK_SET))
		return -errno;
	top->recorder_start_ns = clock__ns(CLOCK_MONOTONIC);
	return start_child(top, run_recorder, &top->recorder);
}

/* --- what ends */

static void stop(struct top *top)
{
	top->stopping = true;
	if (top->display)
		kill(top->display, SIGTERM);
	if (top->recorder)
		kill(top->recorder, SIGTERM);
}

static void on_display_end(struct top *top, int status)
{
	top->display = 0;
	top->display_status = status;
	stop(top);
}

static int on_recorder_end(struct top *top)
{
	bool was_of_use = clock__ns(CLOCK_MONOTONIC) - top->recorder_start_ns > LEAST_LIFE_NS;

	top->recorder = 0;
	if (top->stopping)
		return 0;
	if (was_of_use)
		return start_recorder(top);
	stop(top);
	return -EPIPE;
}

/* Takes the status of all that have ended. */
static int reap(struct top *top)
{
	int status, err = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == top->display)
			on_display_end(top, status);
		else if (pid == top->recorder)
			err = on_recorder_end(top) ?: err;
	}
	return err;
}

static int take_signals(struct top *top)
{
	struct signalfd_siginfo info;
	int err = 0;

	while (read(top->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			err = reap(top) ?: err;
		else
			stop(top);
	}
	return err;
}

static void kill_child(pid_t *pid, int *status)
{
	if (!*pid)
		return;
	kill(*pid, SIGKILL);
	while (waitpid(*pid, status, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}

/* Until both are gone, at most so long; then they are killed. */
static void wait_for_end(struct top *top)
{
	uint64_t end = clock__ns(CLOCK_MONOTONIC) + PATIENCE_MS * 1000000ULL;
	struct pollfd signals = {.fd = top->signals, .events = POLLIN};
	int unused;

	while ((top->display || top->recorder) && clock__ns(CLOCK_MONOTONIC) < end) {
		poll(&signals, 1, PATIENCE_MS / 50);
		take_signals(top);
	}
	kill_child(&top->display, &top->display_status);
	kill_child(&top->recorder, &unused);
}

/* --- the terminal */

static int put_byte(int byte)
{
	char character = (char)byte;

	return write(STDOUT_FILENO, &character, 1) == 1 ? byte : EOF;
}

/* What the display would have done, had it been let. */
static void restore_terminal(const struct top *top)
{
	static const char *const resets[] = {"sgr0", "rmkx", "cnorm", "rmcup"};

	for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
		const char *text = tigetstr(resets[i]);

		if (text && text != (char *)-1)
			tputs(text, 1, put_byte);
	}
	tcsetattr(STDIN_FILENO, TCSADRAIN, &top->terminal);
}

static void show_words(const struct top *top)
{
	char words[WORDS_LIMIT];
	ssize_t size = pread(top->words, words, sizeof(words), 0);

	if (size > 0)
		fwrite(words, 1, (size_t)size, stderr);
}

/* Says why there is no display any more, if not because it was ended. */
static int judge_display(const struct top *top)
{
	int status = top->display_status;

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	restore_terminal(top);
	if (WIFSIGNALED(status))
		log__error("the display was ended by signal %d; the terminal is as it was",
			   WTERMSIG(status));
	else if (WEXITSTATUS(status) == DISPLAY_BAD_TERMINAL)
		log__error("this terminal is not known here: set TERM, to xterm for example");
	else
		log__error("the display failed");
	return -EIO;
}

/* --- life */

static int prepare(struct top *top)
{
	sigset_t signals;
	int known;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &top->terminal)) {
		log__error("top needs a terminal; 'pipescope record' and 'report' do without");
		return -ENOTTY;
	}
	if (setupterm(NULL, STDOUT_FILENO, &known) == ERR) {
		log__error("this terminal is not known here: set TERM, to xterm for example");
		return -ENOTTY;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	top->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	top->words = memfd_create("pipescope-words", MFD_CLOEXEC);
	if (top->signals < 0 || top->words < 0 || pipe2(top->rows, O_CLOEXEC))
		return -errno;
	/* The display reads without waiting, the recorder's writer waits. */
	fcntl(top->rows[0], F_SETFL, O_NONBLOCK);
	fcntl(top->rows[1], F_SETPIPE_SZ, PIPE_BYTES);
	return 0;
}

/* The recorder speaks of what keeps it from starting; then there is no display to be spoilt. */
static int wait_for_rows(struct top *top)
{
	struct pollfd fds[] = {{.fd = top->signals, .events = POLLIN},
			       {.fd = top->rows[0], .events = POLLIN}};
	int err = 0;

	log__progress("starting the recorder ...");
	while (!err && !top->stopping && !fds[1].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			err = -errno;
		err = err ?: take_signals(top);
	}
	log__progress_end();
	return err;
}

static int wait_ms(const struct top *top)
{
	uint64_t now = clock__ns(CLOCK_MONOTONIC);

	if (!top->end_ns)
		return -1;
	return now >= top->end_ns ? 0 : (int)((top->end_ns - now) / 1000000) + 1;
}

static int watch(struct top *top)
{
	struct pollfd signals = {.fd = top->signals, .events = POLLIN};
	int err = 0;

	while (!top->stopping && !err) {
		if (poll(&signals, 1, wait_ms(top)) < 0 && errno != EINTR)
			err = -errno;
		err = err ?: take_signals(top);
		if (top->end_ns && !wait_ms(top))
			stop(top);
	}
	return err;
}

static int run(struct top *top)
{
	double duration_s = top->options->record.duration_s;
	int err = prepare(top);

	err = err ?: start_recorder(top);
	err = err ?: wait_for_rows(top);
	if (err || top->stopping)
		goto cleanup;
	if (duration_s > 0)
		top->end_ns = clock__ns(CLOCK_MONOTONIC) + (uint64_t)(duration_s * 1e9);
	err = start_child(top, run_display, &top->display);
	/* A recorder must notice that nobody reads any more. */
	close(top->rows[0]);
	top->rows[0] = -1;
	err = err ?: watch(top);
cleanup:
	stop(top);
	wait_for_end(top);
	return err;
}

int top__run(const struct top_options *options)
{
	struct top top = {.options = options, .rows = {-1, -1}, .words = -1, .signals = -1};
	int err = run(&top), display_err = judge_display(&top);

	if (err == -EPIPE)
		show_words(&top);
	else if (err && err != -ENOTTY)
		log__error("top cannot go on: %s", strerror(-err));
	for (int *fd = (int[]){top.rows[0], top.rows[1], top.words, top.signals, -2}; *fd != -2;
	     fd++)
		if (*fd >= 0)
			close(*fd);
	return err ?: display_err;
}
