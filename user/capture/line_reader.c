// SPDX-License-Identifier: GPL-2.0-or-later
/* Three processes: the recorder; the keeper, forked once and idle; a reader, forked by the keeper
 * for each call. Recorder and keeper talk by a socket of packets: a request (addresses; descriptors
 * of the file and of a pipe for the results), then, once the reader has ended, an answer with its
 * fate. Anything the recorder says in between means "kill it", and so does its end. The reader
 * writes a record per address; the recorder believes none of it. */
#include "capture/line_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "capture/line_jail.h"

#define MAX_RECORD  (4u << 20)
#define MAX_RESULTS (16u << 20) /* bytes, of one call */
#define MAX_TEXT    65536
#define PIECE	    65536
#define TIMEOUT_NS  60000000000ULL
#define LOWEST	    19

enum { FD_SOCKET = 3, FD_COUNT = 2 };

struct line_reader {
	pid_t pid;
	int socket;
};

struct request {
	uint32_t count;
	uint64_t addresses[LINE_READER_MAX_ADDRESSES];
};

struct answer {
	int32_t status;
	uint64_t cpu_ns, rss_bytes;
};

/* In front of a chain; then of each frame a head and its texts. */
struct record_head {
	uint32_t size; /* of all behind it */
	uint32_t index, count;
};

struct frame_head {
	uint32_t line, first_line, name_size, file_size; /* with their ends; 0: not known */
};

/* --- the reader */

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -EPIPE;
		bytes += done;
		size -= (size_t)done;
	}
	return 0;
}

/* With its end; 0: there is none. */
static uint32_t text_size(const char *text)
{
	return text ? (uint32_t)strnlen(text, MAX_TEXT - 1) + 1 : 0;
}

static void put_text(FILE *stream, const char *text, uint32_t size)
{
	if (size)
		fwrite(text, 1, size - 1, stream);
	if (size)
		fputc('\0', stream);
}

static int send_chain(void *context, size_t index, const struct line_frame *frames, size_t count)
{
	struct record_head head = {.index = (uint32_t)index, .count = (uint32_t)count};
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	FILE *stream = open_memstream(&bytes, &size);

	if (!stream)
		return -ENOMEM;
	fwrite(&head, sizeof(head), 1, stream);
	for (size_t i = 0; i < count; i++) {
		struct frame_head frame = {
			.line = frames[i].line,
			.first_line = frames[i].first_line,
			.name_size = text_size(frames[i].name),
			.file_size = text_size(frames[i].file),
		};

		fwrite(&frame, sizeof(frame), 1, stream);
		put_text(stream, frames[i].name, frame.name_size);
		put_text(stream, frames[i].file, frame.file_size);
	}
	if (fclose(stream))
		return -ENOMEM;
	head.size = (uint32_t)(size - sizeof(head));
	memcpy(bytes, &head, sizeof(head));
	return write_all(*(int *)context, bytes, size);
}

static void read_lines(int file, int results, const struct request *request)
{
	struct lines *lines;
	int err = line_jail__enter();

	err = err ?: lines__open(file, &lines);
	if (err == -ENOENT || err == -EBADMSG) /* no DWARF: nothing is known of any address */
		_exit(0);
	err = err ?: lines__find(lines, request->addresses, request->count, send_chain, &results);
	_exit(err ? 1 : 0);
}

/* --- the keeper */

/* False: the recorder is gone. */
static bool receive(struct request *request, int *files)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	ssize_t size;

	do {
		size = recvmsg(FD_SOCKET, &message, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size <= 0)
		return false;
	files[0] = files[1] = -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(FD_COUNT * sizeof(int)))
		memcpy(files, CMSG_DATA(header), FD_COUNT * sizeof(int));
	return true;
}

static uint64_t cpu_ns_of(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000ULL +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000ULL;
}

/* Kills the reader when the recorder says so or is gone. Without pidfd (before Linux 5.3) its limit
 * of CPU time must do. */
static struct answer wait_for(pid_t pid)
{
	struct pollfd either[] = {
		{.fd = FD_SOCKET, .events = POLLIN},
		{.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN},
	};
	struct answer answer = {.status = -1};
	struct rusage usage = {0};
	int status = -1;

