// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts short processes one after the other and prints, as a JSON array, how each of them ended:
 *
 *     short_lived [COUNT]        {"pid", "kind", "argument", "code" or "signal"} per process
 *
 * Kinds: how a process came to be and how it ended. "exec" is the usual case; the others are those
 * where a reader of kernel events easily goes wrong. "fork" has no exec; "leader-first": the main
 * thread ends before the one that calls exit; "thread-exec": a thread other than the main one calls
 * exec and takes over its id; "twice": two execs. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define SELF	  "/proc/self/exe"
#define MAX_COUNT 30000

enum kind { KIND_EXEC, KIND_SPAWN, KIND_FORK, KIND_LEADER_FIRST, KIND_THREAD_EXEC, KIND_TWICE };

static const char *const kind_names[] = {"exec",	 "spawn",	"fork",
					 "leader-first", "thread-exec", "twice"};

#define KIND_COUNT ((int)(sizeof(kind_names) / sizeof(kind_names[0])))

static const int signals[] = {SIGTERM, SIGKILL, SIGUSR1, SIGABRT, SIGSEGV, SIGPIPE};

#define SIGNAL_COUNT ((int)(sizeof(signals) / sizeof(signals[0])))

/* Every fifth process is killed by a signal, the others exit with codes from 0 to 255. */
static int wanted_signal(int number)
{
	return number % 5 == 4 ? signals[number / 5 % SIGNAL_COUNT] : 0;
}

static int wanted_code(int number)
{
	return number % 256;
}

static void end_as_wanted(int number)
{
	const struct rlimit no_core = {0, 0};

	if (!wanted_signal(number))
		_exit(wanted_code(number));
	setrlimit(RLIMIT_CORE, &no_core);
	signal(wanted_signal(number), SIG_DFL);
	kill(getpid(), wanted_signal(number));
	/* Another thread may be the one to take the signal. */
	for (;;)
		pause();
}

static void exec_self(const char *what, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	execl(SELF, "short_lived", what, text, (char *)NULL);
	_exit(127);
}

static void *end_in_thread(void *argument)
{
	int number = *(int *)argument;
	char state = 0;

	/* Until the main thread is a zombie: only then is this the case that it is meant to be. */
	while (state != 'Z') {
		char line[256];
		FILE *stat = fopen("/proc/self/stat", "r");

		if (!stat)
			_exit(127);
		if (!fgets(line, sizeof(line), stat) ||
		    sscanf(strrchr(line, ')') + 1, " %c", &state) != 1)
			_exit(127);
		fclose(stat);
	}
	end_as_wanted(number);
	return NULL;
}

static void *exec_in_thread(void *argument)
{
	exec_self("end", *(int *)argument);
	return NULL;
}

static void run_in_thread(void *(*run)(void *), int number)
{
	static int shared;
	pthread_t thread;

	shared = number;
	if (pthread_create(&thread, NULL, run, &shared))
		_exit(127);
	if (run == end_in_thread) {
		/* Only this thread; pthread_exit would do as well. */
		syscall(SYS_exit, 0);
	}
	pthread_join(thread, NULL);
	_exit(127);
}

/* What a process does that was started as "short_lived WHAT NUMBER". */
static int run_child(const char *what, int number)
{
	if (!strcmp(what, "end"))
		end_as_wanted(number);
	if (!strcmp(what, "leader-first"))
		run_in_thread(end_in_thread, number);
	if (!strcmp(what, "thread-exec"))
		run_in_thread(exec_in_thread, number);
	if (!strcmp(what, "twice"))
		exec_self("end", number);
	return 127;
}

static pid_t start(enum kind kind, int number)
{
	pid_t pid;

	if (kind == KIND_SPAWN) {
		char text[16];
		char *const arguments[] = {"short_lived", "end", text, NULL};

		snprintf(text, sizeof(text), "%d", number);
		return posix_spawn(&pid, SELF, NULL, NULL, arguments, environ) ? -1 : pid;
	}
	pid = fork();
	if (pid)
		return pid;
	if (kind == KIND_FORK)
		end_as_wanted(number);
	exec_self(kind == KIND_EXEC ? "end" : kind_names[kind], number);
	return -1;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[argc - 1]) : 500;

	if (argc == 3)
		return run_child(argv[1], count);
	if (count < 1 || count > MAX_COUNT) {
		fprintf(stderr, "short_lived: from 1 to %d processes\n", MAX_COUNT);
		return 2;
	}
	printf("[");
	for (int i = 0; i < count; i++) {
		enum kind kind = i / 2 % KIND_COUNT;
		int status;
		pid_t pid;

		/* What a forked child would print a second time. */
		fflush(stdout);
		pid = start(kind, i);
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			fprintf(stderr, "short_lived: process %d: %s\n", i, strerror(errno));
			return 1;
		}
		printf("%s{\"pid\": %d, \"kind\": \"%s\", \"argument\": \"%d\", ", i ? ",\n" : "",
		       pid, kind_names[kind], i);
		if (WIFSIGNALED(status))
			printf("\"signal\": %d}", WTERMSIG(status));
		else
			printf("\"code\": %d}", WEXITSTATUS(status));
		if (WIFSIGNALED(status)
			    ? WTERMSIG(status) != wanted_signal(i)
			    : wanted_signal(i) || WEXITSTATUS(status) != wanted_code(i)) {
			fprintf(stderr, "short_lived: process %d did not end as meant\n", i);
			return 1;
		}
	}
	printf("]\n");
	return 0;
}
