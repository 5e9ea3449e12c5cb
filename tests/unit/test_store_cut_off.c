// SPDX-License-Identifier: GPL-2.0-or-later
// Links: store base
#include "unit/store_fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define KILLS	      20
#define FLUSHED_ROWS  2000
#define FULL_ROWS     4000000
#define FULL_SIZE     (3 << 20)
#define COUNT_SAMPLES "SELECT count(*) FROM sample"

static struct recording_writer *create(void)
{
	struct recording_writer *writer;

	assert_int_equal(recording_writer__create(path, &writer), 0);
	return writer;
}

static int64_t count_there(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int64_t count = -1;

	sqlite3_prepare_v2(db, COUNT_SAMPLES, -1, &statement, NULL);
	if (sqlite3_step(statement) == SQLITE_ROW)
		count = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return count;
}

/* Writes for ever; tells through the pipe how many rows another connection has seen. */
static void write_until_killed(int report)
{
	struct recording_writer *writer;
	sqlite3 *db;

	if (recording_writer__create(path, &writer) ||
	    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL))
		_exit(1);
	sqlite3_busy_timeout(db, 10000);
	for (int64_t rows = 0;; rows += FLUSHED_ROWS) {
		while (count_there(db) < rows)
			;
		if (write(report, &rows, sizeof(rows)) != sizeof(rows))
			_exit(1);
		for (int64_t i = rows; i < rows + FLUSHED_ROWS; i++) {
			struct sample_row row = {.epoch = i,
						 .ending = "python",
						 .metric = "cpu",
						 .stack = ROW_NULL,
						 .count = 1};
			struct process_row process = {.id = i % 100, .pid = 1, .cpu_ns = i};

			recording_writer__sample(writer, &row);
			recording_writer__process(writer, &process);
		}
		recording_writer__flush(writer);
	}
}

static void test_killed(void **state)
{
	int hot = 0;
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	srandom((unsigned int)time(NULL));
	for (int i = 0; i < KILLS; i++) {
		int64_t flushed = -1, told;
		struct recording *recording;
		int report[2], status;
		pid_t child;

		assert_int_equal(pipe(report), 0);
		child = fork();
		assert_true(child >= 0);
		if (!child)
			write_until_killed(report[1]);
		close(report[1]);
		assert_int_equal(read(report[0], &told, sizeof(told)), sizeof(told));
		flushed = told;
		usleep((useconds_t)(random() % 150000));
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(report[0], &told, sizeof(told)) == sizeof(told))
			flushed = told;
		close(report[0]);

		hot += !access(journal, F_OK);
		assert_int_equal(recording__open(path, &recording), 0);
		assert_false(recording__complete(recording));
		assert_true(number_in(recording, COUNT_SAMPLES) >= flushed);
		/* Whole transactions only: a process row follows each sample. */
		assert_int_equal(number_in(recording, COUNT_SAMPLES) % FLUSHED_ROWS, 0);
		assert_int_equal(number_in(recording,
					   "SELECT count(*) FROM pragma_quick_check "
					   "WHERE quick_check <> 'ok'"),
				 0);
		recording__close(recording);
		least = flushed < least ? flushed : least;
		most = flushed > most ? flushed : most;
	}
	print_message("%d of %d kills left a journal; rows flushed: %lld to %lld\n", hot, KILLS,
		      (long long)least, (long long)most);
}

