// SPDX-License-Identifier: GPL-2.0-or-later
/* An SQLite database in memory has the schema of a recording. What is looked at is chosen by views
 * of the same names in the schema "temp", which SQLite finds first: so all that reads recordings
 * reads this one too, and loads no more than what was chosen. */
#include "store/live_window.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "store/rows.h"

/* Figures of processes that have ended still come for two slices (capture/tracker.c). */
#define LATE_NS	      2000000000LL
#define PRUNE_SLICES  8 /* what has ended is looked for each so many slices */
#define PRUNE_LATE_NS (4 * LATE_NS)
#define SLICES_LEAST  10 /* that are kept, however much there is of each */
#define BYTES_MOST    (64 << 20) /* of tables; beyond, fewer slices are kept */
#define NUMBER_LIMIT  (1LL << 61) /* of slices and times: sums of two cannot overflow */

struct live_window {
	sqlite3 *db;
	sqlite3_stmt *inserts[ROW_KIND_COUNT]; /* NULL: not kept */
	struct text scratch;
	char *pending; /* bytes of a row whose end has not come yet */
	size_t pending_size, pending_capacity;
	uint64_t generation;
	int64_t most, kept; /* slices: that were asked for, and for which there is room */
	int64_t slices, newest;
};

static const char main_sql[] =
	"CREATE TABLE clock (at INTEGER NOT NULL);"
	"INSERT INTO clock VALUES (0);"
	/* thread_wait with the slice in which a row came. */
	"CREATE TABLE thread_wait_at (epoch INTEGER, thread INTEGER, class TEXT, count INTEGER,"
	" ns INTEGER, slice INTEGER);"
	"CREATE INDEX usage_slice ON usage (slice);"
	"CREATE INDEX thread_usage_slice ON thread_usage (slice);"
	"CREATE INDEX wait_slice ON wait (slice);"
	"CREATE INDEX thread_wait_slice ON thread_wait_at (slice);"
	"CREATE INDEX io_slice ON io (slice);"
	"CREATE INDEX sample_slice ON sample (slice);";

#define FIRST  "(SELECT first FROM chosen)"
#define DETAIL "(SELECT detail FROM chosen)"
#define WANTED " WHERE slice >= " FIRST " AND epoch IN wanted_epoch "

#define NONE_OF(table) "CREATE TEMP VIEW " table " AS SELECT * FROM main." table " WHERE 0;"

