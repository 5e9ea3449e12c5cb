// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols unwind base
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/inlines.h"

/* Put into two functions, and used nowhere else. */
static inline __attribute__((always_inline)) int inlines_test_small(volatile int *value)
{
	return *value + 1;
}

static __attribute__((noinline, noclone)) int inlines_test_first(volatile int *value)
{
	return inlines_test_small(value) * 2;
}

static __attribute__((noinline, noclone)) int inlines_test_second(volatile int *value)
{
	return inlines_test_small(value) * 3;
}

struct found {
	uint64_t places, others;
};

static bool wants(void *context, const char *name)
{
	(void)context;
	return !strncmp(name, "inlines_test_", 13);
}

static int take(void *context, const char *name, uint64_t places)
{
	struct found *found = context;

	if (!strcmp(name, "inlines_test_small"))
		found->places += places;
	else
		found->others += places;
	return 0;
}

static void places_are_counted(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	volatile int value = 20;
	struct found found = {0};

	(void)state;
	assert_int_equal(inlines_test_first(&value) + inlines_test_second(&value), 105);
	assert_true(fd >= 0);
	assert_int_equal(inlines__find(fd, wants, take, &found), 0);
	assert_int_equal(found.places, 2);
	assert_int_equal(found.others, 0);
	close(fd);
}

static int refuse(void *context, const char *name, uint64_t places)
{
	(void)context, (void)name, (void)places;
	return -ENOSPC;
}

static void who_takes_may_end_it(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(inlines__find(fd, wants, refuse, NULL), -ENOSPC);
	close(fd);
}

static void a_text_has_none(void **state)
{
	int fd = memfd_create("inlines", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_int_equal(inlines__find(fd, wants, take, NULL), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_counted),
		cmocka_unit_test(who_takes_may_end_it),
		cmocka_unit_test(a_text_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
