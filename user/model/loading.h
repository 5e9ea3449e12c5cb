/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the tables of a recording become arrays: private to what fills struct tables (tables.c,
 * events.c, ceph.c, idle.c). */
#ifndef MODEL_LOADING_H
#define MODEL_LOADING_H

#include "base/array.h"
#include "model/tables.h"

#define TIME_LIMIT (1LL << 61) /* sums and differences of two times cannot overflow */

/* A frame of the recording: what a stack's node is made of. */
struct table_frame {
	uint32_t function, line;
	uint32_t inlined, inlined_count; /* index into inlined */
};

/* A function inlined into a frame, outermost first. */
struct table_inlined {
	uint32_t function, line;
};

/* Room of one array of struct tables while it grows. */
enum table_array {
	PROCESSES,
	IMAGES,
	EPOCHS,
	QUANTA,
	DATA,
	RESOURCES,
	THREADS,
	SLICES,
	FUNCTIONS,
	NODES,
	USAGE,
	THREAD_USAGE,
	WAITS,
	THREAD_WAITS,
	FILES,
	IO,
	HISTOGRAMS,
	WAIT_ON,
	REMOTES,
	RENAMED,
	WRITTEN,
	PATTERNS,
	OPEN_TIMES,
	TORN,
	CEPH,
	CEPH_OPS,
	CEPH_HISTOGRAMS,
	CEPH_IN_FLIGHT,
	POOLS,
	SAMPLES,
	MEM,
	LEVELS,
	MEM_EVENTS,
	ARRAYS
};

struct loading_state {
	struct id_list processes, images, epochs, threads, slices, functions, frames, nodes, files;
	size_t capacity[ARRAYS];
	uint32_t *function_of; /* of functions.ids: equal functions are one */
	size_t function_of_capacity;
	struct tuple_set *function_set;
	uint32_t *file_of; /* of files.ids: equal files are one */
	size_t file_of_capacity;
	struct tuple_set *file_set;
	struct id_list ceph_mounts;
	uint32_t *file_of_mount; /* of ceph_mounts.ids */
	size_t file_of_mount_capacity;
	struct table_frame *frame_of; /* of frames.ids */
	size_t frame_of_capacity;
	struct table_inlined *inlined; /* those of a frame in a row */
	size_t inlined_count, inlined_capacity;
	uint32_t *node_of; /* of nodes.ids: a row's innermost node */
	size_t node_of_capacity;
	uint16_t *depth; /* of struct tables' nodes */
	size_t depth_capacity;
	size_t last_ending;
	struct tuple_set *pool_set; /* (source, epoch, item) */
	uint32_t last_pool;
	bool thread_usage_loaded, thread_waits_closed;
	double *grown_faults; /* by epoch: those that brought memory */
};

/* Makes room for one more item behind `count` of an array of struct tables. */
#define GROW(tables, field, count, array)                                                          \
	array__reserve(&(tables)->field, &(tables)->loading->capacity[array],                      \
		       sizeof(*(tables)->field), (count) + 1)
/* Adds an item behind `count` of them. 0, -ENOMEM, -EOVERFLOW. */
#define APPEND(tables, field, count, array, item)                                                  \
	(GROW(tables, field, count, array) ?: ((tables)->field[(count)++] = (item), 0))

/* One row, read with bounds: a value outside them fails the row for good. */
struct row {
	sqlite3_stmt *statement;
	bool failed;
};

bool row__is_null(const struct row *row, int column);
int64_t row__number(struct row *row, int column, int64_t least, int64_t most);
int64_t row__optional(struct row *row, int column, int64_t least, int64_t most); /* NO_VALUE */
int64_t row__time(struct row *row, int column);
int64_t row__id(struct row *row, int column);
const char *row__text(struct row *row, int column); /* "" for NULL; until the next row */
/* NULL stays NULL; *error is set when there is no memory. */
const char *row__interned(struct tables *tables, struct row *row, int column, int *error);
/* The index of the id in the column; NO_INDEX: NULL, or not in the list. */
uint32_t row__reference(struct row *row, int column, const struct id_list *list);
/* The same of a stack: its innermost node. */
uint32_t row__stack(struct row *row, int column, const struct loading_state *loading);
/* The same of a file: its index in struct tables. */
uint32_t row__file(struct row *row, int column, const struct loading_state *loading);

/* -EBADMSG: not above the last one; -ENOMEM, -EOVERFLOW. */
int id_list__add(struct id_list *list, int64_t id);

typedef int row_load(struct tables *tables, struct row *row);

/* Every row of a query. -EBADMSG, -ENOMEM, -EIO, what load gives. */
int tables__load_rows(struct tables *tables, const char *sql, row_load *load);

/* remotes.c: rows of remote, behind those of file, and of wait_on. */
int remotes__load(struct tables *tables);
/* events.c. The pool of an epoch, source and item, made when it is new. */
int tables__find_pool(struct tables *tables, enum source source, uint32_t epoch, uint32_t item,
		      uint32_t *ret_pool);
/* The file, made when none is equal. */
int tables__add_file(struct tables *tables, const struct table_file *file, uint32_t *ret_file);

/* The operation of this name; made when it is new. -EBADMSG: too many. */
typedef int tables_find_op(struct tables *tables, const char *name, uint16_t *ret_op);
/* A row (epoch, slice, -, operation, errno, count, bytes, ns), added to its pool; the file is the
 * caller's to find. */
int tables__read_sum(struct tables *tables, struct row *row, enum source source,
		     tables_find_op *find, struct io_fact *ret_fact);
int tables__count_ending(struct tables *tables, const char *name, enum source source,
			 int64_t samples);

/* mem_events.c. The kind of memory of this name; made when it is new. -EBADMSG: too many. */
int tables__mem_kind(struct tables *tables, const char *name, uint32_t *ret_kind);
/* Rows of memory, memory_growth, memory_map. */
int tables__load_mem(struct tables *tables);
/* The same, behind samples: what they do not stand for is shared out over none. */
int tables__split_faults(struct tables *tables);

/* Quanta and their data, behind the epochs. */
int quanta__load(struct tables *tables);
/* What they used, behind them. */
int table_resources__load(struct tables *tables);

#endif
