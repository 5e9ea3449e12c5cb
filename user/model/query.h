/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups a recording's figures by keys: exact where the kernel counted, estimated where only
 * samples know.
 *
 * Without a where-key and where-filter, figures are what was counted per process or thread. With
 * one, each exact sum (CPU time of an epoch; its waits of one class; time, bytes and number of one
 * operation) is shared out over the samples that stand for it, so that the sums agree; what no
 * sample stands for is in rows "(not sampled)". */
#ifndef MODEL_QUERY_H
#define MODEL_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/keys.h"
#include "model/metrics.h"
#include "model/quantum_resources.h"
#include "model/tables.h"

#define QUERY_MAX_KEYS	  16
#define QUERY_MAX_FILTERS 32

struct query_filter {
	const struct key *key; /* key->matches is not NULL */
	const char *pattern; /* borrowed */
};

/* Whose own figure is a sample in native code: the native function's (FOLD_INTERPRETER), or the
 * Python function's that called it (FOLD_NATIVE). */
enum query_fold { FOLD_INTERPRETER, FOLD_NATIVE };

/* Filters must all hold. A where-filter holds for a stack with a matching frame anywhere. */
struct query_request {
	const struct key *keys[QUERY_MAX_KEYS]; /* at least one, none twice */
	size_t key_count;
	const struct metric *metric; /* what rows are sorted by; NULL: what suits the keys */
	struct query_filter filters[QUERY_MAX_FILTERS];
	size_t filter_count;
	enum query_fold fold;
	bool in_order; /* rows are sorted by their keys, not by the metric */
	const bool *epochs; /* borrowed, by index of tables.epochs: only these count; NULL: all */
};

/* Errors are one standard error of the estimate, 0 when exact. Of what query__knows says no, all is
 * 0. */
struct query_figures {
	double cpu_ns, cpu_error_ns;
	int64_t samples; /* of the CPU */
	double offcpu_ns, offcpu_error_ns;
	int64_t offcpu_samples; /* only of estimates */
	double waits; /* number; only exact */
	double io_ns, io_error_ns;
	int64_t io_samples; /* behind io_ns; only of estimates */
	double read_bytes, write_bytes;
	double ops, errors; /* numbers; errors: of operations that failed, only exact */
	double waited_ns, waited; /* waits for files and remotes, time and number; only exact */
	/* Requests of CephFS; with a key or filter "ceph" also what is none. */
	double ceph_ns, ceph_error_ns;
	int64_t ceph_samples; /* behind ceph_ns; only of estimates */
	double ceph_read_bytes, ceph_write_bytes, ceph_ops, ceph_errors;
	double grown_bytes, grown_error_bytes;
	int64_t grown_samples; /* behind grown_bytes; only of estimates */
	double faults;
	double live_bytes, peak_bytes; /* exact, also with a stack; 0 unless query__has_live */
	/* Of windows of time. */
	double allocated_bytes, allocated_error_bytes;
	int64_t allocated_samples; /* behind allocated_bytes; only of estimates */
	double allocations, kept_bytes;
};

/* What the figures of a row consist of. */
enum query_part_kind {
	PART_WAIT, /* item: of tables.waits_for; ns */
	PART_OP, /* item: of tables.ops; number of operations */
	PART_ERROR, /* item: errno; number of failures; only exact */
	PART_CEPH, /* item: of tables.ceph_ops; number */
	PART_GROWTH /* item: of tables.mem_kinds; bytes that came */
};

struct query_part {
	enum query_part_kind kind;
	uint32_t item;
	uint32_t next; /* private */
	double own, total;
};

/* How a figure differs from quantum to quantum, ns; of those that were seen from their beginning to
 * their end. */
struct query_spread {
	uint32_t count; /* 0: the others mean nothing */
	double mean, median, p95, most;
};

/* Of the processes of a row; only when query__has_details. */
struct query_details {
	double user_ns, system_ns;
	double elapsed_ns; /* sum over processes, the part within the recording */
	uint32_t processes, failures; /* failures: exit code not 0, or killed */
	int64_t max_rss_bytes; /* NO_VALUE: not known */
	uint32_t quanta; /* whole or not */
	size_t first_quantum; /* private: see query__quanta */
	struct query_spread quantum_elapsed, quantum_cpu;
};

