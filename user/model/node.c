// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/node.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/idle.h"

static const char *const names[] = {
	[NODE_PROCESSES] = "processes",
	[NODE_TASKS] = "tasks",
	[NODE_QUANTA] = "quanta",
	[NODE_BUSY_PROCESSES] = "busy_processes",
	[NODE_CPUS] = "cpus",
	[NODE_READY] = "ready_threads",
	[NODE_WAITING] = "waiting_threads",
	[NODE_IO] = "io_threads",
	[NODE_READ] = "read_bytes_per_s",
	[NODE_WRITTEN] = "write_bytes_per_s",
	[NODE_OPS] = "ops_per_s",
	[NODE_CLOCK] = "clock_ghz",
};

struct adding {
	const struct tables *tables;
	bool *epoch_passes; /* per epoch */
	bool *slice_passes; /* per slice */
	struct node_row *slices; /* per slice; sums so far */
};

const char *node__name(enum node_figure figure)
{
	return names[figure];
}

const char *node__refusal(const struct query_request *request)
{
	for (size_t i = 0; i < request->filter_count; i++) {
		enum key_scope scope = request->filters[i].key->scope;

		if (scope != SCOPE_EPOCH && scope != SCOPE_SLICE)
			return "--by node goes with filters of task, process, job, quantum, "
			       "dataid.FIELD and time: it counts what whole processes did";
	}
	return NULL;
}

/* --- Filters. */

static void filter(const struct tables *tables, const struct query_request *request,
		   enum key_scope scope, bool *passes, size_t count)
{
	memset(passes, 1, count);
	for (size_t f = 0; f < request->filter_count; f++) {
		const struct query_filter *filter = &request->filters[f];

		for (uint32_t i = 0; filter->key->scope == scope && i < count; i++)
			passes[i] &= filter->key->matches(
				tables, key__value(filter->key, tables, i), filter->pattern);
	}
}

static bool passes(const struct adding *adding, uint32_t epoch, uint32_t slice)
{
	return slice != NO_INDEX && adding->slice_passes[slice] && adding->epoch_passes[epoch];
}

/* --- Occupancy. */

static void add_epoch(struct adding *adding, uint32_t index)
{
	const struct tables *tables = adding->tables;
	const struct table_epoch *epoch = &tables->epochs[index];

	for (size_t i = tables__slice_after(tables, epoch->start_ns); i < tables->slice_count;
	     i++) {
		const struct table_slice *slice = &tables->slices[i];
		double from = fmax((double)slice->start_ns, (double)epoch->start_ns);
		double overlap = fmin((double)slice->end_ns, (double)epoch->end_ns) - from;

		if (slice->start_ns >= epoch->end_ns)
			break;
		if (overlap <= 0 || !passes(adding, index, (uint32_t)i))
			continue;
		if (!epoch->of_thread)
			adding->slices[i].figures[NODE_PROCESSES] += overlap;
		if (epoch->rule)
			adding->slices[i].figures[NODE_TASKS] += overlap;
		if (epoch->quantum != NO_INDEX)
			adding->slices[i].figures[NODE_QUANTA] += overlap;
	}
}

/* --- What they did. */

/* GHz, NAN: not known. */
static double clock_of(const struct tables *tables, uint32_t epoch)
{
	uint32_t quantum = tables->epochs[epoch].quantum;
	uint32_t resource = quantum == NO_INDEX ? NO_INDEX : tables->quanta[quantum].resource;

	return resource == NO_INDEX
		       ? NAN
		       : perf_figure__of(PERF_FIGURE_GHZ, &tables->resources[resource].counters);
}

static void add_clock(struct node_row *slice, double ghz, double cpu_ns)
{
	if (isnan(ghz))
		return;
	slice->figures[NODE_CLOCK] += ghz * cpu_ns;
	slice->clocked_ns += cpu_ns;
}