/* A file as kill -9 in the middle of COMMIT leaves it: pages half written, the journal synced. */
static void cut_off_in_commit(const char *name)
{
	struct recording_writer *writer;
	int status;
	pid_t child;

	assert_int_equal(recording_writer__create(name, &writer), 0);
	add_samples(writer, 0, 20000);
	assert_int_equal(recording_writer__close(writer), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		sqlite3 *db;

		if (sqlite3_open(name, &db))
			_exit(1);
		_exit(sqlite3_exec(db,
				   "PRAGMA cache_size = 1; BEGIN; UPDATE sample SET count = 5;"
				   "UPDATE meta SET value = 'x'",
				   NULL, NULL, NULL) != SQLITE_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_roll_back_own(void **state)
{
	(void)state;
	cut_off_in_commit(path);
	assert_int_equal(access(journal, F_OK), 0);
	assert_int_equal(number_at(path, "SELECT sum(count) FROM sample"), 20000);
	assert_int_equal(access(journal, F_OK), -1);
}

static void test_move_with_journal(void **state)
{
	char old_journal[160];

	(void)state;
	cut_off_in_commit(path);
	snprintf(old_journal, sizeof(old_journal), "%s-journal", old);
	write_file(old_journal, "stale", 5);
	write_file(old, "", 0);
	assert_int_equal(unlink(old), 0);
	assert_int_equal(recording_writer__close(create()), 0);
	assert_int_equal(number_at(old, "SELECT sum(count) FROM sample"), 20000);
	assert_int_equal(number_at(path, COUNT_SAMPLES), 0);
}

static int count_entries(const char *directory)
{
	char command[160];
	int count = -1;
	FILE *listing;

	snprintf(command, sizeof(command), "ls -A '%s' | wc -l", directory);
	listing = popen(command, "r");
	assert_non_null(listing);
	assert_int_equal(fscanf(listing, "%d", &count), 1);
	pclose(listing);
	return count;
}

/* The file of another user: read from a copy, nothing changed, nothing left. */
static void test_roll_back_copy(void **state)
{
	struct recording *recording;
	char temporary[128], *before, *after;
	size_t size_before, size_after;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: only root can give a file away\n");
		skip();
	}
	cut_off_in_commit(path);
	assert_int_equal(chown(path, 1234, 1234), 0);
	assert_int_equal(chown(journal, 1234, 1234), 0);
	assert_int_equal(file__read(path, RECORDING_LIMIT, &before, &size_before), 0);
	snprintf(temporary, sizeof(temporary), "%s/tmp", folder);
	assert_int_equal(mkdir(temporary, 0700), 0);
	setenv("TMPDIR", temporary, 1);
	assert_int_equal(recording__open(path, &recording), 0);
	assert_int_equal(count_entries(temporary), 0); /* already while it is open */
	assert_int_equal(number_in(recording, "SELECT sum(count) FROM sample"), 20000);
	recording__close(recording);
	assert_int_equal(access(journal, F_OK), 0);
	assert_int_equal(file__read(path, RECORDING_LIMIT, &after, &size_after), 0);
	assert_int_equal(size_before, size_after);
	assert_memory_equal(before, after, size_after);
	free(before);
	free(after);

	setenv("TMPDIR", "/nowhere", 1);
	assert_int_equal(recording__open(path, &recording), -ENOENT);
	unsetenv("TMPDIR");
}

/* A journal that someone else put next to a recording is not believed, nor changed. */
static void test_planted_journal(void **state)
{
	struct stat status;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: only root can give a file away\n");
		skip();
	}
	cut_off_in_commit(path);
	assert_int_equal(chown(path, 1234, 1234), 0);
	assert_int_equal(chown(journal, 4321, 4321), 0);
	assert_true(number_at(path, "SELECT sum(count) FROM sample") > 20000);
	assert_int_equal(lstat(journal, &status), 0);
	assert_int_equal(status.st_uid, 4321);

	assert_int_equal(unlink(journal), 0);
	assert_int_equal(mkfifo(journal, 0600), 0);
	assert_true(number_at(path, "SELECT sum(count) FROM sample") > 20000);
}

static void append_super_journal(const char *name)
{
	uint32_t sum = 0, locked_page = __builtin_bswap32(0x40000000 / 4096 + 1);
	uint8_t tail[16] = {0};
	FILE *file = fopen(journal, "r+");

	/* SQLite's pager.c, writeSuperJournal: a page number that never is, the name, its length,
	 * its sum, the magic. */
	assert_non_null(file);
	for (const char *at = name; *at; at++)
		sum += (uint32_t)*at;
	tail[3] = (uint8_t)strlen(name);
	for (int i = 0; i < 4; i++)
		tail[4 + i] = (uint8_t)(sum >> (24 - 8 * i));
	memcpy(tail + 8, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	assert_int_equal(fwrite(&locked_page, sizeof(locked_page), 1, file), 1);
	assert_int_equal(fwrite(name, strlen(name), 1, file), 1);
	assert_int_equal(fwrite(tail, sizeof(tail), 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

/* A journal that names a super-journal makes plain SQLite delete the file of that name. */
static void test_super_journal(void **state)
{
	struct recording *recording;
	char victim[96];

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	write_file(victim, "x", 2); /* read as the name of another journal, which is not there */
	cut_off_in_commit(path);
	append_super_journal(victim);
	if (!recording__open(path, &recording))
		recording__close(recording);
	assert_int_equal(access(victim, F_OK), 0);

	/* So the journal was a real one. */
	assert_int_equal(unlink(path), 0);
	unlink(journal);
	cut_off_in_commit(path);
	append_super_journal(victim);
	assert_int_equal(run_sql(path, COUNT_SAMPLES), SQLITE_OK);
	assert_int_equal(access(victim, F_OK), -1);
}

/* Writes until there is no room: 0, or what recording_writer__close told. */
static int write_until_full(void)
{
	struct recording_writer *writer;
	struct sample_row row = {.ending = "python", .metric = "cpu", .count = 1};
	int err = recording_writer__create(path, &writer);

	if (err)
		return err;
	for (int64_t i = 0; i < FULL_ROWS && !err; i++) {
		row.stack = i;
		while ((err = recording_writer__sample(writer, &row)) == -ENOBUFS)
			usleep(1000);
		if (i % 5000 == 0) {
			recording_writer__flush(writer);
			usleep(1000);
		}
	}
	if (err != recording_writer__error(writer) || !recording_writer__dropped(writer))
		err = -EPROTO;
	return recording_writer__close(writer) == err ? err : -EPROTO;
}

static void assert_incomplete(void)
{
	struct recording *recording;

	assert_int_equal(recording__open(path, &recording), 0);
	assert_false(recording__complete(recording));
	assert_true(number_in(recording, COUNT_SAMPLES) > 1000);
	recording__close(recording);
	assert_int_equal(access(journal, F_OK), -1);
}

static void test_full_disk(void **state)
{
	char size[32];
	int err;

	(void)state;
	snprintf(size, sizeof(size), "size=%d", FULL_SIZE);
	if (mount("none", folder, "tmpfs", 0, size)) {
		print_message("SKIP: cannot mount a small tmpfs: %s\n", strerror(errno));
		skip();
	}
	err = write_until_full();
	if (err == -ENOSPC)
		assert_incomplete();
	assert_int_equal(umount(folder), 0);
	assert_int_equal(err, -ENOSPC);
}

static void test_file_too_large(void **state)
{
	struct rlimit limit = {.rlim_cur = FULL_SIZE, .rlim_max = FULL_SIZE};
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child)
		_exit(setrlimit(RLIMIT_FSIZE, &limit) ? 1 : -write_until_full());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status)); /* no SIGXFSZ */
	assert_int_equal(WEXITSTATUS(status), EFBIG);
	assert_incomplete();
}

static void test_full_from_the_start(void **state)
{
	struct recording_writer *writer;
	int err;

	(void)state;
	if (mount("none", folder, "tmpfs", 0, "size=8k")) {
		print_message("SKIP: cannot mount a small tmpfs: %s\n", strerror(errno));
		skip();
	}
	err = recording_writer__create(path, &writer);
	if (!err)
		recording_writer__close(writer);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(umount(folder), 0);
	assert_int_equal(err, -ENOSPC);
}

/* A reader sees one state; the writer goes on and loses nothing. */
static void test_read_while_writing(void **state)
{
	struct recording_writer *writer = create();
	struct recording *recording;
	int64_t seen = 0;

	(void)state;
	for (int64_t i = 0; i < 50; i++) {
		add_samples(writer, i * 1000, 1000);
		recording_writer__flush(writer);
		assert_int_equal(recording__open(path, &recording), 0);
		assert_false(recording__complete(recording));
		assert_true(number_in(recording, COUNT_SAMPLES) >= seen);
		seen = number_in(recording, COUNT_SAMPLES);
		usleep(2000);
		assert_int_equal(number_in(recording, COUNT_SAMPLES), seen);
		recording__close(recording);
	}
	assert_true(seen > 0);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(number_at(path, COUNT_SAMPLES), 50000);
}

/* Another process holds the file: rows wait, then samples are dropped, never structure. */
static void test_queue_full(void **state)
{
	struct recording_writer *writer = create();
	struct sample_row sample = {.ending = "python", .metric = "cpu", .count = 1};
	int64_t taken = 0;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	/* The writer's own attempts hold the file for moments. */
	sqlite3_busy_timeout(db, 10000);
	while (!recording_writer__sample(writer, &sample))
		assert_true(++taken < FULL_ROWS);
	assert_int_equal(recording_writer__sample(writer, &sample), -ENOBUFS);
	assert_int_equal(recording_writer__dropped(writer), 2);
	assert_int_equal(recording_writer__slice(writer, 1, 2, 3), 0);
	assert_int_equal(recording_writer__error(writer), 0);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(number_at(path, COUNT_SAMPLES), taken);
	assert_int_equal(number_at(path, "SELECT count(*) FROM slice"), 1);
	print_message("%lld samples waited\n", (long long)taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
		STORE_TEST(test_killed),
		STORE_TEST(test_roll_back_own),
		STORE_TEST(test_move_with_journal),
		STORE_TEST(test_roll_back_copy),
		STORE_TEST(test_planted_journal),
		STORE_TEST(test_super_journal),
		STORE_TEST(test_full_disk),
		STORE_TEST(test_file_too_large),
		STORE_TEST(test_full_from_the_start),
		STORE_TEST(test_read_while_writing),
		STORE_TEST(test_queue_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
