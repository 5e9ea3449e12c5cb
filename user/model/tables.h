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

#include "model/alloc_facts.h"
#include "model/facts.h"
#include "model/perf_figures.h"
#include "model/tuples.h"
#include "resource_sums.h"
#include "store/reader.h"

#define NO_INDEX UINT32_MAX
#define NO_VALUE INT64_MIN /* NULL in a column of integers */

/* Frames of a stack; far beyond what the walkers take, so that a hostile tree costs little. */
#define TABLES_MAX_DEPTH 4096

#define TABLES_MAX_INLINED 31 /* functions of a frame */

/* What one recording may name; the recorder makes far less. */
#define TABLES_MAX_ENDINGS    64
#define TABLES_MAX_CLASSES    1024 /* of waits */
#define TABLES_MAX_OPS	      64
#define TABLES_MAX_CEPH_OPS   256
#define TABLES_MAX_MEM_KINDS  16
#define TABLES_MAX_ERRNO      4095
#define TABLES_MAX_DATA	      256 /* data of one quantum */
#define TABLES_MAX_HISTOGRAMS 65536 /* rows */

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
	int64_t samples; /* of the CPU */
	uint32_t cpu_pool; /* NO_INDEX: neither CPU time nor samples */
	uint32_t quantum; /* index, NO_INDEX: the process's own time */
	bool of_thread; /* one thread's, beside the process's epochs, which follow one another */
};

/* One piece of work of a process; texts are NULL when not known. */
struct table_quantum {
	uint32_t epoch;
	int64_t number; /* within the process */
	const char *label, *class, *id, *run;
	bool whole; /* seen from its beginning */
	uint32_t first_datum; /* NO_INDEX: none */
	uint32_t resource; /* index of what it used, NO_INDEX: not known */
};

/* Columns of table resource: enum ps_resource, and behind them */
enum table_resource_column {
	TABLE_THREADS = PS_RESOURCE_COUNT,
	TABLE_RSS_START,
	TABLE_RSS_END,
	TABLE_RSS_PEAK,
	TABLE_SWAP_START,
	TABLE_SWAP_END,
	TABLE_SWAP_PEAK,
	TABLE_CHILD_PEAK,
	TABLE_RESOURCE_COUNT
};

/* What a quantum used. */
struct table_resource {
	double value[TABLE_RESOURCE_COUNT]; /* NAN: not known */
	struct perf_values counters;
};

struct table_datum {
	const char *field, *value;
	uint32_t next; /* of the same quantum, NO_INDEX */
};

struct table_image {
	int64_t id;
	const char *comm;
};

struct table_thread {
	int64_t tid;
	uint32_t process;
	const char *name;
	bool idle; /* idle.h */
};

struct table_slice {
	int64_t start_ns, end_ns;
};

enum function_kind {
	FUNCTION_PYTHON,
	FUNCTION_NATIVE,
	FUNCTION_INTERPRETER,
	FUNCTION_KERNEL,
	FUNCTION_SUBTASK /* what the callees are for */
};

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
	bool inlined; /* by the compiler, into its parent */
};

struct ending_count {
	const char *name;
	int64_t samples[SOURCE_COUNT];
};

struct tables {
	struct recording *recording; /* borrowed */
	struct string_pool *names;
	int64_t end_ns; /* of the recording, or of what there is of it */

