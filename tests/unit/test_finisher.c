// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture symbols unwind base
/* The thread that finds source lines: everything asked is answered or counted, and memory and
 * waiting are bounded. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/finisher.h"

enum { MANY = 10000, MOST_WAITING = 65536 };

static __attribute__((noinline)) int known_function(int a)
{
	return a * 5;
}

extern const char __executable_start[];

static int open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static uint64_t known_address(void)
{
	return (uint64_t)((const char *)(uintptr_t)known_function - __executable_start);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Takes all there is; returns how many were known_function. */
static size_t take_all(struct finisher *finisher, bool *seen)
{
	struct finished *found = finisher__take(finisher), *next;
	size_t known = 0;

	for (; found; found = next) {
		next = found->next;
		assert_false(seen[found->frame]);
		seen[found->frame] = true;
		if (found->count == 1 && !strcmp(found->chain[0].name, "known_function") &&
		    *(int64_t *)found->context == found->frame)
			known++;
		free(found->context);
		free(found);
	}
	return known;
}

static int ask(struct finisher *finisher, int file, int64_t frame)
{
	int64_t *context = malloc(sizeof(*context));

	assert_non_null(context);
	*context = frame;
	return finisher__ask(finisher, file, frame, known_address(), context);
}

static void test_all_answered(void **state)
{
	static bool seen[MANY];
	struct finisher *finisher;
	int file;

	(void)state;
	assert_int_equal(known_function(1), 5);
	assert_int_equal(finisher__new(&finisher), 0);
	file = finisher__add_file(finisher, open_self(), NULL, 0);
	assert_int_equal(file, 0);
	for (int64_t i = 0; i < MANY; i++)
		assert_int_equal(ask(finisher, file, i), 0);
	assert_int_equal(finisher__waiting(finisher), MANY);
	finisher__finish(finisher, 60000, -1);
	assert_int_equal(finisher__waiting(finisher), 0);
	assert_int_equal(finisher__given_up(finisher), 0);
	assert_int_equal(take_all(finisher, seen), MANY);
	assert_null(finisher__take(finisher));
	assert_true(finisher__cpu_ns(finisher) > 0);
	assert_true(finisher__may_know(finisher, file));
	finisher__free(finisher);
	finisher__free(NULL);
}

/* While the recording goes on answers come by themselves, but not at once. */
static void test_in_time(void **state)
{
	static bool seen[2];
	struct finisher *finisher;
	double end = seconds() + 30;
	size_t known = 0;

	(void)state;
	assert_int_equal(finisher__new(&finisher), 0);
	assert_int_equal(finisher__add_file(finisher, open_self(), NULL, 0), 0);
	assert_int_equal(ask(finisher, 0, 0), 0);
	assert_int_equal(ask(finisher, 0, 1), 0);
	assert_null(finisher__take(finisher));
	while (known < 2 && seconds() < end) {
		usleep(20000);
		known += take_all(finisher, seen);
	}
	assert_int_equal(known, 2);
	finisher__free(finisher);
}

/* Of a file that nobody asks for any more all is answered, then its place is another file's: more
 * files than places, and no descriptor is left behind. */
static void test_forgotten(void **state)
{
	static bool seen[2 * FINISHER_MAX_FILES];
	struct finisher *finisher;
	double end = seconds() + 60;
	size_t known = 0;
	int file = 0;

	(void)state;
	assert_int_equal(finisher__new(&finisher), 0);
	for (int64_t i = 0; i < 2 * FINISHER_MAX_FILES && file >= 0; i++) {
		file = finisher__add_file(finisher, open_self(), NULL, 0);
		while (file == -EMFILE && seconds() < end) {
			usleep(20000);
			known += take_all(finisher, seen);
			file = finisher__add_file(finisher, open_self(), NULL, 0);
		}
		assert_in_range(file, 0, FINISHER_MAX_FILES - 1);
		if (i % 64 == 0)
			assert_int_equal(ask(finisher, file, i), 0);
		finisher__forget_file(finisher, file);
	}
	finisher__finish(finisher, 60000, -1);
	known += take_all(finisher, seen);
	assert_int_equal(known, 2 * FINISHER_MAX_FILES / 64);
	assert_int_equal(finisher__given_up(finisher), 0);
	finisher__free(finisher);
}

static void test_nothing_known(void **state)
{
	struct finisher *finisher;

	(void)state;
	unsetenv("DEBUGINFOD_URLS");
	assert_int_equal(finisher__new(&finisher), 0);
	assert_int_equal(finisher__add_file(finisher, -1, (const uint8_t *)"id", 2), -ENOENT);
	assert_int_equal(finisher__add_file(finisher, open("/dev/null", O_RDONLY), NULL, 0), 0);
	for (int64_t i = 0; i < 10; i++)
		assert_int_equal(ask(finisher, 0, i), 0);
	finisher__finish(finisher, 60000, -1);
	assert_int_equal(finisher__given_up(finisher), 10);
	assert_int_equal(finisher__waiting(finisher), 0);
	assert_false(finisher__may_know(finisher, 0));
	assert_int_equal(finisher__add_file(finisher, open_self(), NULL, 0), -EMFILE);
	finisher__free(finisher);
}

/* A server that nobody is at costs no more than its answer. */
static void test_servers(void **state)
{
	struct finisher *finisher;
	double start = seconds();
	char cache[] = "/tmp/test_finisher.XXXXXX", command[64];

	(void)state;
	assert_non_null(mkdtemp(cache));
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	setenv("DEBUGINFOD_URLS", "http://127.0.0.1:1", 1);
	assert_int_equal(finisher__new(&finisher), 0);
	assert_int_equal(finisher__add_file(finisher, -1, NULL, 0), -ENOENT);
	assert_int_equal(finisher__add_file(finisher, -1, (const uint8_t *)"no build id", 11), 0);
	assert_int_equal(ask(finisher, 0, 1), 0);
	finisher__finish(finisher, 60000, -1);
	assert_int_equal(finisher__given_up(finisher), 1);
	assert_false(finisher__may_know(finisher, 0));
	assert_true(seconds() - start < 30);
	finisher__free(finisher);
	unsetenv("DEBUGINFOD_URLS");
	snprintf(command, sizeof(command), "rm -r %s", cache);
	assert_int_equal(system(command), 0);
}

static void test_bounds(void **state)
{
	struct finisher *finisher;
	int64_t asked = 0;
	double start;
	int fds[2];

	(void)state;
	assert_int_equal(finisher__new(&finisher), 0);
	for (int i = 0; i < FINISHER_MAX_FILES; i++)
		assert_int_equal(finisher__add_file(finisher, open_self(), NULL, 0), i);
	assert_int_equal(finisher__add_file(finisher, open_self(), NULL, 0), -EMFILE);
	/* Nobody takes the answers. */
	while (asked <= MOST_WAITING && !ask(finisher, (int)(asked % FINISHER_MAX_FILES), asked))
		asked++;
	assert_int_equal(asked, MOST_WAITING);
	/* The user says that it is enough. */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	start = seconds();
	finisher__finish(finisher, 60000, fds[0]);
	assert_true(seconds() - start < 5);
	assert_true(finisher__waiting(finisher) > 0);
	finisher__free(finisher);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_answered), cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_forgotten),    cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_servers),	     cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
