// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory. What was mapped is known with its stack: such rows are loaded as samples that stand for
 * exactly what they are. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/loading.h"

/* Up to so many faults, and such a part of all, may be those that the kernel has not told of yet.
 */
#define FAULTS_UNCLEAR	    128
#define FAULTS_UNCLEAR_PART 0.02

int tables__mem_kind(struct tables *tables, const char *name, uint32_t *ret_kind)
{
	size_t i = 0;

	while (i < tables->mem_kind_count && strcmp(tables->mem_kinds[i], name))
		i++;
	if (i == TABLES_MAX_MEM_KINDS)
		return -EBADMSG;
	if (i == tables->mem_kind_count) {
		tables->mem_kinds[i] = tables__intern(tables, name);
		if (!tables->mem_kinds[i])
			return -ENOMEM;
		tables->mem_kind_count++;
	}
	*ret_kind = (uint32_t)i;
	return 0;
}

static int pool_fact(struct tables *tables, struct mem_fact *fact)
{
	int error = tables__find_pool(tables, SOURCE_MEM, fact->epoch, fact->kind, &fact->pool);

	if (error)
		return error;
	for (uint32_t share = 0; share < SHARE_COUNT; share++)
		tables->pools[fact->pool].shares[share].exact += fact->shares[share];
	return APPEND(tables, mem, tables->mem_count, MEM, *fact);
}

static int add_fact(struct tables *tables, struct mem_fact *fact, const char *kind)
{
	int error = fact->epoch == NO_INDEX ? -EBADMSG : 0;

	error = error ?: tables__mem_kind(tables, kind, &fact->kind);
	return error ?: pool_fact(tables, fact);
}

static int load_level(struct tables *tables, struct row *row)
{
	struct level_fact level = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.slice = row__reference(row, 1, &tables->loading->slices),
		.ended = row__is_null(row, 4),
	};
	int error = level.epoch == NO_INDEX ? -EBADMSG : 0;

	for (int i = 0; i < LEVEL_COUNT; i++)
		level.bytes[i] = (double)row__number(row, 4 + i, 0, TIME_LIMIT);
	return error ?: APPEND(tables, levels, tables->level_count, LEVELS, level);
}

static int load_memory(struct tables *tables, struct row *row)
{
	struct mem_fact fact = {0};
	int error = load_level(tables, row);

	if (error)
		return error;

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	fact.slice = row__reference(row, 1, &tables->loading->slices);
	fact.shares[SHARE_OPS] = (double)row__number(row, 2, 0, TIME_LIMIT) +
				 (double)row__number(row, 3, 0, TIME_LIMIT);
	return fact.shares[SHARE_OPS] > 0 ? add_fact(tables, &fact, "fault") : 0;
}

static int load_growth(struct tables *tables, struct row *row)
{
	struct mem_fact fact = {0};

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	fact.slice = row__reference(row, 1, &tables->loading->slices);
	fact.shares[SHARE_BYTES] = (double)row__number(row, 3, 0, TIME_LIMIT);
	if (fact.epoch != NO_INDEX)
		tables->loading->grown_faults[fact.epoch] +=
			(double)row__number(row, 4, 0, TIME_LIMIT);
	return add_fact(tables, &fact, row__text(row, 2));
}

static int add_sample(struct tables *tables, struct sample_fact sample)
{
	if (sample.weight <= 0)
		return 0;
	tables->pools[sample.pool].shares[sample.share].weight += sample.weight;
	tables->pools[sample.pool].shares[sample.share].samples += sample.count;
	return APPEND(tables, samples, tables->sample_count, SAMPLES, sample);
}

static int load_map(struct tables *tables, struct row *row)
{
	struct mem_fact fact = {.slice = NO_INDEX};
	struct sample_fact sample = {.thread = NO_INDEX,
				     .slice = NO_INDEX,
				     .waker = NO_INDEX,
				     .file = NO_INDEX,
				     .count = 1};
	int error;

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	fact.shares[SHARE_LIVE] = (double)row__number(row, 4, 0, TIME_LIMIT);
	fact.shares[SHARE_PEAK] = (double)row__number(row, 5, 0, TIME_LIMIT);
	sample.stack = row__stack(row, 2, tables->loading);
	if (sample.stack == NO_INDEX && !row__is_null(row, 2))
		return -EBADMSG;
	error = add_fact(tables, &fact, row__text(row, 1));
	if (!error)
		error = tables__count_ending(tables, row__text(row, 3), SOURCE_MEM, 1);
	if (error)
		return error;
	sample.ending = (uint32_t)tables->loading->last_ending;
	sample.pool = fact.pool;
	sample.share = SHARE_LIVE;
	sample.weight = fact.shares[SHARE_LIVE];
	error = add_sample(tables, sample);
	sample.share = SHARE_PEAK;
	sample.weight = fact.shares[SHARE_PEAK];
	return error ? error : add_sample(tables, sample);
}

/* --- faults without samples */

/* Of an epoch and of a process. */
struct fault_sums {
	double all; /* by the kernel's count */
	double grown; /* those that brought memory: samples stand for these */
	double over; /* what the epochs have more of the first than of the second */
};

