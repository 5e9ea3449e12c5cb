/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of a recording: rows of struct tables, which the numbers in them are indices of. */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* thread, slice: NO_INDEX when not known */
struct usage_fact {
	uint32_t epoch, thread, slice;
	int64_t cpu_ns, user_ns, system_ns;
};

/* What events were recorded of. */
enum source {
	SOURCE_CPU,
	SOURCE_OFFCPU,
	SOURCE_IO,
	SOURCE_CEPH,
	SOURCE_MEM,
	SOURCE_ALLOC,
	SOURCE_COUNT
};

enum op_direction { OP_OTHER, OP_READS, OP_WRITES };

struct table_op {
	const char *name;
	enum op_direction direction; /* of its bytes */
};

/* Of CephFS. The others happen inside of the client: the time of requests may be part of theirs. */
struct table_ceph_op {
	const char *name;
	enum op_direction direction;
	bool is_request; /* to a server */
};

/* Equal files of the recording are one here; "" where filesystem or mount is not known. */
struct table_file {
	const char *kind, *path, *filesystem, *mount;
	const struct table_remote *remote; /* NULL: no socket, or nothing is known of it */
	const char *dataset; /* type; NULL: none */
};

struct table_remote {
	const char *protocol, *address;
	const char *service; /* NULL: no rule gave one */
	int64_t port; /* NO_VALUE: none */
	bool own; /* the address is that of the own end */
};

/* Waits of which it is known on what they were. */
struct wait_on_fact {
	uint32_t epoch, slice, file; /* slice, file: NO_INDEX when not known */
	double count, ns;
};

/* One file under two names. */
struct renamed_fact {
	uint32_t file, new_file;
};

/* Files that were written and closed: how many more, and by how many bytes all of them grew. */
struct written_fact {
	uint32_t epoch, slice, file; /* slice, file: NO_INDEX when not known */
	int64_t files, bytes;
};

/* In which order a file was read; parts as in table read_pattern. */
struct pattern_fact {
	uint32_t epoch, slice, file;
	int64_t sequential, strided, random, bytes;
	uint64_t parts;
	int64_t part_bytes;
};

/* How long files were open that were closed then, or that are open still. */
struct open_time_fact {
	uint32_t epoch, slice, file; /* slice, file: NO_INDEX when not known */
	int64_t count, ns, longest_ns;
	bool open;
};

/* A file that its writer left torn. */
struct torn_fact {
	uint32_t epoch, file; /* file: NO_INDEX when not known */
	const char *cause; /* "signal", "oom", "exit" */
	bool appended;
	int64_t code; /* signal or exit code */
	int64_t bytes, size; /* written since it was opened; of the file */
	int64_t open_ns, write_ns, time_ns;
};

/* Nanoseconds and counts are no integers: those of idle threads are split off (idle.h). */
struct wait_fact {
	uint32_t epoch, thread, slice; /* one of thread and slice is NO_INDEX */
	uint32_t class; /* index into waits_for */
	uint32_t pool;
	double count, ns;
};

struct io_fact {
	uint32_t epoch, slice, file; /* slice, file: NO_INDEX when not known */
	uint16_t op, error; /* op: index into ops; error: errno */
	uint32_t pool;
	int64_t count, bytes, ns;
};

struct histogram_fact {
	const char *op, *filesystem, *what;
	int64_t bucket; /* 0 to 62 */
	int64_t count;
};

/* file: of the mount, NO_INDEX when not known; op: index into ceph_ops */
struct ceph_histogram_fact {
	uint32_t file;
	uint16_t op;
	int64_t bucket; /* 0 to 62 */
	int64_t count;
};

/* Requests without an answer at the end of a slice. */
struct ceph_in_flight_fact {
	uint32_t slice, file;
	uint16_t op;
	int64_t count, oldest_ns;
};

/* A pool is what samples divide among themselves: an exact sum of one epoch, source and item (class
 * of waits, operation, of CephFS or not, kind of memory; 0 for the CPU and allocations), and the
 * weight of all samples that stand for it. */
enum {
	SHARE_TIME,
	SHARE_BYTES, /* of SOURCE_IO, SOURCE_CEPH, SOURCE_ALLOC, and of SOURCE_MEM: that came */
	SHARE_OPS, /* the same; of SOURCE_MEM: faults; of SOURCE_ALLOC: allocations */
	SHARE_LIVE, /* of SOURCE_MEM, and nothing of it is an estimate: bytes mapped; of
		       SOURCE_ALLOC: bytes not freed in their window */
	SHARE_PEAK,
	SHARE_HELD, /* only of SOURCE_OFFCPU: what others waited for a lock of this epoch's,
		       estimated */
	SHARE_COUNT
};

/* Memory of one kind: what came of it in a slice, page faults, or what was mapped of it (then the
 * slice is NO_INDEX). */
struct mem_fact {
	uint32_t epoch, slice, kind;
	uint32_t pool;
	double shares[SHARE_COUNT]; /* by SHARE_ */
};

/* Memory of the process of an epoch at the end of a slice. */
enum { LEVEL_ANONYMOUS, LEVEL_FILE, LEVEL_SHARED, LEVEL_SWAP, LEVEL_COUNT };
struct level_fact {
	uint32_t epoch, slice; /* slice: NO_INDEX when not known */
	bool ended; /* there is no process any more */
	double bytes[LEVEL_COUNT];
};

/* Processes that were short of memory. */
enum mem_event_kind {
	MEM_EVENT_RECLAIM, /* it had to free some, `bytes`, before it got any */
	MEM_EVENT_OOM_KILL
};
struct mem_event_fact {
	uint32_t epoch, slice; /* slice: NO_INDEX when not known */
	enum mem_event_kind kind;
	double count, bytes;
};

struct sample_pool {
	enum source source;
	uint32_t epoch, item;
	struct {
		double exact; /* ns, bytes, operations */
		double weight; /* 0: no samples */
		int64_t samples;
	} shares[SHARE_COUNT];
};

/* Who ended a wait: an interrupt, nobody knows because it was not sampled, or behind these the
 * threads. */
enum { WAKER_INTERRUPT, WAKER_NOT_SAMPLED, WAKER_THREADS };

struct sample_fact {
	uint32_t thread, slice; /* NO_INDEX when not known */
	uint32_t stack; /* node, NO_INDEX: nothing of the stack is known */
	uint32_t pool, share;
	uint32_t waker; /* WAKER_…, NO_INDEX: not known */
	uint32_t file; /* or mount of CephFS; NO_INDEX: not known, or another source */
	uint32_t ending; /* index of endings */
	uint32_t count;
	double weight; /* > 0 */
};

#endif