static const char temp_sql[] =
	"CREATE TEMP TABLE chosen (first INTEGER, detail INTEGER);"
	"CREATE TEMP TABLE wanted_epoch (id INTEGER PRIMARY KEY);"
	"CREATE TEMP TABLE wanted_process (id INTEGER PRIMARY KEY);"
	"CREATE TEMP TABLE wanted_stack (id INTEGER PRIMARY KEY);"
	"CREATE TEMP TABLE wanted_frame (id INTEGER PRIMARY KEY);"
	"CREATE TEMP TABLE wanted_function (id INTEGER PRIMARY KEY);"
	"CREATE TEMP VIEW slice AS SELECT * FROM main.slice WHERE id >= " FIRST
	";"
	"CREATE TEMP VIEW recorder AS SELECT * FROM main.recorder WHERE slice >= " FIRST
	";"
	"CREATE TEMP VIEW process AS SELECT * FROM main.process WHERE id IN wanted_process;"
	"CREATE TEMP VIEW epoch AS SELECT * FROM main.epoch WHERE id IN wanted_epoch;"
	"CREATE TEMP VIEW image AS SELECT * FROM main.image WHERE process IN wanted_process;"
	"CREATE TEMP VIEW thread AS SELECT * FROM main.thread WHERE process IN wanted_process;"
	"CREATE TEMP VIEW quantum AS SELECT * FROM main.quantum WHERE epoch IN wanted_epoch;"
	"CREATE TEMP VIEW thread_epoch AS SELECT * FROM main.thread_epoch"
	" WHERE epoch IN wanted_epoch;"
	"CREATE TEMP VIEW quantum_data AS SELECT * FROM main.quantum_data"
	" WHERE epoch IN wanted_epoch;"
	"CREATE TEMP VIEW usage AS SELECT * FROM main.usage" WANTED
	";"
	"CREATE TEMP VIEW thread_usage AS SELECT * FROM main.thread_usage" WANTED
	";"
	"CREATE TEMP VIEW wait AS SELECT * FROM main.wait" WANTED
	";"
	"CREATE TEMP VIEW thread_wait AS SELECT * FROM thread_wait_at" WANTED
	";"
	"CREATE TEMP VIEW io AS SELECT epoch, slice, CASE WHEN " DETAIL
	" THEN file END AS file,"
	" op, error, count, bytes, ns FROM main.io" WANTED
	";"
	"CREATE TEMP VIEW file AS SELECT * FROM main.file WHERE id IN (SELECT file FROM io);"
	/* Not kept. */
	NONE_OF("io_histogram") NONE_OF("remote") NONE_OF("wait_on") NONE_OF("resource")
	NONE_OF("counter") NONE_OF("dataset") NONE_OF("renamed") NONE_OF("written")
	NONE_OF("torn") NONE_OF("read_pattern") NONE_OF("memory") NONE_OF("memory_growth")
	NONE_OF("memory_event") NONE_OF("memory_map") NONE_OF("ceph_mount") NONE_OF("ceph")
	NONE_OF("ceph_histogram") NONE_OF("ceph_in_flight") NONE_OF("allocator")
	NONE_OF("alloc_window") NONE_OF("allocation") NONE_OF("allocation_size")
	NONE_OF("open_time")
	"CREATE TEMP VIEW sample AS SELECT * FROM main.sample" WANTED "AND " DETAIL
	";"
	"CREATE TEMP VIEW stack AS SELECT * FROM main.stack WHERE id IN wanted_stack;"
	"CREATE TEMP VIEW frame AS SELECT * FROM main.frame WHERE id IN wanted_frame;"
	"CREATE TEMP VIEW inline AS SELECT * FROM main.inline WHERE frame IN wanted_frame;"
	"CREATE TEMP VIEW function AS SELECT * FROM main.function WHERE id IN wanted_function;";

/* ?1: the oldest slice, ?2: the newest, ?3: pid, ?4: task, ?5: when that slice began, ?6: when the
 * process began */
static const char *const choose_sql[] = {
	"DELETE FROM chosen",
	"DELETE FROM wanted_epoch",
	"DELETE FROM wanted_process",
	"DELETE FROM wanted_stack",
	"DELETE FROM wanted_frame",
	"DELETE FROM wanted_function",
	"INSERT INTO chosen VALUES (?1, ?3 <> 0 OR ?4 IS NOT NULL)",
	"INSERT INTO wanted_epoch SELECT id FROM main.epoch WHERE (?3 = 0 OR process IN"
	" (SELECT id FROM main.process WHERE pid = ?3 AND start_ns = ?6))"
	" AND (?4 IS NULL OR task = ?4) AND (end_ns IS NULL OR end_ns >= ?5)",
	/* CROSS JOIN keeps SQLite from beginning with the longer table. */
	"INSERT OR IGNORE INTO wanted_process SELECT e.process FROM wanted_epoch w"
	" CROSS JOIN main.epoch e ON e.id = w.id",
	"DELETE FROM wanted_process WHERE id NOT IN (SELECT id FROM main.process)",
	/* A recording whose epochs have no process is damaged. */
	"DELETE FROM wanted_epoch WHERE (SELECT process FROM main.epoch e"
	" WHERE e.id = wanted_epoch.id) NOT IN wanted_process",
	"INSERT INTO wanted_stack WITH RECURSIVE up(id) AS (SELECT stack FROM sample"
	" WHERE stack IS NOT NULL UNION SELECT s.parent FROM up JOIN main.stack s ON s.id = up.id"
	" WHERE s.parent IS NOT NULL) SELECT id FROM up",
	"INSERT INTO wanted_frame SELECT DISTINCT frame FROM main.stack WHERE id IN wanted_stack",
	"INSERT INTO wanted_function SELECT function FROM main.frame WHERE id IN wanted_frame"
	" UNION SELECT function FROM main.inline WHERE frame IN wanted_frame",
	"INSERT OR REPLACE INTO meta SELECT 'window_ns', sum(end_ns - start_ns) FROM slice",
};

