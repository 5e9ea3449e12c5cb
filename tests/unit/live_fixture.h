/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recorder's rows through a pipe into a live window. Included by one .c per binary. */
#ifndef UNIT_LIVE_FIXTURE_H
#define UNIT_LIVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "store/live_window.h"
#include "store/writer.h"

#define SECOND 1000000000LL
#define KEPT   5 /* slices of the window */

/* A writer and the window that takes its rows out of a pipe. */
struct stream {
	struct recording_writer *writer;
	struct live_window *window;
	int fd;
};

static inline void open_writer(struct stream *stream)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	stream->fd = fds[0];
	assert_int_equal(recording_writer__stream(fds[1], &stream->writer), 0);
}

static inline void start(struct stream *stream)
{
	assert_int_equal(live_window__new(KEPT, &stream->window), 0);
	open_writer(stream);
}

static inline void finish(struct stream *stream)
{
	assert_int_equal(recording_writer__close(stream->writer), 0);
	close(stream->fd);
	live_window__free(stream->window);
}

/* Takes rows, so many bytes at a time, until a slice has ended. */
static inline void take_slice(struct stream *stream, size_t piece)
{
	uint64_t generation = live_window__generation(stream->window);
	int64_t before = live_window__slices(stream->window);
	struct pollfd pollfd = {.fd = stream->fd, .events = POLLIN};
	char bytes[4096];

	recording_writer__flush(stream->writer);
	do {
		ssize_t size;

		assert_int_equal(poll(&pollfd, 1, 10000), 1);
		size = read(stream->fd, bytes, piece);
		assert_true(size > 0);
		assert_int_equal(live_window__take(stream->window, bytes, (size_t)size), 0);
	} while (!live_window__slices(stream->window) ||
		 (live_window__slices(stream->window) == before &&
		  live_window__generation(stream->window) == generation));
}

/* Process `id` with pid 100 + id, and an epoch, an image and a thread of the same number. */
static inline void add_process(struct recording_writer *writer, int64_t id, const char *task,
			       int64_t start_ns, int64_t end_ns)
{
	const struct process_row process = {.id = id,
					    .parent = ROW_NULL,
					    .pid = 100 + id,
					    .start_ns = start_ns,
					    .end_ns = end_ns,
					    .exit_code = ROW_NULL,
					    .exit_signal = ROW_NULL,
					    .max_rss_bytes = ROW_NULL};
	const struct image_row image = {
		.id = id, .process = id, .start_ns = start_ns, .comm = "c", .arguments = "c"};
	const struct epoch_row epoch = {.id = id,
					.process = id,
					.image = id,
					.start_ns = start_ns,
					.end_ns = end_ns,
					.task = task};
	const struct thread_row thread = {
		.id = id, .process = id, .tid = 100 + id, .end_ns = end_ns, .name = "t"};

	assert_int_equal(recording_writer__process(writer, &process), 0);
	assert_int_equal(recording_writer__image(writer, &image), 0);
	assert_int_equal(recording_writer__epoch(writer, &epoch), 0);
	assert_int_equal(recording_writer__thread(writer, &thread), 0);
}

/* Three stacks: 1; 1 2; 3, of functions of the same numbers. */
static inline void add_stacks(struct recording_writer *writer)
{
	static const int64_t parents[] = {ROW_NULL, 1, ROW_NULL};

	for (int64_t id = 1; id <= 3; id++) {
		const struct function_row function = {
			.id = id, .kind = "python", .name = "f", .module = "m", .line = id};

		assert_int_equal(recording_writer__function(writer, &function), 0);
		assert_int_equal(recording_writer__frame(writer, id, id, 7, ROW_NULL), 0);
		assert_int_equal(recording_writer__stack(writer, id, parents[id - 1], id), 0);
	}
}

/* In slice `slice` epoch `epoch` uses so much, waits 1 ms for a lock, reads 10 bytes, and has a
 * sample with the stack. */
static inline void add_figures(struct recording_writer *writer, int64_t slice, int64_t epoch,
			       int64_t cpu_ns, int64_t stack)
{
	const struct usage_row usage = {
		.epoch = epoch, .slice = slice, .cpu_ns = cpu_ns, .user_ns = cpu_ns};
	const struct thread_usage_row thread_usage = {
		.epoch = epoch, .thread = epoch, .slice = slice, .cpu_ns = cpu_ns};
	const struct wait_row wait = {
		.epoch = epoch, .slice = slice, .class = "lock", .count = 1, .ns = 1000000};
	const struct thread_wait_row thread_wait = {
		.epoch = epoch, .thread = epoch, .class = "lock", .count = 1, .ns = 1000000};
	const struct io_row io = {.epoch = epoch,
				  .slice = slice,
				  .file = epoch,
				  .op = "read",
				  .count = 1,
				  .bytes = 10,
				  .ns = 1000};
	const struct file_row file = {
		.id = epoch, .kind = "file", .path = "/f", .filesystem = "ext4", .mount = "/"};
	const struct sample_row sample = {.epoch = epoch,
					  .thread = epoch,
					  .slice = slice,
					  .stack = stack,
					  .ending = "python",
					  .metric = "cpu",
					  .count = 1,
					  .waker = ROW_NULL};

	assert_int_equal(recording_writer__usage(writer, &usage), 0);
	assert_int_equal(recording_writer__thread_usage(writer, &thread_usage), 0);
	assert_int_equal(recording_writer__wait(writer, &wait), 0);
	assert_int_equal(recording_writer__thread_wait(writer, &thread_wait), 0);
	assert_int_equal(recording_writer__file(writer, &file), 0);
	assert_int_equal(recording_writer__io(writer, &io), 0);
	assert_int_equal(recording_writer__sample(writer, &sample), 0);
}

static inline void end_slice(struct stream *stream, int64_t slice, size_t piece)
{
	assert_int_equal(recording_writer__slice(stream->writer, slice, slice * SECOND,
						 (slice + 1) * SECOND),
			 0);
	take_slice(stream, piece);
}

#endif
