// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/earlier.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite.h"

/* Tables and their columns, in both databases in the same order: names of tables, then of columns,
 * by bytes. */
static const char columns_sql[] =
	"SELECT s.name, c.name, c.type || ' ' || c.pk || ' ' || c.hidden FROM sqlite_schema s,"
	" pragma_table_xinfo(s.name) c WHERE s.type = 'table' ORDER BY s.name, c.name";

/* What a table has to be made of, in today's order. */
static const char order_sql[] = "SELECT name FROM pragma_table_xinfo(?1) ORDER BY cid";

static int run(sqlite3 *db, const char *sql)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sqlite__error(db, code);
}

static int prepare(sqlite3 *db, const char *sql, const char *table, sqlite3_stmt **ret_statement)
{
	int code = sqlite3_prepare_v2(db, sql, -1, ret_statement, NULL);

	if (code == SQLITE_OK && table)
		code = sqlite3_bind_text(*ret_statement, 1, table, -1, SQLITE_TRANSIENT);
	return code == SQLITE_OK ? 0 : sqlite__error(db, code);
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

static bool has_column(sqlite3 *db, const char *table, const char *column, int *ret_error)
{
	sqlite3_stmt *statement = NULL;
	bool found = false;
	int err = prepare(db, order_sql, table, &statement);

	while (!err && !found && sqlite3_step(statement) == SQLITE_ROW)
		found = !strcmp(text_of(statement, 0), column);
	sqlite3_finalize(statement);
	*ret_error = err;
	return found;
}

/* The table as a view in which each column that the file lacks is NULL; of a table that it has not
 * at all there are no rows. */
static int add_view(sqlite3 *db, sqlite3 *today, const char *table)
{
	sqlite3_stmt *columns = NULL;
	sqlite3_str *sql = sqlite3_str_new(db);
	bool any = false;
	char *text;
	int err = prepare(today, order_sql, table, &columns);

	sqlite3_str_appendf(sql, "CREATE TEMP VIEW \"%w\" AS SELECT ", table);
	for (int i = 0; !err && sqlite3_step(columns) == SQLITE_ROW; i++) {
		const char *column = text_of(columns, 0);
		bool has = has_column(db, table, column, &err);

		any |= has;
		sqlite3_str_appendf(sql, has ? "%s\"%w\"" : "%sNULL AS \"%w\"", i ? ", " : "",
				    column);
	}
	sqlite3_finalize(columns);
	if (any)
		sqlite3_str_appendf(sql, " FROM main.\"%w\"", table);
	else
		sqlite3_str_appendall(sql, " WHERE 0");
	text = sqlite3_str_finish(sql);
	if (!text)
		return -ENOMEM;
	err = err ?: run(db, text);
	sqlite3_free(text);
	return err;
}

/* Positive, as of strcmp(): the file's line comes later; 0: the same, and then equal or damaged. */
static int compare_lines(sqlite3_stmt *file, bool in_file, sqlite3_stmt *today)
{
	int order;

	if (!in_file)
		return 1;
	order = strcmp(text_of(file, 0), text_of(today, 0));
	return order ? order : strcmp(text_of(file, 1), text_of(today, 1));
}

int earlier__adapt(sqlite3 *db, sqlite3 *today)
{
	sqlite3_stmt *theirs = NULL, *ours = NULL;
	char last[64] = "";
	bool in_file;
	int err =
		prepare(db, columns_sql, NULL, &theirs) ?: prepare(today, columns_sql, NULL, &ours);

	if (err)
		goto cleanup;
	in_file = sqlite3_step(theirs) == SQLITE_ROW;
	while (!err && sqlite3_step(ours) == SQLITE_ROW) {
		int order = compare_lines(theirs, in_file, ours);

		if (order < 0 || (!order && strcmp(text_of(theirs, 2), text_of(ours, 2)))) {
			err = -EBADMSG;
		} else if (!order) {
			in_file = sqlite3_step(theirs) == SQLITE_ROW;
		} else if (strcmp(last, text_of(ours, 0))) {
			snprintf(last, sizeof(last), "%s", text_of(ours, 0));
			err = add_view(db, today, last);
		}
	}
	if (!err && in_file)
		err = -EBADMSG;
cleanup:
	sqlite3_finalize(theirs);
	sqlite3_finalize(ours);
	return err;
}
