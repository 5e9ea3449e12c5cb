// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/places.h"
#include "model/tuples.h"

/* What one group (an epoch and a prefix) added to a row, before it is weighted. */
struct group_counts {
	int64_t own, total;
	bool listed;
};

struct query {
	struct tables *tables;
	struct query_request request;
	struct places places;
	bool estimated, details;
	bool by_scope[SCOPE_COUNT]; /* a key of the request has this scope */

	struct tuple_set *prefixes; /* values of the keys that are no where-keys */
	struct tuple_set *row_set; /* (prefix, place) */
	struct query_row *rows;
	size_t row_count, row_capacity;
	struct query_details *row_details;
	size_t details_capacity;

	bool *passes[SCOPE_NODE]; /* per epoch, thread, slice; NULL: no filter */
	bool unknown_passes[SCOPE_NODE];
};

/* A sample that passed the filters. */
struct picked {
	uint32_t epoch, prefix, stack, count;
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
	int64_t *inclusive; /* per node */
	bool *marked; /* per node */
	uint32_t *nodes; /* those that are marked */
	size_t node_count;
};

/* --- Filters by who and when. */

static size_t scope_size(const struct tables *tables, enum key_scope scope)
{
	switch (scope) {
	case SCOPE_EPOCH:
		return tables->epoch_count;
	case SCOPE_THREAD:
		return tables->thread_count;
	default:
		return tables->slice_count;
	}
}

static int fill_passes(struct query *query)
{
	for (size_t scope = 0; scope < SCOPE_NODE; scope++)
		query->unknown_passes[scope] = true;
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
				query->tables, filter->key->value(query->tables, i),
				filter->pattern);
		if (scope != SCOPE_EPOCH)
			query->unknown_passes[scope] &=
				filter->key->matches(query->tables, VALUE_UNKNOWN, filter->pattern);
	}
	return 0;
}

static bool passes(const struct query *query, enum key_scope scope, uint32_t index)
{
	if (!query->passes[scope])
		return true;
	return index == NO_INDEX ? query->unknown_passes[scope] : query->passes[scope][index];
}

static bool fact_passes(const struct query *query, uint32_t epoch, uint32_t thread, uint32_t slice)
{
	return passes(query, SCOPE_EPOCH, epoch) && passes(query, SCOPE_THREAD, thread) &&
	       passes(query, SCOPE_SLICE, slice);
}

/* --- Rows. */

static int prefix_of(struct query *query, uint32_t epoch, uint32_t thread, uint32_t slice,
		     uint32_t *ret_prefix)
{
	const uint32_t index[SCOPE_NODE] = {
		[SCOPE_EPOCH] = epoch, [SCOPE_THREAD] = thread, [SCOPE_SLICE] = slice};
	uint64_t values[QUERY_MAX_KEYS] = {0};
	size_t width = 0;

	for (size_t i = 0; i < query->request.key_count; i++) {
		const struct key *key = query->request.keys[i];

		if (key->scope == SCOPE_NODE)
			continue;
		values[width++] = index[key->scope] == NO_INDEX
					  ? VALUE_UNKNOWN
					  : key->value(query->tables, index[key->scope]);
	}
	return tuple_set__add(query->prefixes, values, ret_prefix);
}

static int row_of(struct query *query, uint32_t prefix, uint32_t place, uint32_t *ret_row)
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

/* --- Exact figures. */

