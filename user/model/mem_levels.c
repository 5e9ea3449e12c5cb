// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/mem_levels.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* A level, or the beginning of an epoch, in the order of processes and time. */
struct event {
	uint32_t process, slice; /* slice: at whose end it holds for the first time */
	uint32_t index;
};

static int compare(const void *one, const void *other)
{
	const struct event *a = one, *b = other;

	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	if (a->slice != b->slice)
		return a->slice < b->slice ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static size_t list_levels(const struct tables *tables, struct event *events)
{
	size_t count = 0;

	for (uint32_t i = 0; i < tables->level_count; i++) {
		const struct level_fact *level = &tables->levels[i];

		if (level->slice != NO_INDEX)
			events[count++] = (struct event){tables->epochs[level->epoch].process,
							 level->slice, i};
	}
	if (count)
		qsort(events, count, sizeof(*events), compare);
	return count;
}

static void list_epochs(const struct tables *tables, struct event *events)
{
	for (uint32_t i = 0; i < tables->epoch_count; i++)
		events[i] =
			(struct event){tables->epochs[i].process,
				       tables__slice_after(tables, tables->epochs[i].start_ns), i};
	if (tables->epoch_count)
		qsort(events, tables->epoch_count, sizeof(*events), compare);
}

/* The slice up to which a level holds: before the next one of the process, or its end. */
static uint32_t last_slice(const struct tables *tables, const struct event *level,
			   const struct event *next)
{
	int64_t end_ns = tables->processes[level->process].end_ns;
	uint32_t behind = (uint32_t)tables->slice_count;

	if (next && next->process == level->process)
		behind = next->slice;
	else if (end_ns != NO_VALUE)
		behind = tables__slice_after(tables, end_ns);
	return behind > level->slice ? behind - 1 : level->slice;
}

/* *epoch: the first of all epochs that begins behind what was told so far. */
static int tell(const struct tables *tables, const struct event *level, uint32_t last,
		const struct event **epoch, const struct event *end, mem_levels_take *take,
		void *context)
{
	const struct level_fact *fact = &tables->levels[level->index];
	uint32_t first = level->slice, of = fact->epoch;
	int error = 0;

	while (*epoch < end && ((*epoch)->process < level->process ||
				((*epoch)->process == level->process && (*epoch)->slice <= first)))
		(*epoch)++;
	for (; *epoch < end && (*epoch)->process == level->process && (*epoch)->slice <= last;
	     (*epoch)++) {
		if ((*epoch)->slice > first && !error)
			error = take(context, of, first, (*epoch)->slice - 1, fact->bytes);
		first = (*epoch)->slice;
		of = (*epoch)->index;
	}
	return error ? error : take(context, of, first, last, fact->bytes);
}

int mem_levels__each(const struct tables *tables, mem_levels_take *take, void *context)
{
	_cleanup_free_ struct event *levels = calloc(tables->level_count + 1, sizeof(*levels));
	_cleanup_free_ struct event *epochs = calloc(tables->epoch_count + 1, sizeof(*epochs));
	const struct event *epoch = epochs;
	size_t count;
	int error = 0;

	if (!levels || !epochs)
		return -ENOMEM;
	count = list_levels(tables, levels);
	list_epochs(tables, epochs);
	for (size_t i = 0; i < count && !error; i++) {
		const struct event *next = i + 1 < count ? &levels[i + 1] : NULL;

		/* Where a process changed its epoch, the slice has two: the later one holds. */
		if (tables->levels[levels[i].index].ended ||
		    (next && next->process == levels[i].process && next->slice == levels[i].slice &&
		     !tables->levels[next->index].ended))
			continue;
		error = tell(tables, &levels[i], last_slice(tables, &levels[i], next), &epoch,
			     epochs + tables->epoch_count, take, context);
	}
	return error;
}

/* Differences from slice to slice. */
static int add_steps(void *context, uint32_t epoch, uint32_t first, uint32_t last,
		     const double bytes[LEVEL_COUNT])
{
	double *sums = context;

	(void)epoch;
	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		sums[(size_t)first * LEVEL_COUNT + i] += bytes[i];
		sums[((size_t)last + 1) * LEVEL_COUNT + i] -= bytes[i];
	}
	return 0;
}

double *mem_levels__by_slice(const struct tables *tables)
{
	double *sums = calloc(tables->slice_count + 1, LEVEL_COUNT * sizeof(*sums));

	if (!sums || mem_levels__each(tables, add_steps, sums)) {
		free(sums);
		return NULL;
	}
	for (size_t i = LEVEL_COUNT; i < tables->slice_count * LEVEL_COUNT; i++)
		sums[i] += sums[i - LEVEL_COUNT];
	return sums;
}
