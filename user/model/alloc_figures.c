// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/alloc_figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "model/keys.h"
#include "model/tuples.h"

/* Windows are without gaps when so little of the CPU time lies outside. */
#define OUTSIDE_NOTHING 0.005

/* What is summed up; net only where all that frees is sized. */
struct quantity {
	enum alloc_column column;
	uint32_t function; /* NO_INDEX: all that are not layered, each block once */
};

struct work {
	struct tables *tables;
	const struct query_request *request;
	double *sums, *others; /* by window */
	double *cpu_ns; /* by process: used during the recording */
	bool *chosen; /* by epoch */
	bool *chosen_processes; /* any of their epochs is */
};

static bool passes(struct tables *tables, const struct query_request *request, uint32_t epoch)
{
	for (size_t i = 0; i < request->filter_count; i++) {
		const struct query_filter *filter = &request->filters[i];

		if (!filter->key->matches(tables, key__value(filter->key, tables, epoch),
					  filter->pattern))
			return false;
	}
	return true;
}

/* --- windows */

/* Of each window; what belongs to no window that is known goes into the last place. */
static void sum_up(const struct work *work, struct quantity quantity, double *sums)
{
	const struct alloc_facts *facts = &work->tables->alloc;
	bool once = quantity.function == NO_INDEX;

	memset(sums, 0, (facts->window_count + 1) * sizeof(*sums));
	for (size_t i = 0; i < facts->sum_count; i++) {
		const struct alloc_sum_fact *sum = &facts->sums[i];
		uint32_t process = work->tables->epochs[sum->epoch].process;
		double value = sum->values[quantity.column];

		if (!work->chosen[sum->epoch] || (once ? facts->functions[sum->function].layered
						       : sum->function != quantity.function))
			continue;
		/* A block that one asks another for is one. */
		if (once && quantity.column == ALLOC_COUNT)
			value = facts->functions[sum->function].frees
					? 0
					: value - sum->values[ALLOC_NESTED];
		if (once && quantity.column == ALLOC_BYTES)
			value -= sum->values[ALLOC_NESTED_BYTES];
		sums[alloc_facts__window(facts, process, sum->window)] += value;
	}
}

static double own_ns(const struct alloc_window_fact *window)
{
	return fmax(window->cpu_ns - window->cost_ns, 0);
}

/* The windows of one process: from `first` on. */
struct share {
	size_t first, count;
	bool whole; /* nothing is outside */
	double own_ns, cost_ns; /* in windows */
	double edge_ns, rest_ns; /* outside: of counting, their own */
};

static struct share share_at(const struct work *work, size_t first)
{
	const struct alloc_facts *facts = &work->tables->alloc;
	struct share share = {.first = first};
	double cpu_ns = 0, outside_ns;

	for (size_t i = first;
	     i < facts->window_count && facts->windows[i].process == facts->windows[first].process;
	     i++) {
		share.count++;
		share.own_ns += own_ns(&facts->windows[i]);
		share.cost_ns += facts->windows[i].cost_ns;
		share.edge_ns += facts->windows[i].edge_ns;
		cpu_ns += facts->windows[i].cpu_ns;
	}
	/* Where edges seem to have taken all that is outside, what is left may be their error. */
	outside_ns = work->cpu_ns[facts->windows[first].process] - cpu_ns;
	share.whole = outside_ns <= cpu_ns * OUTSIDE_NOTHING;
	share.rest_ns = share.whole ? 0 : fmax(outside_ns - share.edge_ns, 0);
	return share;
}

/* Variance of sum/own_ns over windows. NAN: one window does not tell. */
static double variance_of_rate(const struct work *work, const struct share *share,
			       const double *sums, double rate)
{
	double squares = 0, n = (double)share->count;

	if (share->count < 2)
		return NAN;
	for (size_t i = share->first; i < share->first + share->count; i++) {
		double off = sums[i] - rate * own_ns(&work->tables->alloc.windows[i]);

		squares += off * off;
	}
	return squares * n / (n - 1) / (share->own_ns * share->own_ns);
}

static bool is_chosen(const struct work *work, size_t window)
{
	return work->chosen_processes[work->tables->alloc.windows[window].process];
}

/* What a process did outside of its windows, if it went on as in them. */
static void add_rest(const struct work *work, const struct share *share, double counted,
		     struct alloc_estimate *estimate, double *variance)
{
	double doubt_ns = 2 * PS_ALLOC_COST_ERROR * share->cost_ns;
	double edge_doubt_ns = PS_ALLOC_COST_ERROR * share->edge_ns, rate, error, edge_error;

