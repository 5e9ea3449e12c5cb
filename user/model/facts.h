/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of a recording: rows of struct tables, which the numbers in them are indices of. */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdint.h>

/* thread, slice: NO_INDEX when not known */
struct usage_fact {
	uint32_t epoch, thread, slice;
	int64_t cpu_ns, user_ns, system_ns;
};

/* What events were recorded of. */
enum source { SOURCE_CPU, SOURCE_OFFCPU, SOURCE_IO, SOURCE_COUNT };

enum op_direction { OP_OTHER, OP_READS, OP_WRITES };

struct table_op {
	const char *name;
	enum op_direction direction; /* of its bytes */
};

/* Equal files of the recording are one here; "" where filesystem or mount is not known. */
struct table_file {
	const char *kind, *path, *filesystem, *mount;
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

/* A pool is what samples divide among themselves: an exact sum of one epoch, source and item (class
 * of waits, operation; 0 for the CPU), and the weight of all samples that stand for it. */
enum { SHARE_TIME, SHARE_BYTES, SHARE_OPS, SHARE_COUNT }; /* all but the first only of SOURCE_IO */

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
	uint32_t ending; /* index of endings */
	uint32_t count;
	double weight; /* > 0 */
};

#endif