static int add_usage(struct query *query, const struct usage_fact *fact)
{
	const struct table_epoch *epoch = &query->tables->epochs[fact->epoch];
	uint32_t prefix, row;
	int error;

	if (!fact_passes(query, fact->epoch, fact->thread, fact->slice))
		return 0;
	/* With samples, the epoch's time is shared out over them instead. */
	if (query->estimated && (epoch->samples || !query->places.not_sampled_passes))
		return 0;
	error = prefix_of(query, fact->epoch, fact->thread, fact->slice, &prefix);
	if (!error)
		error = row_of(query, prefix, query->places.not_sampled, &row);
	if (error)
		return error;
	query->rows[row].own.cpu_ns += (double)fact->cpu_ns;
	query->rows[row].total.cpu_ns += (double)fact->cpu_ns;
	if (query->details) {
		query->row_details[row].user_ns += (double)fact->user_ns;
		query->row_details[row].system_ns += (double)fact->system_ns;
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

static double elapsed_within(const struct tables *tables, const struct table_epoch *epoch)
{
	int64_t start = epoch->start_ns > 0 ? epoch->start_ns : 0;
	int64_t end = epoch->end_ns < tables->end_ns ? epoch->end_ns : tables->end_ns;

	return end > start ? (double)(end - start) : 0;
}

/* Also gives a row to every process that no figure mentions. */
static int add_details(struct query *query)
{
	struct tables *tables = query->tables;
	struct tuple_set *seen = tuple_set__new(2);
	int error = seen ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < tables->epoch_count && !error; i++) {
		const struct table_epoch *epoch = &tables->epochs[i];
		const struct table_process *process = &tables->processes[epoch->process];
		uint32_t prefix, row, pair, before = (uint32_t)tuple_set__count(seen);
		struct query_details *details;

		if (!passes(query, SCOPE_EPOCH, i))
			continue;
		error = prefix_of(query, i, NO_INDEX, NO_INDEX, &prefix);
		if (!error)
			error = row_of(query, prefix, 0, &row);
		if (!error)
			error = tuple_set__add(seen, (const uint64_t[]){row, epoch->process},
					       &pair);
		if (error)
			break;
		details = &query->row_details[row];
		details->elapsed_ns += elapsed_within(tables, epoch);
		if (pair == before)
			details->processes++;
		if (process->last_epoch == i &&
		    (process->exit_signal != NO_VALUE ||
		     (process->exit_code != NO_VALUE && process->exit_code)))
			details->failures++;
		if (process->max_rss_bytes > details->max_rss_bytes)
			details->max_rss_bytes = process->max_rss_bytes;
	}
	tuple_set__free(seen);
	return error;
}

/* --- Samples. */

static bool stack_passes(const struct query *query, uint32_t stack)
{
	if (!query->places.passes)
		return true;
	return stack == NO_INDEX ? query->places.unknown_passes : query->places.passes[stack];
}

static int compare_picked(const void *one, const void *other)
{
	const struct picked *a = one, *b = other;

	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

static int pick_samples(struct query *query, struct picked **ret_picked, size_t *ret_count)
{
	const struct tables *tables = query->tables;
	_cleanup_free_ struct picked *picked = NULL;
	bool fine = query->by_scope[SCOPE_THREAD] || query->by_scope[SCOPE_SLICE];
	uint32_t prefix = 0, prefix_epoch = NO_INDEX;
	size_t count = 0;

	picked = malloc((tables->sample_count + 1) * sizeof(*picked));
	if (!picked)
		return -ENOMEM;
	for (size_t i = 0; i < tables->sample_count; i++) {
		const struct sample_fact *fact = &tables->samples[i];

		if (!fact_passes(query, fact->epoch, fact->thread, fact->slice) ||
		    !stack_passes(query, fact->stack))
			continue;
		if (fine || fact->epoch != prefix_epoch) {
			int error =
				prefix_of(query, fact->epoch, fact->thread, fact->slice, &prefix);

			if (error)
				return error;
			prefix_epoch = fact->epoch;
		}
		picked[count++] = (struct picked){.epoch = fact->epoch,
						  .prefix = prefix,
						  .stack = fact->stack,
						  .count = fact->count};
	}
	/* The samples of the tables come sorted by epoch and stack. */
	if (fine && count)
		qsort(picked, count, sizeof(*picked), compare_picked);
	*ret_picked = picked;
	*ret_count = count;
	picked = NULL;
	return 0;
}

static int recent_row_of(struct query *query, struct group_work *work, uint32_t prefix,
			 uint32_t place, uint32_t *ret_row)
{
	struct recent_row *recent = &work->recent[place];
	int error;

	if (!recent->valid || recent->prefix != prefix) {
		error = row_of(query, prefix, place, &recent->row);
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
		   int64_t samples)
{
	uint32_t place = 0;
	struct group_counts *counts;
	int error;

	if (query->places.width)
		place = stack == NO_INDEX ? query->places.unknown : query->places.of_node[stack];
	error = touch(query, work, prefix, place, &counts);
	if (error)
		return error;
	counts->own += samples;
	if (!query->places.totals || stack == NO_INDEX)
		return 0;
	work->inclusive[stack] += samples;
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
		int64_t samples = work->inclusive[node];
		struct group_counts *counts;

		work->marked[node] = false;
		work->inclusive[node] = 0;
		if (parent != NO_INDEX)
			work->inclusive[parent] += samples;
		if (error || !query->places.counted[node])
			continue;
		error = touch(query, work, prefix, query->places.of_node[node], &counts);
		if (!error)
			counts->total += samples;
	}
	work->node_count = 0;
	return error;
}

/* The epoch's exact time is cut in proportion to samples. One standard error of a proportion n/N;
 * (n + 1)/(N + 2) instead of n/N, because a single sample that hit is no certainty. */
static void add_figures(struct query_figures *figures, const struct table_epoch *epoch,
			int64_t samples, bool estimated)
{
	double all = (double)epoch->samples, share;

	if (!samples)
		return;
	figures->samples += samples;
	if (!estimated)
		return;
	figures->cpu_ns += epoch->cpu_ns * ((double)samples / all);
	share = ((double)samples + 1) / (all + 2);
	/* The variance, until the rows are finished. */
	figures->cpu_error_ns += epoch->cpu_ns * epoch->cpu_ns * share * (1 - share) / all;
}

static void close_group(struct query *query, struct group_work *work, uint32_t epoch)
{
	const struct table_epoch *of = &query->tables->epochs[epoch];

	for (size_t i = 0; i < work->touched_count; i++) {
		struct query_row *row = &query->rows[work->touched[i]];
		struct group_counts *counts = &work->counts[work->touched[i]];

		/* What no caller counts ("(no line)", no stack) is its own total. */
		if (counts->total < counts->own)
			counts->total = counts->own;
		add_figures(&row->own, of, counts->own, query->estimated);
		add_figures(&row->total, of, counts->total, query->estimated);
		*counts = (struct group_counts){0};
	}
	work->touched_count = 0;
}

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

static int add_samples(struct query *query)
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

		while (i < count && !error && picked[i].epoch == first->epoch &&
		       picked[i].prefix == first->prefix) {
			uint32_t stack = picked[i].stack;
			int64_t samples = 0;

			for (; i < count && picked[i].epoch == first->epoch &&
			       picked[i].prefix == first->prefix && picked[i].stack == stack;
			     i++)
				samples += picked[i].count;
			error = add_own(query, &work, first->prefix, stack, samples);
		}
		if (!error)
			error = add_totals(query, &work, first->prefix);
		if (!error)
			close_group(query, &work, first->epoch);
	}
	group_work__clear(&work);
	return error;
}