	/* Their own time may be as little, beside the cost, that the rate is many times what it
	 * seems; but not as much as to be below this. */
	if (share->own_ns + doubt_ns > 0)
		estimate->least += counted / (share->own_ns + doubt_ns) *
				   fmax(share->rest_ns - 2 * edge_doubt_ns, 0);
	if (share->own_ns <= doubt_ns) {
		estimate->value = NAN;
		return;
	}
	rate = counted / share->own_ns;
	estimate->value += rate * share->rest_ns;
	error = rate * PS_ALLOC_COST_ERROR * share->cost_ns / share->own_ns * share->rest_ns;
	edge_error = rate * edge_doubt_ns;
	*variance += error * error + edge_error * edge_error;
	if (share->rest_ns > 0)
		*variance += variance_of_rate(work, share, work->sums, rate) * share->rest_ns *
			     share->rest_ns;
}

static struct alloc_estimate estimate(const struct work *work, struct quantity quantity)
{
	const struct alloc_facts *facts = &work->tables->alloc;
	struct alloc_estimate result = {0};
	double variance = 0;

	sum_up(work, quantity, work->sums);
	for (size_t at = 0; at < facts->window_count;) {
		struct share share = share_at(work, at);
		double counted = 0;

		for (size_t i = 0; i < share.count; i++)
			counted += work->sums[at + i];
		result.counted += counted;
		result.value += counted;
		result.least += counted;
		if (is_chosen(work, at) && !share.whole)
			add_rest(work, &share, counted, &result, &variance);
		at += share.count;
	}
	result.counted += work->sums[facts->window_count];
	result.value += work->sums[facts->window_count];
	result.least += work->sums[facts->window_count];
	result.error = isnan(result.value) ? NAN : sqrt(variance);
	return result;
}

/* One sum in proportion to another, whatever lies outside of windows: it is the same there. */
static struct alloc_estimate proportion(const struct work *work, enum alloc_column part,
					enum alloc_column whole)
{
	size_t count = work->tables->alloc.window_count;
	struct alloc_estimate result = {.value = NAN, .error = NAN, .least = NAN};
	double parts = 0, wholes = 0, squares = 0, n = 0;

	sum_up(work, (struct quantity){part, NO_INDEX}, work->sums);
	sum_up(work, (struct quantity){whole, NO_INDEX}, work->others);
	for (size_t i = 0; i <= count; i++) {
		parts += work->sums[i];
		wholes += work->others[i];
		n += work->others[i] > 0;
	}
	if (wholes <= 0)
		return result;
	result.value = result.counted = parts / wholes;
	for (size_t i = 0; i <= count; i++) {
		double off = work->sums[i] - result.value * work->others[i];

		squares += off * off;
	}
	if (n > 1)
		result.error = sqrt(squares * n / (n - 1)) / wholes;
	return result;
}

/* --- places */

static bool is_allocator(const struct alloc_facts *facts, const struct table_function *function)
{
	for (size_t i = 0; i < facts->function_count; i++)
		if (facts->functions[i].name == function->name ||
		    !strncmp(function->name, facts->functions[i].name,
			     strcspn(function->name, "(")))
			return true;
	return false;
}

/* The node that asked: the innermost line of Python, or the innermost function that is no
 * allocator itself. */
static uint32_t place_of(const struct tables *tables, uint32_t node)
{
	uint32_t native = NO_INDEX;

	for (; node != NO_INDEX; node = tables->nodes[node].parent) {
		const struct table_function *function =
			&tables->functions[tables->nodes[node].function];

		if (function->kind == FUNCTION_PYTHON)
			return node;
		if (native == NO_INDEX && function->kind == FUNCTION_NATIVE &&
		    !is_allocator(&tables->alloc, function))
			native = node;
	}
	return native;
}

static int compare_places(const void *one, const void *other)
{
	const struct alloc_place *a = one, *b = other;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return strcmp(a->name, b->name) ?: (a->line > b->line) - (a->line < b->line);
}

static void describe_place(const struct tables *tables, uint32_t node, struct alloc_place *place)
{
	const struct table_function *function;

	if (node == NO_INDEX) {
		place->name = "(unknown)";
		place->file = "";
		return;
	}
	function = &tables->functions[tables->nodes[node].function];
	place->name = function->name;
	place->file = function->kind == FUNCTION_PYTHON && function->file ? function->file
									  : function->module;
	if (function->kind == FUNCTION_PYTHON && tables->nodes[node].line != NO_INDEX)
		place->line = (int64_t)tuple_set__at(tables->lines, tables->nodes[node].line)[1];
}

