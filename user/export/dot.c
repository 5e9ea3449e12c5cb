// SPDX-License-Identifier: GPL-2.0-or-later
/* A call graph in graphviz's language. Attributes "comment" hold whole figures, in nanoseconds,
 * bytes or numbers, for scripts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/exporter.h"
#include "export/graph.h"
#include "report/grid.h"
#include "report/printable.h"

/* Of the whole. Less is not drawn, nor what is beyond the largest: thousands of boxes show nothing,
 * and graphviz takes hours to place them. */
#define LEAST_NODE 0.005
#define LEAST_EDGE 0.001
#define MOST_NODES 150
#define MOST_EDGES 400

#define LABEL_WIDTH 60 /* characters; the tooltip has all */
#define MOST_PEN    8.0 /* points, of an edge that is everything */

struct exporting {
	FILE *stream;
	const struct tables *tables;
	const struct query_request *request;
	struct graph *graph;
	double whole;
	double least_node, least_edge; /* in the metric's unit: what is drawn */
};

/* In a quoted text graphviz obeys backslashes and reads entities of HTML. */
static int print_text(FILE *stream, const char *text, size_t width)
{
	_cleanup_free_ char *printable = printable__of(text), *fitted = NULL;

	if (printable)
		fitted = width ? printable__shorten(printable, width) : strdup(printable);
	if (!fitted)
		return -ENOMEM;
	for (const char *at = fitted; *at; at++) {
		if (*at == '"' || *at == '\\')
			fprintf(stream, "\\%c", *at);
		else if (*at == '&' || *at == '<' || *at == '>')
			fprintf(stream, "&#%d;", *at);
		else
			fputc(*at, stream);
	}
	return 0;
}

static void print_figure(const struct exporting *exporting, double value)
{
	char text[NUMBER_SIZE];

	switch (metric__unit(exporting->request->metric)) {
	case UNIT_NANOSECONDS:
		fputs(number__seconds(text, value / 1e9), exporting->stream);
		break;
	case UNIT_BYTES:
		fputs(number__bytes(text, (int64_t)value), exporting->stream);
		break;
	default:
		fprintf(exporting->stream, "%.0f", value);
	}
}

static double share_of(const struct exporting *exporting, double value)
{
	return exporting->whole > 0 && value > 0 ? value / exporting->whole : 0;
}

static void print_weight(const struct exporting *exporting, const char *before, double value)
{
	fputs(before, exporting->stream);
	print_figure(exporting, value);
	fprintf(exporting->stream, " (%.1f %%)", share_of(exporting, value) * 100);
}

static bool is_drawn(const struct exporting *exporting, uint32_t node)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	double total = query__measure(nodes, &query__row(nodes, node)->total);

	return total > 0 && total >= exporting->least_node;
}

static bool joins_drawn(const struct exporting *exporting, const struct graph_edge *edge)
{
	return is_drawn(exporting, edge->caller) && is_drawn(exporting, edge->callee);
}

static int compare_descending(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return a > b ? -1 : a < b;
}

/* The least value to draw: `least`, or what leaves no more than `most`. */
static double find_least(double *values, size_t count, size_t most, double least)
{
	qsort(values, count, sizeof(*values), compare_descending);
	return count > most && values[most - 1] > least ? values[most - 1] : least;
}

static int choose_drawn(struct exporting *exporting)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	size_t node_count = query__row_count(nodes), edges = 0;
	_cleanup_free_ double *values = NULL;

	values = calloc(node_count + graph__edge_count(exporting->graph) + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < node_count; i++)
		values[i] = query__measure(nodes, &query__row(nodes, i)->total);
	exporting->least_node =
		find_least(values, node_count, MOST_NODES, exporting->whole * LEAST_NODE);
	for (size_t i = 0; i < graph__edge_count(exporting->graph); i++)
		if (joins_drawn(exporting, graph__edge(exporting->graph, i)))
			values[edges++] = graph__edge(exporting->graph, i)->total;
	exporting->least_edge =
		find_least(values, edges, MOST_EDGES, exporting->whole * LEAST_EDGE);
	return 0;
}

/* Where a function is: two of the same name are told apart. */
static int print_origin(const struct exporting *exporting, uint64_t value, size_t width)
{
	const struct table_function *function;

	if (exporting->request->keys[0] != key__find("function") || value == VALUE_UNKNOWN ||
	    value == VALUE_NOT_SAMPLED)
		return 0;
	function = &exporting->tables->functions[value];
	fputs("\\n", exporting->stream);
	return print_text(exporting->stream,
			  width ? path__base(function->file ? function->file : function->module)
				: (function->file ? function->file : function->module),
			  width);
}

