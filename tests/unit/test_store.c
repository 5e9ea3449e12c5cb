// SPDX-License-Identifier: GPL-2.0-or-later
// Links: store base
#include "unit/store_fixture.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <time.h>

#define RATE_ROWS 600000
#define LAYOUT_2  0xac5ebf7c651c324cULL

/* One row of every type; NULL where it may be, then values. */
static void fill(struct recording_writer *writer)
{
	struct process_row process = {.id = 1,
				      .parent = ROW_NULL,
				      .pid = 42,
				      .start_ns = -5000000000,
				      .end_ns = ROW_NULL,
				      .exit_code = ROW_NULL,
				      .exit_signal = ROW_NULL,
				      .cpu_ns = 1,
				      .user_ns = 2,
				      .system_ns = 3,
				      .max_rss_bytes = ROW_NULL};
	struct image_row image = {.id = 1,
				  .process = 1,
				  .comm = "a\xff"
					  "b",
				  .arguments = "x\0\"q\\\0\0\n\xc3\xa9\xc3",
				  .arguments_size = 11};
	struct epoch_row epoch = {
		.id = 1, .process = 1, .image = 1, .end_ns = ROW_NULL, .task = "isr"};
	struct thread_row thread = {
		.id = 1, .process = 1, .tid = 43, .end_ns = ROW_NULL, .name = ""};
	struct usage_row usage = {1, 1, 10, 6, 4};
	struct thread_usage_row thread_usage = {1, 1, 1, 10};
	struct wait_row wait = {1, 1, 2, 3000000000, "lock"};
	struct thread_wait_row thread_wait = {1, 1, 2, 3000000000, "other:keyctl"};
	struct file_row file = {1, "file", "/data/\xff", "ceph", "/data"};
	struct io_row io = {1, 1, 1, 2, 3, INT64_MAX, 5, "open"};
	struct function_row function = {
		.id = 1, .line = ROW_NULL, .kind = "native", .name = "f", .module = "libm.so"};
	struct sample_row sample = {.epoch = 1,
				    .thread = 1,
				    .slice = 1,
				    .stack = ROW_NULL,
				    .ending = "unknown",
				    .metric = "cpu",
				    .count = 3,
				    .waker = ROW_NULL,
				    .file = ROW_NULL};

	assert_int_equal(recording_writer__meta(writer, "node", "ceres \xf0\x9f\x92\xa9"), 0);
	assert_int_equal(recording_writer__meta(writer, "hz", "99"), 0);
	assert_int_equal(recording_writer__slice(writer, 1, 0, 1000000000), 0);
	assert_int_equal(recording_writer__process(writer, &process), 0);
	process = (struct process_row){.id = 2,
				       .parent = 1,
				       .pid = 43,
				       .end_ns = INT64_MAX,
				       .exit_code = 7,
				       .exit_signal = 9,
				       .max_rss_bytes = 1 << 20,
				       .python = "3.11"};
	assert_int_equal(recording_writer__process(writer, &process), 0);
	assert_int_equal(recording_writer__image(writer, &image), 0);
	image = (struct image_row){.id = 2, .process = 2, .comm = "", .cgroup = "/a/b"};
	assert_int_equal(recording_writer__image(writer, &image), 0);
	assert_int_equal(recording_writer__environment(writer, 1, "OMP_NUM_THREADS", "1"), 0);
	assert_int_equal(recording_writer__epoch(writer, &epoch), 0);
	epoch = (struct epoch_row){.id = 2, .task = "t", .job = "j", .rule = "r", .end_ns = 5};
	assert_int_equal(recording_writer__epoch(writer, &epoch), 0);
	assert_int_equal(recording_writer__thread(writer, &thread), 0);
	assert_int_equal(recording_writer__usage(writer, &usage), 0);
	assert_int_equal(recording_writer__thread_usage(writer, &thread_usage), 0);
	assert_int_equal(recording_writer__wait(writer, &wait), 0);
	assert_int_equal(recording_writer__thread_wait(writer, &thread_wait), 0);
	assert_int_equal(recording_writer__file(writer, &file), 0);
	assert_int_equal(recording_writer__io(writer, &io), 0);
	assert_int_equal(recording_writer__io_histogram(writer, "open", "ceph", "ns", 20, 7), 0);
	assert_int_equal(recording_writer__function(writer, &function), 0);
	function = (struct function_row){2, 12, "python", "g", "/x/y.py", "/x/y.py"};
	assert_int_equal(recording_writer__function(writer, &function), 0);
	assert_int_equal(recording_writer__frame(writer, 1, 1, ROW_NULL, 4660), 0);
	assert_int_equal(recording_writer__frame(writer, 2, 2, 14, ROW_NULL), 0);
	assert_int_equal(recording_writer__inline(writer, 1, 0, 2, ROW_NULL), 0);
	assert_int_equal(recording_writer__inline(writer, 1, 1, 1, 7), 0);
	assert_int_equal(recording_writer__stack(writer, 1, ROW_NULL, 2), 0);
	assert_int_equal(recording_writer__stack(writer, 2, 1, 1), 0);
	assert_int_equal(recording_writer__sample(writer, &sample), 0);
	sample.stack = 2;
	sample.metric = "offcpu";
	sample.class = "lock";
	sample.value = 2000000;
	sample.waker = 7;
	sample.file = 8;
	assert_int_equal(recording_writer__sample(writer, &sample), 0);
	assert_int_equal(recording_writer__quality(writer, "samples", 6, "CPU samples taken"), 0);
	assert_int_equal(recording_writer__recorder(writer, 1, 5, 6), 0);
	assert_int_equal(recording_writer__unwind_problem(writer, "/lib/a", "cfa_offset", 2), 0);
	assert_int_equal(recording_writer__program(writer, "sample_cpu", 6, 700), 0);
}

