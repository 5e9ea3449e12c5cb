/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a recording (docs/FORMAT.md) as it goes. Rows are copied into a bounded queue; a thread of
 * its own puts them into SQLite, so that the caller never waits for the disk. Source of the rows:
 * capture/. The caller gives out the ids; a row with an id that was written before replaces it. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resource_sums.h"

struct recording_writer;

#define ROW_NULL INT64_MIN /* in a column that may be NULL; for texts: NULL */

struct process_row {
	int64_t id, parent, pid, start_ns, end_ns, exit_code, exit_signal;
	int64_t cpu_ns, user_ns, system_ns, max_rss_bytes;
	const char *python;
};

struct image_row {
	int64_t id, process, start_ns;
	const char *comm;
	const char *arguments; /* arguments_size bytes, NUL between (and maybe behind) them */
	size_t arguments_size;
	const char *cgroup;
};

struct epoch_row {
	int64_t id, process, image, start_ns, end_ns;
	const char *task, *job, *rule;
};

struct quantum_row {
	int64_t epoch, number, whole;
	const char *label, *class, *quantum, *run, *dataid; /* NULL: not known */
};

/* ROW_NULL: the kernel does not count it. */
struct resource_row {
	int64_t epoch;
	int64_t sums[PS_RESOURCE_COUNT];
	int64_t threads;
	int64_t rss_start_bytes, rss_end_bytes, rss_peak_bytes;
	int64_t swap_start_bytes, swap_end_bytes, swap_peak_bytes;
	int64_t children_rss_peak_bytes;
};

struct thread_row {
	int64_t id, process, tid, end_ns;
	const char *name;
};

struct usage_row {
	int64_t epoch, slice, cpu_ns, user_ns, system_ns;
};

struct thread_usage_row {
	int64_t epoch, thread, slice, cpu_ns;
};

struct wait_row {
	int64_t epoch, slice, count, ns;
	const char *class;
};

struct thread_wait_row {
	int64_t epoch, thread, count, ns;
	const char *class;
};

struct file_row {
	int64_t id;
	const char *kind, *path, *filesystem, *mount;
};

struct io_row {
	int64_t epoch, slice, file, error, count, bytes, ns;
	const char *op;
};

struct remote_row {
	int64_t file, port, own; /* port: ROW_NULL: none */
	const char *protocol, *address;
	const char *service, *rule; /* NULL: none */
};

struct wait_on_row {
	int64_t epoch, slice, file, count, ns;
	const char *class;
};

struct written_row {
	int64_t epoch, slice, file, files, bytes;
};

struct pattern_row {
	int64_t epoch, slice, file, sequential, strided, random, bytes, parts, part_bytes;
};

struct open_time_row {
	int64_t epoch, slice, file, count, ns, longest_ns;
	int64_t open; /* 1: they still are, at the end */
};

struct torn_row {
	int64_t epoch, file, code, appended, bytes, size, open_ns, write_ns, time_ns;
	const char *cause;
};

struct function_row {
	int64_t id, line;
	const char *kind, *name, *file, *module;
};

struct sample_row {
	int64_t epoch, thread, slice, stack, count, value, waker;
	int64_t file; /* of operations; the mount, of requests of CephFS; or ROW_NULL */
	const char *ending, *metric;
	const char *class; /* NULL: none */
};

struct ceph_row {
	int64_t epoch, slice, mount, error, count, bytes, ns;
	const char *op;
};

struct ceph_in_flight_row {
	int64_t slice, mount, count, oldest_ns;
	const char *op;
};

/* Creates the recording at path, mode 0600. An earlier recording there is kept as path.old.
 * Refused: -EEXIST: something else is at path, at path.old, or a side file path-journal or path-wal
 * that would be taken for ours; -EBUSY: another recorder writes path or path.old; -ELOOP: a link;
 * -ESTALE: the file was exchanged meanwhile; -EACCES, -ENOENT, -EROFS, -ENOSPC… Under sudo the file
 * is given to the calling user when the directory is theirs. Writes the schema and the table of
 * endings before it returns. */
int recording_writer__create(const char *path, struct recording_writer **ret_writer);

/* The same rows, but as bytes into a pipe or socket, which is taken in any case: there is no file.
 * live_window__take at the other end understands them. The first row is meta.state. Nobody reads
 * any more: -EPIPE, by recording_writer__error. */
int recording_writer__stream(int fd, struct recording_writer **ret_writer);

/* Writes what is queued, meta.state = 'complete' and the indices, closes, frees. Returns the first
 * error of the writer's life; -EBUSY: another process held the file for more than 10 s; -ESTALE:
 * the file was renamed or deleted meanwhile. NULL is accepted. */
int recording_writer__close(struct recording_writer *writer);

/* The first error the thread met (-ENOSPC, -EIO…), 0 so far none. After an error every row is
 * dropped: the session should end. */
int recording_writer__error(const struct recording_writer *writer);