/* ?1: what is older than this slice, ?2: … or ended before, goes. */
static const char *const forget_sql[] = {
	"DELETE FROM main.usage WHERE slice < ?1",
	"DELETE FROM main.thread_usage WHERE slice < ?1",
	"DELETE FROM main.wait WHERE slice < ?1",
	"DELETE FROM main.thread_wait_at WHERE slice < ?1",
	"DELETE FROM main.io WHERE slice < ?1",
	"DELETE FROM main.sample WHERE slice < ?1",
	"DELETE FROM main.recorder WHERE slice < ?1",
	"DELETE FROM main.slice WHERE id < ?1",
};
static const char *const prune_sql[] = {
	"DELETE FROM main.epoch WHERE end_ns < ?2",
	"DELETE FROM main.process WHERE end_ns < ?2",
	"DELETE FROM main.thread WHERE end_ns < ?2"
	" OR process NOT IN (SELECT id FROM main.process)",
	"DELETE FROM main.image WHERE id NOT IN (SELECT image FROM main.epoch)",
	"DELETE FROM main.quantum WHERE epoch NOT IN (SELECT id FROM main.epoch)",
	"DELETE FROM main.thread_epoch WHERE epoch NOT IN (SELECT id FROM main.epoch)",
	"DELETE FROM main.quantum_data WHERE epoch NOT IN (SELECT id FROM main.epoch)",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int negative_errno(int code)
{
	return code == SQLITE_OK       ? 0
	       : code == SQLITE_NOMEM  ? -ENOMEM
	       : code == SQLITE_TOOBIG ? -EFBIG
				       : -EIO;
}

static int run(struct live_window *window, const char *sql)
{
	return negative_errno(sqlite3_exec(window->db, sql, NULL, NULL, NULL));
}

/* Runs one statement whose parameters are numbers, but the fourth. */
static int run_with(struct live_window *window, const char *sql, const int64_t *numbers,
		    size_t number_count, const char *task)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(window->db, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return negative_errno(code);
	for (int i = 0; i < sqlite3_bind_parameter_count(statement); i++) {
		if (task && i == 3)
			sqlite3_bind_text(statement, i + 1, task, -1, SQLITE_STATIC);
		else if (i != 3 && (size_t)i < number_count)
			sqlite3_bind_int64(statement, i + 1, numbers[i]);
	}
	code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : negative_errno(code);
}

/* What the live view has no use for. */
static bool is_kept(enum row_kind kind)
{
	switch (kind) {
	case ROW_ENVIRONMENT:
	case ROW_IO_HISTOGRAM:
	case ROW_UNWIND_PROBLEM:
	case ROW_REMOTE:
	case ROW_WAIT_ON:
	case ROW_RESOURCE:
	case ROW_COUNTER:
	case ROW_DATASET:
	case ROW_RENAMED:
	case ROW_WRITTEN:
	case ROW_TORN:
	case ROW_PATTERN:
	case ROW_OPEN_TIME:
	case ROW_MEMORY:
	case ROW_MEMORY_GROWTH:
	case ROW_MEMORY_EVENT:
	case ROW_MEMORY_MAP:
	case ROW_CEPH_MOUNT:
	case ROW_CEPH:
	case ROW_CEPH_HISTOGRAM:
	case ROW_CEPH_IN_FLIGHT:
	case ROW_ALLOCATOR:
	case ROW_ALLOC_WINDOW:
	case ROW_ALLOCATION:
	case ROW_ALLOCATION_SIZE:
		return false;
	default:
		return true;
	}
}

/* Into the table, not into the view of its name. */
static int prepare_inserts(struct live_window *window)
{
	static const char into[] = "INTO ", from[] = "DELETE FROM ";

	for (enum row_kind kind = 0; kind < ROW_KIND_COUNT; kind++) {
		const char *table = strstr(row__insert_sql(kind), into);
		char sql[256];
		int code;

		if (!is_kept(kind))
			continue;
		if (kind == ROW_THREAD_WAIT)
			strcpy(sql,
			       "INSERT INTO thread_wait_at SELECT ?, ?, ?, ?, ?, at FROM clock");
		else if (table)
			snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO main.%s",
				 table + strlen(into));
		else
			snprintf(sql, sizeof(sql), "%smain.%s", from,
				 row__insert_sql(kind) + strlen(from));
		code = sqlite3_prepare_v3(window->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					  &window->inserts[kind], NULL);
		if (code != SQLITE_OK)
			return negative_errno(code);
	}
	return 0;
}

