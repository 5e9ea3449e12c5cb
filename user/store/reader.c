// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "store/earlier.h"
#include "store/rescue.h"
#include "store/sqlite.h"

#define BUSY_MS	      10000
#define LONGEST_VALUE (16 << 20) /* bytes of a row or text; the writer makes less than 1 MiB */
#define MOST_META     1000
#define MOST_SCHEMA   1000 /* tables and indices */

struct meta_pair {
	char *key, *value;
};

struct recording {
	sqlite3 *db;
	bool borrowed; /* the database is somebody else's */
	struct meta_pair *meta;
	size_t meta_count, meta_capacity;
};

int recording__step(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : sqlite__error(sqlite3_db_handle(statement), code);
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return sqlite__error(db, code);
	if (!statement || !sqlite3_stmt_readonly(statement) || !sqlite3_column_count(statement)) {
		sqlite3_finalize(statement);
		return -EINVAL;
	}
	*ret_statement = statement;
	return 0;
}

int recording__prepare(struct recording *recording, const char *sql, sqlite3_stmt **ret_statement)
{
	return prepare(recording->db, sql, ret_statement);
}

/* A text that the schema's author and the file must agree on: each table, its columns, their types
 * and keys. Generated columns and virtual tables show as `hidden` or as another type. */
static const char tables_sql[] =
	"SELECT group_concat(line, '|') FROM (SELECT s.name || ' ' || c.cid || ' ' || c.name || ' "
	"' || "
	"c.type || ' ' || c.pk || ' ' || c.hidden AS line FROM sqlite_schema s, "
	"pragma_table_xinfo(s.name) c WHERE s.type = 'table' ORDER BY s.name, c.cid)";

/* Nothing but plain tables and indices: SQLite stores their text beginning just so. */
static const char others_sql[] =
	"SELECT count(*), sum(NOT coalesce("
	"type = 'table' AND sql LIKE 'CREATE TABLE %' OR "
	"type = 'index' AND (sql IS NULL OR sql LIKE 'CREATE INDEX %' OR "
	"sql LIKE 'CREATE UNIQUE INDEX %'), 0)) FROM sqlite_schema";

static int read_tables(sqlite3 *db, char **ret_tables)
{
	sqlite3_stmt *statement;
	const unsigned char *text;
	int err = prepare(db, tables_sql, &statement);

	if (err)
		return err;
	err = recording__step(statement);
	if (err == 1) {
		text = sqlite3_column_text(statement, 0);
		*ret_tables = strdup(text ? (const char *)text : "");
		err = *ret_tables ? 0 : -ENOMEM;
	} else if (!err) {
		err = -EBADMSG;
	}
	sqlite3_finalize(statement);
	return err;
}

/* What the schema makes of an empty database. */
static int open_expected(sqlite3 **ret_db)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
		    SQLITE_OK &&
	    sqlite3_exec(db, recording__schema(), NULL, NULL, NULL) == SQLITE_OK) {
		*ret_db = db;
		return 0;
	}
	sqlite3_close(db);
	return -ENOMEM;
}

static int read_version(sqlite3 *db, int *ret_version)
{
	sqlite3_stmt *statement;
	int err = prepare(db, "PRAGMA user_version", &statement);

	if (err)
		return err;
	err = recording__step(statement);
	if (err == 1)
		*ret_version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return err == 1 ? 0 : err ?: -EBADMSG;
}

/* Temporary views may be made, though nothing may be written. */
static int adapt(sqlite3 *db, sqlite3 *expected)
{
	int err = 0;

	if (sqlite3_exec(db, "PRAGMA temp_store = MEMORY; PRAGMA query_only = OFF", NULL, NULL,
			 NULL) != SQLITE_OK)
		err = -ENOMEM;
	err = err ?: earlier__adapt(db, expected);
	if (!err && sqlite3_exec(db, "PRAGMA query_only = ON", NULL, NULL, NULL) != SQLITE_OK)
		err = -ENOMEM;
	return err;
}

static int check_objects(sqlite3 *db)
{
	sqlite3_stmt *statement;
	int err = prepare(db, others_sql, &statement);

	if (err)
		return err;
	err = recording__step(statement);
	if (err == 1)
		err = sqlite3_column_int64(statement, 0) <= MOST_SCHEMA &&
				      !sqlite3_column_int64(statement, 1)
			      ? 0
			      : -EBADMSG;
	sqlite3_finalize(statement);
	return err;
}

static int check_schema(sqlite3 *db)
{
	char *expected = NULL, *found = NULL;
	sqlite3 *today = NULL;
	int version = 0, err = check_objects(db) ?: open_expected(&today);

	err = err ?: read_version(db, &version);
	err = err ?: read_tables(today, &expected);
	err = err ?: read_tables(db, &found);
	if (!err && strcmp(expected, found))
		err = version < RECORDING_VERSION ? adapt(db, today) : -EBADMSG;
	sqlite3_close(today);
	free(expected);
	free(found);
	return err;
}

