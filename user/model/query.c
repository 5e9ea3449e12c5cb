// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/query_private.h"
#include "model/storage.h"

/* --- The request. */

struct used_scopes {
	bool by[SCOPE_COUNT]; /* as a key */
	bool any[SCOPE_COUNT]; /* as a key or a filter */
};

static struct used_scopes scopes_of(const struct query_request *request)
{
	struct used_scopes used = {0};

	for (size_t i = 0; i < request->key_count; i++)
		used.by[request->keys[i]->scope] = used.any[request->keys[i]->scope] = true;
	for (size_t i = 0; i < request->filter_count; i++)
		used.any[request->filters[i].key->scope] = true;
	/* Of threads only the samples of operations are known. */
	used.any[SCOPE_OP] |=
		request->metric && request->metric->source == SOURCE_IO && used.any[SCOPE_THREAD];
	return used;
}

/* Whether only samples can tell these scopes apart. */
static bool needs_samples(const bool *any)
{
	/* Operations are counted per process. */
	bool io = any[SCOPE_OP] || any[SCOPE_FILE];

	return any[SCOPE_NODE] || any[SCOPE_WAKER] || any[SCOPE_ENDING] ||
	       (io && any[SCOPE_THREAD]);
}

/* Whether what was recorded of a source can be told apart by these scopes. */
static bool has_meaning(enum source source, const bool *any)
{
	bool estimated = needs_samples(any);

	switch (source) {
	case SOURCE_CPU:
		return !any[SCOPE_WAIT] && !any[SCOPE_WAKER] && !any[SCOPE_OP] &&
		       !any[SCOPE_FILE] && !any[SCOPE_CEPH];
	case SOURCE_OFFCPU: /* counted per thread, or per slice */
		return !any[SCOPE_OP] && !any[SCOPE_FILE] && !any[SCOPE_CEPH] &&
		       (estimated || !any[SCOPE_THREAD] || !any[SCOPE_SLICE]);
	case SOURCE_CEPH: /* counted per mount, sampled per thread and stack */
		return !any[SCOPE_WAIT] && !any[SCOPE_WAKER] && !any[SCOPE_OP] &&
		       (estimated || !any[SCOPE_THREAD]);
	case SOURCE_MEM: /* counted per slice, sampled per thread and stack */
		return !any[SCOPE_WAIT] && !any[SCOPE_WAKER] && !any[SCOPE_OP] &&
		       !any[SCOPE_FILE] && !any[SCOPE_CEPH] && (estimated || !any[SCOPE_THREAD]);
	case SOURCE_ALLOC: /* counted per window, sampled per thread, slice and stack */
		return !any[SCOPE_WAIT] && !any[SCOPE_WAKER] && !any[SCOPE_OP] &&
		       !any[SCOPE_FILE] && !any[SCOPE_CEPH] && (estimated || !any[SCOPE_THREAD]);
	default: /* counted per file, sampled per thread and stack */
		if (any[SCOPE_CEPH])
			return false;
		return !any[SCOPE_WAIT] && !any[SCOPE_WAKER] && (estimated || !any[SCOPE_THREAD]);
	}
}

