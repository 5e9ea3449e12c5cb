// SPDX-License-Identifier: GPL-2.0-or-later
/* Statistics as Python's profilers save them: one dictionary in the form of Python's module
 * marshal, {(file, line, name): (calls without recursion, calls, own s, s with callees, callers)},
 * callers: the same by caller. A sampling profiler knows no calls: their number is that of samples,
 * and an entry of its own says so. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/strings.h"
#include "export/exporter.h"
#include "export/graph.h"
#include "report/printable.h"

/* Of marshal's version 2, which every Python 3 reads. */
enum {
	TYPE_DICT = '{',
	TYPE_TUPLE = '(',
	TYPE_TEXT = 'u', /* UTF-8 */
	TYPE_INT = 'i', /* 32 bits */
	TYPE_LONG = 'l', /* digits of 15 bits */
	TYPE_FLOAT = 'g', /* 8 bytes */
	TYPE_END = '0' /* of a dictionary */
};

#define LONG_DIGIT_BITS 15

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

static void put_u32(FILE *stream, uint32_t value)
{
	value = htole32(value);
	fwrite(&value, sizeof(value), 1, stream);
}

/* Not negative. */
static void put_integer(FILE *stream, int64_t value)
{
	uint64_t rest = value > 0 ? (uint64_t)value : 0;
	uint32_t digits = 0;

	if (rest <= INT32_MAX) {
		fputc(TYPE_INT, stream);
		put_u32(stream, (uint32_t)rest);
		return;
	}
	for (uint64_t left = rest; left; left >>= LONG_DIGIT_BITS)
		digits++;
	fputc(TYPE_LONG, stream);
	put_u32(stream, digits);
	for (; rest; rest >>= LONG_DIGIT_BITS) {
		uint16_t digit = htole16(rest & ((1U << LONG_DIGIT_BITS) - 1));

		fwrite(&digit, sizeof(digit), 1, stream);
	}
}

static void put_real(FILE *stream, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = htole64(bits);
	fputc(TYPE_FLOAT, stream);
	fwrite(&bits, sizeof(bits), 1, stream);
}

static void put_text(FILE *stream, const char *text)
{
	size_t size = strlen(text);

	if (size > INT32_MAX)
		size = 0;
	fputc(TYPE_TEXT, stream);
	put_u32(stream, (uint32_t)size);
	fwrite(text, 1, size, stream);
}

static void put_tuple(FILE *stream, uint32_t count)
{
	fputc(TYPE_TUPLE, stream);
	put_u32(stream, count);
}

static void put_identity(FILE *stream, const struct identity *identity)
{
	put_tuple(stream, 3);
	put_text(stream, identity->file);
	put_integer(stream, identity->line);
	put_text(stream, identity->name);
}

/* The first four of an entry. */
static void put_figures(const struct exporting *exporting, int64_t samples, double own,
			double total)
{
	put_integer(exporting->stream, samples);
	put_integer(exporting->stream, samples);
	put_real(exporting->stream, own * exporting->unit);
	put_real(exporting->stream, total * exporting->unit);
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
	put_tuple(exporting->stream, 5);
	put_figures(exporting, 0, 0, 0);
	fputc(TYPE_DICT, exporting->stream);
	fputc(TYPE_END, exporting->stream);
	return 0;
}

/* Edges come sorted by callee: *next is the first that has not been written. */
static void put_entry(const struct exporting *exporting, uint32_t number, size_t *next)
{
	const struct query *nodes = graph__nodes(exporting->graph);
	const struct query_row *row = query__row(nodes, number);

	put_identity(exporting->stream, &exporting->identities[number]);
	put_tuple(exporting->stream, 5);
	put_figures(exporting, graph__samples(exporting->request, &row->total),
		    query__measure(nodes, &row->own), query__measure(nodes, &row->total));
	fputc(TYPE_DICT, exporting->stream);
	for (; *next < graph__edge_count(exporting->graph); (*next)++) {
		const struct graph_edge *edge = graph__edge(exporting->graph, *next);

		if (edge->callee != number)
			break;
		put_identity(exporting->stream, &exporting->identities[edge->caller]);
		put_tuple(exporting->stream, 4);
		put_figures(exporting, edge->samples, edge->own, edge->total);
	}
	fputc(TYPE_END, exporting->stream);
}

static int put_all(const struct exporting *exporting)
{
	size_t next = 0;
	int error;

	fputc(TYPE_DICT, exporting->stream);
	error = put_remark(exporting);
	for (uint32_t i = 0; i < query__row_count(graph__nodes(exporting->graph)) && !error; i++)
		put_entry(exporting, i, &next);
	fputc(TYPE_END, exporting->stream);
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
