// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples keep their weights, and a pool the factor that makes figures of them: so small numbers
 * give exactly the report's. In pools of many processes weights are figures already, because
 * each of the processes has a factor of its own. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "report/page_data.h"

#define METRICS (SOURCE_COUNT * SHARE_COUNT)

struct sampling {
	struct page_data *data;
	uint32_t *pool_of; /* per pool of the tables */
	uint32_t *node_of; /* per node of the tables: page_data.nodes + PAGE_FIRST_NODE */
	struct tuple_set *set; /* (source, epoch, item) */
	uint32_t *told_of; /* per file of the page: the one that is told in its place, and one */
	double totals[METRICS];
};

static uint32_t metric_of(const struct sample_pool *pool, uint32_t share)
{
	return (uint32_t)pool->source * SHARE_COUNT + share;
}

static double factor_of(const struct sample_pool *pool, uint32_t share)
{
	return pool->shares[share].weight > 0
		       ? pool->shares[share].exact / pool->shares[share].weight
		       : 1;
}

/* --- Pools. */

static int place_pool(struct sampling *sampling, uint32_t index)
{
	struct page_data *data = sampling->data;
	const struct sample_pool *pool = &data->tables->pools[index];
	uint32_t epoch = data->epoch_of[pool->epoch], at;
	bool many = page_data__is_many(data, epoch);
	int error;

	error = tuple_set__add(sampling->set, (const uint64_t[]){pool->source, epoch, pool->item},
			       &at);
	if (!error)
		error = array__reserve(&data->pools, &data->pool_capacity, sizeof(*data->pools),
				       (size_t)at + 1);
	if (error)
		return error;
	sampling->pool_of[index] = at;
	if (at < data->pool_count)
		return 0;
	data->pools[data->pool_count++] =
		(struct page_pool){.source = pool->source, .epoch = epoch, .item = pool->item};
	for (uint32_t share = 0; share < SHARE_COUNT; share++)
		data->pools[at].factor[share] = many ? 1 : factor_of(pool, share);
	return 0;
}

static int place_pools(struct sampling *sampling)
{
	const struct tables *tables = sampling->data->tables;
	int error = 0;

	for (uint32_t i = 0; i < tables->pool_count && !error; i++) {
		error = place_pool(sampling, i);
		for (uint32_t share = 0; share < SHARE_HELD; share++)
			sampling->totals[metric_of(&tables->pools[i], share)] +=
				tables->pools[i].shares[share].exact;
	}
	return error;
}

/* --- The stack tree. */

/* Per node, the part of a metric's total that is in it and in what it calls: the largest one's. */
static double *weigh_nodes(const struct sampling *sampling)
{
	const struct tables *tables = sampling->data->tables;
	double *parts = calloc(tables->node_count + 1, sizeof(*parts));

	for (size_t i = 0; parts && i < tables->sample_count; i++) {
		const struct sample_fact *sample = &tables->samples[i];
		const struct sample_pool *pool = &tables->pools[sample->pool];
		double total = sampling->totals[metric_of(pool, sample->share)];

		if (sample->stack == NO_INDEX || sample->share == SHARE_HELD)
			continue;
		/* Also what stands for nothing keeps its stack: samples are counted. */
		parts[sample->stack] += 1e-300;
		if (total > 0)
			parts[sample->stack] +=
				sample->weight * factor_of(pool, sample->share) / total;
	}
	for (size_t node = tables->node_count; parts && node--;)
		if (tables->nodes[node].parent != NO_INDEX)
			parts[tables->nodes[node].parent] += parts[node];
	return parts;
}

static int add_node(struct page_data *data, const struct page_node *node, uint32_t *ret_index)
{
	int error = array__reserve(&data->nodes, &data->node_capacity, sizeof(*data->nodes),
				   (size_t)data->node_count + 1);

	if (error)
		return error;
	*ret_index = data->node_count + PAGE_FIRST_NODE;
	data->nodes[data->node_count++] = *node;
	return 0;
}

static uint32_t page_parent(const struct sampling *sampling, const struct table_node *node)
{
	return node->parent == NO_INDEX ? NO_INDEX
					: sampling->node_of[node->parent] - PAGE_FIRST_NODE;
}

