// SPDX-License-Identifier: GPL-2.0-or-later
/* Who does what: the caller's threads encode rows (writer_rows.c) into `queue` under `mutex`
 * (recording_writer__put). The writer's thread takes all of them at each flush, every second, or
 * when much waits, and writes them in one transaction: BEGIN, rows, COMMIT (write_rows). Between
 * transactions there is no journal, so a recorder that is killed mostly leaves a file that needs no
 * rollback, and readers seldom wait.
 *
 * Why the file opens after kill -9 and after a power cut: SQLite's rollback journal, which is
 * deleted only when the file is on the disk (journal_mode=DELETE, the default: no side file stays),
 * with synchronous=FULL. NORMAL would sync the journal's rows and their count together, in which
 * order is up to the disk: after a power cut the journal may claim rows that never arrived. FULL
 * costs one more fsync a second, which nobody waits for.
 *
 * A reader that holds the file keeps us from COMMIT. Then the transaction stays open and grows,
 * to a bound; after that the queue fills, to its bound; after that samples are dropped.
 *
 * A stream has no file: the thread writes the rows' bytes into a pipe, and a reader that is too
 * slow is what a slow disk is to a file. */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "store/place.h"
#include "store/queue.h"
#include "store/reader.h"
#include "store/rows.h"
#include "store/sqlite.h"
#include "store/writer_private.h"

#define QUEUE_LIMIT	  (64u << 20) /* bytes of rows that wait; twice that for structure */
#define TRANSACTION_LIMIT (64u << 20) /* bytes of rows that wait for COMMIT */
#define BATCH_SIZE	  (8u << 20) /* bytes: so much is written without waiting for a flush */
#define BUSY_MS		  100
#define BUSY_AT_CLOSE_MS  10000
#define FLUSH_NS	  1000000000L
#define RETRY_NS	  100000000L
#define PAGE_SIZE	  "4096"

struct recording_writer {
	int stream; /* -1: there is a file */
	struct place place;
	sqlite3 *db;
	sqlite3_stmt *inserts[ROW_KIND_COUNT];
	pthread_t thread;

	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t wake;
	struct row_queue queue;
	size_t queued; /* bytes in queue and taken */
	bool flush, closing;
	int error;
	uint64_t dropped;

	/* The thread's own. */
	struct row_queue taken;
	bool in_transaction;
	size_t uncommitted; /* bytes */
	struct text scratch;
};

/* Ready before the first report and quick to make at close; see docs/FORMAT.md. */
static const char *const indices[] = {
	"CREATE INDEX image_process ON image (process)",
	"CREATE INDEX environment_image ON environment (image)",
	"CREATE INDEX epoch_process ON epoch (process)",
	"CREATE INDEX thread_process ON thread (process)",
	"CREATE INDEX usage_epoch ON usage (epoch, slice)",
	"CREATE INDEX thread_usage_epoch ON thread_usage (epoch, slice)",
	"CREATE INDEX wait_epoch ON wait (epoch, slice)",
	"CREATE INDEX io_epoch ON io (epoch, slice)",
	"CREATE INDEX sample_epoch ON sample (epoch, slice)",
	"CREATE INDEX memory_epoch ON memory (epoch, slice)",
	"CREATE INDEX memory_growth_epoch ON memory_growth (epoch, slice)",
	"CREATE INDEX memory_map_epoch ON memory_map (epoch)",
};

#define INDEX_COUNT (sizeof(indices) / sizeof(indices[0]))

static int run(struct recording_writer *writer, const char *sql)
{
	return sqlite3_exec(writer->db, sql, NULL, NULL, NULL);
}

