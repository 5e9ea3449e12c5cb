// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"
#include "base/memory.h"
#include "proc/facts.h"

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false

/* One that never grows a block in its place, as it may: what was in it stays behind. */
void *realloc(void *old, size_t size)
{
	size_t old_size = old ? malloc_usable_size(old) : 0;
	void *grown = malloc(size);

	if (grown && old)
		memcpy(grown, old, old_size < size ? old_size : size);
	if (grown)
		free(old);
	return grown;
}
#endif

/* The secret is never written out in this process: it must be found nowhere in it. */
#define SECRET_SIZE 32
#define HIDDEN	    0x5a

static void make_secret(char *text, char hidden)
{
	for (int i = 0; i < SECRET_SIZE; i++)
		text[i] = (char)(('A' + (7 * i) % 26) ^ hidden);
}

/* A process that sleeps, with these arguments and this environment. */
static pid_t start(char **arguments, char **environment)
{
	char path[64], comm[32] = "";
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execve("/bin/sleep", arguments, environment);
		_exit(127);
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	for (int i = 0; i < 10000 && strcmp(comm, "sleep\n"); i++) {
		_cleanup_fclose_ FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_non_null(fgets(comm, sizeof(comm), file));
		usleep(1000);
	}
	assert_string_equal(comm, "sleep\n");
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void arguments_and_their_limit(void **state)
{
	static const char expected[] =
		"nap\0"
		"600\0"
		"0\0";
	char *arguments[] = {(char *)"nap", (char *)"600", (char *)"0", NULL}, *none[] = {NULL};
	pid_t pid = start(arguments, none);
	char *text = NULL;
	size_t size;

	(void)state;
	assert_int_equal(facts__arguments(pid, 4096, &text, &size), 0);
	assert_int_equal(size, sizeof(expected) - 1);
	assert_memory_equal(text, expected, size);
	free(text);
	assert_int_equal(facts__arguments(pid, 5, &text, &size), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(text, expected, 5);
	free(text);
	stop(pid);
}

static void chosen_variables_only(void **state)
{
	static const char *const names[] = {"PS_ONE", "PS_TWO", "PS_EMPTY", "PS_NONE"};
	static const char expected[] =
		"PS_ONE=1\0"
		"PS_EMPTY=\0"
		"PS_TWO=a=b\0"
		"PS_ONE=again\0";
	char *arguments[] = {(char *)"sleep", (char *)"600", NULL};
	char *environment[] = {(char *)"PS_ONE=1",   (char *)"PS_ONES=2",    (char *)"PS_ON=3",
			       (char *)"NOPS_ONE=4", (char *)"PS_EMPTY=",    (char *)"PS_TWO=a=b",
			       (char *)"PS_NONE",    (char *)"=x",	     (char *)"",
			       (char *)"ps_one=5",   (char *)"PS_ONE=again", NULL};
	pid_t pid = start(arguments, environment);
	char *text = NULL;
	size_t size;

	(void)state;
	assert_int_equal(facts__environment(pid, names, 4, &text, &size), 0);
	assert_int_equal(size, sizeof(expected) - 1);
	assert_memory_equal(text, expected, size);
	free(text);
	assert_int_equal(facts__environment(pid, names, 0, &text, &size), 0);
	assert_int_equal(size, 0);
	free(text);
	stop(pid);
}

/* Looks for the secret in all memory that this process can read. */
static bool is_secret_here(void)
{
	struct process_memory self = process_memory__of(getpid());
	char hidden[SECRET_SIZE], line[512];
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	static char bytes[65536];
	unsigned long from, to;

	assert_non_null(maps);
	make_secret(hidden, HIDDEN);
	while (fgets(line, sizeof(line), maps)) {
		/* Parts of SECRET_SIZE - 1 bytes are looked at twice. */
		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 || !strstr(line, " rw"))
			continue;
		for (; from + SECRET_SIZE <= to; from += sizeof(bytes) - SECRET_SIZE) {
			size_t size = to - from < sizeof(bytes) ? to - from : sizeof(bytes);

			/* The copy would find itself. */
			if (from < (uintptr_t)bytes + sizeof(bytes) &&
			    (uintptr_t)bytes < from + size)
				continue;
			if (memory__read(&self.memory, from, bytes, size))
				continue;
			for (size_t at = 0; at + SECRET_SIZE <= size; at++) {
				int same = 0;

				while (same < SECRET_SIZE &&
				       (bytes[at + (size_t)same] ^ HIDDEN) == hidden[same])
					same++;
				if (same == SECRET_SIZE)
					return true;
			}
		}
	}
	return false;
}

/* Starts a process whose environment, of about `size` bytes, has the secret at its start, in its
 * middle and at its end; none of which this process ever holds. */
static pid_t start_with_secrets(size_t size)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		char *arguments[] = {(char *)"sleep", (char *)"600", NULL};
		char *environment[6], *filling = malloc(size / 2 + 16);
		char secret[SECRET_SIZE + 16];

		if (!filling)
			_exit(127);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(filling, 16, "FILLING=");
		memset(filling + 8, 'f', size / 2);
		filling[8 + size / 2] = '\0';
		snprintf(secret, sizeof(secret), "PASSWORD=");
		make_secret(secret + 9, 0);
		secret[9 + SECRET_SIZE] = '\0';
		/* free() writes over the start of a block. */
		environment[0] = (char *)"LEADING=012345678901234567890123456789012345678901234567";
		environment[1] = environment[3] = secret;
		environment[2] = filling;
		environment[4] = (char *)"PS_ONE=1";
		environment[5] = NULL;
		execve("/bin/sleep", arguments, environment);
		_exit(127);
	}
	close(ends[1]); /* the other one closes at the exec */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	return pid;
}

