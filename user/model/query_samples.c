// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples of one group (a pool, a share of it, a prefix) are added up along the stack tree; then
 * the rows that they touched get their part of the pool's exact sum. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/query_private.h"

struct sample_sum {
	int64_t samples;
	double weight, squares;
};

/* What one group added to a row, before it is scaled. */
struct group_counts {
	struct sample_sum own, total;
	bool listed;
};

/* A sample that passed the filters. */
struct picked {
	uint32_t pool, share, prefix, stack, count;
	double weight;
};

/* The row that a place last had, and for which prefix: most look-ups end here. */
struct recent_row {
	uint32_t prefix, row;
	bool valid;
};

/* Working memory for the samples of one group. */
struct group_work {
	struct recent_row *recent; /* per place */
	struct group_counts *counts; /* per row */
	size_t counts_capacity;
	uint32_t *touched; /* rows */
	size_t touched_count, touched_capacity;
	struct sample_sum *inclusive; /* per node */
	bool *marked; /* per node */
	uint32_t *nodes; /* those that are marked */
	size_t node_count;
};

static void add_sum(struct sample_sum *sum, const struct sample_sum *more)
{
	sum->samples += more->samples;
	sum->weight += more->weight;
	sum->squares += more->squares;
}

/* --- The choice. */

static bool stack_passes(const struct query *query, uint32_t stack)
{
	if (!query->places.passes)
		return true;
	return stack == NO_INDEX ? query->places.unknown_passes : query->places.passes[stack];
}

static struct fact fact_of(const struct tables *tables, const struct sample_fact *sample)
{
	const struct sample_pool *pool = &tables->pools[sample->pool];
	struct fact fact = {{pool->epoch, sample->thread, sample->slice, NO_INDEX, NO_INDEX,
			     sample->file, sample->waker, 1 + sample->ending}};

	if (pool->source == SOURCE_OFFCPU)
		fact.at[SCOPE_WAIT] = pool->item;
	if (pool->source == SOURCE_IO)
		fact.at[SCOPE_OP] = pool->item;
	if (pool->source == SOURCE_CEPH)
		fact.at[SCOPE_CEPH] = pool->item;
	return fact;
}

/* Exact rows only tell how many samples of the CPU they have. */
static bool is_wanted(const struct query *query, const struct sample_fact *sample)
{
	const struct sample_pool *pool = &query->tables->pools[sample->pool];
	enum source source = pool->source;

	if (source == SOURCE_MEM && (sample->share == SHARE_LIVE || sample->share == SHARE_PEAK) &&
	    !query->has_live)
		return false;
	if (source == SOURCE_OFFCPU &&
	    (sample->share == SHARE_HELD) != (query->request.metric->value == METRIC_HELD))
		return false;
	if (source == SOURCE_CEPH && !query__counts_ceph(query, pool->item))
		return false;
	return query->knows[source] && (query->estimated || source == SOURCE_CPU);
}

