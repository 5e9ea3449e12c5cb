/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of a recording as bytes in memory, and from there into prepared statements. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/text.h"

enum row_kind {
	ROW_META,
	ROW_SLICE,
	ROW_PROCESS,
	ROW_IMAGE,
	ROW_ENVIRONMENT,
	ROW_EPOCH,
	ROW_QUANTUM,
	ROW_QUANTUM_DATA,
	ROW_THREAD,
	ROW_USAGE,
	ROW_THREAD_USAGE,
	ROW_WAIT,
	ROW_THREAD_WAIT,
	ROW_FILE,
	ROW_IO,
	ROW_IO_HISTOGRAM,
	ROW_FUNCTION,
	ROW_FRAME,
	ROW_INLINE,
	ROW_STACK,
	ROW_SAMPLE,
	ROW_ENDING,
	ROW_QUALITY,
	ROW_RECORDER,
	ROW_UNWIND_PROBLEM,
	ROW_PROGRAM,
	ROW_REMOTE,
	ROW_WAIT_ON,
	ROW_WAIT_CLASS,
	ROW_RESOURCE,
	ROW_COUNTER,
	ROW_DATASET,
	ROW_RENAMED,
	ROW_WRITTEN,
	ROW_TORN,
	ROW_PATTERN,
	ROW_OPEN_TIME,
	ROW_MEMORY,
	ROW_MEMORY_GROWTH,
	ROW_MEMORY_EVENT,
	ROW_MEMORY_MAP,
	ROW_CEPH_MOUNT,
	ROW_CEPH,
	ROW_CEPH_HISTOGRAM,
	ROW_CEPH_IN_FLIGHT,
	ROW_THREAD_EPOCH,
	ROW_ALLOCATOR,
	ROW_ALLOC_WINDOW,
	ROW_ALLOCATION,
	ROW_ALLOCATION_SIZE,
	/* Not in recordings: what a live one will not refer to any more. */
	ROW_FORGET_STACK,
	ROW_FORGET_FRAME,
	ROW_FORGET_INLINE,
	ROW_FORGET_FUNCTION,
	ROW_FORGET_FILE,
	ROW_KIND_COUNT
};

#define ROW_LONGEST_TEXT      65536 /* bytes; the rest is left out */
#define ROW_LONGEST_ARGUMENTS 4096
#define ROW_LONGEST	      (1u << 20) /* bytes of a whole row; what schema.sql allows is less */

/* One column's value: a number, or a text of size bytes that may be NULL. */
struct row_cell {
	int64_t number;
	const char *text;
	size_t size;
};

const char *row__insert_sql(enum row_kind kind);

/* Other rows do not refer to it: may be dropped when the queue is full. */
bool row__may_drop(enum row_kind kind);

/* Cuts texts to their limits and tells the bytes that the row takes. -EINVAL: NULL in a column
 * that cannot be. */
int row__measure(enum row_kind kind, struct row_cell *cells, size_t *ret_size);

/* Writes those bytes. */
void row__encode(enum row_kind kind, const struct row_cell *cells, char *to, size_t size);

/* Looks at size bytes that come from elsewhere: 1 a whole row lies there, of *ret_size bytes; 0
 * more bytes are needed; -EBADMSG: this is no row. */
int row__check(const char *bytes, size_t size, size_t *ret_size);

/* Finds kind and size of the row at bytes. */
enum row_kind row__kind(const char *bytes, size_t *ret_size);

/* Binds the row at bytes, which must live until the statement has run. Result code of SQLite.
 * scratch is for texts that must be changed. */
int row__bind(const char *bytes, sqlite3_stmt *statement, struct text *scratch);

#endif