const char *query__refusal(const struct query_request *request)
{
	struct used_scopes used = scopes_of(request);
	const bool *any = used.any;
	const struct metric *metric = request->metric;
	bool io = any[SCOPE_OP] || any[SCOPE_FILE];

	if ((any[SCOPE_WAIT] || any[SCOPE_WAKER]) && io)
		return "wait and waker do not go with file, mount, fs and op: waits are counted "
		       "per "
		       "class, operations per file; ask for one of them";
	if (any[SCOPE_CEPH] && (any[SCOPE_WAIT] || any[SCOPE_WAKER] || any[SCOPE_OP]))
		return "ceph does not go with wait, waker and op: what CephFS's client does is "
		       "counted by itself; ask for one of them";
	if (any[SCOPE_CEPH] && !has_meaning(SOURCE_CEPH, any))
		return "ceph does not go with thread alone: requests are counted per process; use "
		       "process, or add function, line, module or stack";
	if (any[SCOPE_WAIT] && !has_meaning(SOURCE_OFFCPU, any))
		return "wait does not go with both thread and time: waits of threads are counted "
		       "for the whole recording; leave out one of them";
	if (!metric)
		return NULL;
	if (!has_meaning(metric->source, any))
		return metric->source == SOURCE_CPU
			       ? "metrics cpu and samples do not go with wait, waker, file, mount, "
				 "fs, op and ceph; leave out --metric"
		       : metric->source == SOURCE_CEPH
			       ? "metrics of CephFS do not go with wait, waker and op, nor with "
				 "thread without function, line, module or stack"
		       : any[SCOPE_CEPH]
			       ? "ceph goes with the metrics of CephFS only: ceph_time, ceph_ops, "
				 "ceph_read_bytes and ceph_write_bytes"
		       : metric->source == SOURCE_OFFCPU
			       ? "metrics offcpu and waits do not go with file, mount, fs and op, "
				 "nor with thread and time together"
		       : metric->source == SOURCE_MEM
			       ? "metrics of memory do not go with wait, waker, file, mount, fs "
				 "and op, nor with thread without function, line, module or stack"
		       : metric->source == SOURCE_ALLOC
			       ? "metrics of allocations do not go with wait, waker, file, mount, "
				 "fs and op, nor with thread without function, line, module or "
				 "stack"
			       : "metrics of operations do not go with wait and waker";
	if ((metric->value == METRIC_MMAP_LIVE || metric->value == METRIC_MMAP_PEAK) &&
	    (any[SCOPE_THREAD] || any[SCOPE_SLICE]))
		return "mmap_live and mmap_peak do not go with thread and time: what is mapped "
		       "belongs to the process";
	if (metric->value == METRIC_HELD && (!needs_samples(any) || any[SCOPE_WAKER]))
		return "metric held is known by stacks only, and is not told by waker: group by "
		       "function, line, module or stack";
	if (metric->value == METRIC_WAITED && any[SCOPE_OP])
		return "waited does not go with op: waits for files and remotes are known of whole "
		       "files, not of operations; use io_time";
	if (metric->only_exact && needs_samples(any))
		return "metrics waits, errors and waited are counted without stacks: they do not "
		       "go with function, line, module, stack, waker and ending, nor those of "
		       "operations with thread; use offcpu or ops";
	return NULL;
}

static void look_at_request(struct query *query)
{
	struct used_scopes used = scopes_of(&query->request);
	bool narrowed = false;

	memcpy(query->by_scope, used.by, sizeof(query->by_scope));
	query->estimated = needs_samples(used.any);
	for (size_t scope = SCOPE_EPOCH + 1; scope < SCOPE_NODE; scope++)
		narrowed |= used.any[scope];
	query->details = !query->estimated && !narrowed;
	for (size_t i = 0; i < SOURCE_COUNT; i++)
		query->knows[i] =
			query->tables->recorded[i] && has_meaning((enum source)i, used.any);
	query->has_live = !used.any[SCOPE_THREAD] && !used.any[SCOPE_SLICE];
	if (query->request.metric)
		return;
	query->request.metric =
		metric__find(used.any[SCOPE_WAIT] || used.any[SCOPE_WAKER] ? "offcpu"
			     : used.any[SCOPE_CEPH]			   ? "ceph_time"
			     : used.any[SCOPE_OP] || used.any[SCOPE_FILE]  ? "io_time"
									   : "cpu");
}

/* --- Filters by who, when and what. */

static size_t scope_size(const struct tables *tables, enum key_scope scope)
{
	switch (scope) {
	case SCOPE_EPOCH:
		return tables->epoch_count;
	case SCOPE_THREAD:
		return tables->thread_count;
	case SCOPE_SLICE:
		return tables->slice_count;
	case SCOPE_WAIT:
		return tables->class_count;
	case SCOPE_OP:
		return tables->op_count;
	case SCOPE_WAKER:
		return WAKER_THREADS + tables->thread_count;
	case SCOPE_ENDING:
		return 1 + tables->ending_count;
	case SCOPE_CEPH:
		return tables->ceph_op_count;
	default:
		return tables->file_count;
	}
}

/* Rows by a key that only some facts count for. */
static int narrow_to(struct query *query, const struct key *key)
{
	size_t size = scope_size(query->tables, key->scope);

	if (!key->counts)
		return 0;
	if (!query->passes[key->scope]) {
		query->passes[key->scope] = malloc(size + 1);
		if (!query->passes[key->scope])
			return -ENOMEM;
		memset(query->passes[key->scope], 1, size);
	}
	for (uint32_t i = 0; i < size; i++)
		query->passes[key->scope][i] &= key->counts(query->tables, i);
	query->unknown_passes[key->scope] = false;
	return 0;
}

