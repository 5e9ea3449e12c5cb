// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture symbols unwind base
/* The reader of lines as a process of its own, and its jail. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/line_jail.h"
#include "capture/line_reader.h"

/* This very program: it has debug information, and its functions' addresses are known. */
enum { KNOWN_FIRST = __LINE__ + 1, KNOWN_LINE };
static __attribute__((noinline)) int known_function(int a)
{
	return a * 3;
}

extern const char __executable_start[];

struct found {
	size_t calls, known;
	int answer; /* of take */
};

static int take(void *context, size_t index, const struct line_frame *frames, size_t count)
{
	struct found *found = context;

	(void)index;
	found->calls++;
	for (size_t i = 0; i < count; i++)
		if (frames[i].name && !strcmp(frames[i].name, "known_function") && frames[i].file &&
		    strstr(frames[i].file, "test_line_reader.c") &&
		    frames[i].first_line == KNOWN_FIRST && frames[i].line >= KNOWN_FIRST &&
		    frames[i].line <= KNOWN_LINE + 1)
			found->known++;
	return found->answer;
}

static struct line_reader *reader;

static int start(void **state)
{
	(void)state;
	return line_reader__start(&reader);
}

static int stop(void **state)
{
	(void)state;
	line_reader__stop(reader);
	line_reader__stop(NULL);
	return 0;
}

static int find(struct found *found, size_t count, int cancel_fd)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	static uint64_t addresses[LINE_READER_MAX_ADDRESSES];
	struct line_cost cost;
	int err;

	for (size_t i = 0; i < count; i++)
		addresses[i] =
			(uint64_t)((const char *)(uintptr_t)known_function - __executable_start);
	err = line_reader__find(reader, fd, addresses, count, cancel_fd, take, found, &cost);
	if (!err && count)
		assert_true(cost.cpu_ns > 0 && cost.rss_bytes > 0);
	return err;
}

static void test_find(void **state)
{
	struct found found = {0};

	(void)state;
	assert_int_equal(known_function(2), 6);
	assert_int_equal(find(&found, LINE_READER_MAX_ADDRESSES, -1), 0);
	assert_int_equal(found.calls, LINE_READER_MAX_ADDRESSES);
	assert_int_equal(found.known, found.calls);
	assert_int_equal(find(&found, 0, -1), 0);
}

static void test_no_dwarf(void **state)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const uint64_t address = 5;
	struct found found = {0};
	struct line_cost cost;

	(void)state;
	assert_int_equal(line_reader__find(reader, fd, &address, 1, -1, take, &found, &cost), 0);
	assert_int_equal(found.calls, 0);
}

/* What ends a reader does not end the next one. */
static void test_ended(void **state)
{
	struct found found = {.answer = -EINTR};
	int fds[2];

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(find(&found, LINE_READER_MAX_ADDRESSES, -1), -EINTR);
	assert_int_equal(found.calls, 20);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	found = (struct found){0};
	assert_int_equal(find(&found, 10, fds[0]), -ECANCELED);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(find(&found, 10, -1), 0);
	assert_int_equal(found.known, 10);
}

/* A bit for each thing that the jail lets through. */
static int try_everything(void)
{
	char *memory = malloc(1 << 20);
	int through = 0;

	if (line_jail__enter())
		return 255;
	through |= open("/dev/null", O_RDONLY) >= 0 || errno != EPERM;
	through |= (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM) << 1;
	through |= (kill(getpid(), 0) == 0 || errno != EPERM) << 2;
	through |= (fork() >= 0 || errno != EPERM) << 3;
	through |= (execl("/bin/true", "true", NULL) == 0 || errno != EPERM) << 4;
	free(memory);
	memory = malloc(8 << 20);
	if (!memory)
		return 254;
	memset(memory, 1, 8 << 20);
	return through | (memory[5] != 1) << 5;
}

static void test_jail(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(try_everything());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_no_dwarf),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_jail),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