static int keep_node(struct sampling *sampling, uint32_t index)
{
	const struct tables *tables = sampling->data->tables;
	const struct table_node *node = &tables->nodes[index];
	struct page_node kept = {.parent = page_parent(sampling, node), .function = node->function};

	if (node->line != NO_INDEX)
		kept.line = (uint32_t)tuple_set__at(tables->lines, node->line)[1];
	return add_node(sampling->data, &kept, &sampling->node_of[index]);
}

/* others: per node of the tables and one more for no node, the node "(other)" that it calls. */
static int fold_node(struct sampling *sampling, uint32_t index, uint32_t *others)
{
	struct page_data *data = sampling->data;
	const struct table_node *node = &data->tables->nodes[index];
	uint32_t parent = page_parent(sampling, node);
	uint32_t *other =
		&others[node->parent == NO_INDEX ? data->tables->node_count : node->parent];
	int error = 0;

	data->folded_nodes++;
	if (parent != NO_INDEX && data->nodes[parent].function == NO_INDEX) {
		sampling->node_of[index] = parent + PAGE_FIRST_NODE;
		return 0;
	}
	if (!*other)
		error = add_node(data, &(struct page_node){.parent = parent, .function = NO_INDEX},
				 other);
	if (!error)
		sampling->node_of[index] = *other;
	return error;
}

static int place_nodes(struct sampling *sampling)
{
	struct page_data *data = sampling->data;
	const struct tables *tables = data->tables;
	_cleanup_free_ double *parts = weigh_nodes(sampling);
	_cleanup_free_ uint32_t *others = calloc(tables->node_count + 1, sizeof(*others));
	int error = parts && others ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < tables->node_count && !error; i++) {
		if (parts[i] <= 0)
			continue;
		if (parts[i] >= data->limits.stack_floor) {
			error = keep_node(sampling, i);
			continue;
		}
		if (tables->nodes[i].parent == NO_INDEX ||
		    parts[tables->nodes[i].parent] >= data->limits.stack_floor)
			data->folded_share += parts[i];
		error = fold_node(sampling, i, others);
	}
	return error;
}

/* --- Files. */

static int place_files(struct sampling *sampling)
{
	const struct page_data *data = sampling->data;
	struct tuple_set *set = tuple_set__new(3);
	_cleanup_free_ uint32_t *first = calloc((size_t)data->file_count + 1, sizeof(*first));
	int error = set && first ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < data->file_count && !error; i++) {
		const struct page_file *file = &data->files[i];
		uint32_t at;

		if (data->limits.sample_files == PAGE_SAMPLES_BY_FILE)
			sampling->told_of[i] = i + 1;
		if (data->limits.sample_files != PAGE_SAMPLES_BY_MOUNT)
			continue;
		error = tuple_set__add(set,
				       (const uint64_t[]){(uintptr_t)file->kind,
							  (uintptr_t)file->mount,
							  (uintptr_t)file->dataset},
				       &at);
		if (error)
			break;
		if (!first[at])
			first[at] = i + 1;
		sampling->told_of[i] = first[at];
	}
	tuple_set__free(set);
	return error;
}

/* file: index into the tables' files, or NO_INDEX. */
static uint32_t told_file(const struct sampling *sampling, uint32_t file)
{
	return file == NO_INDEX ? 0 : sampling->told_of[sampling->data->file_of[file]];
}

/* --- Samples. */

static int add_sampled(struct sampling *sampling)
{
	struct page_data *data = sampling->data;
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->sample_count && !error; i++) {
		const struct sample_fact *sample = &tables->samples[i];
		const struct sample_pool *pool = &tables->pools[sample->pool];
		uint32_t at = sampling->pool_of[sample->pool];
		double weight = sample->weight;
		uint32_t node = PAGE_NO_STACK;

		if (sample->share == SHARE_HELD) /* the page has no view of held locks */
			continue;
		if (sample->stack != NO_INDEX)
			node = sampling->node_of[sample->stack];
		if (page_data__is_many(data, data->pools[at].epoch))
			weight *= factor_of(pool, sample->share);
		error = page_rows__add(&data->samples,
				       &(struct page_row){{at, sample->share, node,
							   page_data__bucket(data, sample->slice),
							   told_file(sampling, sample->file)},
							  {sample->count, weight}});
	}
	return error;
}

