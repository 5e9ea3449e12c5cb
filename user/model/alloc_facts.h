/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording holds of allocators: rows of struct tables, as facts.h has the others. */
#ifndef MODEL_ALLOC_FACTS_H
#define MODEL_ALLOC_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALLOC_BUCKETS 64 /* [2^n, 2^(n + 1)) bytes; the first holds 0 too */

struct tables;

struct alloc_function_fact {
	int64_t id;
	const char *name, *module;
	bool frees; /* and gives nothing */
	bool layered; /* gets its blocks from another one */
	bool sized; /* net_bytes is known */
};

/* What a window was for a process. */
struct alloc_window_fact {
	int64_t number;
	uint32_t process;
	int64_t start_ns, end_ns;
	double cpu_ns, cost_ns, edge_ns, hits, held_peak_bytes;
};

enum alloc_column {
	ALLOC_COUNT,
	ALLOC_BYTES,
	ALLOC_NESTED,
	ALLOC_NESTED_BYTES,
	ALLOC_WATCHED,
	ALLOC_WATCHED_BYTES,
	ALLOC_SOON,
	ALLOC_SOON_BYTES,
	ALLOC_FREED,
	ALLOC_FREED_BYTES,
	ALLOC_NET_BYTES,
	ALLOC_KEPT,
	ALLOC_KEPT_BYTES,
	ALLOC_COLUMNS
};

struct alloc_sum_fact {
	int64_t window;
	uint32_t epoch, function, pool;
	uint32_t slice; /* in which the window ended; NO_INDEX: not known */
	double values[ALLOC_COLUMNS];
};

struct alloc_size_fact {
	uint32_t epoch, function, bucket;
	double count;
};

enum alloc_sample_kind { ALLOC_SAMPLE_BYTES, ALLOC_SAMPLE_COUNT, ALLOC_SAMPLE_KEPT };

struct alloc_sample_fact {
	uint32_t epoch, node; /* node: NO_INDEX: nothing of the stack is known */
	enum alloc_sample_kind kind;
	double count, weight; /* bytes, or calls */
};

struct alloc_facts {
	struct alloc_function_fact *functions; /* by id */
	struct alloc_window_fact *windows; /* by process, then number */
	struct alloc_sum_fact *sums;
	struct alloc_size_fact *sizes;
	struct alloc_sample_fact *samples;
	size_t function_count, window_count, sum_count, size_count, sample_count;
	size_t capacity[5];
};

/* A block that is told for itself, whatever the samples: so many times the period. What the
 * recorder has: PS_ALLOC_POINTS_IN / 4. */
#define ALLOC_CERTAIN 16

/* Index of a process's window; window_count: there is none of that number. */
size_t alloc_facts__window(const struct alloc_facts *facts, uint32_t process, int64_t number);

/* Bytes, calls, and bytes not freed that a row adds to the totals, in which each block is one:
 * neither what one allocator asks another for, nor calls that free. */
struct alloc_whole {
	double bytes, count, kept_bytes;
};
struct alloc_whole alloc_sum__whole(const struct alloc_facts *facts,
				    const struct alloc_sum_fact *sum);

/* Variance of the bytes that `count` sampled blocks stand for, chosen at points `period` bytes from
 * each other on average, each of which stands for a period. INFINITY: each sample stands for what
 * it weighs. */
double alloc_sample__variance(double count, double weight, double period);

/* Rows of allocator, alloc_window, allocation, allocation_size, and samples of theirs. -EBADMSG,
 * -ENOMEM, -EIO. */
int tables__load_alloc(struct tables *tables);
void alloc_facts__clear(struct alloc_facts *facts);

#endif