static int print_node(const struct exporting *exporting, uint32_t number)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	const struct query_row *row = query__row(nodes, number);
	uint64_t value = query__value(nodes, row, 0);
	double own = query__measure(nodes, &row->own), total = query__measure(nodes, &row->total);
	_cleanup_free_ char *label = NULL;
	int error;

	error = exporting->request->keys[0]->label(exporting->tables, value, &label);
	if (error)
		return error;
	fprintf(exporting->stream, "\tn%u [label=\"", number);
	error = print_text(exporting->stream, label, LABEL_WIDTH);
	if (!error)
		error = print_origin(exporting, value, LABEL_WIDTH);
	print_weight(exporting, "\\nown ", own);
	print_weight(exporting, "\\nwith callees ", total);
	fprintf(exporting->stream,
		"\", comment=\"own %.0f, with callees %.0f\", fillcolor=\"0.05 %.3f 1.0\", "
		"tooltip=\"",
		own, total, share_of(exporting, own));
	if (!error)
		error = print_text(exporting->stream, label, 0);
	if (!error)
		error = print_origin(exporting, value, 0);
	fputs("\"];\n", exporting->stream);
	return error;
}

static void print_edge(const struct exporting *exporting, const struct graph_edge *edge)
{
	double share = share_of(exporting, edge->total);

	if (edge->total < exporting->least_edge || !joins_drawn(exporting, edge))
		return;
	fprintf(exporting->stream, "\tn%u -> n%u [label=\"", edge->caller, edge->callee);
	print_figure(exporting, edge->total);
	fprintf(exporting->stream, "\", comment=\"%.0f\", weight=%d, penwidth=%.2f];\n",
		edge->total, 1 + (int)(share * 100), 0.5 + (share > 1 ? 1 : share) * MOST_PEN);
}

static int print_title(const struct exporting *exporting, size_t drawn)
{
	const char *node = recording__meta(exporting->tables->recording, "node");
	size_t nodes = query__row_count(graph__nodes(exporting->graph));
	int error;

	fputs("\tlabel=\"", exporting->stream);
	error = print_text(exporting->stream, node ? node : "recording", 0);
	fprintf(exporting->stream, ": %s, estimated from samples",
		exporting->request->metric->name);
	for (size_t i = 0; i < exporting->request->filter_count && !error; i++) {
		fprintf(exporting->stream, ", %s=", exporting->request->filters[i].key->name);
		error = print_text(exporting->stream, exporting->request->filters[i].pattern, 0);
	}
	print_weight(exporting, "\\ntotal ", exporting->whole);
	if (drawn < nodes)
		fprintf(exporting->stream, "; not drawn: %zu with less than %.1f %% each",
			nodes - drawn, share_of(exporting, exporting->least_node) * 100);
	fprintf(exporting->stream, "\";\n\tcomment=\"total %.0f\";\n", exporting->whole);
	return error;
}

static int print_graph(const struct exporting *exporting)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	size_t drawn = 0;
	int error;

	fputs("digraph pipescope {\n"
	      "\tlabelloc=t;\n"
	      "\tnode [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n"
	      "\tedge [fontname=\"sans-serif\", fontsize=9];\n",
	      exporting->stream);
	for (uint32_t i = 0; i < query__row_count(nodes); i++)
		drawn += is_drawn(exporting, i);
	error = print_title(exporting, drawn);
	for (uint32_t i = 0; i < query__row_count(nodes) && !error; i++)
		if (is_drawn(exporting, i))
			error = print_node(exporting, i);
	for (size_t i = 0; i < graph__edge_count(exporting->graph) && !error; i++)
		print_edge(exporting, graph__edge(exporting->graph, i));
	fputs("}\n", exporting->stream);
	return error;
}

static int write_dot(FILE *stream, struct tables *tables, const struct query_request *request)
{
	struct exporting exporting = {.stream = stream, .tables = tables, .request = request};
	int error;

	error = graph__build(tables, request, &exporting.graph);
	if (error)
		return error;
	exporting.whole = graph__whole(exporting.graph);
	error = choose_drawn(&exporting);
	if (!error)
		error = print_graph(&exporting);
	graph__free(exporting.graph);
	return error ? error : ferror(stream) ? -EIO : 0;
}

const struct exporter dot__exporter = {
	.name = "dot",
	.suffix = ".dot",
	.viewers = "graphviz, xdot",
	.complete = graph__complete,
	.refusal = graph__refusal,
	.write = write_dot,
};