static int add_usage(struct adding *adding)
{
	const struct tables *tables = adding->tables;
	struct tuple_set *pairs = tuple_set__new(2); /* (process, slice) */
	_cleanup_free_ double *used = NULL;
	size_t capacity = 0;
	int error = pairs ? 0 : -ENOMEM;

	for (size_t i = 0; i < tables->usage_count && !error; i++) {
		const struct usage_fact *fact = &tables->usage[i];
		uint32_t process = tables->epochs[fact->epoch].process, pair;

		if (!passes(adding, fact->epoch, fact->slice))
			continue;
		adding->slices[fact->slice].figures[NODE_CPUS] += (double)fact->cpu_ns;
		add_clock(&adding->slices[fact->slice], clock_of(tables, fact->epoch),
			  (double)fact->cpu_ns);
		error = tuple_set__add(pairs, (const uint64_t[]){process, fact->slice}, &pair);
		if (!error)
			error = array__reserve(&used, &capacity, sizeof(*used), (size_t)pair + 1);
		if (!error)
			used[pair] += (double)fact->cpu_ns;
	}
	for (uint32_t i = 0; !error && i < tuple_set__count(pairs); i++) {
		uint64_t index = tuple_set__at(pairs, i)[1];
		const struct table_slice *slice = &tables->slices[index];
		double length = (double)slice->end_ns - (double)slice->start_ns;

		/* For the whole slice: the row's figure is their mean number. */
		if (length > 0 && used[i] >= NODE_BUSY * length)
			adding->slices[index].figures[NODE_BUSY_PROCESSES] += length;
	}
	tuple_set__free(pairs);
	return error;
}

static void add_waits(struct adding *adding)
{
	const struct tables *tables = adding->tables;

	for (size_t i = 0; i < tables->wait_count; i++) {
		const struct wait_fact *fact = &tables->waits[i];
		const char *class = tables->waits_for[fact->class];
		bool ready = !strcmp(class, "run_queue") || !strcmp(class, "throttled");

		if (passes(adding, fact->epoch, fact->slice) && strcmp(class, IDLE_CLASS) != 0)
			adding->slices[fact->slice].figures[ready ? NODE_READY : NODE_WAITING] +=
				fact->ns;
	}
}

static void add_io(struct adding *adding)
{
	const struct tables *tables = adding->tables;

	for (size_t i = 0; i < tables->io_count; i++) {
		const struct io_fact *fact = &tables->io[i];
		enum op_direction direction = tables->ops[fact->op].direction;
		double *figures;

		if (!passes(adding, fact->epoch, fact->slice))
			continue;
		figures = adding->slices[fact->slice].figures;
		figures[NODE_IO] += (double)fact->ns;
		/* Per second, where times are nanoseconds. */
		figures[NODE_OPS] += (double)fact->count * 1e9;
		if (direction == OP_READS)
			figures[NODE_READ] += (double)fact->bytes * 1e9;
		if (direction == OP_WRITES)
			figures[NODE_WRITTEN] += (double)fact->bytes * 1e9;
	}
}

/* --- Rows. */

static void finish_row(struct node_row *row, double length_ns)
{
	double clock = row->clocked_ns > 0 ? row->figures[NODE_CLOCK] / row->clocked_ns : NAN;

	for (size_t i = 0; i < NODE_FIGURES; i++)
		row->figures[i] = length_ns > 0 ? row->figures[i] / length_ns : 0;
	row->figures[NODE_CLOCK] = clock;
}

