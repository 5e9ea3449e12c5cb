// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/breakpoint_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "capture/line_jail.h"

#define TYPE_PATH    "/sys/bus/event_source/devices/uprobe/type"
#define PLACES_MOST  65536
#define LOOK_NS	     10000000 /* whether the recorder is there still */
#define GUARD_SOCKET 3 /* the only descriptor of the guard */

/* Also what is sent; offset UINT64_MAX: all is well, the end. */
struct place {
	uint64_t offset;
	char path[PATH_MAX];
};

struct breakpoint_guard {
	int socket;
	pid_t pid;
	struct {
		uint64_t path; /* its hash */
		uint64_t offset;
	} * noted;
	size_t count, capacity;
};

/* --- the process */

/* The kernel puts back the instruction that it copied when it set the first breakpoint at a place
 * in any process, of which nothing is left; a new one copies it only where some process that it is
 * for maps the file. Without a copy the kernel writes zeros into the code of those who have a
 * breakpoint left. */
static void sweep(const struct place *place, int type)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct perf_event_attr attr = {
		.type = (uint32_t)type,
		.size = sizeof(attr),
		.config1 = (uintptr_t)place->path,
		.config2 = place->offset,
	};
	_cleanup_close_ int file = open(place->path, O_RDONLY | O_CLOEXEC);
	char code;
	void *mapped;
	long fd;

	if (file < 0 || pread(file, &code, 1, (off_t)place->offset) != 1)
		return;
	mapped = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, file, (off_t)(place->offset & ~(page - 1)));
	if (mapped == MAP_FAILED)
		return;
	/* In this process alone. */
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close((int)fd);
	munmap(mapped, 1);
}

static int read_type(void)
{
	FILE *file = fopen(TYPE_PATH, "re");
	int type = -1;

	if (file && fscanf(file, "%d", &type) != 1)
		type = -1;
	if (file)
		fclose(file);
	return type;
}

static void take_away(struct place *const *places, size_t count, pid_t recorder)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	int type = read_type();

	/* What its end closes is done by then. */
	while (getppid() == recorder)
		nanosleep(&look, NULL);
	for (size_t i = 0; i < count && type >= 0; i++)
		sweep(places[i], type);
}

static _Noreturn void guard(int from, pid_t recorder)
{
	static struct place place;
	struct place **places = NULL;
	size_t count = 0, capacity = 0;
	bool well = false;
	ssize_t got;

	/* What ends the recorder, its whole group or what is at its terminal must not end this. */
	setsid();
	signal(SIGQUIT, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (dup2(from, GUARD_SOCKET) < 0)
		_exit(1);
	line_jail__close_from(GUARD_SOCKET + 1);
	prctl(PR_SET_NAME, "pipescope-guard");
	send(GUARD_SOCKET, "", 1, MSG_NOSIGNAL); /* apart from the recorder now */
	while (!well && (got = recv(GUARD_SOCKET, &place, sizeof(place), 0)) > 0) {
		struct place *kept = malloc((size_t)got);

		well = place.offset == UINT64_MAX;
		if (!kept || array__reserve(&places, &capacity, sizeof(*places), count + 1))
			continue;
		places[count++] = memcpy(kept, &place, (size_t)got);
	}
	if (!well)
		take_away(places, count, recorder);
	_exit(0);
}

/* --- the recorder's side */

int breakpoint_guard__start(struct breakpoint_guard **ret_guard)
{
	struct breakpoint_guard *started = calloc(1, sizeof(*started));
	pid_t recorder = getpid();
	int pair[2], err = 0;
	char ready;

	if (!started)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		free(started);
		return err;
	}
	started->pid = fork();
	if (!started->pid)
		guard(pair[1], recorder);
	if (started->pid < 0)
		err = -errno;
	close(pair[1]);
	started->socket = pair[0];
	if (!err && TEMP_FAILURE_RETRY(recv(pair[0], &ready, 1, 0)) != 1)
		err = -ECHILD;
	if (!err) {
		*ret_guard = started;
		return 0;
	}
	if (started->pid > 0)
		waitpid(started->pid, NULL, 0);
	close(pair[0]);
	free(started);
	return err;
}

static uint64_t hash_of(const char *path)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211ULL;
	return hash;
}

static bool is_noted(const struct breakpoint_guard *guard, uint64_t path, uint64_t offset)
{
	for (size_t i = 0; i < guard->count; i++)
		if (guard->noted[i].path == path && guard->noted[i].offset == offset)
			return true;
	return false;
}

/* A guard that somebody has killed hears nothing. */
static void tell(const struct breakpoint_guard *guard, const struct place *place)
{
	send(guard->socket, place, offsetof(struct place, path) + strlen(place->path) + 1,
	     MSG_NOSIGNAL);
}

int breakpoint_guard__note(struct breakpoint_guard *guard, const char *path,
			   const uint64_t *offsets, size_t count)
{
	uint64_t hash = hash_of(path);
	struct place place = {0};

	snprintf(place.path, sizeof(place.path), "%s", path);
	for (size_t i = 0; i < count; i++) {
		if (guard->count == PLACES_MOST || is_noted(guard, hash, offsets[i]))
			continue;
		if (array__reserve(&guard->noted, &guard->capacity, sizeof(*guard->noted),
				   guard->count + 1))
			return -ENOMEM;
		place.offset = offsets[i];
		tell(guard, &place);
		guard->noted[guard->count].path = hash;
		guard->noted[guard->count++].offset = offsets[i];
	}
	return 0;
}

void breakpoint_guard__free(struct breakpoint_guard *guard)
{
	const struct place end = {.offset = UINT64_MAX};

	if (!guard)
		return;
	tell(guard, &end);
	close(guard->socket);
	waitpid(guard->pid, NULL, 0);
	free(guard->noted);
	free(guard);
}