static void nothing_else_is_kept(void **state)
{
	static const size_t sizes[] = {100, 3000, 5000, 20000, 100000};
	static const char *const names[] = {"PS_ONE"}, *const secret[] = {"PASSWORD"};

	(void)state;
	if (SANITIZED) {
		print_message("SKIP: AddressSanitizer maps too much memory to look through\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pid_t pid = start_with_secrets(sizes[i]);
		char *text = NULL;
		size_t size;

		assert_false(is_secret_here());
		assert_int_equal(facts__environment(pid, names, 1, &text, &size), 0);
		assert_int_equal(size, 9);
		assert_memory_equal(text, "PS_ONE=1", 9);
		if (is_secret_here()) {
			print_message("found after an environment of %zu bytes\n", sizes[i]);
			fail();
		}
		free(text);
		/* It is found when it is there. */
		assert_int_equal(facts__environment(pid, secret, 1, &text, &size), 0);
		assert_int_equal(size, 2 * (9 + SECRET_SIZE + 1));
		assert_true(is_secret_here());
		explicit_bzero(text, size);
		free(text);
		stop(pid);
	}
}

static void control_group(void **state)
{
	_cleanup_free_ char *file = NULL, *path = NULL;
	char line[4200];

	(void)state;
	assert_int_equal(facts__cgroup(getpid(), &path), 0);
	assert_int_equal(path[0], '/');
	assert_null(strchr(path, '\n'));
	/* It is one of those that the kernel tells. */
	assert_int_equal(file__read("/proc/self/cgroup", 65536, &file, NULL), 0);
	snprintf(line, sizeof(line), ":%s\n", path);
	assert_non_null(strstr(file, line));
}

static void names_and_memory(void **state)
{
	static char pages[32 << 20];
	uint64_t before = 0, after = 0, kernel = 17;
	char comm[16], kthread[16];

	(void)state;
	facts__comm(getpid(), comm, sizeof(comm));
	assert_string_equal(comm, "test_facts");
	facts__comm(getpid(), comm, 5);
	assert_string_equal(comm, "test");

	assert_int_equal(facts__max_rss(getpid(), &before), 0);
	memset(pages, 1, sizeof(pages));
	assert_int_equal(facts__max_rss(getpid(), &after), 0);
	assert_true(after >= before + sizeof(pages) / 2);
	assert_true(after < before + 2 * sizeof(pages));
	assert_int_equal(after % 1024, 0);

	facts__comm(2, kthread, sizeof(kthread));
	if (!strcmp(kthread, "kthreadd")) { /* no namespace of processes */
		char *text = NULL;
		size_t size;

		assert_int_equal(facts__max_rss(2, &kernel), -ENODATA);
		assert_int_equal(kernel, 17);
		assert_int_equal(facts__arguments(2, 4096, &text, &size), 0);
		assert_int_equal(size, 0);
		free(text);
	}
}

static void expect_gone(pid_t pid)
{
	static const char *const names[] = {"PATH"};
	char *text = (char *)"untouched", comm[32];
	size_t size = 17;
	uint64_t bytes = 17;

	assert_int_equal(facts__arguments(pid, 4096, &text, &size), -ESRCH);
	assert_int_equal(facts__environment(pid, names, 1, &text, &size), -ESRCH);
	assert_int_equal(facts__cgroup(pid, &text), -ESRCH);
	assert_int_equal(facts__max_rss(pid, &bytes), -ESRCH);
	facts__comm(pid, comm, sizeof(comm));
	assert_string_equal(comm, "[unknown]");
	assert_string_equal(text, "untouched");
	assert_int_equal(size, 17);
	assert_int_equal(bytes, 17);
}

static void gone_processes(void **state)
{
	char *arguments[] = {(char *)"sleep", (char *)"600", NULL}, *none[] = {NULL};
	pid_t pid = start(arguments, none);

	(void)state;
	stop(pid);
	expect_gone(pid);
	expect_gone(0);
	expect_gone(-1);
}

/* Ended, but not waited for: it has a name still, and no memory. */
static void zombies(void **state)
{
	char *text = NULL, comm[16];
	uint64_t bytes = 17;
	siginfo_t info;
	size_t size;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	facts__comm(pid, comm, sizeof(comm));
	assert_string_equal(comm, "test_facts");
	assert_int_equal(facts__max_rss(pid, &bytes), -ENODATA);
	assert_int_equal(bytes, 17);
	assert_int_equal(facts__arguments(pid, 4096, &text, &size), 0);
	assert_int_equal(size, 0);
	free(text);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_and_their_limit),
		cmocka_unit_test(chosen_variables_only),
		cmocka_unit_test(nothing_else_is_kept),
		cmocka_unit_test(control_group),
		cmocka_unit_test(names_and_memory),
		cmocka_unit_test(gone_processes),
		cmocka_unit_test(zombies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
