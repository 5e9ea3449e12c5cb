/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who calls whom, for the formats that are made of functions: nodes are the rows of a query by
 * function, line or module, with the report's figures; edges are pairs of neighbours on its stacks.
 * A recursion is no edge. */
#ifndef EXPORT_GRAPH_H
#define EXPORT_GRAPH_H

#include "model/query.h"

/* Of caller, callee, and all below the callee. */
struct graph_edge {
	uint32_t caller, callee; /* positions of rows */
	double own, total; /* in the metric's unit: in the callee itself, with its callees */
	int64_t samples; /* behind total */
};

struct graph;

void graph__complete(struct query_request *request);
const char *graph__refusal(const struct query_request *request);

/* Of a completed request. Errors are query__run's. */
int graph__build(struct tables *tables, const struct query_request *request,
		 struct graph **ret_graph);
void graph__free(struct graph *graph); /* NULL is accepted */

const struct query *graph__nodes(const struct graph *graph);
double graph__whole(const struct graph *graph); /* sum of the nodes' own figures */

/* Sorted by callee, then by caller. */
size_t graph__edge_count(const struct graph *graph);
const struct graph_edge *graph__edge(const struct graph *graph, size_t position);

/* Samples behind figures of the metric. */
int64_t graph__samples(const struct query_request *request, const struct query_figures *figures);

#endif