/* By SQLite's own descriptor: closing another one would drop the locks that this process may have
 * on the file. */
static int check_header(sqlite3 *db)
{
	uint8_t header[RECORDING_HEADER_SIZE];
	sqlite3_file *file = NULL;
	int code;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    !file || !file->pMethods)
		return -EIO;
	code = file->pMethods->xRead(file, header, sizeof(header), 0);
	if (code == SQLITE_IOERR_SHORT_READ)
		return -EMEDIUMTYPE;
	return code == SQLITE_OK ? recording_header__check(header) : -EIO;
}

/* Opens, and holds the state of the file until the close. */
static int open_state(const char *path, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;
	int code, err = sqlite__open(path, SQLITE_OPEN_READONLY, &db);

	if (err)
		return err;
	err = check_header(db);
	if (err)
		goto failed;
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
	/* mmap: a file that is cut under our hands would be SIGBUS. */
	code = sqlite3_exec(db,
			    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
			    "PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_schema",
			    NULL, NULL, NULL);
	if (code == SQLITE_OK) {
		*ret_db = db;
		return 0;
	}
	err = sqlite__error(db, code);
failed:
	sqlite3_close(db);
	return err;
}

static int open_rescued(const char *path, sqlite3 **ret_db)
{
	struct rescue_copy copy;
	int err = rescue__in_place(path);

	if (!err)
		err = open_state(path, ret_db);
	if (!err)
		return 0;
	err = rescue__copy(path, &copy);
	if (err)
		return err;
	err = open_state(copy.path, ret_db);
	rescue__remove(&copy);
	return err;
}

static int open_db(const char *path, sqlite3 **ret_db)
{
	struct stat status;
	char *real;
	int err = 0;

	real = realpath(path, NULL);
	if (!real)
		return -errno;
	if (stat(real, &status))
		err = -errno;
	else if (!S_ISREG(status.st_mode)) /* a FIFO would block */
		err = -EMEDIUMTYPE;
	else if (faccessat(AT_FDCWD, real, R_OK, AT_EACCESS))
		err = -errno;
	if (!err)
		err = open_state(real, ret_db);
	if (err == -EROFS) /* opened read-only, SQLite does not roll back */
		err = open_rescued(real, ret_db);
	free(real);
	return err;
}

static int add_meta(struct recording *recording, sqlite3_stmt *statement)
{
	const unsigned char *key = sqlite3_column_text(statement, 0);
	const unsigned char *value = sqlite3_column_text(statement, 1);
	struct meta_pair *pair;
	int err;

	if (!key || !value || recording->meta_count >= MOST_META)
		return -EBADMSG;
	err = array__reserve(&recording->meta, &recording->meta_capacity, sizeof(*recording->meta),
			     recording->meta_count + 1);
	if (err)
		return err;
	pair = &recording->meta[recording->meta_count++];
	pair->key = strdup((const char *)key);
	pair->value = strdup((const char *)value);
	return pair->key && pair->value ? 0 : -ENOMEM;
}

static int read_meta(struct recording *recording)
{
	sqlite3_stmt *statement;
	int err = recording__prepare(recording, "SELECT key, value FROM meta", &statement);

	if (err)
		return err;
	while ((err = recording__step(statement)) == 1) {
		err = add_meta(recording, statement);
		if (err)
			break;
	}
	sqlite3_finalize(statement);
	return err;
}

int recording__open(const char *path, struct recording **ret_recording)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	int err;

	if (!recording)
		return -ENOMEM;
	err = open_db(path, &recording->db);
	if (!err)
		err = check_schema(recording->db);
	if (!err)
		err = read_meta(recording);
	if (err)
		recording__close(recording);
	else
		*ret_recording = recording;
	return err;
}

int recording__of(sqlite3 *db, struct recording **ret_recording)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	int err;

	if (!recording)
		return -ENOMEM;
	recording->db = db;
	recording->borrowed = true;
	err = read_meta(recording);
	if (err)
		recording__close(recording);
	else
		*ret_recording = recording;
	return err;
}

void recording__close(struct recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < recording->meta_count; i++) {
		free(recording->meta[i].key);
		free(recording->meta[i].value);
	}
	free(recording->meta);
	if (!recording->borrowed)
		sqlite3_close(recording->db);
	free(recording);
}

bool recording__complete(const struct recording *recording)
{
	const char *state = recording__meta(recording, "state");

	return state && !strcmp(state, "complete");
}

const char *recording__meta(const struct recording *recording, const char *key)
{
	for (size_t i = 0; i < recording->meta_count; i++)
		if (!strcmp(recording->meta[i].key, key))
			return recording->meta[i].value;
	return NULL;
}

int64_t recording__meta_number(const struct recording *recording, const char *key,
			       int64_t otherwise)
{
	const char *text = recording__meta(recording, key);
	long long number;
	char *end;

	if (!text)
		return otherwise;
	errno = 0;
	number = strtoll(text, &end, 10);
	return errno || end == text || *end ? otherwise : number;
}