	if (either[1].fd >= 0) {
		while (poll(either, 2, -1) < 0 && errno == EINTR)
			;
		if (!(either[1].revents & POLLIN))
			kill(pid, SIGKILL);
		close(either[1].fd);
	}
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	answer.status = status;
	answer.cpu_ns = cpu_ns_of(&usage);
	answer.rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return answer;
}

static void keep(void)
{
	static struct request request;
	int files[FD_COUNT];

	while (receive(&request, files)) {
		struct answer answer = {.status = -1};
		pid_t pid;

		if (files[0] < 0) /* "kill it", which has just ended by itself */
			continue;
		pid = fork();
		if (!pid) {
			close(FD_SOCKET);
			read_lines(files[0], files[1], &request);
		}
		close(files[0]);
		close(files[1]);
		if (pid > 0)
			answer = wait_for(pid);
		if (send(FD_SOCKET, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* Ctrl-C is for the recorder: the keeper ends with it. */
static void become_keeper(int socket)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "pipescope-lines");
	setpriority(PRIO_PROCESS, 0, LOWEST);
	if (socket != FD_SOCKET && dup2(socket, FD_SOCKET) < 0)
		_exit(1);
	line_jail__close_from(FD_SOCKET + 1);
	keep();
}

int line_reader__start(struct line_reader **ret)
{
	struct line_reader *reader = calloc(1, sizeof(*reader));
	int pair[2], err;

	if (!reader)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		free(reader);
		return err;
	}
	reader->socket = pair[0];
	reader->pid = fork();
	if (!reader->pid)
		become_keeper(pair[1]);
	close(pair[1]);
	if (reader->pid < 0) {
		err = -errno;
		close(pair[0]);
		free(reader);
		return err;
	}
	*ret = reader;
	return 0;
}

void line_reader__stop(struct line_reader *reader)
{
	if (!reader)
		return;
	close(reader->socket);
	while (waitpid(reader->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(reader);
}

/* --- the recorder */

struct results {
	char *buffer;
	size_t size, capacity, start, total;
	size_t count; /* addresses asked for */
	bool *seen;
	lines_take *take;
	void *context;
};

static int ask(const struct line_reader *reader, int fd, int results, const uint64_t *addresses,
	       size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
	} control = {0};
	uint32_t number = (uint32_t)count, padding = 0;
	struct iovec parts[] = {
		{.iov_base = &number, .iov_len = sizeof(number)},
		{.iov_base = &padding, .iov_len = sizeof(padding)},
		{.iov_base = (void *)(uintptr_t)addresses, .iov_len = count * sizeof(*addresses)},
	};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 3,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int files[FD_COUNT] = {fd, results};

	_Static_assert(offsetof(struct request, addresses) == 8, "number and padding");
	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS,
					  .cmsg_len = CMSG_LEN(sizeof(files))};
	memcpy(CMSG_DATA(&control.header), files, sizeof(files));
	return sendmsg(reader->socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* A text of the record, which must have its end; NULL: it has none. */
static const char *take_text(struct cursor *cursor, uint32_t size)
{
	const char *text = (const char *)cursor->at;

	if (!size)
		return NULL;
	if (size > MAX_TEXT || cursor->failed || cursor__left(cursor) < size || text[size - 1]) {
		cursor->failed = true;
		return NULL;
	}
	cursor->at += size;
	return text;
}

/* One record of which the head is known to be whole. */
static int take_record(struct results *results, const struct record_head *head, const void *bytes)
{
	struct line_frame frames[LINES_MAX_DEPTH];
	struct cursor cursor = cursor__of(bytes, head->size);

	if (head->index >= results->count || head->count > LINES_MAX_DEPTH ||
	    results->seen[head->index])
		return -EBADMSG;
	for (uint32_t i = 0; i < head->count; i++) {
		struct frame_head frame;

		cursor__bytes(&cursor, &frame, sizeof(frame));
		frames[i].name = take_text(&cursor, frame.name_size);
		frames[i].file = take_text(&cursor, frame.file_size);
		frames[i].line = frame.line;
		frames[i].first_line = frame.first_line;
		cursor.failed |= frame.line > INT32_MAX || frame.first_line > INT32_MAX;
	}
	if (cursor.failed || cursor__left(&cursor))
		return -EBADMSG;
	results->seen[head->index] = true;
	return results->take(results->context, head->index, frames, head->count);
}

/* Whole records at the start of the buffer. */
static int take_records(struct results *results)
{
	struct record_head head;
	int err = 0;

	while (!err && results->size - results->start >= sizeof(head)) {
		char *at = results->buffer + results->start;

		memcpy(&head, at, sizeof(head));
		if (head.size > MAX_RECORD)
			return -EBADMSG;
		if (results->size - results->start - sizeof(head) < head.size)
			break;
		err = take_record(results, &head, at + sizeof(head));
		results->start += sizeof(head) + head.size;
	}
	memmove(results->buffer, results->buffer + results->start, results->size - results->start);
	results->size -= results->start;
	results->start = 0;
	return err;
}

/* 1: something came; 0: the end. */
static int read_piece(struct results *results, int fd)
{
	ssize_t got;
	int err = array__reserve(&results->buffer, &results->capacity, 1, results->size + PIECE);

	if (err)
		return err;
	got = read(fd, results->buffer + results->size, PIECE);
	if (got < 0)
		return errno == EINTR ? 1 : -errno;
	if (!got)
		return 0;
	results->size += (size_t)got;
	results->total += (size_t)got;
	return results->total > MAX_RESULTS ? -EFBIG : 1;
}

static int read_results(struct results *results, int fd, int cancel_fd)
{
	uint64_t end = clock__ns(CLOCK_MONOTONIC) + TIMEOUT_NS, now;
	int got = 1, err = 0;

	while (!err && got > 0 && (now = clock__ns(CLOCK_MONOTONIC)) < end) {
		struct pollfd either[] = {{.fd = fd, .events = POLLIN},
					  {.fd = cancel_fd, .events = POLLIN}};

		if (poll(either, 2, (int)((end - now) / 1000000) + 1) < 0 && errno != EINTR)
			return -errno;
		if (either[1].revents & POLLIN)
			return -ECANCELED;
		if (!(either[0].revents & (POLLIN | POLLHUP)))
			continue;
		got = read_piece(results, fd);
		err = got < 0 ? got : take_records(results);
	}
	if (err)
		return err;
	return got > 0 ? -ETIMEDOUT : 0;
}

/* The reader's fate; kills it first if there was an error. */
static int wait_for_answer(const struct line_reader *reader, int err, struct line_cost *ret_cost)
{
	struct answer answer = {.status = -1};
	ssize_t got;

	if (err)
		send(reader->socket, "", 1, MSG_NOSIGNAL);
	do {
		got = recv(reader->socket, &answer, sizeof(answer), 0);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(answer))
		return -EPIPE;
	*ret_cost = (struct line_cost){.cpu_ns = answer.cpu_ns, .rss_bytes = answer.rss_bytes};
	if (err)
		return err;
	return answer.status ? -EBADMSG : 0;
}

int line_reader__find(struct line_reader *reader, int fd, const uint64_t *addresses, size_t count,
		      int cancel_fd, lines_take *take, void *context, struct line_cost *ret_cost)
{
	struct results results = {.count = count, .take = take, .context = context};
	int pipe_fds[2], err;

	*ret_cost = (struct line_cost){0};
	if (count > LINE_READER_MAX_ADDRESSES)
		return -EINVAL;
	results.seen = calloc(count + 1, sizeof(*results.seen));
	if (!results.seen)
		return -ENOMEM;
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		free(results.seen);
		return -errno;
	}
	err = ask(reader, fd, pipe_fds[1], addresses, count);
	close(pipe_fds[1]);
	if (!err) {
		err = read_results(&results, pipe_fds[0], cancel_fd);
		err = wait_for_answer(reader, err, ret_cost);
	}
	close(pipe_fds[0]);
	free(results.buffer);
	free(results.seen);
	return err;
}