static void make_rows(const struct adding *adding, size_t most, struct node *node)
{
	const struct tables *tables = adding->tables;
	size_t count = 0, each, in_row = 0;
	double all_ns = 0, row_ns = 0;
	struct node_row *row = NULL;

	for (size_t i = 0; i < tables->slice_count; i++)
		count += adding->slice_passes[i];
	each = most && count > most ? (count + most - 1) / most : 1;
	for (size_t i = 0; i < tables->slice_count; i++) {
		const struct table_slice *slice = &tables->slices[i];
		double length = (double)slice->end_ns - (double)slice->start_ns;

		if (!adding->slice_passes[i] || length <= 0)
			continue;
		if (!row) {
			row = &node->rows[node->count++];
			row->start_s = (double)slice->start_ns / 1e9;
		}
		row->end_s = (double)slice->end_ns / 1e9;
		row_ns += length;
		all_ns += length;
		for (size_t f = 0; f < NODE_FIGURES; f++) {
			row->figures[f] += adding->slices[i].figures[f];
			node->mean.figures[f] += adding->slices[i].figures[f];
		}
		row->clocked_ns += adding->slices[i].clocked_ns;
		node->mean.clocked_ns += adding->slices[i].clocked_ns;
		if (++in_row == each) {
			finish_row(row, row_ns);
			row = NULL;
			row_ns = 0;
			in_row = 0;
		}
	}
	if (row)
		finish_row(row, row_ns);
	finish_row(&node->mean, all_ns);
	if (node->count) {
		node->mean.start_s = node->most.start_s = node->rows[0].start_s;
		node->mean.end_s = node->most.end_s = node->rows[node->count - 1].end_s;
	}
	node->most.figures[NODE_CLOCK] = NAN;
	for (size_t i = 0; i < node->count; i++)
		for (size_t f = 0; f < NODE_FIGURES; f++)
			node->most.figures[f] =
				fmax(node->most.figures[f], node->rows[i].figures[f]);
}

static void find_known(const struct tables *tables, struct node *node)
{
	static const enum source sources[] = {
		[NODE_READY] = SOURCE_OFFCPU, [NODE_WAITING] = SOURCE_OFFCPU,
		[NODE_IO] = SOURCE_IO,	      [NODE_READ] = SOURCE_IO,
		[NODE_WRITTEN] = SOURCE_IO,   [NODE_OPS] = SOURCE_IO,
		[NODE_CLOCK] = SOURCE_CPU,
	};

	for (size_t f = 0; f < NODE_FIGURES; f++)
		node->knows[f] = tables->recorded[sources[f]];
	node->knows[NODE_QUANTA] = tables->quantum_count > 0;
	node->knows[NODE_CLOCK] = false;
	for (uint32_t i = 0; i < tables->epoch_count && !node->knows[NODE_CLOCK]; i++)
		node->knows[NODE_CLOCK] = !isnan(clock_of(tables, i));
}

int node__run(struct tables *tables, const struct query_request *request, size_t most,
	      struct node **ret_node)
{
	_cleanup_free_ bool *epochs = calloc(tables->epoch_count + 1, sizeof(*epochs));
	_cleanup_free_ bool *slices = calloc(tables->slice_count + 1, sizeof(*slices));
	_cleanup_free_ struct node_row *sums = calloc(tables->slice_count + 1, sizeof(*sums));
	struct adding adding = {tables, epochs, slices, sums};
	struct node *node = calloc(1, sizeof(*node));
	int error = -ENOMEM;

	if (!epochs || !slices || !sums || !node)
		goto cleanup;
	node->rows = calloc(tables->slice_count + 1, sizeof(*node->rows));
	if (!node->rows)
		goto cleanup;
	filter(tables, request, SCOPE_EPOCH, epochs, tables->epoch_count);
	filter(tables, request, SCOPE_SLICE, slices, tables->slice_count);
	find_known(tables, node);
	for (uint32_t i = 0; i < tables->epoch_count; i++)
		add_epoch(&adding, i);
	error = add_usage(&adding);
	if (error)
		goto cleanup;
	add_waits(&adding);
	add_io(&adding);
	make_rows(&adding, most, node);
	*ret_node = node;
	node = NULL;
cleanup:
	node__free(node);
	return error;
}

void node__free(struct node *node)
{
	if (!node)
		return;
	free(node->rows);
	free(node);
}
