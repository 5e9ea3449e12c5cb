// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/inline_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/line_jail.h"

#define TEXT_LIMIT (1u << 20) /* bytes */
#define LOWEST	   19 /* priority */

/* The reader's answers: "places name", NUL. */
struct telling {
	inlines_wanted *wanted;
	void *context;
	int results;
};

static bool ask(void *context, const char *name)
{
	const struct telling *telling = context;

	return telling->wanted(telling->context, name);
}

static int tell(void *context, const char *name, uint64_t places)
{
	const struct telling *telling = context;
	_cleanup_free_ char *text = NULL;
	int size = asprintf(&text, "%" PRIu64 " %s", places, name);
	size_t left, done = 0;

	if (size < 0) {
		text = NULL;
		return -ENOMEM;
	}
	for (left = (size_t)size + 1; left;) {
		ssize_t written = write(telling->results, text + done, left);

		if (written <= 0)
			return -EPIPE;
		done += (size_t)written;
		left -= (size_t)written;
	}
	return 0;
}

static void read_inlines(int fd, struct telling *telling)
{
	int err;

	setpriority(PRIO_PROCESS, 0, LOWEST);
	err = line_jail__enter();
	err = err ?: inlines__find(fd, ask, tell, telling);
	_exit(err && err != -ENOENT && err != -EBADMSG ? 1 : 0);
}

/* All that it says until it ends. *ret_text is malloc'ed, with a NUL behind it. */
static int listen_to(int results, int timeout_ms, char **ret_text, size_t *ret_size)
{
	uint64_t end = clock__ns(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * 1000000;
	_cleanup_free_ char *text = malloc(TEXT_LIMIT + 1);
	size_t size = 0;

	if (!text)
		return -ENOMEM;
	for (;;) {
		struct pollfd input = {.fd = results, .events = POLLIN};
		uint64_t now = clock__ns(CLOCK_MONOTONIC);
		ssize_t got;
		int ready;

		ready = now < end ? poll(&input, 1, (int)((end - now) / 1000000) + 1) : 0;
		if (!ready)
			return -ETIMEDOUT;
		if (ready < 0)
			return -errno;
		got = read(results, text + size, TEXT_LIMIT - size);
		if (got < 0)
			return -errno;
		if (!got)
			break;
		size += (size_t)got;
	}
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	text = NULL;
	return size == TEXT_LIMIT ? -EBADMSG : 0;
}

int inline_reader__find(int fd, inlines_wanted *wanted, inlines_take *take, void *context,
			int timeout_ms)
{
	struct telling telling = {.wanted = wanted, .context = context};
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int pair[2], status, err;
	pid_t pid;

	if (pipe(pair))
		return -errno;
	telling.results = pair[1];
	pid = fork();
	if (!pid)
		read_inlines(fd, &telling);
	err = pid < 0 ? -errno : 0;
	close(pair[1]);
	err = err ?: listen_to(pair[0], timeout_ms, &text, &size);
	close(pair[0]);
	if (pid > 0) {
		if (err)
			kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		if (!err && status)
			err = -EBADMSG;
	}
	for (const char *at = text; at && at < text + size && !err; at += strlen(at) + 1) {
		char *name;
		uint64_t places = strtoull(at, &name, 10);

		if (name == at || *name != ' ')
			return -EBADMSG;
		err = take(context, name + 1, places);
	}
	return err;
}