static void find_fault_sums(const struct tables *tables, uint32_t kind,
			    struct fault_sums *ret_epochs, struct fault_sums *ret_processes)
{
	for (uint32_t i = 0; i < tables->pool_count; i++) {
		const struct sample_pool *pool = &tables->pools[i];

		if (pool->source != SOURCE_MEM || pool->item != kind)
			continue;
		ret_epochs[pool->epoch].all = pool->shares[SHARE_OPS].exact;
		ret_epochs[pool->epoch].grown = pool->shares[SHARE_OPS].weight;
	}
	for (uint32_t i = 0; i < tables->epoch_count; i++) {
		struct fault_sums *epoch = &ret_epochs[i];
		struct fault_sums *process = &ret_processes[tables->epochs[i].process];

		epoch->grown = fmax(epoch->grown, tables->loading->grown_faults[i]);
		epoch->over = fmax(epoch->all - epoch->grown, 0);
		process->all += epoch->all;
		process->grown += epoch->grown;
		process->over += epoch->over;
	}
}

/* How much of an epoch's faults no sample stands for. Of a process, since all that it had in a
 * slice are told of the epoch that it was in at the end. */
static double part_not_sampled(const struct fault_sums *epoch, const struct fault_sums *process)
{
	double rest = process->all - process->grown;

	if (epoch->over <= 0 || rest <= FAULTS_UNCLEAR ||
	    rest <= process->all * FAULTS_UNCLEAR_PART)
		return 0;
	return epoch->over / epoch->all * fmin(rest / process->over, 1);
}

/* Samples are taken where memory grows. Faults that bring none (a page that is copied because it
 * was shared with a forked process, the page of zeros) have none, and are not shared out over those
 * of others: they get a kind of their own, of the same name. */
static int split_faults(struct tables *tables, uint32_t kind, const struct fault_sums *epochs,
			const struct fault_sums *processes)
{
	uint32_t own_kind = (uint32_t)tables->mem_kind_count;
	size_t count = tables->mem_count;
	int error = 0;

	if (own_kind == TABLES_MAX_MEM_KINDS)
		return 0;
	tables->mem_kinds[own_kind] = tables->mem_kinds[kind];
	for (size_t i = 0; i < count && !error; i++) {
		struct mem_fact *fact = &tables->mem[i], rest;
		double part;

		if (fact->kind != kind)
			continue;
		part = part_not_sampled(&epochs[fact->epoch],
					&processes[tables->epochs[fact->epoch].process]);
		if (part <= 0)
			continue;
		tables->mem_kind_count = own_kind + 1;
		rest = *fact;
		rest.kind = own_kind;
		rest.shares[SHARE_OPS] *= part;
		fact->shares[SHARE_OPS] -= rest.shares[SHARE_OPS];
		tables->pools[fact->pool].shares[SHARE_OPS].exact -= rest.shares[SHARE_OPS];
		error = pool_fact(tables, &rest);
	}
	return error;
}

int tables__split_faults(struct tables *tables)
{
	_cleanup_free_ struct fault_sums *epochs = NULL, *processes = NULL;
	uint32_t kind = 0;

	while (kind < tables->mem_kind_count && strcmp(tables->mem_kinds[kind], "fault"))
		kind++;
	if (kind == tables->mem_kind_count)
		return 0;
	epochs = calloc(tables->epoch_count + 1, sizeof(*epochs));
	processes = calloc(tables->process_count + 1, sizeof(*processes));
	if (!epochs || !processes)
		return -ENOMEM;
	find_fault_sums(tables, kind, epochs, processes);
	return split_faults(tables, kind, epochs, processes);
}

static int load_event(struct tables *tables, struct row *row)
{
	struct mem_event_fact fact = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.slice = row__reference(row, 1, &tables->loading->slices),
		.kind = row__number(row, 2, 0, 1) ? MEM_EVENT_OOM_KILL : MEM_EVENT_RECLAIM,
		.count = (double)row__number(row, 3, 0, TIME_LIMIT),
		.bytes = (double)row__number(row, 4, 0, TIME_LIMIT),
	};
	int error = fact.epoch == NO_INDEX ? -EBADMSG : 0;

	return error ?: APPEND(tables, mem_events, tables->mem_event_count, MEM_EVENTS, fact);
}

int tables__load_mem(struct tables *tables)
{
	int error;

	tables->loading->grown_faults =
		calloc(tables->epoch_count + 1, sizeof(*tables->loading->grown_faults));
	if (!tables->loading->grown_faults)
		return -ENOMEM;
	error = tables__load_rows(
		tables,
		"SELECT epoch, slice, minor_faults, major_faults, anonymous_bytes,"
		" file_bytes, shared_bytes, swap_bytes FROM memory ORDER BY rowid",
		load_memory);
	if (!error)
		error = tables__load_rows(
			tables, "SELECT epoch, slice, kind, bytes, faults FROM memory_growth",
			load_growth);
	if (!error)
		error = tables__load_rows(
			tables,
			"SELECT epoch, kind, stack, ending, live_bytes, peak_bytes FROM memory_map",
			load_map);
	if (!error) /* what a later layout may tell besides is left out */
		error = tables__load_rows(
			tables,
			"SELECT epoch, slice, kind = 'oom_kill', count, bytes FROM memory_event"
			" WHERE kind IN ('reclaim', 'oom_kill') ORDER BY epoch, rowid",
			load_event);
	return error;
}
