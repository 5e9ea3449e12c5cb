// SPDX-License-Identifier: GPL-2.0-or-later
/* Statistics as Python's profilers save them: one dictionary in the form of Python's module
 * marshal, {(file, line, name): (calls without recursion, calls, own s, s with callees, callers)},
 * callers: the same by caller. A sampling profiler knows no calls: their number is that of samples,
 * and an entry of its own says so. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/strings.h"
#include "export/exporter.h"
#include "export/graph.h"
#include "export/marshal.h"
#include "report/printable.h"

/* What stands for a function. Interned, so that equal ones are equal. */
struct identity {
	const char *file, *name;
	int64_t line;
};

struct exporting {
	FILE *stream;
	const struct tables *tables;
	const struct query_request *request;
	struct graph *graph;
	struct string_pool *names;
	struct identity *identities; /* per node */
	double unit;
};

/* --- Values. */

static void put_identity(FILE *stream, const struct identity *identity)
{
	marshal__tuple(stream, 3);
	marshal__text(stream, identity->file);
	marshal__integer(stream, identity->line);
	marshal__text(stream, identity->name);
}

/* The first four of an entry. */
static void put_figures(const struct exporting *exporting, int64_t samples, double own,
			double total)
{
	marshal__integer(exporting->stream, samples);
	marshal__integer(exporting->stream, samples);
	marshal__real(exporting->stream, own * exporting->unit);
	marshal__real(exporting->stream, total * exporting->unit);
}

/* --- Names. */

static const char *intern(struct exporting *exporting, const char *text)
{
	_cleanup_free_ char *valid = printable__utf8(text);

	return valid ? string_pool__intern(exporting->names, valid) : NULL;
}

/* Python's own name for what has no file is "~". */
static int identify(struct exporting *exporting, uint64_t value, struct identity *identity)
{
	const struct table_function *function = NULL;
	_cleanup_free_ char *label = NULL;
	int error;

	error = exporting->request->keys[0]->label(exporting->tables, value, &label);
	if (error)
		return error;
	if (value != VALUE_UNKNOWN && value != VALUE_NOT_SAMPLED)
		function = &exporting->tables->functions[value];
	identity->name = intern(exporting, label);
	identity->file = intern(exporting, !function	    ? "~"
					   : function->file ? function->file
							    : function->module);
	if (function && function->line != NO_VALUE)
		identity->line = function->line;
	return identity->name && identity->file ? 0 : -ENOMEM;
}

/* Two functions of one key would hide each other. The number is the node's, so that the next try is
 * nearly always the last. */
static int make_unique(struct exporting *exporting, struct tuple_set *taken,
		       struct identity *identity)
{
	size_t number = (size_t)(identity - exporting->identities);
	const char *name = identity->name;

	for (;; number++) {
		size_t before = tuple_set__count(taken);
		_cleanup_free_ char *text = NULL;
		uint32_t index;
		int error;

		error = tuple_set__add(taken,
				       (const uint64_t[]){(uintptr_t)identity->file,
							  (uint64_t)identity->line,
							  (uintptr_t)identity->name},
				       &index);
		if (error || index == before)
			return error;
		if (asprintf(&text, "%s #%zu", name, number) < 0)
			return -ENOMEM;
		identity->name = string_pool__intern(exporting->names, text);
		if (!identity->name)
			return -ENOMEM;
	}
}

static int identify_all(struct exporting *exporting)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	struct tuple_set *taken = tuple_set__new(3);
	int error = taken ? 0 : -ENOMEM;

	exporting->names = string_pool__new();
	exporting->identities = calloc(query__row_count(nodes) + 1, sizeof(*exporting->identities));
	if (!exporting->names || !exporting->identities)
		error = -ENOMEM;
	for (size_t i = 0; i < query__row_count(nodes) && !error; i++) {
		struct identity *identity = &exporting->identities[i];

		error = identify(exporting, query__value(nodes, query__row(nodes, i), 0), identity);
		if (!error)
			error = make_unique(exporting, taken, identity);
	}
	tuple_set__free(taken);
	return error;
}

/* --- Entries. */

static int put_remark(const struct exporting *exporting)
{
	struct identity remark = {.file = "~"};
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text,
		     "<estimates of pipescope: times are %s%s, ncalls are samples and no calls>",
		     exporting->request->metric->meaning,
		     metric__unit(exporting->request->metric) == UNIT_NANOSECONDS
			     ? ", shared out over samples"
			     : " and no seconds") < 0)
		return -ENOMEM;
	remark.name = text;
	put_identity(exporting->stream, &remark);
	marshal__tuple(exporting->stream, 5);
	put_figures(exporting, 0, 0, 0);
	marshal__dict(exporting->stream);
	marshal__end(exporting->stream);
	return 0;
}

/* Edges come sorted by callee: *next is the first that has not been written. */
static void put_entry(const struct exporting *exporting, uint32_t number, size_t *next)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	const struct query_row *row = query__row(nodes, number);

	put_identity(exporting->stream, &exporting->identities[number]);
	marshal__tuple(exporting->stream, 5);
	put_figures(exporting, graph__samples(exporting->request, &row->total),
		    query__measure(nodes, &row->own), query__measure(nodes, &row->total));
	marshal__dict(exporting->stream);
	for (; *next < graph__edge_count(exporting->graph); (*next)++) {
		const struct graph_edge *edge = graph__edge(exporting->graph, *next);

		if (edge->callee != number)
			break;
		put_identity(exporting->stream, &exporting->identities[edge->caller]);
		marshal__tuple(exporting->stream, 4);
		put_figures(exporting, edge->samples, edge->own, edge->total);
	}
	marshal__end(exporting->stream);
}

static int put_all(const struct exporting *exporting)
{
	size_t next = 0;
	int error;

	marshal__dict(exporting->stream);
	error = put_remark(exporting);
	for (uint32_t i = 0; i < query__row_count(graph__nodes(exporting->graph)) && !error; i++)
		put_entry(exporting, i, &next);
	marshal__end(exporting->stream);
	return error;
}

static int write_pstats(FILE *stream, struct tables *tables, const struct query_request *request)
{
	struct exporting exporting = {.stream = stream, .tables = tables, .request = request};
	int error;

	exporting.unit = metric__unit(request->metric) == UNIT_NANOSECONDS ? 1e-9 : 1;
	error = graph__build(tables, request, &exporting.graph);
	if (!error)
		error = identify_all(&exporting);
	if (!error)
		error = put_all(&exporting);
	graph__free(exporting.graph);
	string_pool__free(exporting.names);
	free(exporting.identities);
	return error ? error : ferror(stream) ? -EIO : 0;
}

static const char *refusal(const struct query_request *request)
{
	if (request->key_count == 1 && request->keys[0] != key__find("function"))
		return "pstats is made of functions: leave out --by";
	return graph__refusal(request);
}

const struct exporter pstats__exporter = {
	.name = "pstats",
	.suffix = ".prof",
	.viewers = "SnakeViz, python -m pstats",
	.binary = true,
	.complete = graph__complete,
	.refusal = refusal,
	.write = write_pstats,
};
