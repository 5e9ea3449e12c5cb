/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups a recording's figures by keys: exact where the kernel counted, estimated where only
 * samples know.
 *
 * Without a where-key and where-filter, CPU time is what was counted per process or thread. With
 * one, the exact CPU time of each epoch is shared out over the epoch's samples, so that the sums
 * agree; an epoch without samples is one row "(not sampled)". */
#ifndef MODEL_QUERY_H
#define MODEL_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/keys.h"
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
	const struct metric *metric; /* what rows are sorted by */
	struct query_filter filters[QUERY_MAX_FILTERS];
	size_t filter_count;
	enum query_fold fold;
};

struct query_figures {
	double cpu_ns;
	double cpu_error_ns; /* one standard error of the estimate; 0 when exact */
	int64_t samples;
};

/* Of the processes of a row; only when query__has_details. */
struct query_details {
	double user_ns, system_ns;
	double elapsed_ns; /* sum over processes, the part within the recording */
	uint32_t processes, failures; /* failures: exit code not 0, or killed */
	int64_t max_rss_bytes; /* NO_VALUE: not known */
};

struct query_row {
	uint32_t prefix, place; /* private: see query__value */
	struct query_figures own;
	struct query_figures total; /* with callees; only when query__has_totals */
};

struct query;

/* Rows are sorted by the metric, descending, equal ones by their keys. The tables must outlive the
 * query. -ENOMEM; -EBADMSG, -EIO from tables that are loaded on demand. */
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

bool query__estimated(const struct query *query); /* figures come from samples */
bool query__has_totals(const struct query *query);
bool query__has_details(const struct query *query);

/* The row's keys and figures as fields, each name once: what stands for a key of the request is
 * that key's. The figures of callees are named total_…. The list is cleared first. */
int query__describe(const struct query *query, const struct query_row *row,
		    struct field_list *list);

/* Figures of a row in the query's metric: own or total. */
double query__measure(const struct query *query, const struct query_figures *figures);

#endif