/* exact: what all samples of the kind stand for together; 0: what their weights say. */
static int find_places(const struct work *work, enum alloc_sample_kind kind, double exact,
		       double period, struct alloc_place **ret_places, size_t *ret_count)
{
	const struct tables *tables = work->tables;
	const struct alloc_facts *facts = &tables->alloc;
	struct tuple_set *set = tuple_set__new(2);
	_cleanup_free_ struct alloc_place *places = NULL;
	size_t capacity = 0;
	double all = 0;
	int error = set ? 0 : -ENOMEM;

	for (size_t i = 0; i < facts->sample_count && !error; i++) {
		const struct alloc_sample_fact *sample = &facts->samples[i];
		uint32_t node, at;

		if (sample->kind != kind || !work->chosen[sample->epoch])
			continue;
		node = place_of(tables, sample->node);
		error = tuple_set__add(
			set,
			(const uint64_t[]){node == NO_INDEX ? NO_INDEX
							    : tables->nodes[node].function,
					   node == NO_INDEX ? NO_INDEX : tables->nodes[node].line},
			&at);
		error = error ?: array__reserve(&places, &capacity, sizeof(*places), at + 1u);
		if (error)
			break;
		if (!places[at].name)
			describe_place(tables, node, &places[at]);
		places[at].samples += sample->count;
		places[at].value += sample->weight;
		places[at].error += alloc_sample__variance(sample->count, sample->weight, period);
		all += sample->weight;
	}
	if (!error) {
		*ret_count = tuple_set__count(set);
		for (size_t i = 0; i < *ret_count; i++) {
			double factor = exact > 0 && all > 0 ? exact / all : 1;

			places[i].value *= factor;
			places[i].error = sqrt(places[i].error) * factor;
		}
		if (*ret_count)
			qsort(places, *ret_count, sizeof(*places), compare_places);
		*ret_places = places;
		places = NULL;
	}
	tuple_set__free(set);
	return error;
}

/* --- the whole */

static int compare_functions(const void *one, const void *other)
{
	const struct alloc_function_figures *a = one, *b = other;

	if (a->bytes.counted != b->bytes.counted)
		return a->bytes.counted > b->bytes.counted ? -1 : 1;
	if (a->count.counted != b->count.counted)
		return a->count.counted > b->count.counted ? -1 : 1;
	return strcmp(a->function->name, b->function->name);
}

static double all_of(const struct work *work, struct quantity quantity)
{
	double all = 0;

	sum_up(work, quantity, work->sums);
	for (size_t i = 0; i <= work->tables->alloc.window_count; i++)
		all += work->sums[i];
	return all;
}

static int add_functions(const struct work *work, struct alloc_figures *figures)
{
	const struct alloc_facts *facts = &work->tables->alloc;

	figures->functions = calloc(facts->function_count, sizeof(*figures->functions));
	if (!figures->functions)
		return -ENOMEM;
	for (uint32_t i = 0; i < facts->function_count; i++) {
		struct alloc_function_figures *one = &figures->functions[figures->function_count];

		one->function = &facts->functions[i];
		one->count = estimate(work, (struct quantity){ALLOC_COUNT, i});
		if (one->count.counted <= 0)
			continue;
		one->bytes = estimate(work, (struct quantity){ALLOC_BYTES, i});
		one->nested = all_of(work, (struct quantity){ALLOC_NESTED, i});
		one->freed = all_of(work, (struct quantity){ALLOC_FREED, i});
		one->kept = all_of(work, (struct quantity){ALLOC_KEPT, i});
		one->kept_bytes = all_of(work, (struct quantity){ALLOC_KEPT_BYTES, i});
		figures->function_count++;
	}
	qsort(figures->functions, figures->function_count, sizeof(*figures->functions),
	      compare_functions);
	return 0;
}

static int add_windows(const struct work *work, struct alloc_figures *figures)
{
	const struct alloc_facts *facts = &work->tables->alloc;
	struct tuple_set *numbers = tuple_set__new(1);
	int error = numbers ? 0 : -ENOMEM;

	figures->elapsed_s = (double)work->tables->end_ns / 1e9;
	figures->whole = true;
	for (size_t at = 0; at < facts->window_count;) {
		struct share share = share_at(work, at);

		if (!is_chosen(work, at)) {
			at += share.count;
			continue;
		}
		figures->whole &= share.whole;
		figures->counted_own_s += share.own_ns / 1e9;
		figures->own_s += (share.own_ns + share.rest_ns) / 1e9;
		figures->cost_s += (share.cost_ns + share.edge_ns) / 1e9;
		figures->processes++;
		at += share.count;
	}
	/* One number stands for one stretch of time, whatever processes it has. */
	for (size_t i = 0; i < facts->window_count && !error; i++) {
		const struct alloc_window_fact *window = &facts->windows[i];
		uint32_t at;

		if (!is_chosen(work, i))
			continue;
		figures->held_peak = fmax(figures->held_peak, window->held_peak_bytes);
		error = tuple_set__add(numbers, (const uint64_t[]){(uint64_t)window->number}, &at);
		if (error || at < figures->windows)
			continue;
		figures->windows++;
		figures->open_s += (double)(window->end_ns - window->start_ns) / 1e9;
	}
	tuple_set__free(numbers);
	return error;
}

