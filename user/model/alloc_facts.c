// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/alloc_facts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/loading.h"

enum { FUNCTIONS_ROOM, WINDOWS_ROOM, SUMS_ROOM, SIZES_ROOM, SAMPLES_ROOM };

#define MORE(facts, field, count, room)                                                            \
	array__reserve(&(facts)->field, &(facts)->capacity[room], sizeof(*(facts)->field),         \
		       (count) + 1)

static int load_function(struct tables *tables, struct row *row)
{
	struct alloc_facts *facts = &tables->alloc;
	struct alloc_function_fact function = {.id = row__id(row, 0),
					       .frees = row__number(row, 3, 0, 1),
					       .layered = row__number(row, 4, 0, 1),
					       .sized = row__number(row, 5, 0, 1)};
	int error = 0;

	function.name = row__interned(tables, row, 1, &error);
	function.module = row__interned(tables, row, 2, &error);
	if (!error && (!function.name || !function.module))
		error = -EBADMSG;
	error = error ?: MORE(facts, functions, facts->function_count, FUNCTIONS_ROOM);
	if (!error)
		facts->functions[facts->function_count++] = function;
	return error;
}

/* NO_INDEX: there is none of that id. */
static uint32_t find_function(const struct alloc_facts *facts, int64_t id)
{
	for (size_t i = 0; i < facts->function_count; i++)
		if (facts->functions[i].id == id)
			return (uint32_t)i;
	return NO_INDEX;
}

static int load_window(struct tables *tables, struct row *row)
{
	struct alloc_facts *facts = &tables->alloc;
	struct alloc_window_fact window = {
		.number = row__id(row, 0),
		.process = row__reference(row, 1, &tables->loading->processes),
		.start_ns = row__time(row, 2),
		.end_ns = row__time(row, 3),
		.cpu_ns = (double)row__number(row, 4, 0, TIME_LIMIT),
		.cost_ns = (double)row__number(row, 5, 0, TIME_LIMIT),
		.edge_ns = (double)row__number(row, 6, 0, TIME_LIMIT),
		.hits = (double)row__number(row, 7, 0, TIME_LIMIT),
		.held_peak_bytes = (double)row__number(row, 8, 0, TIME_LIMIT),
	};
	int error = window.process == NO_INDEX || window.end_ns < window.start_ns ? -EBADMSG : 0;

	error = error ?: MORE(facts, windows, facts->window_count, WINDOWS_ROOM);
	if (!error)
		facts->windows[facts->window_count++] = window;
	return error;
}

struct alloc_whole alloc_sum__whole(const struct alloc_facts *facts,
				    const struct alloc_sum_fact *sum)
{
	const struct alloc_function_fact *function = &facts->functions[sum->function];
	const double *values = sum->values;

	if (function->layered || function->frees)
		return (struct alloc_whole){0};
	return (struct alloc_whole){fmax(values[ALLOC_BYTES] - values[ALLOC_NESTED_BYTES], 0),
				    fmax(values[ALLOC_COUNT] - values[ALLOC_NESTED], 0),
				    values[ALLOC_KEPT_BYTES]};
}

double alloc_sample__variance(double count, double weight, double period)
{
	if (!isfinite(period))
		return weight * weight / count;
	return weight < period * ALLOC_CERTAIN * count ? period * weight : 0;
}

static void add_to_pool(struct tables *tables, const struct alloc_sum_fact *sum)
{
	struct alloc_whole whole = alloc_sum__whole(&tables->alloc, sum);
	struct sample_pool *pool = &tables->pools[sum->pool];

	pool->shares[SHARE_BYTES].exact += whole.bytes;
	pool->shares[SHARE_OPS].exact += whole.count;
	pool->shares[SHARE_LIVE].exact += whole.kept_bytes;
}

size_t alloc_facts__window(const struct alloc_facts *facts, uint32_t process, int64_t number)
{
	size_t low = 0, high = facts->window_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct alloc_window_fact *window = &facts->windows[middle];

		if (window->process < process ||
		    (window->process == process && window->number < number))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < facts->window_count && facts->windows[low].process == process &&
	    facts->windows[low].number == number)
		return low;
	return facts->window_count;
}

/* A window is no slice: what it has counted belongs to the one in which it ended. */
static uint32_t slice_of(const struct tables *tables, const struct alloc_sum_fact *sum)
{
	const struct alloc_facts *facts = &tables->alloc;
	size_t window = alloc_facts__window(facts, tables->epochs[sum->epoch].process, sum->window);
	uint32_t slice = window < facts->window_count
				 ? tables__slice_after(tables, facts->windows[window].end_ns)
				 : NO_INDEX;

	return slice < tables->slice_count ? slice : NO_INDEX;
}