/* Reads of a row by their order, and the bytes that they asked for and of those the distinct ones:
 * never less than there are, as files are known in 64 parts. */
struct query_reads {
	uint64_t all; /* of operation "read", in slices where they brought bytes */
	uint64_t sequential, strided, random; /* of these, as far as it is known */
	double bytes, distinct;
};

/* How long files were open: the number of times, their sum and the longest of them. */
struct query_open {
	uint64_t count;
	double ns, longest_ns;
};

/* Files of a row; only of queries with a key dataset or file. */
struct query_storage {
	uint64_t written_files; /* that were written and closed */
	double written_size; /* of these, bytes */
	uint64_t read_files;
	uint64_t read_here; /* of these, written here in an earlier slice */
	struct query_reads reads;
	struct query_open closed, still_open; /* still_open: until the end of the recording */
};

struct query_row {
	uint32_t prefix, place, parts; /* private: see query__value, query__part */
	struct query_figures own;
	struct query_figures total; /* with callees; only when query__has_totals */
};

struct query;

/* Why these keys, filters and metric have no meaning together, in words for people; NULL: they
 * have. */
const char *query__refusal(const struct query_request *request);

/* Rows are sorted by the metric, descending, equal ones by their keys. The tables must outlive the
 * query. -EINVAL: refused; -ENOMEM; -EBADMSG, -EIO from tables that are loaded on demand. */
int query__run(struct tables *tables, const struct query_request *request,
	       struct query **ret_query);
void query__free(struct query *query); /* NULL is accepted */

const struct query_request *query__request(const struct query *query);
size_t query__row_count(const struct query *query);
const struct query_row *query__row(const struct query *query, size_t position);

/* Value of key number `key` of the request. */
uint64_t query__value(const struct query *query, const struct query_row *row, size_t key);

/* NULL unless query__has_details. */
const struct query_details *query__details(const struct query *query, const struct query_row *row);

/* What quanta used; NULL: not known, or rows have no details. The query's. */
const struct resource_set *query__resources(const struct query *query);
/* The quanta of a row, indices of tables.quanta; NULL: there are none, or no resources. */
const uint32_t *query__quanta(const struct query *query, const struct query_row *row,
			      size_t *ret_count);
/* How long the row's time slice is; 0: it has none. */
double query__seconds(const struct query *query, const struct query_row *row);

/* NULL: the query has none. */
const struct query_storage *query__storage(const struct query *query, const struct query_row *row);

/* The parts of a row, one after the other: NULL before the first and behind the last. */
const struct query_part *query__part(const struct query *query, const struct query_row *row,
				     const struct query_part *before);
/* The largest part of a kind by its own value; NULL: there is none above 0. */
const struct query_part *query__largest_part(const struct query *query, const struct query_row *row,
					     enum query_part_kind kind);

/* Whether rows have figures of this source: it was recorded, and has a meaning for these keys. */
bool query__knows(const struct query *query, enum source source);

/* Whether rows have waits for files and remotes: those are known of whole processes and files, not
 * of operations and samples. */
bool query__has_waited(const struct query *query);
/* Whether rows tell what was mapped: known by process and place, neither by time nor by thread. */
bool query__has_live(const struct query *query);

bool query__estimated(const struct query *query); /* figures come from samples */
bool query__has_totals(const struct query *query);
bool query__has_details(const struct query *query);

/* The row's keys and figures as fields, each name once: what stands for a key of the request is
 * that key's. The figures of callees are named total_…. Parts are not among them. The list is
 * cleared first. */
int query__describe(const struct query *query, const struct query_row *row,
		    struct field_list *list);

/* Figures of a row, own or total, in the query's metric, or in any. */
double query__measure(const struct query *query, const struct query_figures *figures);
double query_figures__measure(const struct query_figures *figures, const struct metric *metric);

#endif
