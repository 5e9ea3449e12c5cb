// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Which places have a guard. What it does is tested with live breakpoints (test_calls.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/breakpoint_guard.h"

enum { PLACES = 65536, AT_A_TIME = 64, PROCESSES = 2000 };

static char words[4096]; /* what was said on stderr */

static void hear(FILE *file)
{
	size_t size;

	rewind(file);
	size = fread(words, 1, sizeof(words) - 1, file);
	words[size] = '\0';
}

/* Notes the same offsets by `paths` paths of one file, then so many others. */
static void note(size_t paths, size_t others)
{
	FILE *said = tmpfile();
	int stderr_before = dup(STDERR_FILENO), err = 0;
	struct breakpoint_guard *guard = NULL;
	uint64_t offsets[AT_A_TIME];
	char path[PROCESSES + 32];

	assert_non_null(said);
	assert_int_equal(breakpoint_guard__start(&guard), 0);
	dup2(fileno(said), STDERR_FILENO);
	for (size_t i = 0; i < AT_A_TIME; i++)
		offsets[i] = i;
	for (size_t i = 0; i < paths && !err; i++) {
		memset(path, '/', i + 1);
		strcpy(path + i + 1, "proc/self/exe");
		err = breakpoint_guard__note(guard, path, offsets, AT_A_TIME);
	}
	for (size_t i = 0; i < others && !err; i += AT_A_TIME) {
		for (size_t k = 0; k < AT_A_TIME; k++)
			offsets[k] = AT_A_TIME + i + k;
		err = breakpoint_guard__note(guard, "/proc/self/exe", offsets, AT_A_TIME);
	}
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	breakpoint_guard__free(guard);
	hear(said);
	fclose(said);
	assert_int_equal(err, 0);
}

static void test_same_file_by_many_paths(void **state)
{
	(void)state;
	note(PROCESSES, PLACES - 4 * AT_A_TIME);
	assert_string_equal(words, "");
}

static void test_too_many(void **state)
{
	(void)state;
	note(1, PLACES + AT_A_TIME);
	assert_non_null(strstr(words, "too many places"));
	assert_ptr_equal(strchr(words, '\n'), words + strlen(words) - 1); /* once */
}

static void test_no_such_file(void **state)
{
	struct breakpoint_guard *guard = NULL;
	const uint64_t offset = 0;

	(void)state;
	assert_int_equal(breakpoint_guard__start(&guard), 0);
	assert_int_equal(breakpoint_guard__note(guard, "/proc/self/map_files/0-1", &offset, 1), 0);
	breakpoint_guard__free(guard);
	breakpoint_guard__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_file_by_many_paths),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_no_such_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
