// SPDX-License-Identifier: GPL-2.0-or-later
// Links: export report model store symbols unwind base
/* Any bytes as a recording: opened, read as reports do, and exported to every format. Seeds:
 * scripts/make-recording-seeds.sh; events: the recording of tests/unit/fixture.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "export/exporter.h"
#include "model/tables.h"
#include "store/reader.h"

#define MOST_STEPS 200 /* of 1000 SQLite instructions: a tree may name a page many times */

static const char *const queries[] = {
	"SELECT id, parent, pid, cpu_ns, python FROM process ORDER BY id",
	"SELECT e.task, count(*), sum(u.cpu_ns) FROM usage u JOIN epoch e ON e.id = u.epoch "
	"GROUP BY e.task",
	"SELECT sum(cpu_ns) FROM thread_usage",
	"SELECT i.comm, i.arguments, n.name, n.value FROM image i JOIN environment n "
	"ON n.image = i.id",
	"SELECT s.id, s.parent, f.line, u.name, u.module FROM stack s JOIN frame f ON f.id = "
	"s.frame "
	"JOIN function u ON u.id = f.function ORDER BY s.id",
	"SELECT epoch, thread, stack, ending, metric, class, waker, sum(count), sum(value) "
	"FROM sample GROUP BY 1, 2, 3, 4, 5, 6, 7",
	"SELECT epoch, thread, class, count, ns FROM thread_wait UNION ALL "
	"SELECT epoch, slice, class, count, ns FROM wait",
	"SELECT f.kind, f.path, f.filesystem, f.mount, i.op, i.error, sum(i.count), sum(i.bytes), "
	"sum(i.ns) FROM io i LEFT JOIN file f ON f.id = i.file GROUP BY 1, 2, 3, 4, 5, 6",
	"SELECT op, filesystem, what, bucket, count FROM io_histogram "
	"ORDER BY filesystem, op, what, bucket",
	"SELECT i.frame, i.position, f.name, i.line FROM inline i JOIN function f ON f.id = "
	"i.function ORDER BY i.frame, i.position DESC",
	"SELECT t.tid, t.name, s.start_ns FROM thread t, slice s",
	"SELECT q.name, q.value, e.ok FROM quality q, ending e",
	"SELECT runs, run_ns FROM program UNION ALL SELECT cpu_ns, rss_bytes FROM recorder",
};

static char path[64];

static void remove_file(void)
{
	unlink(path);
}

static int make_file(void)
{
	int fd;

	snprintf(path, sizeof(path), "%s/pipescope-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	atexit(remove_file);
	return fd;
}

static int count_down(void *left)
{
	return --*(int *)left < 0;
}

static void run_query(struct recording *recording, const char *sql)
{
	int left = MOST_STEPS;
	sqlite3_stmt *statement;

	if (recording__prepare(recording, sql, &statement))
		return;
	sqlite3_progress_handler(sqlite3_db_handle(statement), 1000, count_down, &left);
	while (recording__step(statement) == 1)
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			sqlite3_column_text(statement, i);
	sqlite3_progress_handler(sqlite3_db_handle(statement), 0, NULL, NULL);
	sqlite3_finalize(statement);
}

static void export_all(struct recording *recording)
{
	static FILE *nowhere;
	struct tables *tables;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!nowhere)
		abort();
	if (tables__load(recording, &tables))
		return;
	for (size_t i = 0; exporter__at(i); i++) {
		struct query_request request = {0};

		exporter__at(i)->complete(&request);
		exporter__at(i)->write(nowhere, tables, &request);
		request = (struct query_request){.metric = metric__find("io_time")};
		exporter__at(i)->complete(&request);
		exporter__at(i)->write(nowhere, tables, &request);
	}
	tables__free(tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	struct recording *recording;

	if (fd < 0)
		fd = make_file();
	if (pwrite(fd, bytes, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)size))
		abort();
	if (recording__open(path, &recording))
		return 0;
	recording__complete(recording);
	recording__meta_number(recording, "hz", 0);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		run_query(recording, queries[i]);
	export_all(recording);
	recording__close(recording);
	return 0;
}