static struct recording_writer *create(void)
{
	struct recording_writer *writer;

	assert_int_equal(recording_writer__create(path, &writer), 0);
	return writer;
}

static void create_whole(void)
{
	struct recording_writer *writer = create();

	fill(writer);
	assert_int_equal(recording_writer__close(writer), 0);
}

/* All columns of all rows with '|' between, NULL as '-'; rows on lines of their own. */
static void assert_rows(struct recording *recording, const char *sql, const char *expected)
{
	char all[2048] = "";
	size_t size = 0;
	sqlite3_stmt *statement;
	int step;

	assert_int_equal(recording__prepare(recording, sql, &statement), 0);
	while ((step = recording__step(statement)) == 1) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const unsigned char *text = sqlite3_column_text(statement, i);

			size += (size_t)snprintf(all + size, sizeof(all) - size, "%s%s",
						 i ? "|" : "", text ? (const char *)text : "-");
			assert_true(size < sizeof(all));
		}
		size += (size_t)snprintf(all + size, sizeof(all) - size, "\n");
	}
	sqlite3_finalize(statement);
	assert_int_equal(step, 0);
	assert_string_equal(all, expected);
}

static void test_round_trip(void **state)
{
	struct recording *r;
	struct stat status;

	(void)state;
	create_whole();
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);

	assert_int_equal(recording__open(path, &r), 0);
	assert_true(recording__complete(r));
	assert_string_equal(recording__meta(r, "node"), "ceres \xf0\x9f\x92\xa9");
	assert_null(recording__meta(r, "nothing"));
	assert_int_equal(recording__meta_number(r, "hz", 1), 99);
	assert_int_equal(recording__meta_number(r, "node", -7), -7);
	assert_int_equal(recording__meta_number(r, "nothing", -8), -8);
	assert_rows(r, "SELECT * FROM slice", "1|0|1000000000\n");
	assert_rows(r, "SELECT * FROM process",
		    "1|-|42|-5000000000|-|-|-|1|2|3|-|-\n"
		    "2|1|43|0|9223372036854775807|7|9|0|0|0|1048576|3.11\n");
	assert_rows(r, "SELECT * FROM image",
		    "1|1|0|a\xef\xbf\xbd"
		    "b|[\"x\",\"\\\"q\\\\\",\"\",\"\\u000a\xc3\xa9\xef\xbf\xbd\"]|-\n"
		    "2|2|0||[]|/a/b\n");
	assert_int_equal(number_in(r, "SELECT sum(json_valid(arguments)) FROM image"), 2);
	assert_int_equal(
		number_in(r, "SELECT json_array_length(arguments) FROM image WHERE id = 1"), 4);
	assert_rows(r, "SELECT * FROM environment", "1|OMP_NUM_THREADS|1\n");
	assert_rows(r, "SELECT * FROM epoch", "1|1|1|0|-|isr|-|-\n2|0|0|0|5|t|j|r\n");
	assert_rows(r, "SELECT * FROM thread", "1|1|43||-\n");
	assert_rows(r, "SELECT * FROM usage", "1|1|10|6|4\n");
	assert_rows(r, "SELECT * FROM thread_usage", "1|1|1|10\n");
	assert_rows(r, "SELECT * FROM wait", "1|1|lock|2|3000000000\n");
	assert_rows(r, "SELECT * FROM thread_wait", "1|1|other:keyctl|2|3000000000\n");
	assert_rows(r, "SELECT * FROM file", "1|file|/data/\xef\xbf\xbd|ceph|/data\n");
	assert_rows(r, "SELECT * FROM io", "1|1|1|open|2|3|9223372036854775807|5\n");
	assert_rows(r, "SELECT * FROM io_histogram", "open|ceph|ns|20|7\n");
	assert_rows(r, "SELECT * FROM function",
		    "1|native|f|-|-|libm.so\n2|python|g|/x/y.py|12|/x/y.py\n");
	assert_rows(r, "SELECT * FROM frame", "1|1|-|4660\n2|2|14|-\n");
	assert_rows(r, "SELECT * FROM inline", "1|0|2|-\n1|1|1|7\n");
	assert_rows(r, "SELECT * FROM stack", "1|-|2\n2|1|1\n");
	assert_rows(r, "SELECT * FROM sample",
		    "1|1|1|-|unknown|cpu|-|3|0|-|-\n"
		    "1|1|1|2|unknown|offcpu|lock|3|2000000|7|8\n");
	assert_rows(r, "SELECT name, ok FROM ending WHERE name LIKE 'python_un%'",
		    "python_unnamed|0\npython_unreadable|0\npython_unsupported|0\n");
	assert_rows(r, "SELECT * FROM quality", "samples|6|CPU samples taken\n");
	assert_rows(r, "SELECT * FROM recorder", "1|5|6\n");
	assert_rows(r, "SELECT * FROM unwind_problem", "/lib/a|cfa_offset|2\n");
	assert_rows(r, "SELECT * FROM program", "sample_cpu|6|700\n");
	assert_int_equal(number_in(r, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"),
			 12);
	recording__close(r);
}

