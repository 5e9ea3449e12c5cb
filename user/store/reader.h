/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens a recording for reading: no root, no live process. The file may be hostile, damaged, cut
 * off or still being written. It is not changed, but for one case: the caller's own recording that
 * was cut off in the middle of a write is rolled back to its last commit, as any SQLite does. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct recording;

/* -ENOENT, -EACCES…; -EMEDIUMTYPE: no recording of pipescope; -EPROTONOSUPPORT: a newer schema;
 * -EBADMSG: damaged; -EBUSY: another process held it for more than 10 s. A recording of someone
 * else, or one that cannot be written, that was cut off in the middle of a write is opened as of
 * its last commit from a private copy below TMPDIR (-ENOSPC…), which is gone with recording__close.
 *
 * What is read is one state of the file, that of the open. A recorder that still writes keeps its
 * rows in memory until recording__close, to a bound: read what is needed, close, then print. */
int recording__open(const char *path, struct recording **ret_recording);
void recording__close(struct recording *recording); /* NULL is accepted */

/* A database of this schema that the caller made, and keeps; not checked. For live_window.h. */
int recording__of(sqlite3 *db, struct recording **ret_recording);

/* False: the recorder was cut off; what was flushed is there. */
bool recording__complete(const struct recording *recording);

/* A value of table meta, borrowed until recording__close; NULL when there is none. */
const char *recording__meta(const struct recording *recording, const char *key);
int64_t recording__meta_number(const struct recording *recording, const char *key,
			       int64_t otherwise);

/* Prepares one SELECT over the tables of the schema, all of which are there with all their columns;
 * but a column may hold a value of any type. The caller finalizes *ret_statement, before
 * recording__close. -EBADMSG: damaged; -EINVAL: no SELECT. */
int recording__prepare(struct recording *recording, const char *sql, sqlite3_stmt **ret_statement);

/* Steps it: 1 there is a row, 0 that was all, -EBADMSG damaged, -ENOMEM, -EIO… */
int recording__step(sqlite3_stmt *statement);

/* The schema, as text that SQLite understands; static. */
const char *recording__schema(void);

#endif
