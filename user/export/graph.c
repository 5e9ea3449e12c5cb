// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct graph {
	struct query *nodes;
	const struct key *key;
	double whole;
	struct tuple_set *node_of_value;
	struct tuple_set *pairs; /* (caller, callee) */
	struct graph_edge *edges; /* in the order of pairs, then sorted */
	size_t edge_count, edge_capacity;
};

/* Stacks are asked for by the processes of so many samples at a time, or of this share of all, for
 * their memory. */
#define BATCH_SAMPLES 65536
#define BATCHES	      8

/* While edges are found. */
struct finding {
	struct graph *graph;
	struct tables *tables;
	uint32_t *node_of_shown; /* any of the stack tree's nodes that is shown as this */
	uint64_t *last_stack; /* per edge: a pair counts once per stack */
	size_t last_capacity;
	uint64_t stack; /* the number of that which is looked at, from 1 */
	bool *epochs; /* whose stacks are asked for */
	uint64_t values[TABLES_MAX_DEPTH]; /* the key's, outermost frame first */
};

void graph__complete(struct query_request *request)
{
	if (!request->metric)
		request->metric = metric__find("cpu");
	if (!request->key_count)
		request->keys[request->key_count++] = key__find("function");
}

const char *graph__refusal(const struct query_request *request)
{
	if (request->key_count != 1 || !request->keys[0]->totals)
		return "a graph is of functions, lines or modules: one of them for --by; choose "
		       "what of the recording by --where, as --where task=isr";
	return query__refusal(request);
}

int64_t graph__samples(const struct query_request *request, const struct query_figures *figures)
{
	switch (request->metric->source) {
	case SOURCE_OFFCPU:
		return figures->offcpu_samples;
	case SOURCE_IO:
		return figures->io_samples;
	case SOURCE_CEPH:
		return figures->ceph_samples;
	case SOURCE_MEM:
		return figures->grown_samples;
	case SOURCE_ALLOC:
		return figures->allocated_samples;
	default:
		return figures->samples;
	}
}

static int find_nodes(struct graph *graph)
{
	int error = 0;

	graph->node_of_value = tuple_set__new(1);
	graph->pairs = tuple_set__new(2);
	if (!graph->node_of_value || !graph->pairs)
		return -ENOMEM;
	for (size_t i = 0; i < query__row_count(graph->nodes) && !error; i++) {
		const struct query_row *row = query__row(graph->nodes, i);
		uint64_t value = query__value(graph->nodes, row, 0);
		uint32_t index;

		graph->whole += query__measure(graph->nodes, &row->own);
		error = tuple_set__add(graph->node_of_value, &value, &index);
	}
	return error;
}

static int find_shown(struct finding *finding)
{
	const struct tables *tables = finding->tables;

	finding->node_of_shown =
		calloc(tuple_set__count(tables->shown) + 1, sizeof(*finding->node_of_shown));
	if (!finding->node_of_shown)
		return -ENOMEM;
	for (uint32_t i = 0; i < tables->node_count; i++)
		if (tables->shown_of_node[i] != NO_INDEX &&
		    !tables->functions[tables->nodes[i].function].eval_loop)
			finding->node_of_shown[tables->shown_of_node[i]] = i;
	return 0;
}

static enum function_kind kind_of(const struct tables *tables, uint32_t node)
{
	return tables->functions[tables->nodes[node].function].kind;
}

/* As query__run gives a frame its place: the interpreter's own code counts for its caller, what has
 * no line has no place among lines. */
static size_t fill_values(struct finding *finding, uint32_t leaf)
{
	const struct tables *tables = finding->tables;
	const struct key *key = finding->graph->key;
	uint32_t path[TABLES_MAX_DEPTH], owner = NO_INDEX;
	size_t depth = 0, count = 0;

	for (uint32_t at = leaf; at != NO_INDEX; at = (uint32_t)tuple_set__at(tables->shown, at)[0])
		path[depth++] = finding->node_of_shown[at];
	while (depth) {
		uint32_t node = path[--depth];
		uint64_t value;

		if (key->choice == FRAME_LINED && tables->nodes[node].line == NO_INDEX)
			continue;
		if (key->choice == FRAME_OWNER && kind_of(tables, node) == FUNCTION_INTERPRETER &&
		    owner != NO_INDEX && kind_of(tables, owner) != FUNCTION_INTERPRETER)
			continue;
		owner = node;
		value = key->value(tables, node);
		if (!count || finding->values[count - 1] != value)
			finding->values[count++] = value;
	}
	return count;
}

static int edge_of(struct finding *finding, const uint64_t *pair, uint32_t *ret_edge)
{
	struct graph *graph = finding->graph;
	size_t nodes = query__row_count(graph->nodes);
	uint32_t caller, callee, edge;
	int error;

	error = tuple_set__add(graph->node_of_value, &pair[0], &caller);
	if (!error)
		error = tuple_set__add(graph->node_of_value, &pair[1], &callee);
	if (error)
		return error;
	*ret_edge = NO_INDEX;
	if (caller >= nodes || callee >= nodes)
		return 0;
	error = tuple_set__add(graph->pairs, (const uint64_t[]){caller, callee}, &edge);
	if (!error)
		error = array__reserve(&graph->edges, &graph->edge_capacity, sizeof(*graph->edges),
				       (size_t)edge + 1);
	if (!error)
		error = array__reserve(&finding->last_stack, &finding->last_capacity,
				       sizeof(*finding->last_stack), (size_t)edge + 1);
	if (error)
		return error;
	if (edge == graph->edge_count) {
		graph->edges[edge] = (struct graph_edge){.caller = caller, .callee = callee};
		finding->last_stack[edge] = 0;
		graph->edge_count++;
	}
	*ret_edge = edge;
	return 0;
}

