// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "model/query_private.h"

static int row_of_fact(struct query *query, const struct fact *fact, uint32_t *ret_row)
{
	uint32_t prefix;
	int error;

	error = query__prefix_of(query, fact, &prefix);
	return error ? error : query__row_of(query, prefix, query->places.not_sampled, ret_row);
}

/* --- CPU time. */

static int add_usage(struct query *query, const struct usage_fact *usage)
{
	const struct table_epoch *epoch = &query->tables->epochs[usage->epoch];
	struct fact fact = {{usage->epoch, usage->thread, usage->slice, NO_INDEX, NO_INDEX,
			     NO_INDEX, NO_INDEX}};
	uint32_t row;
	int error;

	if (!query__passes(query, &fact) ||
	    (epoch->cpu_pool != NO_INDEX && query__shares_out(query, epoch->cpu_pool, SHARE_TIME)))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	query->rows[row].own.cpu_ns += (double)usage->cpu_ns;
	query->rows[row].total.cpu_ns += (double)usage->cpu_ns;
	if (query->details) {
		query->row_details[row].user_ns += (double)usage->user_ns;
		query->row_details[row].system_ns += (double)usage->system_ns;
	}
	return 0;
}

static int add_all_usage(struct query *query)
{
	struct tables *tables = query->tables;
	bool by_thread = query->by_scope[SCOPE_THREAD] || query->passes[SCOPE_THREAD];
	const struct usage_fact *facts;
	size_t count;
	int error = 0;

	if (by_thread)
		error = tables__load_thread_usage(tables);
	facts = by_thread ? tables->thread_usage : tables->usage;
	count = by_thread ? tables->thread_usage_count : tables->usage_count;
	for (size_t i = 0; i < count && !error; i++)
		error = add_usage(query, &facts[i]);
	return error;
}

/* --- Waits. */

static void add_wait_figures(struct query_figures *figures, const struct wait_fact *wait,
			     bool counts)
{
	figures->offcpu_ns += wait->ns;
	if (counts)
		figures->waits += wait->count;
}

static int add_wait(struct query *query, const struct wait_fact *wait)
{
	struct fact fact = {{wait->epoch, wait->thread, wait->slice, wait->class, NO_INDEX,
			     NO_INDEX, WAKER_NOT_SAMPLED}};
	uint32_t row;
	int error;

	if (!query__passes(query, &fact) || query__shares_out(query, wait->pool, SHARE_TIME))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	add_wait_figures(&query->rows[row].own, wait, !query->estimated);
	add_wait_figures(&query->rows[row].total, wait, !query->estimated);
	return query__add_part(query, row, PART_WAIT, wait->class, wait->ns, wait->ns);
}

/* Threads are known or slices, never both: with both, what was not sampled is of no thread. */
static int add_all_waits(struct query *query)
{
	struct tables *tables = query->tables;
	bool by_thread = query->by_scope[SCOPE_THREAD] || query->passes[SCOPE_THREAD];
	bool by_slice = query->by_scope[SCOPE_SLICE] || query->passes[SCOPE_SLICE];
	const struct wait_fact *facts = tables->waits;
	size_t count = tables->wait_count;
	int error = 0;

	if (by_thread && !by_slice) {
		error = tables__close_thread_waits(tables);
		facts = tables->thread_waits;
		count = tables->thread_wait_count;
	}
	for (size_t i = 0; i < count && !error; i++)
		error = add_wait(query, &facts[i]);
	return error;
}

/* --- Operations on files. */

static void add_io_figures(struct query_figures *figures, const struct io_fact *io,
			   enum op_direction direction, const bool *adds)
{
	if (adds[SHARE_TIME])
		figures->io_ns += (double)io->ns;
	if (adds[SHARE_BYTES] && direction == OP_READS)
		figures->read_bytes += (double)io->bytes;
	if (adds[SHARE_BYTES] && direction == OP_WRITES)
		figures->write_bytes += (double)io->bytes;
	if (adds[SHARE_OPS])
		figures->ops += (double)io->count;
}