	struct table_process *processes;
	struct table_epoch *epochs; /* at least one per process */
	struct table_quantum *quanta; /* in the order of their epochs */
	struct table_datum *data;
	struct table_resource *resources;
	struct table_image *images;
	struct table_thread *threads;
	struct table_slice *slices;
	struct table_function *functions;
	struct table_node *nodes;
	struct usage_fact *usage, *thread_usage;
	struct wait_fact *waits, *thread_waits; /* thread_waits: see tables__close_thread_waits */
	struct io_fact *io;
	struct wait_on_fact *wait_on;
	struct table_remote **remotes;
	struct io_fact *ceph; /* op: index into ceph_ops; file: of the mount */
	struct table_ceph_op *ceph_ops;
	struct ceph_histogram_fact *ceph_histograms; /* by mount, then op */
	struct ceph_in_flight_fact *ceph_in_flight;
	struct sample_pool *pools;
	struct sample_fact *samples; /* sorted by pool, share, stack */
	struct ending_count *endings;
	const char **waits_for; /* classes of waits */
	bool *estimated_waits; /* by class: how much of it there is, only samples tell */
	struct table_op *ops;
	struct table_file *files;
	struct mem_fact *mem;
	struct level_fact *levels; /* only where they changed: mem_levels.h */
	struct mem_event_fact *mem_events; /* by epoch */
	const char **mem_kinds;
	struct histogram_fact *histograms;
	struct renamed_fact *renamed; /* in the order in which it was noticed */
	struct written_fact *written;
	struct open_time_fact *open_times;
	struct pattern_fact *patterns;
	struct torn_fact *torn; /* in the order of their ends */
	size_t quantum_count, datum_count, resource_count;
	size_t process_count, epoch_count, image_count, thread_count, slice_count;
	size_t function_count, node_count, usage_count, thread_usage_count, sample_count;
	size_t wait_count, thread_wait_count, io_count, pool_count, ending_count;
	size_t wait_on_count, remote_count;
	size_t class_count, op_count, file_count, histogram_count;
	size_t ceph_count, ceph_op_count, ceph_histogram_count, ceph_in_flight_count;
	size_t renamed_count, written_count, pattern_count, open_time_count, torn_count;
	size_t mem_count, mem_kind_count, level_count, mem_event_count;
	struct alloc_facts alloc;
	bool recorded[SOURCE_COUNT];
	double period_ns[SOURCE_COUNT]; /* heavier samples were certain; INFINITY: not known */

	struct tuple_set *lines; /* (const char *file, line) */

	/* After tables__shown_stacks. Of each node, the stack as it is shown, an index into
	 * shown: (caller or NO_INDEX, function, line or NO_INDEX, inlined). NO_INDEX: nothing to
	 * show. */
	uint32_t *shown_of_node;
	struct tuple_set *shown;
	const char **shown_labels; /* "function (file.py:12)"; "(inlined)" behind it if so */

	sqlite3_stmt *arguments; /* of an image */
	struct loading_state *loading; /* private to tables.c */
};

/* Loads all but thread_usage. The recording must outlive the tables. -EBADMSG: damaged or made to
 * harm; -ENOMEM; -EIO. */
int tables__load(struct recording *recording, struct tables **ret_tables);
void tables__free(struct tables *tables); /* NULL is accepted */

/* Loads thread_usage, once, and closes it to the exact total: what usage has more than its threads
 * of an epoch in a slice is a fact (possibly negative) of thread NO_INDEX. */
int tables__load_thread_usage(struct tables *tables);

/* Adds to thread_waits, once, what waits have more than all threads of an epoch: facts of thread
 * NO_INDEX. */
int tables__close_thread_waits(struct tables *tables);

/* Builds shown_of_node, shown and shown_labels, once. */
int tables__shown_stacks(struct tables *tables);

/* shown_labels, and names, with the arguments of C++ and Rust functions left out, for people;
 * malloc'ed. NULL: no memory. */
char *tables__short_label(const struct tables *tables, uint32_t shown);
char *table_function__short_name(const struct table_function *function);

/* The command line of an image, words joined by blanks, or "[comm]" when it has none; "(unknown)"
 * for NO_INDEX. malloc'ed. */
int tables__command(struct tables *tables, uint32_t image, char **ret_command);

/* Interned, with the pool's life. NULL: no memory. */
const char *tables__intern(struct tables *tables, const char *text);

/* The first slice that ends after a time, slices follow each other; slice_count: there is none. */
uint32_t tables__slice_after(const struct tables *tables, int64_t ns);

/* What lies behind the last slash. Borrowed from path. */
const char *path__base(const char *path);

#endif