/* --- The whole. */

/* Nothing was sampled in nothing; and threads that were counted for more than their process leave
 * no time to an unknown thread. */
static bool says_nothing(const struct query *query, const struct query_row *row)
{
	if (row->own.cpu_ns > 0 || row->own.samples || row->total.samples)
		return false;
	return query->estimated || query->by_scope[SCOPE_THREAD];
}

static void finish_rows(struct query *query)
{
	size_t kept = 0;

	for (size_t i = 0; i < query->row_count; i++) {
		struct query_row *row = &query->rows[i];

		row->own.cpu_error_ns = sqrt(row->own.cpu_error_ns);
		row->total.cpu_error_ns = sqrt(row->total.cpu_error_ns);
		if (!says_nothing(query, row))
			query->rows[kept++] = *row;
	}
	query->row_count = kept;
}

double query__measure(const struct query *query, const struct query_figures *figures)
{
	return query->request.metric->value == METRIC_CPU ? figures->cpu_ns
							  : (double)figures->samples;
}

static int compare_rows(const void *one, const void *other, void *argument)
{
	const struct query_row *a = one, *b = other;
	const struct query *query = argument;
	double left = query__measure(query, &a->own), right = query__measure(query, &b->own);

	if (left != right)
		return left > right ? -1 : 1;
	left = query__measure(query, &a->total);
	right = query__measure(query, &b->total);
	if (left != right)
		return left > right ? -1 : 1;
	for (size_t i = 0; i < query->request.key_count; i++) {
		int order = query->request.keys[i]->compare(
			query->tables, query__value(query, a, i), query__value(query, b, i));

		if (order)
			return order;
	}
	return 0;
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

static void look_at_request(struct query *query)
{
	bool narrowed = false;

	for (size_t i = 0; i < query->request.key_count; i++)
		query->by_scope[query->request.keys[i]->scope] = true;
	query->estimated = query->by_scope[SCOPE_NODE];
	for (size_t i = 0; i < query->request.filter_count; i++) {
		enum key_scope scope = query->request.filters[i].key->scope;

		query->estimated |= scope == SCOPE_NODE;
		narrowed |= scope == SCOPE_THREAD || scope == SCOPE_SLICE;
	}
	query->details = !query->estimated && !narrowed && !query->by_scope[SCOPE_THREAD] &&
			 !query->by_scope[SCOPE_SLICE];
}

int query__run(struct tables *tables, const struct query_request *request, struct query **ret_query)
{
	struct query *query = calloc(1, sizeof(*query));
	int error;

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
		error = add_all_usage(query);
	if (!error && query->details)
		error = add_details(query);
	if (!error)
		error = add_samples(query);
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

/* Drops fields from position `from` on whose name another key of the request or an earlier field
 * has: of several keys each keeps its name. */
static void drop_doubles(const struct query *query, struct field_list *list, size_t from,
			 const struct key *key)
{
	size_t kept = from;

	for (size_t i = from; i < list->count; i++) {
		struct field *field = &list->fields[i];
		bool taken = false;

		for (size_t k = 0; k < query->request.key_count; k++)
			taken |= query->request.keys[k] != key &&
				 !strcmp(query->request.keys[k]->name, field->name);
		for (size_t k = 0; k < kept; k++)
			taken |= !strcmp(list->fields[k].name, field->name);
		if (taken)
			free(field->owned);
		else
			list->fields[kept++] = *field;
	}
	list->count = kept;
}

static void describe_details(const struct query_details *details, double cpu_ns,
			     struct field_list *list)
{
	field_list__real(list, "user_s", details->user_ns / 1e9);
	field_list__real(list, "system_s", details->system_ns / 1e9);
	field_list__integer(list, "processes", details->processes);
	field_list__real(list, "elapsed_s", details->elapsed_ns / 1e9);
	if (details->elapsed_ns > 0)
		field_list__real(list, "efficiency", cpu_ns / details->elapsed_ns);
	else
		field_list__null(list, "efficiency");
	if (details->max_rss_bytes == NO_VALUE)
		field_list__null(list, "max_rss_bytes");
	else
		field_list__integer(list, "max_rss_bytes", details->max_rss_bytes);
	field_list__integer(list, "failures", details->failures);
}

int query__describe(const struct query *query, const struct query_row *row, struct field_list *list)
{
	const struct query_details *details = query__details(query, row);

	field_list__clear(list);
	for (size_t i = 0; i < query->request.key_count; i++) {
		const struct key *key = query->request.keys[i];
		size_t from = list->count;

		key->describe(query->tables, query__value(query, row, i), list);
		drop_doubles(query, list, from, key);
	}
	field_list__real(list, "cpu_s", row->own.cpu_ns / 1e9);
	if (query->estimated)
		field_list__real(list, "cpu_s_error", row->own.cpu_error_ns / 1e9);
	field_list__integer(list, "samples", row->own.samples);
	if (details)
		describe_details(details, row->own.cpu_ns, list);
	if (query->places.totals) {
		field_list__real(list, "total_cpu_s", row->total.cpu_ns / 1e9);
		field_list__real(list, "total_cpu_s_error", row->total.cpu_error_ns / 1e9);
		field_list__integer(list, "total_samples", row->total.samples);
	}
	return list->error;
}