static void test_replace(void **state)
{
	struct process_row process = {.id = 2, .pid = 5, .parent = ROW_NULL};
	struct recording_writer *writer = create();

	(void)state;
	fill(writer);
	assert_int_equal(recording_writer__process(writer, &process), 0);
	assert_int_equal(recording_writer__stack(writer, 2, 1, 2), 0);
	assert_int_equal(recording_writer__meta(writer, "hz", "199"), 0);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(number_at(path, "SELECT pid FROM process WHERE id = 2"), 5);
	assert_int_equal(number_at(path, "SELECT count(*) FROM process"), 2);
	assert_int_equal(number_at(path, "SELECT frame FROM stack WHERE id = 2"), 2);
	assert_int_equal(number_at(path, "SELECT value FROM meta WHERE key = 'hz'"), 199);
}

static void test_refused_rows(void **state)
{
	struct function_row function = {.id = 1, .kind = "native", .module = "m"};
	struct wait_row wait = {1, 1, 2, 3, NULL};
	struct thread_wait_row thread_wait = {1, ROW_NULL, 2, 3, "lock"};
	struct file_row file = {1, "file", "/data", NULL, "/"};
	struct io_row io = {1, 1, 1, 0, 3, 4, ROW_NULL, "open"};
	struct recording_writer *writer = create();

	(void)state;
	assert_int_equal(recording_writer__function(writer, &function), -EINVAL);
	assert_int_equal(recording_writer__slice(writer, ROW_NULL, 1, 2), -EINVAL);
	assert_int_equal(recording_writer__meta(writer, NULL, "x"), -EINVAL);
	assert_int_equal(recording_writer__wait(writer, &wait), -EINVAL);
	assert_int_equal(recording_writer__thread_wait(writer, &thread_wait), -EINVAL);
	assert_int_equal(recording_writer__file(writer, &file), -EINVAL);
	assert_int_equal(recording_writer__io(writer, &io), -EINVAL);
	assert_int_equal(recording_writer__io_histogram(writer, "read", NULL, "ns", 1, 1), -EINVAL);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(recording_writer__close(NULL), 0);
	assert_int_equal(number_at(path, "SELECT count(*) FROM function"), 0);
}

