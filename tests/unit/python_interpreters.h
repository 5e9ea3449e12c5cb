/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPython interpreters of this machine, for tests that ask them: python3.N and python3 of PATH,
 * pyenv's versions, /usr/bin/python3, those that tests/pythons/fetch.sh has fetched, and those that
 * $PIPESCOPE_TEST_PYTHONS names (colons between). */
#ifndef TESTS_PYTHON_INTERPRETERS_H
#define TESTS_PYTHON_INTERPRETERS_H

#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_MINOR	 8
#define LAST_MINOR	 14
#define MAX_INTERPRETERS 32

struct interpreter {
	int minor; /* of 3.minor */
	char command[PATH_MAX]; /* how it is started */
	char identity[PATH_MAX]; /* its executable and library, to know it again */
};

static struct interpreter interpreters[MAX_INTERPRETERS];
static int interpreter_count;

/* Asks a command what it is; what is no CPython 3.8+ with the GIL is left out, silently. */
static void consider(const char *command)
{
	static const char script[] =
		"import sys,os;"
		"gil=getattr(sys,'_is_gil_enabled',lambda:True)();"
		"print(sys.version_info[1] if sys.implementation.name=='cpython' and gil else 0,"
		"os.path.realpath(sys.executable)+':'+sys.version.split()[0])";
	struct interpreter *found = &interpreters[interpreter_count];
	char line[PATH_MAX + 16], shell[PATH_MAX + 512];
	int end = 0;
	FILE *pipe;

	if (interpreter_count == MAX_INTERPRETERS)
		return;
	snprintf(shell, sizeof(shell), "exec %s -c \"%s\" 2>/dev/null", command, script);
	pipe = popen(shell, "r");
	if (!pipe)
		return;
	if (!fgets(line, sizeof(line), pipe))
		line[0] = '\0';
	if (pclose(pipe) || sscanf(line, "%d %n", &found->minor, &end) != 1 || !end)
		return;
	if (found->minor < FIRST_MINOR || found->minor > LAST_MINOR)
		return;
	line[strcspn(line, "\n")] = '\0';
	snprintf(found->identity, sizeof(found->identity), "%s", line + end);
	snprintf(found->command, sizeof(found->command), "%s", command);
	for (int i = 0; i < interpreter_count; i++)
		if (!strcmp(interpreters[i].identity, found->identity))
			return;
	interpreter_count++;
}

static void consider_pyenv(void)
{
	const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
	char pattern[PATH_MAX];
	glob_t found;

	if (root)
		snprintf(pattern, sizeof(pattern), "%s/versions/*/bin/python3", root);
	else
		snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/*/bin/python3",
			 home ? home : "");
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		consider(found.gl_pathv[i]);
	globfree(&found);
}

/* What tests/pythons/fetch.sh has fetched. */
static void consider_fetched(void)
{
	const char *cache = getenv("PIPESCOPE_PYTHON_CACHE");
	char pattern[PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/sid-3.*/bin/python3.*",
		 cache ? cache : ".output/pythons");
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		consider(found.gl_pathv[i]);
	globfree(&found);
}

static void find_interpreters(void)
{
	const char *more = getenv("PIPESCOPE_TEST_PYTHONS");
	char name[32], *list, *rest;

	consider("python3");
	for (int minor = FIRST_MINOR; minor <= LAST_MINOR; minor++) {
		snprintf(name, sizeof(name), "python3.%d", minor);
		consider(name);
	}
	consider("/usr/bin/python3");
	consider_pyenv();
	consider_fetched();
	list = rest = strdup(more ? more : "");
	while (rest && *rest)
		consider(strsep(&rest, ":"));
	free(list);
}

/* The next interpreter of a minor version behind index `after` (-1: the first), or -1. */
static inline int next_interpreter(int minor, int after)
{
	for (int i = after + 1; i < interpreter_count; i++)
		if (interpreters[i].minor == minor)
			return i;
	return -1;
}

/* The path of a script beside the test's source, which the compiler knew relative to the folder
 * that make and the tests run in. */
static inline void script_path(const char *source, const char *name, char *ret_path, size_t size)
{
	const char *slash = strrchr(source, '/');

	snprintf(ret_path, size, "%.*s/%s", slash ? (int)(slash - source) : 1, slash ? source : ".",
		 name);
}

#endif
