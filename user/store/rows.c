// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rows.h"

#include <errno.h>
#include <string.h>

#include "store/writer.h"

#define NULL_TEXT UINT32_MAX

/* Cells: n number, t text, a arguments; a capital letter where NULL is allowed. */
static const struct {
	const char *insert, *cells;
	bool may_drop;
} layouts[ROW_KIND_COUNT] = {
	[ROW_META] = {"INSERT OR REPLACE INTO meta VALUES (?,?)", "tt", false},
	[ROW_SLICE] = {"INSERT OR REPLACE INTO slice VALUES (?,?,?)", "nnn", false},
	[ROW_PROCESS] = {"INSERT OR REPLACE INTO process VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
			 "nNnnNNNnnnNT", false},
	[ROW_IMAGE] = {"INSERT OR REPLACE INTO image VALUES (?,?,?,?,?,?)", "nnntaT", false},
	[ROW_ENVIRONMENT] = {"INSERT INTO environment VALUES (?,?,?)", "ntt", false},
	[ROW_EPOCH] = {"INSERT OR REPLACE INTO epoch VALUES (?,?,?,?,?,?,?,?)", "nnnnNtTT", false},
	[ROW_QUANTUM] = {"INSERT OR REPLACE INTO quantum VALUES (?,?,?,?,?,?,?,?)", "nnTTTTTn",
			 false},
	[ROW_QUANTUM_DATA] = {"INSERT INTO quantum_data VALUES (?,?,?)", "ntt", false},
	[ROW_THREAD] = {"INSERT OR REPLACE INTO thread VALUES (?,?,?,?,?)", "nnntN", false},
	[ROW_USAGE] = {"INSERT INTO usage VALUES (?,?,?,?,?)", "nnnnn", true},
	[ROW_THREAD_USAGE] = {"INSERT INTO thread_usage VALUES (?,?,?,?)", "nnnn", true},
	[ROW_WAIT] = {"INSERT INTO wait VALUES (?,?,?,?,?)", "nntnn", true},
	[ROW_THREAD_WAIT] = {"INSERT INTO thread_wait VALUES (?,?,?,?,?)", "nntnn", true},
	[ROW_FILE] = {"INSERT OR REPLACE INTO file VALUES (?,?,?,?,?)", "ntttt", false},
	[ROW_IO] = {"INSERT INTO io VALUES (?,?,?,?,?,?,?,?)", "nnntnnnn", true},
	[ROW_IO_HISTOGRAM] = {"INSERT OR REPLACE INTO io_histogram VALUES (?,?,?,?,?)", "tttnn",
			      false},
	[ROW_FUNCTION] = {"INSERT OR REPLACE INTO function VALUES (?,?,?,?,?,?)", "nttTNt", false},
	[ROW_FRAME] = {"INSERT OR REPLACE INTO frame VALUES (?,?,?,?)", "nnNN", false},
	[ROW_INLINE] = {"INSERT OR REPLACE INTO inline VALUES (?,?,?,?)", "nnnN", false},
	[ROW_STACK] = {"INSERT OR REPLACE INTO stack VALUES (?,?,?)", "nNn", false},
	[ROW_SAMPLE] = {"INSERT INTO sample VALUES (?,?,?,?,?,?,?,?,?,?,?)", "nnnNttTnnNN", true},
	[ROW_ENDING] = {"INSERT OR REPLACE INTO ending VALUES (?,?,?)", "tnt", false},
	[ROW_QUALITY] = {"INSERT OR REPLACE INTO quality VALUES (?,?,?)", "tnt", false},
	[ROW_RECORDER] = {"INSERT OR REPLACE INTO recorder VALUES (?,?,?)", "nnn", false},
	[ROW_UNWIND_PROBLEM] = {"INSERT INTO unwind_problem VALUES (?,?,?)", "ttn", false},
	[ROW_PROGRAM] = {"INSERT OR REPLACE INTO program VALUES (?,?,?)", "tnn", false},
	[ROW_REMOTE] = {"INSERT OR REPLACE INTO remote VALUES (?,?,?,?,?,?,?)", "nttNnTT", false},
	[ROW_WAIT_ON] = {"INSERT INTO wait_on VALUES (?,?,?,?,?,?)", "nnntnn", true},
	[ROW_WAIT_CLASS] = {"INSERT OR REPLACE INTO wait_class VALUES (?,?,?,?)", "tttn", false},
	[ROW_RESOURCE] = {"INSERT OR REPLACE INTO resource VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
			  "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			  "nNNNNNNNNNNNNNNNNNNNNNNNNNNNnNNNNNNN", false},
	[ROW_COUNTER] = {"INSERT OR REPLACE INTO counter VALUES (?,?,?,?,?)", "ntnnn", false},
	[ROW_DATASET] = {"INSERT OR REPLACE INTO dataset VALUES (?,?,?)", "ntt", false},
	[ROW_RENAMED] = {"INSERT INTO renamed VALUES (?,?)", "nn", false},
	[ROW_WRITTEN] = {"INSERT INTO written VALUES (?,?,?,?,?)", "nnnnn", true},
	[ROW_TORN] = {"INSERT INTO torn VALUES (?,?,?,?,?,?,?,?,?,?)", "nntnnnnnnn", false},
	[ROW_PATTERN] = {"INSERT INTO read_pattern VALUES (?,?,?,?,?,?,?,?,?)", "nnnnnnnnn", true},
	[ROW_OPEN_TIME] = {"INSERT INTO open_time VALUES (?,?,?,?,?,?,?)", "nnnnnnn", true},
	[ROW_MEMORY] = {"INSERT INTO memory VALUES (?,?,?,?,?,?,?,?)", "nnNNNNnn", true},
	[ROW_MEMORY_GROWTH] = {"INSERT INTO memory_growth VALUES (?,?,?,?,?)", "nntnn", true},
	[ROW_MEMORY_EVENT] = {"INSERT INTO memory_event VALUES (?,?,?,?,?)", "nntnn", true},
	[ROW_MEMORY_MAP] = {"INSERT OR REPLACE INTO memory_map VALUES (?,?,?,?,?,?,?,?,?,?,?)",
			    "nntNtnnnnnn", false},
	[ROW_CEPH_MOUNT] = {"INSERT OR REPLACE INTO ceph_mount VALUES (?,?)", "nt", false},
	[ROW_CEPH] = {"INSERT INTO ceph VALUES (?,?,?,?,?,?,?,?)", "nnntnnnn", true},
	[ROW_CEPH_HISTOGRAM] = {"INSERT OR REPLACE INTO ceph_histogram VALUES (?,?,?,?)", "ntnn",
				false},
	[ROW_CEPH_IN_FLIGHT] = {"INSERT INTO ceph_in_flight VALUES (?,?,?,?,?)", "nntnn", true},
	[ROW_THREAD_EPOCH] = {"INSERT OR REPLACE INTO thread_epoch VALUES (?,?)", "nn", false},
	[ROW_ALLOCATOR] = {"INSERT OR REPLACE INTO allocator VALUES (?,?,?,?,?,?)", "nttnnn",
			   false},
	[ROW_ALLOC_WINDOW] = {"INSERT OR REPLACE INTO alloc_window VALUES (?,?,?,?,?,?,?,?,?,?)",
			      "nnnnnnnnnn", true},
	[ROW_ALLOCATION] = {"INSERT INTO allocation VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			    "nnnnnnnnnnnnnNnn", true},
	[ROW_ALLOCATION_SIZE] = {"INSERT INTO allocation_size VALUES (?,?,?,?,?)", "nnnnn", true},
	[ROW_FORGET_STACK] = {"DELETE FROM stack WHERE id = ?", "n", false},
	[ROW_FORGET_FRAME] = {"DELETE FROM frame WHERE id = ?", "n", false},
	[ROW_FORGET_INLINE] = {"DELETE FROM inline WHERE frame = ?", "n", false},
	[ROW_FORGET_FUNCTION] = {"DELETE FROM function WHERE id = ?", "n", false},
	[ROW_FORGET_FILE] = {"DELETE FROM file WHERE id = ?", "n", false},
};

struct row_head {
	uint32_t size; /* of the whole row */
	uint32_t kind;
};

const char *row__insert_sql(enum row_kind kind)
{
	return layouts[kind].insert;
}

bool row__may_drop(enum row_kind kind)
{
	return layouts[kind].may_drop;
}

int row__measure(enum row_kind kind, struct row_cell *cells, size_t *ret_size)
{
	size_t size = sizeof(struct row_head);

	for (const char *cell = layouts[kind].cells; *cell; cell++, cells++) {
		size_t limit = *cell == 'a' ? ROW_LONGEST_ARGUMENTS : ROW_LONGEST_TEXT;

		if (*cell == 'n' && cells->number == ROW_NULL)
			return -EINVAL;
		if (*cell == 'n' || *cell == 'N') {
			size += sizeof(cells->number);
			continue;
		}
		if (*cell == 't' && !cells->text)
			return -EINVAL;
		if (!cells->text)
			cells->size = 0;
		if (cells->size > limit)
			cells->size = limit;
		size += sizeof(uint32_t) + cells->size;
	}
	*ret_size = size;
	return 0;
}

static char *put(char *to, const void *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

void row__encode(enum row_kind kind, const struct row_cell *cells, char *to, size_t size)
{
	struct row_head head = {.size = (uint32_t)size, .kind = kind};

	to = put(to, &head, sizeof(head));
	for (const char *cell = layouts[kind].cells; *cell; cell++, cells++) {
		uint32_t length = (uint32_t)cells->size;

		if (*cell == 'n' || *cell == 'N') {
			to = put(to, &cells->number, sizeof(cells->number));
			continue;
		}
		if (!cells->text && *cell != 'a')
			length = NULL_TEXT;
		to = put(to, &length, sizeof(length));
		if (cells->size)
			to = put(to, cells->text, cells->size);
	}
}

enum row_kind row__kind(const char *bytes, size_t *ret_size)
{
	struct row_head head;

	memcpy(&head, bytes, sizeof(head));
	*ret_size = head.size;
	return (enum row_kind)head.kind;
}

int row__check(const char *bytes, size_t size, size_t *ret_size)
{
	struct row_head head;
	size_t at = sizeof(head);

	if (size < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	if (head.kind >= ROW_KIND_COUNT || head.size < sizeof(head) || head.size > ROW_LONGEST)
		return -EBADMSG;
	if (size < head.size)
		return 0;
	for (const char *cell = layouts[head.kind].cells; *cell; cell++) {
		bool is_number = *cell == 'n' || *cell == 'N';
		size_t fixed = is_number ? sizeof(int64_t) : sizeof(uint32_t);
		uint32_t length;

		if (head.size - at < fixed)
			return -EBADMSG;
		memcpy(&length, bytes + at, sizeof(length));
		at += fixed;
		if (is_number || length == NULL_TEXT)
			continue;
		if (head.size - at < length)
			return -EBADMSG;
		at += length;
	}
	*ret_size = head.size;
	return at == head.size ? 1 : -EBADMSG;
}

static int bind_text(sqlite3_stmt *statement, int column, const char *bytes, uint32_t size,
		     bool arguments, struct text *scratch)
{
	int err;

	if (size == NULL_TEXT)
		return sqlite3_bind_null(statement, column);
	if (!arguments && text__is_utf8(bytes, size))
		return sqlite3_bind_text(statement, column, bytes, (int)size, SQLITE_STATIC);
	scratch->size = 0;
	err = arguments ? text__append_arguments(scratch, bytes, size)
			: text__append(scratch, bytes, size);
	if (err)
		return SQLITE_NOMEM;
	return sqlite3_bind_text(statement, column, scratch->bytes, (int)scratch->size,
				 SQLITE_TRANSIENT);
}

int row__bind(const char *bytes, sqlite3_stmt *statement, struct text *scratch)
{
	struct row_head head;
	int code = SQLITE_OK, column = 1;

	memcpy(&head, bytes, sizeof(head));
	bytes += sizeof(head);
	for (const char *cell = layouts[head.kind].cells; *cell && code == SQLITE_OK;
	     cell++, column++) {
		int64_t number;
		uint32_t size;

		if (*cell == 'n' || *cell == 'N') {
			memcpy(&number, bytes, sizeof(number));
			bytes += sizeof(number);
			code = number == ROW_NULL ? sqlite3_bind_null(statement, column)
						  : sqlite3_bind_int64(statement, column, number);
			continue;
		}
		memcpy(&size, bytes, sizeof(size));
		bytes += sizeof(size);
		code = bind_text(statement, column, bytes, size, *cell == 'a', scratch);
		if (size != NULL_TEXT)
			bytes += size;
	}
	return code;
}
