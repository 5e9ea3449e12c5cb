// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/breakpoint_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "capture/line_jail.h"

#define TYPE_PATH    "/sys/bus/event_source/devices/uprobe/type"
#define PLACES_MOST  65536
#define FILES_MOST   4096
#define LOOK_NS	     10000000 /* whether the recorder is there still */
#define GUARD_SOCKET 3 /* the only descriptor of the guard at first */
#define OWN_FILES    8 /* descriptors of the guard that are of no file with breakpoints */

/* What is sent; with the first place of a file a descriptor of it, by which the file is found when
 * those have ended who mapped it. */
struct place {
	uint64_t offset; /* UINT64_MAX: all is well, the end */
	uint64_t file;
};

/* The key: whatever path a file is found by. */
struct key {
	uint64_t device, inode, offset; /* UINT64_MAX: the file itself */
};

struct noted {
	struct key key;
	uint64_t file;
	UT_hash_handle hh;
};

struct breakpoint_guard {
	int socket;
	pid_t pid;
	struct noted *noted;
	uint64_t files, files_most;
	bool warned;
};

/* --- the process */

/* The kernel puts back the instruction that it copied when it set the first breakpoint at a place
 * in any process, of which nothing is left; a new one copies it only where some process that it is
 * for maps the file. Without a copy the kernel writes zeros into the code of those who have a
 * breakpoint left. */
static void sweep(const char *path, uint64_t offset, int type)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct perf_event_attr attr = {
		.type = (uint32_t)type,
		.size = sizeof(attr),
		.config1 = (uintptr_t)path,
		.config2 = offset,
	};
	_cleanup_close_ int file = open(path, O_RDONLY | O_CLOEXEC);
	char code;
	void *mapped;
	long fd;

	if (file < 0 || pread(file, &code, 1, (off_t)offset) != 1)
		return;
	mapped = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, file, (off_t)(offset & ~(page - 1)));
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

/* Without malloc: another thread may have held its lock when the recorder forked. */
static struct places {
	struct place items[PLACES_MOST];
	size_t count;
	int files[FILES_MOST]; /* 0: none came */
} places;

static void take_away(pid_t recorder)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	int type = read_type();
	char path[64];

	/* What its end closes is done by then. */
	while (getppid() == recorder)
		nanosleep(&look, NULL);
	for (size_t i = 0; i < places.count && type >= 0; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 places.files[places.items[i].file]);
		sweep(path, places.items[i].offset, type);
	}
}

/* *ret_file: -1: none came with it. */
static bool hear(struct place *place, int *ret_file)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = place, .iov_len = sizeof(*place)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;

	if (TEMP_FAILURE_RETRY(recvmsg(GUARD_SOCKET, &message, MSG_CMSG_CLOEXEC)) != sizeof(*place))
		return false;
	header = CMSG_FIRSTHDR(&message);
	*ret_file = -1;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_file, CMSG_DATA(header), sizeof(*ret_file));
	return true;
}

/* The recorder keeps to the limits. */
static void keep(const struct place *place, int file)
{
	if (place->file >= FILES_MOST || places.count == PLACES_MOST)
		return;
	if (file >= 0)
		places.files[place->file] = file;
	if (places.files[place->file])
		places.items[places.count++] = *place;
}

