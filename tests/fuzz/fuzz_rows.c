// SPDX-License-Identifier: GPL-2.0-or-later
// Links: store base
/* Rows as the display of `pipescope top` gets them from the recorder. */
#include <stdlib.h>

#include "store/reader.h"
#include "store/rows.h"

static sqlite3 *db;
static sqlite3_stmt *inserts[ROW_KIND_COUNT];
static struct text scratch;

/* Once, since the schema is long. */
static void prepare(void)
{
	if (db)
		return;
	if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
	    sqlite3_exec(db, recording__schema(), NULL, NULL, NULL) != SQLITE_OK)
		abort();
	for (enum row_kind kind = 0; kind < ROW_KIND_COUNT; kind++)
		if (sqlite3_prepare_v2(db, row__insert_sql(kind), -1, &inserts[kind], NULL) !=
		    SQLITE_OK)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of their own size, so that a read behind the end is noticed. */
	char *bytes = malloc(size + !size);
	size_t row;

	prepare();
	if (!bytes)
		return 0;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)data[i];
	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (size_t at = 0; row__check(bytes + at, size - at, &row) == 1; at += row) {
		sqlite3_stmt *insert = inserts[row__kind(bytes + at, &row)];

		if (row__bind(bytes + at, insert, &scratch) == SQLITE_OK)
			sqlite3_step(insert);
		sqlite3_reset(insert);
		sqlite3_clear_bindings(insert);
	}
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	free(bytes);
	return 0;
}