static void add_totals(const struct work *work, struct alloc_figures *figures)
{
	const struct alloc_facts *facts = &work->tables->alloc;
	bool sized = true;

	for (size_t i = 0; i < facts->function_count; i++)
		sized &= facts->functions[i].layered || facts->functions[i].sized;
	for (size_t i = 0; i < facts->size_count; i++)
		if (work->chosen[facts->sizes[i].epoch] &&
		    !facts->functions[facts->sizes[i].function].layered)
			figures->sizes[facts->sizes[i].bucket] += facts->sizes[i].count;
	figures->count = estimate(work, (struct quantity){ALLOC_COUNT, NO_INDEX});
	figures->bytes = estimate(work, (struct quantity){ALLOC_BYTES, NO_INDEX});
	figures->net = estimate(work, (struct quantity){ALLOC_NET_BYTES, NO_INDEX});
	figures->net.least = NAN; /* it may be less than nothing */
	if (!sized)
		figures->net = (struct alloc_estimate){NAN, NAN, NAN, NAN};
	figures->soon = proportion(work, ALLOC_SOON, ALLOC_WATCHED);
	figures->soon_bytes = proportion(work, ALLOC_SOON_BYTES, ALLOC_WATCHED_BYTES);
	figures->kept = all_of(work, (struct quantity){ALLOC_KEPT, NO_INDEX});
	figures->kept_bytes = all_of(work, (struct quantity){ALLOC_KEPT_BYTES, NO_INDEX});
}

static int find_all_places(const struct work *work, struct alloc_figures *figures)
{
	double period =
		(double)recording__meta_number(work->tables->recording, "alloc_period_bytes", 0);
	int error = find_places(work, ALLOC_SAMPLE_BYTES, figures->bytes.counted, period,
				&figures->by_size, &figures->by_size_count);

	error = error
			?: find_places(work, ALLOC_SAMPLE_COUNT, figures->count.counted, INFINITY,
				       &figures->by_count, &figures->by_count_count);
	return error
		       ?: find_places(work, ALLOC_SAMPLE_KEPT, 0, period, &figures->by_kept,
				      &figures->by_kept_count);
}

static int prepare(struct work *work)
{
	const struct tables *tables = work->tables;

	work->sums = calloc(tables->alloc.window_count + 1, sizeof(*work->sums));
	work->others = calloc(tables->alloc.window_count + 1, sizeof(*work->others));
	work->cpu_ns = calloc(tables->process_count + 1, sizeof(*work->cpu_ns));
	work->chosen = calloc(tables->epoch_count + 1, sizeof(*work->chosen));
	work->chosen_processes = calloc(tables->process_count + 1, sizeof(*work->chosen_processes));
	if (!work->sums || !work->others || !work->cpu_ns || !work->chosen ||
	    !work->chosen_processes)
		return -ENOMEM;
	for (uint32_t i = 0; i < tables->epoch_count; i++) {
		work->cpu_ns[tables->epochs[i].process] += tables->epochs[i].cpu_ns;
		work->chosen[i] = passes(work->tables, work->request, i);
		work->chosen_processes[tables->epochs[i].process] |= work->chosen[i];
	}
	return 0;
}

int alloc_figures__new(struct tables *tables, const struct query_request *request,
		       struct alloc_figures **ret_figures)
{
	struct work work = {.tables = tables, .request = request};
	struct alloc_figures *figures;
	int error;

	if (!tables->alloc.function_count || !tables->alloc.window_count)
		return -ENOENT;
	figures = calloc(1, sizeof(*figures));
	error = figures ? prepare(&work) : -ENOMEM;
	error = error ?: add_windows(&work, figures);
	if (!error) {
		add_totals(&work, figures);
		error = add_functions(&work, figures);
	}
	error = error ?: find_all_places(&work, figures);
	free(work.sums);
	free(work.others);
	free(work.cpu_ns);
	free(work.chosen);
	free(work.chosen_processes);
	if (error) {
		alloc_figures__free(figures);
		return error;
	}
	*ret_figures = figures;
	return 0;
}

void alloc_figures__free(struct alloc_figures *figures)
{
	if (!figures)
		return;
	free(figures->functions);
	free(figures->by_size);
	free(figures->by_count);
	free(figures->by_kept);
	free(figures);
}