static int insert_row(struct recording_writer *writer, const char *bytes, size_t *ret_size)
{
	sqlite3_stmt *statement = writer->inserts[row__kind(bytes, ret_size)];
	int code = row__bind(bytes, statement, &writer->scratch);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int insert_taken(struct recording_writer *writer)
{
	while (writer->taken.first && writer->uncommitted < TRANSACTION_LIMIT) {
		struct row_chunk *chunk = row_queue__take(&writer->taken);
		int code = SQLITE_OK;

		for (size_t at = 0, size; at < chunk->size && code == SQLITE_OK; at += size)
			code = insert_row(writer, chunk->bytes + at, &size);
		writer->uncommitted += chunk->size;
		pthread_mutex_lock(&writer->mutex);
		writer->queued -= chunk->size;
		pthread_mutex_unlock(&writer->mutex);
		free(chunk);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

static int commit(struct recording_writer *writer)
{
	int code = run(writer, "COMMIT");

	if (code == SQLITE_OK) {
		writer->in_transaction = false;
		writer->uncommitted = 0;
	}
	return code;
}

static int send_rows(struct recording_writer *writer)
{
	struct row_chunk *chunk;

	while ((chunk = row_queue__take(&writer->taken))) {
		size_t sent = 0;

		while (sent < chunk->size) {
			ssize_t size =
				write(writer->stream, chunk->bytes + sent, chunk->size - sent);

			if (size < 0) {
				free(chunk);
				return SQLITE_IOERR; /* errno tells which */
			}
			sent += (size_t)size;
		}
		pthread_mutex_lock(&writer->mutex);
		writer->queued -= chunk->size;
		pthread_mutex_unlock(&writer->mutex);
		free(chunk);
	}
	return SQLITE_OK;
}

/* Writes what was taken. SQLITE_BUSY: some of it waits for another try. */
static int write_rows(struct recording_writer *writer)
{
	int code;

	if (writer->stream >= 0)
		return send_rows(writer);
	while (writer->taken.first || writer->in_transaction) {
		if (!writer->in_transaction) {
			code = run(writer, "BEGIN IMMEDIATE");
			if (code != SQLITE_OK)
				return code;
			writer->in_transaction = true;
		}
		code = insert_taken(writer);
		if (code == SQLITE_OK)
			code = commit(writer);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

static bool is_busy(int code)
{
	return (code & 0xff) == SQLITE_BUSY;
}

/* The file keeps what was committed; all else is let go. */
static void fail(struct recording_writer *writer, int code)
{
	int err = sqlite__error(writer->db, code);

	if (writer->db && !sqlite3_get_autocommit(writer->db))
		run(writer, "ROLLBACK");
	writer->in_transaction = false;
	row_queue__clear(&writer->taken);
	pthread_mutex_lock(&writer->mutex);
	writer->error = err;
	row_queue__clear(&writer->queue);
	writer->queued = 0;
	pthread_mutex_unlock(&writer->mutex);
}

/* The state goes into a transaction of its own behind the last rows; the indices into another,
 * because without them the recording is as complete, only slower. */
static int complete(struct recording_writer *writer)
{
	int code = run(writer, "INSERT OR REPLACE INTO meta VALUES ('state', 'complete')");

	if (code != SQLITE_OK)
		return code;
	code = run(writer, "BEGIN IMMEDIATE");
	for (size_t i = 0; i < INDEX_COUNT && code == SQLITE_OK; i++)
		code = run(writer, indices[i]);
	if (code == SQLITE_OK)
		code = run(writer, "COMMIT");
	if (code != SQLITE_OK && !sqlite3_get_autocommit(writer->db))
		run(writer, "ROLLBACK");
	return SQLITE_OK;
}

/* Waits until there is something to do, and takes it. True: closing. */
static bool wait_for_rows(struct recording_writer *writer, bool retry)
{
	struct timespec until;
	bool closing;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += retry ? RETRY_NS : FLUSH_NS;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;

	pthread_mutex_lock(&writer->mutex);
	while (!writer->closing && (retry || (!writer->flush && writer->queued < BATCH_SIZE)))
		if (pthread_cond_timedwait(&writer->wake, &writer->mutex, &until) == ETIMEDOUT)
			break;
	writer->flush = false;
	closing = writer->closing;
	row_queue__move(&writer->queue, &writer->taken);
	pthread_mutex_unlock(&writer->mutex);
	return closing;
}

static void *writer_thread(void *argument)
{
	struct recording_writer *writer = argument;
	bool closing = false;
	int code = SQLITE_OK;

	while (!closing) {
		closing = wait_for_rows(writer, is_busy(code));
		if (closing && writer->db)
			sqlite3_busy_timeout(writer->db, BUSY_AT_CLOSE_MS);
		code = write_rows(writer);
		if (code == SQLITE_OK && closing && writer->db)
			code = complete(writer);
		if (code == SQLITE_OK || (is_busy(code) && !closing))
			continue;
		fail(writer, code);
		break;
	}
	return NULL;
}

/* A call after an error, or with rows that cannot wait any longer, is answered at once. */
int recording_writer__put(struct recording_writer *writer, enum row_kind kind,
			  struct row_cell *cells)
{
	size_t size, limit = row__may_drop(kind) ? QUEUE_LIMIT : 2 * (size_t)QUEUE_LIMIT;
	char *to;
	int err = row__measure(kind, cells, &size);

	if (err)
		return err;
	pthread_mutex_lock(&writer->mutex);
	err = writer->error;
	if (!err && writer->queued + size > limit)
		err = -ENOBUFS;
	to = err ? NULL : row_queue__reserve(&writer->queue, size);
	if (!err && !to)
		err = -ENOMEM;
	if (err)
		writer->dropped++;
	else
		row__encode(kind, cells, to, size);
	/* Once per batch, and again should the thread have been busy. */
	if (!err && writer->queued / BATCH_SIZE != (writer->queued + size) / BATCH_SIZE)
		pthread_cond_signal(&writer->wake);
	if (!err)
		writer->queued += size;
	pthread_mutex_unlock(&writer->mutex);
	return err;
}

/* The file that SQLite opened by name must be the one that was made. */
static int begin_alone(struct recording_writer *writer)
{
	int code = run(writer, "PRAGMA page_size = " PAGE_SIZE
			       ";"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA cache_spill = OFF;" /* readers wait for COMMIT only */
			       "BEGIN EXCLUSIVE");

	if (code != SQLITE_OK)
		return sqlite__error(writer->db, code);
	return place__locked_by_us(&writer->place) ? 0 : -ESTALE;
}

static int insert_now(struct recording_writer *writer, enum row_kind kind, struct row_cell *cells)
{
	struct row_queue queue = {0};
	size_t size;
	char *to;
	int err = row__measure(kind, cells, &size), code;

	if (err)
		return err;
	to = row_queue__reserve(&queue, size);
	if (!to)
		return -ENOMEM;
	row__encode(kind, cells, to, size);
	code = insert_row(writer, to, &size);
	row_queue__clear(&queue);
	return code == SQLITE_OK ? 0 : sqlite__error(writer->db, code);
}

static int insert_endings(struct recording_writer *writer)
{
	static const struct {
		const char *name, *meaning;
		int ok;
	} endings[] = {
#define X(id, in_recording, is_ok, means) {in_recording, means, is_ok},
		PS_ENDINGS(X)
#undef X
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && !err; i++) {
		struct row_cell cells[] = {TEXT(endings[i].name), NUMBER(endings[i].ok),
					   TEXT(endings[i].meaning)};

		err = writer->db ? insert_now(writer, ROW_ENDING, cells)
				 : recording_writer__put(writer, ROW_ENDING, cells);
	}
	return err;
}

static int write_start(struct recording_writer *writer)
{
	struct row_cell state[] = {TEXT("state"), TEXT("recording")};
	int code, err = begin_alone(writer);

	if (err)
		return err;
	code = run(writer, recording__schema());
	for (size_t i = 0; i < ROW_KIND_COUNT && code == SQLITE_OK; i++)
		code = sqlite3_prepare_v3(writer->db, row__insert_sql((enum row_kind)i), -1,
					  SQLITE_PREPARE_PERSISTENT, &writer->inserts[i], NULL);
	if (code != SQLITE_OK)
		return sqlite__error(writer->db, code);
	err = insert_endings(writer);
	if (!err)
		err = insert_now(writer, ROW_META, state);
	if (err)
		return err;
	code = run(writer, "COMMIT");
	return code == SQLITE_OK ? 0 : sqlite__error(writer->db, code);
}

/* The thread takes no signals: they belong to the session; and a file beyond RLIMIT_FSIZE is an
 * error of write() instead of SIGXFSZ. */
static int start_thread(struct recording_writer *writer)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&writer->thread, NULL, writer_thread, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static int init_lock(struct recording_writer *writer)
{
	pthread_condattr_t attributes;
	int err = pthread_condattr_init(&attributes);

	if (err)
		return -err;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	err = pthread_cond_init(&writer->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (err)
		return -err;
	return -pthread_mutex_init(&writer->mutex, NULL);
}

static void release(struct recording_writer *writer)
{
	for (size_t i = 0; i < ROW_KIND_COUNT; i++)
		sqlite3_finalize(writer->inserts[i]);
	sqlite3_close(writer->db);
	/* Behind SQLite: closing any descriptor of a file drops the process's locks on it. */
	place__close(&writer->place);
	if (writer->stream >= 0)
		close(writer->stream);
	row_queue__clear(&writer->queue);
	row_queue__clear(&writer->taken);
	free(writer->scratch.bytes);
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->mutex);
	free(writer);
}

static int new_writer(struct recording_writer **ret_writer)
{
	struct recording_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	writer->place = (struct place){.directory = -1, .fd = -1};
	writer->stream = -1;
	err = init_lock(writer);
	if (err)
		free(writer);
	else
		*ret_writer = writer;
	return err;
}

int recording_writer__stream(int fd, struct recording_writer **ret_writer)
{
	struct row_cell state[] = {TEXT("state"), TEXT("recording")};
	struct recording_writer *writer;
	int err = new_writer(&writer);

	if (err) {
		close(fd);
		return err;
	}
	writer->stream = fd;
	err = recording_writer__put(writer, ROW_META, state);
	err = err ?: insert_endings(writer);
	err = err ?: start_thread(writer);
	if (err)
		release(writer);
	else
		*ret_writer = writer;
	return err;
}

int recording_writer__create(const char *path, struct recording_writer **ret_writer)
{
	struct recording_writer *writer;
	char anchored[sizeof(writer->place.name) + 32];
	int err = new_writer(&writer);

	if (err)
		return err;
	err = place__create(path, &writer->place);
	if (err)
		goto failed;
	snprintf(anchored, sizeof(anchored), "/proc/self/fd/%d/%s", writer->place.directory,
		 writer->place.name);
	err = sqlite__open(anchored, SQLITE_OPEN_READWRITE, &writer->db);
	if (!err) {
		sqlite3_busy_timeout(writer->db, BUSY_MS);
		err = write_start(writer);
	}
	if (!err)
		err = start_thread(writer);
	if (err) {
		if (writer->db && !sqlite3_get_autocommit(writer->db))
			run(writer, "ROLLBACK");
		place__remove(&writer->place);
		goto failed;
	}
	*ret_writer = writer;
	return 0;
failed:
	release(writer);
	return err;
}

int recording_writer__close(struct recording_writer *writer)
{
	int err;

	if (!writer)
		return 0;
	pthread_mutex_lock(&writer->mutex);
	writer->closing = true;
	pthread_cond_signal(&writer->wake);
	pthread_mutex_unlock(&writer->mutex);
	pthread_join(writer->thread, NULL);
	err = writer->error;
	release(writer);
	return err;
}

/* Readers of one word still take the mutex: it is free nearly always. */
int recording_writer__error(const struct recording_writer *writer)
{
	struct recording_writer *shared = (struct recording_writer *)writer;
	int err;

	pthread_mutex_lock(&shared->mutex);
	err = shared->error;
	pthread_mutex_unlock(&shared->mutex);
	return err;
}

uint64_t recording_writer__dropped(const struct recording_writer *writer)
{
	struct recording_writer *shared = (struct recording_writer *)writer;
	uint64_t dropped;

	pthread_mutex_lock(&shared->mutex);
	dropped = shared->dropped;
	pthread_mutex_unlock(&shared->mutex);
	return dropped;
}

int recording_writer__flush(struct recording_writer *writer)
{
	int err;

	pthread_mutex_lock(&writer->mutex);
	writer->flush = true;
	err = writer->error;
	pthread_cond_signal(&writer->wake);
	pthread_mutex_unlock(&writer->mutex);
	return err;
}