static int fill_passes(struct query *query)
{
	for (size_t scope = 0; scope < SCOPE_NODE; scope++)
		query->unknown_passes[scope] = true;
	if (query->request.epochs) {
		query->passes[SCOPE_EPOCH] = malloc(query->tables->epoch_count + 1);
		if (!query->passes[SCOPE_EPOCH])
			return -ENOMEM;
		memcpy(query->passes[SCOPE_EPOCH], query->request.epochs,
		       query->tables->epoch_count * sizeof(*query->request.epochs));
	}
	for (size_t k = 0; k < query->request.key_count; k++) {
		int error = narrow_to(query, query->request.keys[k]);

		if (error)
			return error;
	}
	for (size_t f = 0; f < query->request.filter_count; f++) {
		const struct query_filter *filter = &query->request.filters[f];
		enum key_scope scope = filter->key->scope;
		size_t size;

		if (scope == SCOPE_NODE)
			continue;
		size = scope_size(query->tables, scope);
		if (!query->passes[scope]) {
			query->passes[scope] = malloc(size + 1);
			if (!query->passes[scope])
				return -ENOMEM;
			memset(query->passes[scope], 1, size);
		}
		for (uint32_t i = 0; i < size; i++)
			query->passes[scope][i] &= filter->key->matches(
				query->tables, key__value(filter->key, query->tables, i),
				filter->pattern);
		if (scope != SCOPE_EPOCH)
			query->unknown_passes[scope] &=
				filter->key->matches(query->tables, VALUE_UNKNOWN, filter->pattern);
	}
	return 0;
}

bool query__passes(const struct query *query, const struct fact *fact)
{
	for (size_t scope = 0; scope < SCOPE_NODE; scope++) {
		uint32_t index = fact->at[scope];

		if (!query->passes[scope])
			continue;
		if (index == NO_INDEX ? !query->unknown_passes[scope]
				      : !query->passes[scope][index])
			return false;
	}
	return true;
}

bool query__shares_out(const struct query *query, uint32_t pool, uint32_t share)
{
	return query->estimated && (query->tables->pools[pool].shares[share].weight > 0 ||
				    !query->places.not_sampled_passes);
}

bool query__counts_ceph(const struct query *query, uint32_t op)
{
	return query->by_scope[SCOPE_CEPH] || query->passes[SCOPE_CEPH] ||
	       query->tables->ceph_ops[op].is_request;
}

/* --- Rows. */

int query__prefix_of(struct query *query, const struct fact *fact, uint32_t *ret_prefix)
{
	uint64_t values[QUERY_MAX_KEYS] = {0};
	size_t width = 0;

	for (size_t i = 0; i < query->request.key_count; i++) {
		const struct key *key = query->request.keys[i];

		if (key->scope == SCOPE_NODE)
			continue;
		values[width++] = fact->at[key->scope] == NO_INDEX
					  ? VALUE_UNKNOWN
					  : key__value(key, query->tables, fact->at[key->scope]);
	}
	return tuple_set__add(query->prefixes, values, ret_prefix);
}

int query__row_of(struct query *query, uint32_t prefix, uint32_t place, uint32_t *ret_row)
{
	uint32_t row;
	int error;

	error = tuple_set__add(query->row_set, (const uint64_t[]){prefix, place}, &row);
	if (error)
		return error;
	if (row == query->row_count) {
		error = array__reserve(&query->rows, &query->row_capacity, sizeof(*query->rows),
				       query->row_count + 1);
		if (!error && query->details)
			error = array__reserve(&query->row_details, &query->details_capacity,
					       sizeof(*query->row_details), query->row_count + 1);
		if (error)
			return error;
		query->rows[row] = (struct query_row){.prefix = prefix, .place = place};
		if (query->details)
			query->row_details[row].max_rss_bytes = NO_VALUE;
		query->row_count++;
	}
	*ret_row = row;
	return 0;
}

int query__add_part(struct query *query, uint32_t row, enum query_part_kind kind, uint32_t item,
		    double own, double total)
{
	uint32_t at = query->rows[row].parts;
	int error;

	while (at && (query->parts[at].kind != kind || query->parts[at].item != item))
		at = query->parts[at].next;
	if (!at) {
		if (query->part_count >= UINT32_MAX - 1)
			return -EOVERFLOW;
		if (!query->part_count)
			query->part_count = 1;
		error = array__reserve(&query->parts, &query->part_capacity, sizeof(*query->parts),
				       query->part_count + 1);
		if (error)
			return error;
		at = (uint32_t)query->part_count++;
		query->parts[at] = (struct query_part){
			.kind = kind, .item = item, .next = query->rows[row].parts};
		query->rows[row].parts = at;
	}
	query->parts[at].own += own;
	query->parts[at].total += total;
	return 0;
}