static void close_database(struct live_window *window)
{
	for (size_t i = 0; i < ROW_KIND_COUNT; i++) {
		sqlite3_finalize(window->inserts[i]);
		window->inserts[i] = NULL;
	}
	sqlite3_close(window->db);
	window->db = NULL;
}

static int open_database(struct live_window *window)
{
	if (sqlite3_open_v2(":memory:", &window->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return -ENOMEM;
	/* Nothing is ever rolled back: after an error the window is of no use. auto_vacuum: before
	 * there is any table, or pages that are free stay ours for ever. */
	return run(window, "PRAGMA temp_store = MEMORY; PRAGMA main.auto_vacuum = INCREMENTAL;"
			   " PRAGMA temp.auto_vacuum = INCREMENTAL; PRAGMA journal_mode = OFF")
		       ?: run(window, recording__schema())
		       ?: run(window, main_sql) ?: run(window, temp_sql) ?: prepare_inserts(window);
}

static int begin_generation(struct live_window *window)
{
	int err;

	close_database(window);
	malloc_trim(0); /* or what one recorder needed stays ours while others run */
	err = open_database(window);
	window->generation++;
	window->slices = 0;
	window->kept = window->most;
	return err ?: run(window, "BEGIN");
}

int live_window__new(int64_t slices, struct live_window **ret_window)
{
	struct live_window *window = calloc(1, sizeof(*window));
	int err;

	if (!window)
		return -ENOMEM;
	window->most = window->kept = slices;
	err = open_database(window);
	if (err)
		live_window__free(window);
	else
		*ret_window = window;
	return err;
}

void live_window__free(struct live_window *window)
{
	if (!window)
		return;
	close_database(window);
	free(window->scratch.bytes);
	free(window->pending);
	free(window);
}

/* A number that some statement gives; 0 when it gives none. */
static int ask(struct live_window *window, const char *sql, int64_t parameter, int64_t *ret_number)
{
	sqlite3_stmt *statement;
	int64_t number = 0;
	int code = sqlite3_prepare_v2(window->db, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return negative_errno(code);
	if (sqlite3_bind_parameter_count(statement))
		sqlite3_bind_int64(statement, 1, parameter);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return negative_errno(code);
	if (number < -NUMBER_LIMIT || number > NUMBER_LIMIT)
		return -EBADMSG;
	*ret_number = number;
	return 0;
}

/* What a busy minute needed is given back when it is over; a quarter of the pages may be free, as
 * from one slice to the next some always are. */
static int shrink(struct live_window *window)
{
	static const struct {
		const char *pages, *unused, *give_back;
	} parts[] = {
		{"PRAGMA main.page_count", "PRAGMA main.freelist_count",
		 "PRAGMA main.incremental_vacuum"},
		{"PRAGMA temp.page_count", "PRAGMA temp.freelist_count",
		 "PRAGMA temp.incremental_vacuum"},
	};
	int err = 0;

	for (size_t i = 0; i < COUNT(parts) && !err; i++) {
		int64_t pages = 0, unused = 0;

		err = ask(window, parts[i].pages, 0, &pages);
		err = err ?: ask(window, parts[i].unused, 0, &unused);
		if (!err && unused > pages / 4)
			err = run(window, parts[i].give_back);
	}
	malloc_trim(0); /* looks need much for a moment, too */
	return err;
}

/* How many slices there is room for. */
static int adapt_kept(struct live_window *window)
{
	int64_t size = 0, pages = 0, unused = 0;
	int err = ask(window, "PRAGMA main.page_size", 0, &size);

	err = err ?: ask(window, "PRAGMA main.page_count", 0, &pages);
	err = err ?: ask(window, "PRAGMA main.freelist_count", 0, &unused);
	if (err)
		return err;
	if ((pages - unused) * size > BYTES_MOST && window->kept > SLICES_LEAST)
		window->kept =
			window->kept * 3 / 4 > SLICES_LEAST ? window->kept * 3 / 4 : SLICES_LEAST;
	else if ((pages - unused) * size < BYTES_MOST / 2 && window->kept < window->most)
		window->kept++;
	return 0;
}

static int forget_old(struct live_window *window)
{
	int err = adapt_kept(window);
	int64_t numbers[] = {window->newest - window->kept + 1, 0};

	for (size_t i = 0; i < COUNT(forget_sql) && !err; i++)
		err = run_with(window, forget_sql[i], numbers, 1, NULL);
	if (err || window->slices % PRUNE_SLICES)
		return err;
	err = ask(window, "SELECT min(start_ns) FROM main.slice", 0, &numbers[1]);
	numbers[1] -= PRUNE_LATE_NS;
	for (size_t i = 0; i < COUNT(prune_sql) && !err; i++)
		err = run_with(window, prune_sql[i], numbers, 2, NULL);
	return err ?: shrink(window);
}

static int on_slice(struct live_window *window)
{
	int err = ask(window, "SELECT max(id) FROM main.slice", 0, &window->newest);

	window->slices++;
	/* Rows of waits by thread that come from now on are of the next slice. */
	err = err ?: run_with(window, "UPDATE clock SET at = ?1 + 1", &window->newest, 1, NULL);
	return err ?: forget_old(window);
}

static int take_row(struct live_window *window, const char *bytes)
{
	size_t size;
	enum row_kind kind = row__kind(bytes, &size);
	sqlite3_stmt *insert;
	int code, err = 0;

	if (kind == ROW_META && size > sizeof(uint64_t) + sizeof(uint32_t) + 5 &&
	    !memcmp(bytes + sizeof(uint64_t) + sizeof(uint32_t), "state", 5))
		err = begin_generation(window);
	insert = window->inserts[kind];
	if (err || !insert)
		return err;
	code = row__bind(bytes, insert, &window->scratch);
	if (code == SQLITE_OK) {
		code = sqlite3_step(insert);
		sqlite3_reset(insert);
		code = code == SQLITE_DONE ? SQLITE_OK : code;
	}
	if (code != SQLITE_OK)
		return negative_errno(code);
	return kind == ROW_SLICE ? on_slice(window) : 0;
}

/* All whole rows of what waits; the rest stays. */
static int take_pending(struct live_window *window)
{
	size_t at = 0, size = 0;
	int more;

	while ((more = row__check(window->pending + at, window->pending_size - at, &size)) == 1) {
		int err = take_row(window, window->pending + at);

		if (err)
			return err;
		at += size;
	}
	memmove(window->pending, window->pending + at, window->pending_size - at);
	window->pending_size -= at;
	return more;
}

int live_window__take(struct live_window *window, const void *bytes, size_t size)
{
	int err = array__reserve(&window->pending, &window->pending_capacity, 1,
				 window->pending_size + size + 1);

	if (err)
		return err;
	memcpy(window->pending + window->pending_size, bytes, size);
	window->pending_size += size;
	err = run(window, "BEGIN");
	err = err ?: take_pending(window);
	return err ?: run(window, "COMMIT");
}

uint64_t live_window__generation(const struct live_window *window)
{
	return window->generation;
}

int64_t live_window__slices(const struct live_window *window)
{
	return window->slices;
}

int live_window__open(struct live_window *window, const struct live_choice *choice,
		      struct recording **ret_recording)
{
	int64_t slices = choice->slices < window->kept ? choice->slices : window->kept;
	int64_t numbers[] = {
		window->newest - slices + 1, window->newest, choice->pid, 0, 0, choice->start_ns};
	int err;

	if (!window->slices)
		return -EAGAIN;
	err = ask(window, "SELECT min(start_ns) FROM main.slice WHERE id >= ?1", numbers[0],
		  &numbers[4]);
	numbers[4] -= LATE_NS;
	err = err ?: run(window, "BEGIN");
	for (size_t i = 0; i < COUNT(choose_sql) && !err; i++)
		err = run_with(window, choose_sql[i], numbers, COUNT(numbers), choice->task);
	err = err ?: run(window, "COMMIT");
	return err ?: recording__of(window->db, ret_recording);
}