static int compare_picked(const void *one, const void *other)
{
	const struct picked *a = one, *b = other;

	if (a->pool != b->pool)
		return a->pool < b->pool ? -1 : 1;
	if (a->share != b->share)
		return a->share < b->share ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

static int pick_samples(struct query *query, struct picked **ret_picked, size_t *ret_count)
{
	const struct tables *tables = query->tables;
	_cleanup_free_ struct picked *picked = NULL;
	bool fine = query->by_scope[SCOPE_THREAD] || query->by_scope[SCOPE_SLICE] ||
		    query->by_scope[SCOPE_WAKER] || query->by_scope[SCOPE_ENDING] ||
		    query->by_scope[SCOPE_FILE];
	uint32_t prefix = 0, prefix_pool = NO_INDEX;
	size_t count = 0;

	picked = malloc((tables->sample_count + 1) * sizeof(*picked));
	if (!picked)
		return -ENOMEM;
	for (size_t i = 0; i < tables->sample_count; i++) {
		const struct sample_fact *sample = &tables->samples[i];
		struct fact fact;

		if (!is_wanted(query, sample))
			continue;
		fact = fact_of(tables, sample);
		if (!query__passes(query, &fact) || !stack_passes(query, sample->stack))
			continue;
		/* Without thread, slice, waker, ending and file the pool says all. */
		if (fine || sample->pool != prefix_pool) {
			int error = query__prefix_of(query, &fact, &prefix);

			if (error)
				return error;
			prefix_pool = sample->pool;
		}
		picked[count++] = (struct picked){.pool = sample->pool,
						  .share = sample->share,
						  .prefix = prefix,
						  .stack = sample->stack,
						  .count = sample->count,
						  .weight = sample->weight};
	}
	/* The samples of the tables come sorted by pool, share and stack. */
	if (fine && count)
		qsort(picked, count, sizeof(*picked), compare_picked);
	*ret_picked = picked;
	*ret_count = count;
	picked = NULL;
	return 0;
}

/* --- A group. */

static int recent_row_of(struct query *query, struct group_work *work, uint32_t prefix,
			 uint32_t place, uint32_t *ret_row)
{
	struct recent_row *recent = &work->recent[place];
	int error;

	if (!recent->valid || recent->prefix != prefix) {
		error = query__row_of(query, prefix, place, &recent->row);
		if (error)
			return error;
		recent->prefix = prefix;
		recent->valid = true;
	}
	*ret_row = recent->row;
	return 0;
}

static int touch(struct query *query, struct group_work *work, uint32_t prefix, uint32_t place,
		 struct group_counts **ret_counts)
{
	uint32_t row;
	int error;

	error = recent_row_of(query, work, prefix, place, &row);
	if (!error)
		error = array__reserve(&work->counts, &work->counts_capacity, sizeof(*work->counts),
				       (size_t)row + 1);
	if (!error && !work->counts[row].listed) {
		error = array__reserve(&work->touched, &work->touched_capacity,
				       sizeof(*work->touched), work->touched_count + 1);
		if (!error) {
			work->touched[work->touched_count++] = row;
			work->counts[row].listed = true;
		}
	}
	if (!error)
		*ret_counts = &work->counts[row];
	return error;
}

static int add_own(struct query *query, struct group_work *work, uint32_t prefix, uint32_t stack,
		   const struct sample_sum *sum)
{
	uint32_t place = 0;
	struct group_counts *counts;
	int error;

	if (query->places.width)
		place = stack == NO_INDEX ? query->places.unknown : query->places.of_node[stack];
	error = touch(query, work, prefix, place, &counts);
	if (error)
		return error;
	add_sum(&counts->own, sum);
	if (!query->places.totals || stack == NO_INDEX)
		return 0;
	add_sum(&work->inclusive[stack], sum);
	for (uint32_t node = stack; node != NO_INDEX && !work->marked[node];
	     node = query->tables->nodes[node].parent) {
		work->marked[node] = true;
		work->nodes[work->node_count++] = node;
	}
	return 0;
}

static int compare_descending(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return a > b ? -1 : a < b;
}

/* Children before parents. Where much of the tree is marked, a walk over it is faster than a sort.
 */
static void sort_marked(const struct query *query, struct group_work *work)
{
	size_t nodes = query->tables->node_count, found = 0;

	if (work->node_count > nodes / 16) {
		for (size_t node = nodes; node--;)
			if (work->marked[node])
				work->nodes[found++] = (uint32_t)node;
	} else if (work->node_count) {
		qsort(work->nodes, work->node_count, sizeof(*work->nodes), compare_descending);
	}
}

/* Each node hands on to its parent what it has collected. */
static int add_totals(struct query *query, struct group_work *work, uint32_t prefix)
{
	int error = 0;

	sort_marked(query, work);
	for (size_t i = 0; i < work->node_count; i++) {
		uint32_t node = work->nodes[i], parent = query->tables->nodes[node].parent;
		struct sample_sum sum = work->inclusive[node];
		struct group_counts *counts;

		work->marked[node] = false;
		work->inclusive[node] = (struct sample_sum){0};
		if (parent != NO_INDEX)
			add_sum(&work->inclusive[parent], &sum);
		if (error || !query->places.counted[node])
			continue;
		error = touch(query, work, prefix, query->places.of_node[node], &counts);
		if (!error)
			add_sum(&counts->total, &sum);
	}
	work->node_count = 0;
	return error;
}

/* --- From samples to figures. Errors are variances until the rows are finished. */

/* One standard error of a proportion n/N; (n + 1)/(N + 2) instead of n/N, because a single sample
 * that hit is no certainty. */
static void add_cpu(struct query_figures *figures, const struct sample_pool *pool,
		    const struct sample_sum *sum, bool estimated)
{
	double all = (double)pool->shares[SHARE_TIME].samples;
	double exact = pool->shares[SHARE_TIME].exact;
	double share = ((double)sum->samples + 1) / (all + 2);

	figures->samples += sum->samples;
	if (!estimated)
		return;
	figures->cpu_ns += exact * ((double)sum->samples / all);
	figures->cpu_error_ns += exact * exact * share * (1 - share) / all;
}

static void add_memory(struct query_figures *figures, uint32_t share, const struct sample_sum *sum,
		       double value, double variance)
{
	if (share == SHARE_BYTES) {
		figures->grown_bytes += value;
		figures->grown_error_bytes += variance;
		figures->grown_samples += sum->samples;
	} else if (share == SHARE_OPS) {
		figures->faults += value;
	} else if (share == SHARE_LIVE) {
		figures->live_bytes += value;
	} else if (share == SHARE_PEAK) {
		figures->peak_bytes += value;
	}
}

static void add_alloc(struct query_figures *figures, uint32_t share, const struct sample_sum *sum,
		      double value, double factor_squared)
{
	if (share == SHARE_BYTES) {
		figures->allocated_bytes += value;
		figures->allocated_error_bytes += sum->squares * factor_squared;
		figures->allocated_samples += sum->samples;
	} else if (share == SHARE_OPS) {
		figures->allocations += value;
	} else if (share == SHARE_LIVE) {
		figures->kept_bytes += value;
	}
}

static void add_weighted_ceph(struct query_figures *figures, enum op_direction direction,
			      uint32_t share, double value, double variance)
{
	if (share == SHARE_TIME) {
		figures->ceph_ns += value;
		figures->ceph_error_ns += variance;
	} else if (share == SHARE_OPS) {
		figures->ceph_ops += value;
	} else if (direction == OP_READS) {
		figures->ceph_read_bytes += value;
	} else if (direction == OP_WRITES) {
		figures->ceph_write_bytes += value;
	}
}

/* What was chosen in proportion to its weight, and scaled to an exact sum: the error is the root of
 * the sum of squared weights, each at most the period: rather too large than too small. */
static void add_weighted(struct query_figures *figures, const struct tables *tables,
			 const struct sample_pool *pool, uint32_t share,
			 const struct sample_sum *sum)
{
	double factor = pool->shares[share].exact / pool->shares[share].weight;
	double value = sum->weight * factor, variance = sum->squares * factor * factor;

	if (pool->source == SOURCE_ALLOC) {
		add_alloc(figures, share, sum, value, factor * factor);
	} else if (pool->source == SOURCE_MEM) {
		add_memory(figures, share, sum, value, variance);
	} else if (pool->source == SOURCE_OFFCPU) {
		figures->offcpu_ns += value;
		figures->offcpu_error_ns += variance;
		figures->offcpu_samples += sum->samples;
	} else if (pool->source == SOURCE_CEPH) {
		add_weighted_ceph(figures, tables->ceph_ops[pool->item].direction, share, value,
				  variance);
		figures->ceph_samples += share == SHARE_TIME ? sum->samples : 0;
	} else if (share == SHARE_TIME) {
		figures->io_ns += value;
		figures->io_error_ns += variance;
		figures->io_samples += sum->samples;
	} else if (share == SHARE_OPS) {
		figures->ops += value;
	} else if (tables->ops[pool->item].direction == OP_READS) {
		figures->read_bytes += value;
	} else if (tables->ops[pool->item].direction == OP_WRITES) {
		figures->write_bytes += value;
	}
}

static void add_figures(struct query_figures *figures, const struct query *query,
			const struct picked *group, const struct sample_sum *sum)
{
	const struct sample_pool *pool = &query->tables->pools[group->pool];

	if (!sum->samples)
		return;
	if (pool->source == SOURCE_CPU)
		add_cpu(figures, pool, sum, query->estimated);
	else
		add_weighted(figures, query->tables, pool, group->share, sum);
}

static int add_parts(struct query *query, uint32_t row, const struct picked *group,
		     const struct group_counts *counts)
{
	const struct sample_pool *pool = &query->tables->pools[group->pool];
	double factor = pool->shares[group->share].exact / pool->shares[group->share].weight;
	enum query_part_kind kind = pool->source == SOURCE_OFFCPU ? PART_WAIT
				    : pool->source == SOURCE_CEPH ? PART_CEPH
				    : pool->source == SOURCE_MEM  ? PART_GROWTH
								  : PART_OP;
	uint32_t share = kind == PART_WAIT     ? group->share
			 : kind == PART_GROWTH ? SHARE_BYTES
					       : SHARE_OPS;

	if (pool->source == SOURCE_CPU || pool->source == SOURCE_ALLOC || group->share != share)
		return 0;
	return query__add_part(query, row, kind, pool->item, counts->own.weight * factor,
			       counts->total.weight * factor);
}

/* group: any of its samples. */
static int close_group(struct query *query, struct group_work *work, const struct picked *group)
{
	int error = 0;

	for (size_t i = 0; i < work->touched_count; i++) {
		uint32_t index = work->touched[i];
		struct query_row *row = &query->rows[index];
		struct group_counts *counts = &work->counts[index];

		/* What no caller counts ("(no line)", no stack) is its own total. */
		if (counts->total.samples < counts->own.samples)
			counts->total = counts->own;
		add_figures(&row->own, query, group, &counts->own);
		add_figures(&row->total, query, group, &counts->total);
		if (!error)
			error = add_parts(query, index, group, counts);
		*counts = (struct group_counts){0};
	}
	work->touched_count = 0;
	return error;
}

/* --- The whole. */

static int group_work__init(struct group_work *work, const struct query *query)
{
	size_t nodes = query->tables->node_count;
	size_t places = query->places.width ? tuple_set__count(query->places.tuples) : 1;

	work->recent = calloc(places, sizeof(*work->recent));
	work->inclusive = calloc(nodes + 1, sizeof(*work->inclusive));
	work->marked = calloc(nodes + 1, sizeof(*work->marked));
	work->nodes = calloc(nodes + 1, sizeof(*work->nodes));
	return work->recent && work->inclusive && work->marked && work->nodes ? 0 : -ENOMEM;
}

static void group_work__clear(struct group_work *work)
{
	free(work->recent);
	free(work->counts);
	free(work->touched);
	free(work->inclusive);
	free(work->marked);
	free(work->nodes);
}

static bool same_group(const struct picked *one, const struct picked *other)
{
	return one->pool == other->pool && one->share == other->share &&
	       one->prefix == other->prefix;
}

/* A row of n samples stands for n of equal weight. Each stood for what it was, when that was above
 * the period: what is certain has no error. */
static void add_picked(const struct tables *tables, const struct picked *picked,
		       struct sample_sum *sum)
{
	enum source source = tables->pools[picked->pool].source;
	double period = tables->period_ns[source];
	double each = fmin(picked->weight / picked->count, period);

	sum->samples += picked->count;
	sum->weight += picked->weight;
	sum->squares += source == SOURCE_ALLOC
				? alloc_sample__variance(picked->count, picked->weight, period)
				: each * each * picked->count;
}

int query__add_samples(struct query *query)
{
	_cleanup_free_ struct picked *picked = NULL;
	struct group_work work = {0};
	size_t count = 0;
	int error;

	error = pick_samples(query, &picked, &count);
	if (!error)
		error = group_work__init(&work, query);
	for (size_t i = 0; i < count && !error;) {
		const struct picked *first = &picked[i];

		while (i < count && !error && same_group(&picked[i], first)) {
			uint32_t stack = picked[i].stack;
			struct sample_sum sum = {0};

			for (;
			     i < count && same_group(&picked[i], first) && picked[i].stack == stack;
			     i++)
				add_picked(query->tables, &picked[i], &sum);
			error = add_own(query, &work, first->prefix, stack, &sum);
		}
		if (!error)
			error = add_totals(query, &work, first->prefix);
		if (!error)
			error = close_group(query, &work, first);
	}
	group_work__clear(&work);
	return error;
}