static bool figures_are_empty(const struct query_figures *figures)
{
	return figures->cpu_ns <= 0 && !figures->samples && figures->offcpu_ns <= 0 &&
	       !figures->offcpu_samples && figures->waits <= 0 && figures->io_ns <= 0 &&
	       !figures->io_samples && figures->read_bytes <= 0 && figures->write_bytes <= 0 &&
	       figures->ops <= 0 && figures->errors <= 0 && figures->waited_ns <= 0 &&
	       figures->waited <= 0 && figures->ceph_ns <= 0 && !figures->ceph_samples &&
	       figures->ceph_ops <= 0 && figures->grown_bytes <= 0 && !figures->grown_samples &&
	       figures->faults <= 0 && figures->live_bytes <= 0 && figures->peak_bytes <= 0 &&
	       figures->allocated_bytes <= 0 && !figures->allocated_samples &&
	       figures->allocations <= 0 && figures->kept_bytes <= 0;
}

static void finish_figures(struct query_figures *figures)
{
	/* Variances so far. */
	figures->cpu_error_ns = sqrt(figures->cpu_error_ns);
	figures->offcpu_error_ns = sqrt(figures->offcpu_error_ns);
	figures->io_error_ns = sqrt(figures->io_error_ns);
	figures->ceph_error_ns = sqrt(figures->ceph_error_ns);
	figures->grown_error_bytes = sqrt(figures->grown_error_bytes);
	figures->allocated_error_bytes = sqrt(figures->allocated_error_bytes);
	/* Threads that were counted for more than their process leave no time to an unknown one. */
	if (figures->cpu_ns < 0)
		figures->cpu_ns = 0;
}

static void finish_rows(struct query *query)
{
	size_t kept = 0;

	for (size_t i = 0; i < query->row_count; i++) {
		struct query_row *row = &query->rows[i];

		finish_figures(&row->own);
		finish_figures(&row->total);
		if (query->details || !figures_are_empty(&row->own) ||
		    !figures_are_empty(&row->total))
			query->rows[kept++] = *row;
	}
	query->row_count = kept;
}

double query_figures__measure(const struct query_figures *figures, const struct metric *metric)
{
	switch (metric->value) {
	case METRIC_SAMPLES:
		return (double)figures->samples;
	case METRIC_OFFCPU:
	case METRIC_HELD: /* it is all that was added up */
		return figures->offcpu_ns;
	case METRIC_WAITS:
		return figures->waits;
	case METRIC_IO_TIME:
		return figures->io_ns;
	case METRIC_READ_BYTES:
		return figures->read_bytes;
	case METRIC_WRITE_BYTES:
		return figures->write_bytes;
	case METRIC_OPS:
		return figures->ops;
	case METRIC_ERRORS:
		return figures->errors;
	case METRIC_WAITED:
		return figures->waited_ns;
	case METRIC_CEPH_TIME:
		return figures->ceph_ns;
	case METRIC_CEPH_OPS:
		return figures->ceph_ops;
	case METRIC_CEPH_READ_BYTES:
		return figures->ceph_read_bytes;
	case METRIC_CEPH_WRITE_BYTES:
		return figures->ceph_write_bytes;
	case METRIC_RSS_GROWTH:
		return figures->grown_bytes;
	case METRIC_FAULTS:
		return figures->faults;
	case METRIC_MMAP_LIVE:
		return figures->live_bytes;
	case METRIC_MMAP_PEAK:
		return figures->peak_bytes;
	case METRIC_ALLOC_BYTES:
		return figures->allocated_bytes;
	case METRIC_ALLOC_COUNT:
		return figures->allocations;
	case METRIC_ALLOC_KEPT:
		return figures->kept_bytes;
	default:
		return figures->cpu_ns;
	}
}

double query__measure(const struct query *query, const struct query_figures *figures)
{
	return query_figures__measure(figures, query->request.metric);
}

static int compare_rows(const void *one, const void *other, void *argument)
{
	const struct query_row *a = one, *b = other;
	const struct query *query = argument;
	double left = query__measure(query, &a->own), right = query__measure(query, &b->own);

	if (left != right && !query->request.in_order)
		return left > right ? -1 : 1;
	left = query__measure(query, &a->total);
	right = query__measure(query, &b->total);
	if (left != right && !query->request.in_order)
		return left > right ? -1 : 1;
	for (size_t i = 0; i < query->request.key_count; i++) {
		int order = query->request.keys[i]->compare(
			query->tables, query__value(query, a, i), query__value(query, b, i));

		if (order)
			return order;
	}
	return 0;
}