/* The exact sums of pools that no sample stands for. */
static int add_not_sampled(struct sampling *sampling, uint32_t pool, uint32_t share, uint32_t slice,
			   uint32_t file, double value)
{
	struct page_data *data = sampling->data;

	if (data->tables->pools[pool].shares[share].weight > 0 || value <= 0)
		return 0;
	return page_rows__add(
		&data->samples,
		&(struct page_row){{sampling->pool_of[pool], share, PAGE_NOT_SAMPLED,
				    page_data__bucket(data, slice), told_file(sampling, file)},
				   {0, value}});
}

static int add_operation_not_sampled(struct sampling *sampling, const struct io_fact *fact,
				     enum op_direction direction)
{
	int error = add_not_sampled(sampling, fact->pool, SHARE_TIME, fact->slice, fact->file,
				    (double)fact->ns);

	if (!error)
		error = add_not_sampled(sampling, fact->pool, SHARE_OPS, fact->slice, fact->file,
					(double)fact->count);
	if (!error && direction != OP_OTHER)
		error = add_not_sampled(sampling, fact->pool, SHARE_BYTES, fact->slice, fact->file,
					(double)fact->bytes);
	return error;
}

static int add_memory_not_sampled(struct sampling *sampling, const struct mem_fact *fact)
{
	int error = 0;

	for (uint32_t share = SHARE_BYTES; share < SHARE_HELD && !error; share++)
		error = add_not_sampled(sampling, fact->pool, share, fact->slice, NO_INDEX,
					fact->shares[share]);
	return error;
}

static int add_all_not_sampled(struct sampling *sampling)
{
	const struct tables *tables = sampling->data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->usage_count && !error; i++) {
		const struct usage_fact *fact = &tables->usage[i];

		error = add_not_sampled(sampling, tables->epochs[fact->epoch].cpu_pool, SHARE_TIME,
					fact->slice, NO_INDEX, (double)fact->cpu_ns);
	}
	for (size_t i = 0; i < tables->wait_count && !error; i++)
		error = add_not_sampled(sampling, tables->waits[i].pool, SHARE_TIME,
					tables->waits[i].slice, NO_INDEX, tables->waits[i].ns);
	for (size_t i = 0; i < tables->io_count && !error; i++) {
		const struct io_fact *fact = &tables->io[i];

		error = add_operation_not_sampled(sampling, fact, tables->ops[fact->op].direction);
	}
	for (size_t i = 0; i < tables->ceph_count && !error; i++) {
		const struct io_fact *fact = &tables->ceph[i];

		error = add_operation_not_sampled(sampling, fact,
						  tables->ceph_ops[fact->op].direction);
	}
	for (size_t i = 0; i < tables->mem_count && !error; i++)
		error = add_memory_not_sampled(sampling, &tables->mem[i]);
	return error;
}

int page_data__add_samples(struct page_data *data)
{
	const struct tables *tables = data->tables;
	_cleanup_free_ uint32_t *pool_of = calloc(tables->pool_count + 1, sizeof(*pool_of));
	_cleanup_free_ uint32_t *node_of = calloc(tables->node_count + 1, sizeof(*node_of));
	_cleanup_free_ uint32_t *told_of = calloc((size_t)data->file_count + 1, sizeof(*told_of));
	struct sampling sampling = {data, pool_of, node_of, tuple_set__new(3), told_of, {0}};
	int error = pool_of && node_of && told_of && sampling.set ? 0 : -ENOMEM;

	if (!error)
		error = place_pools(&sampling);
	if (!error)
		error = place_nodes(&sampling);
	if (!error)
		error = place_files(&sampling);
	if (!error)
		error = add_sampled(&sampling);
	if (!error)
		error = add_all_not_sampled(&sampling);
	page_rows__merge(&data->samples);
	tuple_set__free(sampling.set);
	return error;
}