static int add_io(struct query *query, const struct io_fact *io)
{
	struct fact fact = {{io->epoch, NO_INDEX, io->slice, NO_INDEX, io->op, io->file, NO_INDEX}};
	enum op_direction direction = query->tables->ops[io->op].direction;
	double count = (double)io->count;
	bool adds[SHARE_COUNT], any = false;
	uint32_t row;
	int error;

	for (uint32_t share = 0; share < SHARE_COUNT; share++) {
		adds[share] = !query__shares_out(query, io->pool, share);
		any |= adds[share];
	}
	if (!any || !query__passes(query, &fact))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	add_io_figures(&query->rows[row].own, io, direction, adds);
	add_io_figures(&query->rows[row].total, io, direction, adds);
	if (adds[SHARE_OPS])
		error = query__add_part(query, row, PART_OP, io->op, count, count);
	if (error || !io->error || query->estimated)
		return error;
	query->rows[row].own.errors += count;
	query->rows[row].total.errors += count;
	return query__add_part(query, row, PART_ERROR, io->error, count, count);
}

/* Waits for files and remotes: no samples tell them apart. */
static int add_wait_on(struct query *query, const struct wait_on_fact *wait)
{
	struct fact fact = {
		{wait->epoch, NO_INDEX, wait->slice, NO_INDEX, NO_INDEX, wait->file, NO_INDEX}};
	uint32_t row;
	int error;

	if (!query__passes(query, &fact))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	query->rows[row].own.waited_ns += wait->ns;
	query->rows[row].own.waited += wait->count;
	return 0;
}

/* --- Memory. */

static void add_mem_figures(struct query_figures *figures, const double *shares)
{
	figures->grown_bytes += shares[SHARE_BYTES];
	figures->faults += shares[SHARE_OPS];
	figures->live_bytes += shares[SHARE_LIVE];
	figures->peak_bytes += shares[SHARE_PEAK];
}

static int add_mem(struct query *query, const struct mem_fact *mem)
{
	struct fact fact = {
		{mem->epoch, NO_INDEX, mem->slice, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX}};
	double shares[SHARE_COUNT] = {0};
	bool any = false;
	uint32_t row;
	int error;

	for (uint32_t share = SHARE_BYTES; share < SHARE_COUNT; share++) {
		bool live = share == SHARE_LIVE || share == SHARE_PEAK;

		if (query__shares_out(query, mem->pool, share) || (live && !query->has_live))
			continue;
		shares[share] = mem->shares[share];
		any |= shares[share] > 0;
	}
	if (!any || !query__passes(query, &fact))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	add_mem_figures(&query->rows[row].own, shares);
	add_mem_figures(&query->rows[row].total, shares);
	if (shares[SHARE_BYTES] <= 0)
		return 0;
	return query__add_part(query, row, PART_GROWTH, mem->kind, shares[SHARE_BYTES],
			       shares[SHARE_BYTES]);
}

/* --- Allocations. */

static int add_alloc(struct query *query, const struct alloc_sum_fact *sum)
{
	struct fact fact = {
		{sum->epoch, NO_INDEX, sum->slice, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX}};
	struct alloc_whole whole = alloc_sum__whole(&query->tables->alloc, sum);
	uint32_t row;
	int error;

	if (query__shares_out(query, sum->pool, SHARE_BYTES))
		whole.bytes = 0;
	if (query__shares_out(query, sum->pool, SHARE_OPS))
		whole.count = 0;
	if (query__shares_out(query, sum->pool, SHARE_LIVE))
		whole.kept_bytes = 0;
	if ((whole.bytes <= 0 && whole.count <= 0 && whole.kept_bytes <= 0) ||
	    !query__passes(query, &fact))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	for (int i = 0; i < 2; i++) {
		struct query_figures *figures = i ? &query->rows[row].total : &query->rows[row].own;

		figures->allocated_bytes += whole.bytes;
		figures->allocations += whole.count;
		figures->kept_bytes += whole.kept_bytes;
	}
	return 0;
}

/* --- Requests of CephFS. */

static void add_ceph_figures(struct query_figures *figures, const struct io_fact *ceph,
			     enum op_direction direction, const bool *adds)
{
	if (adds[SHARE_TIME])
		figures->ceph_ns += (double)ceph->ns;
	if (adds[SHARE_BYTES] && direction == OP_READS)
		figures->ceph_read_bytes += (double)ceph->bytes;
	if (adds[SHARE_BYTES] && direction == OP_WRITES)
		figures->ceph_write_bytes += (double)ceph->bytes;
	if (adds[SHARE_OPS])
		figures->ceph_ops += (double)ceph->count;
}