/* Rows dropped because the queue was full, memory was short or there had been an error. */
uint64_t recording_writer__dropped(const struct recording_writer *writer);

/* Each copies its row, texts included. 0; -ENOBUFS: the queue is full, dropped and counted (only
 * samples and usage; rows that others refer to are taken up to twice the bound); -ENOMEM; -EINVAL:
 * ROW_NULL or NULL where schema.sql says NOT NULL; or the error of the thread. Texts may hold any
 * bytes: what is no UTF-8 becomes U+FFFD; they are cut at 65536 bytes, arguments at 4096. */
int recording_writer__meta(struct recording_writer *writer, const char *key, const char *value);
int recording_writer__slice(struct recording_writer *writer, int64_t id, int64_t start_ns,
			    int64_t end_ns);
int recording_writer__process(struct recording_writer *writer, const struct process_row *row);
int recording_writer__image(struct recording_writer *writer, const struct image_row *row);
int recording_writer__environment(struct recording_writer *writer, int64_t image, const char *name,
				  const char *value);
int recording_writer__epoch(struct recording_writer *writer, const struct epoch_row *row);
/* The epoch is the thread's own. */
int recording_writer__thread_epoch(struct recording_writer *writer, int64_t epoch, int64_t thread);
int recording_writer__quantum(struct recording_writer *writer, const struct quantum_row *row);
int recording_writer__quantum_data(struct recording_writer *writer, int64_t epoch,
				   const char *field, const char *value);
int recording_writer__resource(struct recording_writer *writer, const struct resource_row *row);
int recording_writer__counter(struct recording_writer *writer, int64_t epoch, const char *name,
			      int64_t value, int64_t enabled_ns, int64_t running_ns);
int recording_writer__thread(struct recording_writer *writer, const struct thread_row *row);
int recording_writer__usage(struct recording_writer *writer, const struct usage_row *row);
int recording_writer__thread_usage(struct recording_writer *writer,
				   const struct thread_usage_row *row);
int recording_writer__wait(struct recording_writer *writer, const struct wait_row *row);
int recording_writer__thread_wait(struct recording_writer *writer,
				  const struct thread_wait_row *row);
int recording_writer__file(struct recording_writer *writer, const struct file_row *row);
int recording_writer__io(struct recording_writer *writer, const struct io_row *row);
int recording_writer__io_histogram(struct recording_writer *writer, const char *op,
				   const char *filesystem, const char *what, int64_t bucket,
				   int64_t count);
int recording_writer__remote(struct recording_writer *writer, const struct remote_row *row);
int recording_writer__wait_on(struct recording_writer *writer, const struct wait_on_row *row);
int recording_writer__wait_class(struct recording_writer *writer, const char *name,
				 const char *part_of, const char *rule, int64_t estimated);
int recording_writer__function(struct recording_writer *writer, const struct function_row *row);
int recording_writer__frame(struct recording_writer *writer, int64_t id, int64_t function,
			    int64_t line, int64_t address);
int recording_writer__inline(struct recording_writer *writer, int64_t frame, int64_t position,
			     int64_t function, int64_t line);
int recording_writer__stack(struct recording_writer *writer, int64_t id, int64_t parent,
			    int64_t frame);
int recording_writer__sample(struct recording_writer *writer, const struct sample_row *row);
int recording_writer__quality(struct recording_writer *writer, const char *name, int64_t value,
			      const char *meaning);
int recording_writer__recorder(struct recording_writer *writer, int64_t slice, int64_t cpu_ns,
			       int64_t rss_bytes);
int recording_writer__unwind_problem(struct recording_writer *writer, const char *module,
				     const char *problem, int64_t count);
int recording_writer__program(struct recording_writer *writer, const char *name, int64_t runs,
			      int64_t run_ns);
int recording_writer__dataset(struct recording_writer *writer, int64_t file, const char *type,
			      const char *rule);
int recording_writer__renamed(struct recording_writer *writer, int64_t file, int64_t new_file);
int recording_writer__written(struct recording_writer *writer, const struct written_row *row);
int recording_writer__torn(struct recording_writer *writer, const struct torn_row *row);
int recording_writer__open_time(struct recording_writer *writer, const struct open_time_row *row);
int recording_writer__pattern(struct recording_writer *writer, const struct pattern_row *row);

int recording_writer__ceph_mount(struct recording_writer *writer, int64_t id, const char *path);
int recording_writer__ceph(struct recording_writer *writer, const struct ceph_row *row);
int recording_writer__ceph_histogram(struct recording_writer *writer, int64_t mount, const char *op,
				     int64_t bucket, int64_t count);
int recording_writer__ceph_in_flight(struct recording_writer *writer,
				     const struct ceph_in_flight_row *row);

/* A row for which the queue had no room is counted there, and is no reason to stop. */
static inline int unless_dropped(int err)
{
	return err == -ENOBUFS ? 0 : err;
}

/* Asks the thread to commit what it has; returns at once. Called once a slice. */
int recording_writer__flush(struct recording_writer *writer);

#endif