static void test_long_texts(void **state)
{
	struct recording_writer *writer = create();
	struct image_row image = {.id = 1, .comm = "c"};
	size_t size = 1 << 20;
	char *text = malloc(size + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '\x80', size);
	text[size] = '\0';
	image.arguments = text;
	image.arguments_size = size;
	assert_int_equal(recording_writer__image(writer, &image), 0);
	assert_int_equal(recording_writer__environment(writer, 1, text, text), 0);
	free(text);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(number_at(path, "SELECT length(value) FROM environment"), 65536);
	assert_int_equal(number_at(path, "SELECT length(arguments) FROM image"), 4096 + 4);
}

static void test_earlier_files(void **state)
{
	static const char words[] =
		"not a recording, but long enough for a header of SQLite; "
		"not a recording, but long enough for a header of SQLite";
	struct recording_writer *writer, *second;
	char side[160];

	(void)state;
	create_whole();
	writer = create();
	assert_int_equal(number_at(old, "SELECT count(*) FROM sample"), 2);
	/* Another recorder at work, at the name or at the name's .old. */
	assert_int_equal(recording_writer__create(path, &second), -EBUSY);
	assert_int_equal(rename(path, old), 0);
	assert_int_equal(recording_writer__create(path, &second), 0);
	assert_int_equal(recording_writer__close(second), 0);
	assert_int_equal(recording_writer__create(path, &second), -EBUSY);
	assert_int_equal(recording_writer__close(writer), -ESTALE); /* renamed under it */

	assert_int_equal(unlink(old), 0);
	assert_int_equal(mkdir(old, 0700), 0);
	assert_int_equal(recording_writer__create(path, &second), -EEXIST);
	assert_int_equal(rmdir(old), 0);
	assert_int_equal(unlink(path), 0);

	write_file(path, words, sizeof(words));
	assert_int_equal(recording_writer__create(path, &second), -EEXIST);
	write_file(path, "", 0);
	assert_int_equal(recording_writer__create(path, &second), -EEXIST);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(recording_writer__create(path, &second), -EEXIST);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_int_equal(recording_writer__create(path, &second), -ELOOP);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(symlink("/etc/passwd", journal), 0);
	assert_int_equal(recording_writer__create(path, &second), -EEXIST);
	assert_int_equal(unlink(journal), 0);
	snprintf(side, sizeof(side), "%s-wal", path);
	write_file(side, words, sizeof(words));
	assert_int_equal(recording_writer__create(path, &second), -EEXIST);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(side, sizeof(side), "%s/nowhere/x", folder);
	assert_int_equal(recording_writer__create(side, &second), -ENOENT);
	assert_int_equal(recording_writer__create("", &second), -ENOENT);
	assert_int_equal(recording_writer__create("/tmp/", &second), -EISDIR);
}