static int add_ceph(struct query *query, const struct io_fact *ceph)
{
	struct fact fact = {
		{ceph->epoch, NO_INDEX, ceph->slice, NO_INDEX, NO_INDEX, ceph->file, NO_INDEX}};
	enum op_direction direction = query->tables->ceph_ops[ceph->op].direction;
	double count = (double)ceph->count;
	bool adds[SHARE_COUNT], any = false;
	uint32_t row;
	int error;

	fact.at[SCOPE_CEPH] = ceph->op;
	for (uint32_t share = 0; share < SHARE_COUNT; share++) {
		adds[share] = !query__shares_out(query, ceph->pool, share);
		any |= adds[share];
	}
	if (!any || !query__counts_ceph(query, ceph->op) || !query__passes(query, &fact))
		return 0;
	error = row_of_fact(query, &fact, &row);
	if (error)
		return error;
	add_ceph_figures(&query->rows[row].own, ceph, direction, adds);
	add_ceph_figures(&query->rows[row].total, ceph, direction, adds);
	if (ceph->error && !query->estimated) {
		query->rows[row].own.ceph_errors += count;
		query->rows[row].total.ceph_errors += count;
	}
	return adds[SHARE_OPS] ? query__add_part(query, row, PART_CEPH, ceph->op, count, count) : 0;
}

/* --- Quanta. */

struct quantum_figure {
	uint32_t row;
	double elapsed_ns, cpu_ns;
};

struct quantum_figures {
	struct quantum_figure *items;
	size_t count, capacity;
};

static int by_elapsed(const void *one, const void *other)
{
	const struct quantum_figure *a = one, *b = other;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return a->elapsed_ns < b->elapsed_ns ? -1 : a->elapsed_ns > b->elapsed_ns;
}

static int by_cpu(const void *one, const void *other)
{
	const struct quantum_figure *a = one, *b = other;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return a->cpu_ns < b->cpu_ns ? -1 : a->cpu_ns > b->cpu_ns;
}

static double figure_of(const struct quantum_figure *figure, bool cpu)
{
	return cpu ? figure->cpu_ns : figure->elapsed_ns;
}

/* figures: those of one row, in the order of the figure. The 95th percentile is the least of them
 * that 95 % do not exceed; of an even number the median lies between the two in the middle. */
static struct query_spread spread_of(const struct quantum_figure *figures, size_t count, bool cpu)
{
	struct query_spread spread = {.count = (uint32_t)count};
	size_t p95 = (count * 95 + 99) / 100 - 1;

	for (size_t i = 0; i < count; i++)
		spread.mean += figure_of(&figures[i], cpu) / (double)count;
	spread.median =
		(figure_of(&figures[(count - 1) / 2], cpu) + figure_of(&figures[count / 2], cpu)) /
		2;
	spread.p95 = figure_of(&figures[p95], cpu);
	spread.most = figure_of(&figures[count - 1], cpu);
	return spread;
}

static void add_spreads(struct query *query, struct quantum_figures *figures)
{
	for (int cpu = 0; cpu < 2 && figures->count; cpu++) {
		qsort(figures->items, figures->count, sizeof(*figures->items),
		      cpu ? by_cpu : by_elapsed);
		for (size_t from = 0, to; from < figures->count; from = to) {
			uint32_t row = figures->items[from].row;
			struct query_spread spread;

			for (to = from; to < figures->count && figures->items[to].row == row; to++)
				;
			spread = spread_of(&figures->items[from], to - from, cpu);
			if (cpu)
				query->row_details[row].quantum_cpu = spread;
			else
				query->row_details[row].quantum_elapsed = spread;
		}
	}
}

/* Notes an epoch of a row. */
static int add_quantum(struct query *query, uint32_t row, const struct table_epoch *epoch,
		       struct quantum_figures *figures)
{
	struct tables *tables = query->tables;
	int error;

	if (epoch->quantum == NO_INDEX)
		return 0;
	query->row_details[row].quanta++;
	error = query__note_quantum(query, row, epoch->quantum);
	if (error)
		return error;
	if (!tables->quanta[epoch->quantum].whole || epoch->end_ns >= tables->end_ns)
		return 0;
	error = array__reserve(&figures->items, &figures->capacity, sizeof(*figures->items),
			       figures->count + 1);
	if (!error)
		figures->items[figures->count++] = (struct quantum_figure){
			.row = row,
			.elapsed_ns = (double)(epoch->end_ns - epoch->start_ns),
			.cpu_ns = epoch->cpu_ns,
		};
	return error;
}

/* --- Processes. */

static double elapsed_within(const struct tables *tables, const struct table_epoch *epoch)
{
	int64_t start = epoch->start_ns > 0 ? epoch->start_ns : 0;
	int64_t end = epoch->end_ns < tables->end_ns ? epoch->end_ns : tables->end_ns;

	return end > start ? (double)(end - start) : 0;
}

