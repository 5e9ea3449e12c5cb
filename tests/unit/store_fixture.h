/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for each test of the store, and recordings in it. Included by one .c per binary. */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "store/reader.h"
#include "store/writer.h"

#define RECORDING_LIMIT (64u << 20)

static char folder[64];
static char path[96], journal[128], old[128];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/pipescope-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.rec", folder);
	snprintf(journal, sizeof(journal), "%s-journal", path);
	snprintf(old, sizeof(old), "%s.old", path);
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	umount2(folder, MNT_DETACH); /* of a test that failed half-way */
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static inline void write_file(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline void add_samples(struct recording_writer *writer, int64_t first, int64_t count)
{
	for (int64_t i = first; i < first + count; i++) {
		struct sample_row row = {.epoch = i % 7,
					 .thread = i % 13,
					 .slice = i / 1000,
					 .stack = i,
					 .ending = "python",
					 .metric = "cpu",
					 .count = 1};

		assert_int_equal(recording_writer__sample(writer, &row), 0);
	}
}

/* Ends the test unless the recording gives one row with one number. */
static inline int64_t number_in(struct recording *recording, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t number;

	assert_int_equal(recording__prepare(recording, sql, &statement), 0);
	assert_int_equal(recording__step(statement), 1);
	number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static inline int64_t number_at(const char *name, const char *sql)
{
	struct recording *recording;
	int64_t number;

	assert_int_equal(recording__open(name, &recording), 0);
	number = number_in(recording, sql);
	recording__close(recording);
	return number;
}

/* By SQLite's shell way: no help of the reader. */
static inline int run_sql(const char *name, const char *sql)
{
	sqlite3 *db;
	int code = sqlite3_open(name, &db);

	if (code == SQLITE_OK)
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return code;
}

#endif