static void test_sudo(void **state)
{
	struct recording_writer *writer;
	struct stat status;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: only root is sudo's root\n");
		skip();
	}
	setenv("SUDO_UID", "1234", 1);
	setenv("SUDO_GID", "1235", 1);
	writer = create();
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0); /* root's own directory */
	assert_int_equal(chown(folder, 1234, 1235), 0);
	writer = create();
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 1234);
	assert_int_equal(status.st_gid, 1235);
	setenv("SUDO_UID", "12x", 1);
	writer = create();
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
}

static void assert_refused(const char *name, int err)
{
	struct recording *recording = NULL;

	assert_int_equal(recording__open(name, &recording), err);
	assert_null(recording);
}

static void test_no_recording(void **state)
{
	char other[128];

	(void)state;
	assert_refused(path, -ENOENT);
	assert_refused(folder, -EMEDIUMTYPE);
	write_file(path, "", 0);
	assert_refused(path, -EMEDIUMTYPE);
	write_file(path, "SQLite format 3", 16);
	assert_refused(path, -EMEDIUMTYPE);
	snprintf(other, sizeof(other), "%s/other.db", folder);
	assert_int_equal(run_sql(other, "CREATE TABLE meta (a)"), SQLITE_OK);
	assert_refused(other, -EMEDIUMTYPE);
	assert_int_equal(run_sql(other, "PRAGMA application_id = 1886610288"), SQLITE_OK);
	assert_refused(other, -EBADMSG);
	assert_int_equal(mkfifo(old, 0600), 0);
	assert_refused(old, -EMEDIUMTYPE);
}