/* A quantum's own peak of memory where it is known: the process's may be another one's. */
static int64_t peak_of(const struct tables *tables, const struct table_epoch *epoch)
{
	uint32_t resource =
		epoch->quantum == NO_INDEX ? NO_INDEX : tables->quanta[epoch->quantum].resource;
	double peak =
		resource == NO_INDEX ? NAN : tables->resources[resource].value[TABLE_RSS_PEAK];

	return isnan(peak) ? tables->processes[epoch->process].max_rss_bytes
			   : (int64_t)fmin(peak, 9e18);
}

/* Of a row's epochs of one process. */
struct elapsed {
	uint32_t row;
	double process_ns, threads_ns; /* epochs of the process; its threads' own, beside them */
};

struct elapsed_list {
	struct elapsed *items;
	size_t count, capacity;
};

static int add_elapsed(struct elapsed_list *list, uint32_t row, uint32_t pair,
		       const struct tables *tables, const struct table_epoch *epoch)
{
	int error = array__reserve(&list->items, &list->capacity, sizeof(*list->items),
				   (size_t)pair + 1);

	if (error)
		return error;
	if (pair == list->count)
		list->items[list->count++] = (struct elapsed){.row = row};
	if (epoch->of_thread)
		list->items[pair].threads_ns += elapsed_within(tables, epoch);
	else
		list->items[pair].process_ns += elapsed_within(tables, epoch);
	return 0;
}

/* No moment of a process counts twice: its threads' count where it does not itself. */
static void sum_elapsed(struct query *query, const struct elapsed_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct elapsed *one = &list->items[i];

		query->row_details[one->row].elapsed_ns +=
			one->process_ns > 0 ? one->process_ns : one->threads_ns;
	}
}

/* Also gives a row to every process that no figure mentions. */
static int add_details(struct query *query)
{
	struct tables *tables = query->tables;
	struct tuple_set *seen = tuple_set__new(2);
	struct quantum_figures figures = {0};
	struct elapsed_list elapsed = {0};
	int error = seen ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < tables->epoch_count && !error; i++) {
		const struct table_epoch *epoch = &tables->epochs[i];
		const struct table_process *process = &tables->processes[epoch->process];
		struct fact fact = {
			{i, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX}};
		uint32_t row, pair, before = (uint32_t)tuple_set__count(seen);
		struct query_details *details;

		if (!query__passes(query, &fact))
			continue;
		error = row_of_fact(query, &fact, &row);
		if (!error)
			error = tuple_set__add(seen, (const uint64_t[]){row, epoch->process},
					       &pair);
		if (!error)
			error = add_elapsed(&elapsed, row, pair, tables, epoch);
		if (error)
			break;
		details = &query->row_details[row];
		error = add_quantum(query, row, epoch, &figures);
		if (pair == before)
			details->processes++;
		if (process->last_epoch == i &&
		    (process->exit_signal != NO_VALUE ||
		     (process->exit_code != NO_VALUE && process->exit_code)))
			details->failures++;
		if (peak_of(tables, epoch) > details->max_rss_bytes)
			details->max_rss_bytes = peak_of(tables, epoch);
	}
	if (!error) {
		add_spreads(query, &figures);
		sum_elapsed(query, &elapsed);
	}
	free(figures.items);
	free(elapsed.items);
	tuple_set__free(seen);
	return error;
}

int query__add_exact(struct query *query)
{
	const struct tables *tables = query->tables;
	int error = 0;

	if (query->knows[SOURCE_CPU])
		error = add_all_usage(query);
	if (!error && query->details)
		error = add_details(query);
	if (!error && query->knows[SOURCE_OFFCPU] && query->request.metric->value != METRIC_HELD)
		error = add_all_waits(query);
	for (size_t i = 0; query->knows[SOURCE_IO] && i < tables->io_count && !error; i++)
		error = add_io(query, &tables->io[i]);
	for (size_t i = 0; query__has_waited(query) && i < tables->wait_on_count && !error; i++)
		error = add_wait_on(query, &tables->wait_on[i]);
	for (size_t i = 0; query->knows[SOURCE_MEM] && i < tables->mem_count && !error; i++)
		error = add_mem(query, &tables->mem[i]);
	for (size_t i = 0; query->knows[SOURCE_ALLOC] && i < tables->alloc.sum_count && !error; i++)
		error = add_alloc(query, &tables->alloc.sums[i]);
	for (size_t i = 0; query->knows[SOURCE_CEPH] && i < tables->ceph_count && !error; i++)
		error = add_ceph(query, &tables->ceph[i]);
	return error;
}