static int load_sum(struct tables *tables, struct row *row)
{
	struct alloc_facts *facts = &tables->alloc;
	struct alloc_sum_fact sum = {
		.window = row__id(row, 0),
		.epoch = row__reference(row, 1, &tables->loading->epochs),
		.function = find_function(facts, row__id(row, 2)),
	};
	int error = sum.epoch == NO_INDEX || sum.function == NO_INDEX ? -EBADMSG : 0;

	for (int i = 0; i < ALLOC_COLUMNS && !error; i++) {
		bool net = i == ALLOC_NET_BYTES;

		if (!net || !row__is_null(row, 3 + i))
			sum.values[i] =
				(double)row__number(row, 3 + i, net ? -TIME_LIMIT : 0, TIME_LIMIT);
	}
	error = error ?: tables__find_pool(tables, SOURCE_ALLOC, sum.epoch, 0, &sum.pool);
	error = error ?: MORE(facts, sums, facts->sum_count, SUMS_ROOM);
	if (error)
		return error;
	sum.slice = slice_of(tables, &sum);
	add_to_pool(tables, &sum);
	facts->sums[facts->sum_count++] = sum;
	return 0;
}

static int load_size(struct tables *tables, struct row *row)
{
	struct alloc_facts *facts = &tables->alloc;
	struct alloc_size_fact size = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.function = find_function(facts, row__id(row, 1)),
		.bucket = (uint32_t)row__number(row, 2, 0, ALLOC_BUCKETS - 1),
		.count = (double)row__number(row, 3, 0, TIME_LIMIT),
	};
	int error = size.epoch == NO_INDEX || size.function == NO_INDEX ? -EBADMSG : 0;

	error = error ?: MORE(facts, sizes, facts->size_count, SIZES_ROOM);
	if (!error)
		facts->sizes[facts->size_count++] = size;
	return error;
}

static int load_sample(struct tables *tables, struct row *row)
{
	struct alloc_facts *facts = &tables->alloc;
	const char *metric = row__text(row, 2);
	struct alloc_sample_fact sample = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.node = row__stack(row, 1, tables->loading),
		.kind = !strcmp(metric, "alloc_bytes")	 ? ALLOC_SAMPLE_BYTES
			: !strcmp(metric, "alloc_count") ? ALLOC_SAMPLE_COUNT
							 : ALLOC_SAMPLE_KEPT,
		.count = (double)row__number(row, 3, 0, TIME_LIMIT),
		.weight = (double)row__number(row, 4, 0, TIME_LIMIT),
	};
	int error = sample.epoch == NO_INDEX || (sample.node == NO_INDEX && !row__is_null(row, 1))
			    ? -EBADMSG
			    : 0;

	if (!error && (sample.count <= 0 || sample.weight <= 0))
		return 0;
	error = error ?: MORE(facts, samples, facts->sample_count, SAMPLES_ROOM);
	if (!error)
		facts->samples[facts->sample_count++] = sample;
	return error;
}

int tables__load_alloc(struct tables *tables)
{
	static const struct {
		const char *sql;
		row_load *load;
	} steps[] = {
		{"SELECT id, name, module, frees, layered, sized FROM allocator ORDER BY id",
		 load_function},
		{"SELECT number, process, start_ns, end_ns, cpu_ns, cost_ns, edge_ns, hits, "
		 "held_peak_bytes"
		 " FROM alloc_window ORDER BY process, number",
		 load_window},
		{"SELECT window, epoch, allocator, count, bytes, nested, nested_bytes, watched, "
		 "watched_bytes,"
		 " soon, soon_bytes, freed, freed_bytes, net_bytes, kept, kept_bytes"
		 " FROM allocation",
		 load_sum},
		{"SELECT epoch, allocator, bucket, SUM(count) FROM allocation_size"
		 " GROUP BY epoch, allocator, bucket",
		 load_size},
		{"SELECT epoch, stack, metric, count, value FROM sample"
		 " WHERE metric IN ('alloc_bytes', 'alloc_count', 'alloc_kept')",
		 load_sample},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !error; i++) {
		error = tables__load_rows(tables, steps[i].sql, steps[i].load);
		if (i && !tables->alloc.function_count)
			break; /* not recorded, or windows in which nothing was */
	}
	return error;
}

void alloc_facts__clear(struct alloc_facts *facts)
{
	free(facts->functions);
	free(facts->windows);
	free(facts->sums);
	free(facts->sizes);
	free(facts->samples);
	*facts = (struct alloc_facts){0};
}
