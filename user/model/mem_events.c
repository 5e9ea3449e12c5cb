// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory. What was mapped is known with its stack: such rows are loaded as samples that stand for
 * exactly what they are. */
#include <errno.h>
#include <string.h>

#include "model/loading.h"

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

static int add_fact(struct tables *tables, struct mem_fact *fact, const char *kind)
{
	int error = fact->epoch == NO_INDEX ? -EBADMSG : 0;

	if (!error)
		error = tables__mem_kind(tables, kind, &fact->kind);
	if (!error)
		error = tables__find_pool(tables, SOURCE_MEM, fact->epoch, fact->kind, &fact->pool);
	if (error)
		return error;
	for (uint32_t share = 0; share < SHARE_COUNT; share++)
		tables->pools[fact->pool].shares[share].exact += fact->shares[share];
	return APPEND(tables, mem, tables->mem_count, MEM, *fact);
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

	error = tables__load_rows(
		tables,
		"SELECT epoch, slice, minor_faults, major_faults, anonymous_bytes,"
		" file_bytes, shared_bytes, swap_bytes FROM memory ORDER BY rowid",
		load_memory);
	if (!error)
		error = tables__load_rows(
			tables, "SELECT epoch, slice, kind, bytes FROM memory_growth", load_growth);
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