/* --- The whole. */

int query__run(struct tables *tables, const struct query_request *request, struct query **ret_query)
{
	struct query *query;
	int error;

	if (query__refusal(request))
		return -EINVAL;
	query = calloc(1, sizeof(*query));
	if (!query)
		return -ENOMEM;
	query->tables = tables;
	query->request = *request;
	look_at_request(query);
	query->prefixes = tuple_set__new(request->key_count);
	query->row_set = tuple_set__new(2);
	error = query->prefixes && query->row_set ? 0 : -ENOMEM;
	if (!error)
		error = places__build(tables, request, &query->places);
	if (!error)
		error = fill_passes(query);
	if (!error)
		error = query__add_exact(query);
	if (!error)
		error = query__add_samples(query);
	if (!error)
		error = query__settle_quanta(query);
	if (!error)
		error = storage__add(query);
	if (error) {
		query__free(query);
		return error;
	}
	finish_rows(query);
	if (query->row_count)
		qsort_r(query->rows, query->row_count, sizeof(*query->rows), compare_rows, query);
	*ret_query = query;
	return 0;
}

void query__free(struct query *query)
{
	if (!query)
		return;
	places__clear(&query->places);
	tuple_set__free(query->prefixes);
	tuple_set__free(query->row_set);
	for (size_t scope = 0; scope < SCOPE_NODE; scope++)
		free(query->passes[scope]);
	free(query->rows);
	free(query->row_details);
	free(query->row_storage);
	free(query->parts);
	free(query->row_quanta);
	free(query->quanta);
	resource_set__free(query->resources);
	free(query);
}

const struct query_request *query__request(const struct query *query)
{
	return &query->request;
}

size_t query__row_count(const struct query *query)
{
	return query->row_count;
}

const struct query_row *query__row(const struct query *query, size_t position)
{
	return &query->rows[position];
}

uint64_t query__value(const struct query *query, const struct query_row *row, size_t key)
{
	bool where = query->request.keys[key]->scope == SCOPE_NODE;
	size_t position = 0;

	for (size_t i = 0; i < key; i++)
		position += (query->request.keys[i]->scope == SCOPE_NODE) == where;
	return where ? tuple_set__at(query->places.tuples, row->place)[position]
		     : tuple_set__at(query->prefixes, row->prefix)[position];
}

/* Details lie beside the rows in the order of creation, which row_set still knows. */
const struct query_details *query__details(const struct query *query, const struct query_row *row)
{
	uint32_t index;

	if (!query->details ||
	    tuple_set__add(query->row_set, (const uint64_t[]){row->prefix, row->place}, &index))
		return NULL;
	return &query->row_details[index];
}

const struct query_part *query__part(const struct query *query, const struct query_row *row,
				     const struct query_part *before)
{
	uint32_t at = before ? before->next : row->parts;

	return at ? &query->parts[at] : NULL;
}

const struct query_part *query__largest_part(const struct query *query, const struct query_row *row,
					     enum query_part_kind kind)
{
	const struct query_part *largest = NULL, *part = NULL;

	while ((part = query__part(query, row, part)))
		if (part->kind == kind && part->own > (largest ? largest->own : 0))
			largest = part;
	return largest;
}

bool query__knows(const struct query *query, enum source source)
{
	return query->knows[source];
}

bool query__has_live(const struct query *query)
{
	return query->has_live;
}

bool query__estimated(const struct query *query)
{
	return query->estimated;
}

bool query__has_totals(const struct query *query)
{
	return query->places.totals;
}

bool query__has_details(const struct query *query)
{
	return query->details;
}

bool query__has_waited(const struct query *query)
{
	return query->tables->recorded[SOURCE_OFFCPU] && query->knows[SOURCE_IO] &&
	       !query->estimated && !query->by_scope[SCOPE_OP] && !query->passes[SCOPE_OP];
}

double query__seconds(const struct query *query, const struct query_row *row)
{
	for (size_t i = 0; i < query->request.key_count; i++) {
		uint64_t value;

		if (query->request.keys[i]->scope != SCOPE_SLICE)
			continue;
		value = query__value(query, row, i);
		if (value < query->tables->slice_count)
			return (double)(query->tables->slices[value].end_ns -
					query->tables->slices[value].start_ns) /
			       1e9;
	}
	return 0;
}