static void test_foreign_schema(void **state)
{
	static const struct {
		const char *sql;
		int err;
	} changes[] = {
		{"CREATE INDEX mine ON sample (stack)", 0},
		{"PRAGMA user_version = 3", -EPROTONOSUPPORT},
		{"PRAGMA user_version = 0", -EBADMSG},
		{"CREATE TABLE more (a)", -EBADMSG},
		{"CREATE VIEW v AS SELECT 1", -EBADMSG},
		{"DROP TABLE slice; CREATE VIEW slice AS SELECT 1 id, 2 start_ns, 3 end_ns",
		 -EBADMSG},
		{"CREATE TRIGGER t AFTER INSERT ON sample BEGIN DELETE FROM stack; END", -EBADMSG},
		{"CREATE VIRTUAL TABLE f USING fts4(a)", -EBADMSG},
		{"DROP TABLE program", -EBADMSG},
		{"ALTER TABLE sample ADD COLUMN g AS (count + 1)", -EBADMSG},
		{"PRAGMA journal_mode = WAL", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct recording *recording;
		int err;

		create_whole();
		assert_int_equal(run_sql(path, changes[i].sql), SQLITE_OK);
		err = recording__open(path, &recording);
		if (err != changes[i].err)
			print_error("%s: %d\n", changes[i].sql, err);
		assert_int_equal(err, changes[i].err);
		if (!err)
			recording__close(recording);
		assert_int_equal(unlink(path), 0);
	}
}

/* What an earlier layout lacks is empty, or not known; what today's lacks makes it none of them. */
static void test_earlier_layouts(void **state)
{
	static const struct {
		const char *sql;
		int err;
	} changes[] = {
		{"SELECT 1", 0},
		{"DROP TABLE ceph; DROP TABLE unwind_problem", 0},
		{"DROP INDEX sample_epoch; ALTER TABLE sample DROP COLUMN waker", 0},
		{"DROP TABLE program; CREATE TABLE program (name TEXT PRIMARY KEY)", 0},
		{"DROP TABLE program; CREATE TABLE program (name INTEGER PRIMARY KEY)", -EBADMSG},
		{"CREATE TABLE more (a)", -EBADMSG},
		{"ALTER TABLE process ADD COLUMN b", -EBADMSG},
		{"ALTER TABLE process ADD COLUMN zz", -EBADMSG},
		{"DROP TABLE program; CREATE VIEW program AS SELECT 1", -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct recording *recording;
		int err;

		create_whole();
		assert_int_equal(run_sql(path, "PRAGMA user_version = 1"), SQLITE_OK);
		assert_int_equal(run_sql(path, changes[i].sql), SQLITE_OK);
		err = recording__open(path, &recording);
		if (err != changes[i].err)
			print_error("%s: %d\n", changes[i].sql, err);
		assert_int_equal(err, changes[i].err);
		if (!err) {
			sqlite3_stmt *statement = NULL;

			assert_true(number_in(recording, "SELECT count(*) FROM process") > 0);
			number_in(recording, "SELECT count(*) FROM ceph");
			number_in(recording, "SELECT count(waker) FROM sample");
			number_in(recording, "SELECT count(runs) FROM program");
			assert_int_equal(
				recording__prepare(recording, "DELETE FROM process", &statement),
				-EINVAL);
			recording__close(recording);
		}
		assert_int_equal(unlink(path), 0);
	}
}

/* Whoever changes tables or columns raises RECORDING_VERSION, and then this, its fingerprint:
 * FNV-1a of the tables and columns as the reader compares them. */
static void test_version_of_layout(void **state)
{
	static const char sql[] =
		"SELECT group_concat(line) FROM (SELECT s.name || ' ' || c.name || ' ' || c.type ||"
		" ' ' || c.pk AS line FROM sqlite_schema s, pragma_table_xinfo(s.name) c"
		" WHERE s.type = 'table' ORDER BY s.name, c.cid)";
	struct recording *recording;
	sqlite3_stmt *statement;
	uint64_t hash = 0xcbf29ce484222325;

	(void)state;
	create_whole();
	assert_int_equal(recording__open(path, &recording), 0);
	assert_int_equal(recording__prepare(recording, sql, &statement), 0);
	assert_int_equal(recording__step(statement), 1);
	for (const unsigned char *c = sqlite3_column_text(statement, 0); *c; c++)
		hash = (hash ^ *c) * 0x100000001b3;
	sqlite3_finalize(statement);
	assert_int_equal(number_in(recording, "PRAGMA user_version"), 2);
	recording__close(recording);
	if (hash != LAYOUT_2)
		print_error(
			"the layout has changed: if recordings of layout 2 are kept anywhere, "
			"raise "
			"RECORDING_VERSION; its fingerprint is 0x%" PRIx64 "\n",
			hash);
	assert_true(hash == LAYOUT_2);
}

static void test_only_select(void **state)
{
	struct recording *recording;
	sqlite3_stmt *statement = NULL;

	(void)state;
	create_whole();
	assert_int_equal(symlink(path, old), 0); /* the caller's link is followed */
	assert_int_equal(recording__open(old, &recording), 0);
	assert_int_equal(recording__prepare(recording, "DELETE FROM sample", &statement), -EINVAL);
	assert_int_equal(recording__prepare(recording, "ATTACH 'x' AS y", &statement), -EINVAL);
	assert_int_equal(recording__prepare(recording, "SELECT nothing", &statement), -EINVAL);
	assert_int_equal(recording__prepare(recording, "", &statement), -EINVAL);
	assert_null(statement);
	recording__close(recording);
	assert_int_equal(number_at(path, "SELECT count(*) FROM sample"), 2);
}

/* Reads all that a report needs: 0 or what stopped it. */
static int read_all(const char *name, int64_t *ret_rows)
{
	static const char *const tables[] = {"meta",   "slice",	  "process",	 "image",
					     "epoch",  "thread",  "usage",	 "thread_usage",
					     "stack",  "frame",	  "function",	 "sample",
					     "ending", "quality", "environment", "recorder"};
	struct recording *recording;
	int err = recording__open(name, &recording);

	*ret_rows = 0;
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && err >= 0; i++) {
		sqlite3_stmt *statement;
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT * FROM %s", tables[i]);
		err = recording__prepare(recording, sql, &statement);
		if (err)
			break;
		while ((err = recording__step(statement)) == 1)
			for (int c = 0; c < sqlite3_column_count(statement); c++)
				*ret_rows += sqlite3_column_text(statement, c) != NULL;
		sqlite3_finalize(statement);
	}
	recording__close(recording);
	return err;
}

static void test_damaged(void **state)
{
	struct recording_writer *writer = create();
	int64_t all, rows;
	size_t size, errors = 0;
	uint32_t random = 12345;
	char *bytes;

	(void)state;
	fill(writer);
	add_samples(writer, 0, 5000);
	assert_int_equal(recording_writer__close(writer), 0);
	assert_int_equal(read_all(path, &all), 0);
	assert_int_equal(file__read(path, RECORDING_LIMIT, &bytes, &size), 0);

	for (size_t i = 0; i < 50; i++) {
		write_file(path, bytes, size * i / 50);
		if (read_all(path, &rows))
			errors++;
		assert_true(rows <= all);
	}
	assert_in_range(errors, 25, 50);

	errors = 0;
	for (size_t i = 0; i < 300; i++) {
		char *damaged = malloc(size);

		assert_non_null(damaged);
		memcpy(damaged, bytes, size);
		for (size_t flips = 0; flips < 1 + i / 10; flips++) {
			random = random * 1664525 + 1013904223;
			/* Half of them where the structure is: the head, or a page's first bytes.
			 */
			size_t at = i % 2 ? (random >> 4) % size
					  : ((random >> 4) % (size / 4096)) * 4096 +
						    (random >> 24) % 64;

			damaged[at] ^= (char)(1 << (random & 7));
		}
		write_file(path, damaged, size);
		free(damaged);
		if (read_all(path, &rows))
			errors++;
	}
	assert_in_range(errors, 50, 300);
	free(bytes);
}

static double seconds_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_rate(void **state)
{
	struct recording_writer *writer = create();
	double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	double put_cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID), written;

	(void)state;
	add_samples(writer, 0, RATE_ROWS);
	put_cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID) - put_cpu;
	do
		usleep(1000);
	while (!recording_writer__flush(writer) &&
	       number_at(path, "SELECT count(*) FROM sample") < RATE_ROWS);
	written = seconds_of(CLOCK_MONOTONIC) - wall;
	assert_int_equal(recording_writer__dropped(writer), 0);
	assert_int_equal(recording_writer__close(writer), 0);
	cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	print_message(
		"%d sample rows: %.0f ns each for the caller, all on the disk after %.2f s; "
		"with indices %.0f rows per second of CPU\n",
		RATE_ROWS, put_cpu / RATE_ROWS * 1e9, written, RATE_ROWS / cpu);
	assert_int_equal(number_at(path, "SELECT count(*) FROM sample"), RATE_ROWS);
}

/* Writes the seed of tests/fuzz/seeds/recording. */
static int write_seed(const char *name)
{
	struct recording_writer *writer;

	if (recording_writer__create(name, &writer))
		return 1;
	fill(writer);
	return recording_writer__close(writer) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
		STORE_TEST(test_round_trip),
		STORE_TEST(test_replace),
		STORE_TEST(test_refused_rows),
		STORE_TEST(test_long_texts),
		STORE_TEST(test_earlier_files),
		STORE_TEST(test_sudo),
		STORE_TEST(test_no_recording),
		STORE_TEST(test_foreign_schema),
		STORE_TEST(test_only_select),
		STORE_TEST(test_damaged),
		STORE_TEST(test_earlier_layouts),
		STORE_TEST(test_version_of_layout),
		STORE_TEST(test_rate),
	};

	if (argc == 3 && !strcmp(argv[1], "--seed"))
		return write_seed(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
