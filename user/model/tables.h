/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording's tables as arrays: every reference is an index, checked once, here. Whoever has a
 * struct tables may follow any index in it. Only tables.c writes to it.
 *
 * Lenient where a recording that was cut off can lack rows (threads, slices, images: NO_INDEX),
 * strict where a missing row makes a figure meaningless (epochs, stacks): -EBADMSG. */
#ifndef MODEL_TABLES_H
#define MODEL_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/tuples.h"
#include "store/reader.h"

#define NO_INDEX UINT32_MAX
#define NO_VALUE INT64_MIN /* NULL in a column of integers */

/* Frames of a stack; far beyond what the walkers take, so that a hostile tree costs little. */
#define TABLES_MAX_DEPTH 4096

struct string_pool;

/* Sorted by id, for the look-up of references. */
struct id_list {
	int64_t *ids;
	size_t count, capacity;
};

struct table_process {
	int64_t pid, start_ns, end_ns, exit_code, exit_signal, max_rss_bytes;
	const char *python; /* NULL: none */
	uint32_t parent; /* index, NO_INDEX */
	uint32_t epoch; /* the one that stands for the process: its last that a rule named */
	uint32_t last_epoch;
	uint32_t other_tasks; /* tasks of its epochs besides that of `epoch` */
};

struct table_epoch {
	uint32_t process, image; /* image: NO_INDEX when not known */
	int64_t start_ns, end_ns; /* end_ns is never NO_VALUE */
	const char *task, *job, *rule; /* job, rule: NULL when there is none */
	double cpu_ns; /* exact, over the recording */
	int64_t samples;
};

struct table_image {
	int64_t id;
	const char *comm;
};

struct table_thread {
	int64_t tid;
	uint32_t process;
	const char *name;
};

struct table_slice {
	int64_t start_ns, end_ns;
};

enum function_kind { FUNCTION_PYTHON, FUNCTION_NATIVE, FUNCTION_INTERPRETER, FUNCTION_KERNEL };

/* Equal functions of the recording are one here. Texts of a struct tables are interned: equal
 * texts are equal pointers. */
struct table_function {
	enum function_kind kind;
	bool eval_loop; /* the interpreter's own loop: says nothing that Python frames do not */
	const char *name, *file, *module; /* file: NULL when not known */
	int64_t line; /* first line, NO_VALUE */
};

struct table_node {
	uint32_t parent; /* the caller, NO_INDEX: outermost; always below the node's own index */
	uint32_t function;
	uint32_t line; /* index into lines, NO_INDEX */
};

/* thread, slice: NO_INDEX when not known */
struct usage_fact {
	uint32_t epoch, thread, slice;
	int64_t cpu_ns, user_ns, system_ns;
};

struct sample_fact {
	uint32_t epoch, thread, slice;
	uint32_t stack; /* node, NO_INDEX: nothing of the stack is known */
	uint32_t count;
};

struct ending_count {
	const char *name;
	int64_t samples;
};

struct tables {
	struct recording *recording; /* borrowed */
	struct string_pool *names;
	int64_t end_ns; /* of the recording, or of what there is of it */

	struct table_process *processes;
	struct table_epoch *epochs; /* at least one per process */
	struct table_image *images;
	struct table_thread *threads;
	struct table_slice *slices;
	struct table_function *functions;
	struct table_node *nodes;
	struct usage_fact *usage, *thread_usage;
	struct sample_fact *samples; /* sorted by epoch, then stack */
	struct ending_count *endings; /* of the samples */
	size_t process_count, epoch_count, image_count, thread_count, slice_count;
	size_t function_count, node_count, usage_count, thread_usage_count, sample_count;
	size_t ending_count;

	struct tuple_set *lines; /* (const char *file, line) */

	/* After tables__shown_stacks. Of each node, the stack as it is shown, an index into
	 * shown: (caller or NO_INDEX, function, line or NO_INDEX). NO_INDEX: nothing to show. */
	uint32_t *shown_of_node;
	struct tuple_set *shown;
	const char **shown_labels; /* "function (file.py:12)" of a Python frame, else the name */

	sqlite3_stmt *arguments; /* of an image */
	struct loading_state *loading; /* private to tables.c */
};

/* Loads all but thread_usage; samples of one metric. The recording must outlive the tables.
 * -EBADMSG: damaged or made to harm; -ENOMEM; -EIO. */
int tables__load(struct recording *recording, const char *sample_metric,
		 struct tables **ret_tables);
void tables__free(struct tables *tables); /* NULL is accepted */

/* Loads thread_usage, once, and closes it to the exact total: what usage has more than its threads
 * of an epoch in a slice is a fact (possibly negative) of thread NO_INDEX. */
int tables__load_thread_usage(struct tables *tables);

/* Builds shown_of_node, shown and shown_labels, once. */
int tables__shown_stacks(struct tables *tables);

/* The command line of an image, words joined by blanks, or "[comm]" when it has none; "(unknown)"
 * for NO_INDEX. malloc'ed. */
int tables__command(struct tables *tables, uint32_t image, char **ret_command);

/* Interned, with the pool's life. NULL: no memory. */
const char *tables__intern(struct tables *tables, const char *text);

/* What lies behind the last slash. Borrowed from path. */
const char *path__base(const char *path);

#endif