static int add_stack(struct finding *finding, const struct query *stacks, uint32_t position)
{
	const struct query_row *row = query__row(stacks, position);
	uint64_t leaf = query__value(stacks, row, 0);
	double measure = query__measure(stacks, &row->own);
	size_t count;

	if (leaf == VALUE_UNKNOWN || leaf == VALUE_NOT_SAMPLED || measure <= 0)
		return 0;
	count = fill_values(finding, (uint32_t)leaf);
	finding->stack++;
	for (size_t i = 1; i < count; i++) {
		struct graph_edge *edge;
		uint32_t index;
		int error = edge_of(finding, &finding->values[i - 1], &index);

		if (error)
			return error;
		if (index == NO_INDEX)
			continue;
		edge = &finding->graph->edges[index];
		if (i == count - 1)
			edge->own += measure;
		if (finding->last_stack[index] == finding->stack)
			continue;
		finding->last_stack[index] = finding->stack;
		edge->total += measure;
		edge->samples += graph__samples(query__request(stacks), &row->own);
	}
	return 0;
}

static int compare_edges(const void *one, const void *other)
{
	const struct graph_edge *a = one, *b = other;

	if (a->callee != b->callee)
		return a->callee < b->callee ? -1 : 1;
	return a->caller < b->caller ? -1 : a->caller > b->caller;
}

static int add_batch(struct finding *finding, const struct query_request *request)
{
	struct query *stacks = NULL;
	int error = query__run(finding->tables, request, &stacks);

	if (!error && !finding->node_of_shown)
		error = find_shown(finding);
	for (uint32_t i = 0; !error && i < query__row_count(stacks); i++)
		error = add_stack(finding, stacks, i);
	query__free(stacks);
	return error;
}

/* Figures of a stack are sums over epochs, so it does not matter in how many pieces they come. */
static int add_stacks(struct finding *finding, struct query_request *request)
{
	const struct tables *tables = finding->tables;
	size_t *samples = calloc(tables->epoch_count + 1, sizeof(*samples)), sum = 0;
	size_t most = tables->sample_count / BATCHES;
	int error = samples ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < tables->sample_count; i++)
		samples[tables->pools[tables->samples[i].pool].epoch]++;
	if (most < BATCH_SAMPLES)
		most = BATCH_SAMPLES;
	request->epochs = finding->epochs;
	for (size_t i = 0; !error && i < tables->epoch_count; i++) {
		finding->epochs[i] = true;
		sum += samples[i];
		if (i + 1 < tables->epoch_count && sum + samples[i + 1] <= most)
			continue;
		error = add_batch(finding, request);
		memset(finding->epochs, 0, tables->epoch_count);
		sum = 0;
	}
	free(samples);
	return error;
}

static int find_edges(struct graph *graph, struct tables *tables,
		      const struct query_request *request)
{
	struct query_request by_stack = *request;
	struct finding *finding = calloc(1, sizeof(*finding));
	int error = -ENOMEM;

	if (!finding)
		return -ENOMEM;
	finding->graph = graph;
	finding->tables = tables;
	finding->epochs = calloc(tables->epoch_count + 1, sizeof(*finding->epochs));
	by_stack.keys[0] = key__find("stack");
	if (finding->epochs)
		error = add_stacks(finding, &by_stack);
	if (!error && graph->edge_count)
		qsort(graph->edges, graph->edge_count, sizeof(*graph->edges), compare_edges);
	free(finding->epochs);
	free(finding->node_of_shown);
	free(finding->last_stack);
	free(finding);
	return error;
}

int graph__build(struct tables *tables, const struct query_request *request,
		 struct graph **ret_graph)
{
	struct graph *graph;
	int error;

	if (graph__refusal(request))
		return -EINVAL;
	graph = calloc(1, sizeof(*graph));
	if (!graph)
		return -ENOMEM;
	graph->key = request->keys[0];
	error = query__run(tables, request, &graph->nodes);
	if (!error)
		error = find_nodes(graph);
	if (!error)
		error = find_edges(graph, tables, request);
	if (error) {
		graph__free(graph);
		return error;
	}
	*ret_graph = graph;
	return 0;
}

void graph__free(struct graph *graph)
{
	if (!graph)
		return;
	query__free(graph->nodes);
	tuple_set__free(graph->node_of_value);
	tuple_set__free(graph->pairs);
	free(graph->edges);
	free(graph);
}

const struct query *graph__nodes(const struct graph *graph)
{
	return graph->nodes;
}

double graph__whole(const struct graph *graph)
{
	return graph->whole;
}

size_t graph__edge_count(const struct graph *graph)
{
	return graph->edge_count;
}

const struct graph_edge *graph__edge(const struct graph *graph, size_t position)
{
	return &graph->edges[position];
}