static _Noreturn void guard(int from, pid_t recorder, const struct rlimit *files)
{
	struct place place;
	bool well = false;
	int file;

	/* What ends the recorder, its whole group or what is at its terminal must not end this. */
	setsid();
	signal(SIGQUIT, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (dup2(from, GUARD_SOCKET) < 0)
		_exit(1);
	line_jail__close_from(GUARD_SOCKET + 1);
	setrlimit(RLIMIT_NOFILE, files);
	prctl(PR_SET_NAME, "pipescope-guard");
	send(GUARD_SOCKET, "", 1, MSG_NOSIGNAL); /* apart from the recorder now */
	while (!well && hear(&place, &file)) {
		well = place.offset == UINT64_MAX;
		if (!well)
			keep(&place, file);
	}
	if (!well)
		take_away(recorder);
	_exit(0);
}

/* --- the recorder's side */

int breakpoint_guard__start(struct breakpoint_guard **ret_guard)
{
	struct breakpoint_guard *started = calloc(1, sizeof(*started));
	pid_t recorder = getpid();
	int pair[2], err = 0;
	struct rlimit files;
	char ready;

	if (!started)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		free(started);
		return err;
	}
	if (getrlimit(RLIMIT_NOFILE, &files))
		files = (struct rlimit){OWN_FILES, OWN_FILES};
	if (files.rlim_max > FILES_MOST + OWN_FILES)
		files.rlim_max = FILES_MOST + OWN_FILES;
	files.rlim_cur = files.rlim_max;
	started->files_most = files.rlim_max > OWN_FILES ? files.rlim_max - OWN_FILES : 0;
	started->pid = fork();
	if (!started->pid)
		guard(pair[1], recorder, &files);
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

/* file: -1: none is sent with it. */
static int tell(const struct breakpoint_guard *guard, const struct place *place, int file)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)place, .iov_len = sizeof(*place)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (file >= 0) {
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	return TEMP_FAILURE_RETRY(sendmsg(guard->socket, &message, MSG_NOSIGNAL)) < 0 ? -errno : 0;
}

static void warn(struct breakpoint_guard *guard, const char *why)
{
	if (!guard->warned)
		log__warning(
			"some breakpoints have no guard: %s; after kill -9 they may stay "
			"until others count the same functions",
			why);
	guard->warned = true;
}

static struct noted *find(const struct breakpoint_guard *guard, const struct key *key)
{
	struct noted *noted;

	HASH_FIND(hh, guard->noted, key, sizeof(*key), noted);
	return noted;
}

static int add(struct breakpoint_guard *guard, const struct key *key, uint64_t file)
{
	struct noted *noted = calloc(1, sizeof(*noted));

	if (!noted)
		return -ENOMEM;
	noted->key = *key;
	noted->file = file;
	HASH_ADD(hh, guard->noted, key, sizeof(noted->key), noted);
	if (noted->hh.tbl)
		return 0;
	free(noted);
	return -ENOMEM;
}

/* One that has no guard is set all the same. */
static int note(struct breakpoint_guard *guard, int file, const struct key *key)
{
	const struct key whole = {key->device, key->inode, UINT64_MAX};
	const struct noted *known = find(guard, &whole);
	struct place place = {key->offset, known ? known->file : guard->files};
	int err = 0;

	if (HASH_COUNT(guard->noted) >= PLACES_MOST ||
	    (!known && guard->files == guard->files_most)) {
		warn(guard, "too many places");
		return 0;
	}
	err = tell(guard, &place, known ? -1 : file);
	if (err) {
		warn(guard, strerror(-err));
		return 0;
	}
	if (!known) {
		err = add(guard, &whole, guard->files);
		guard->files++;
	}
	return err ?: add(guard, key, place.file);
}

int breakpoint_guard__note(struct breakpoint_guard *guard, const char *path,
			   const uint64_t *offsets, size_t count)
{
	/* Not opened, for it may be on a server that does not answer. */
	_cleanup_close_ int file = open(path, O_PATH | O_CLOEXEC);
	struct stat status;
	int err = 0;

	if (file < 0 || fstat(file, &status)) {
		/* Whose process has ended gets none. */
		if (errno != ENOENT && errno != ESRCH)
			warn(guard, strerror(errno));
		return 0;
	}
	for (size_t i = 0; i < count && !err; i++) {
		const struct key key = {status.st_dev, status.st_ino, offsets[i]};

		if (!find(guard, &key))
			err = note(guard, file, &key);
	}
	return err;
}

void breakpoint_guard__free(struct breakpoint_guard *guard)
{
	const struct place end = {.offset = UINT64_MAX};
	struct noted *one, *next;

	if (!guard)
		return;
	tell(guard, &end, -1);
	close(guard->socket);
	waitpid(guard->pid, NULL, 0);
	HASH_ITER (hh, guard->noted, one, next) {
		HASH_DEL(guard->noted, one);
		free(one);
	}
	free(guard);
}
