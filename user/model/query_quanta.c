// SPDX-License-Identifier: GPL-2.0-or-later
/* Quanta of a query's rows, and what they used. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/query_private.h"

int query__note_quantum(struct query *query, uint32_t row, uint32_t quantum)
{
	int error = array__reserve(&query->row_quanta, &query->row_quanta_capacity,
				   sizeof(*query->row_quanta), query->row_quanta_count + 1);

	if (!error)
		query->row_quanta[query->row_quanta_count++] =
			(struct row_quantum){.row = row, .quantum = quantum};
	return error;
}

static int by_row(const void *one, const void *other)
{
	const struct row_quantum *a = one, *b = other;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return a->quantum < b->quantum ? -1 : a->quantum > b->quantum;
}

int query__settle_quanta(struct query *query)
{
	size_t count = query->row_quanta_count;

	if (!count || !query->tables->resource_count)
		return 0;
	qsort(query->row_quanta, count, sizeof(*query->row_quanta), by_row);
	query->quanta = calloc(count, sizeof(*query->quanta));
	if (!query->quanta)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint32_t row = query->row_quanta[i].row;

		query->quanta[i] = query->row_quanta[i].quantum;
		if (!i || query->row_quanta[i - 1].row != row)
			query->row_details[row].first_quantum = i;
	}
	return resource_set__new(query->tables, &query->resources);
}

const struct resource_set *query__resources(const struct query *query)
{
	return query->resources;
}

const uint32_t *query__quanta(const struct query *query, const struct query_row *row,
			      size_t *ret_count)
{
	const struct query_details *details = query__details(query, row);

	*ret_count = query->quanta && details ? details->quanta : 0;
	return *ret_count ? query->quanta + details->first_quantum : NULL;
}

/* --- fields */

static void add_value(struct field_list *list, const char *name, enum resource_unit unit,
		      double value)
{
	if (isnan(value))
		field_list__null(list, name);
	else if ((unit == UNIT_NUMBER || unit == UNIT_OF_BYTES) && value == floor(value) &&
		 value < 9e18)
		field_list__integer(list, name, (int64_t)value);
	else
		field_list__real(list, name, value);
}

/* The quantum's own figures; of rows that are none, nothing is known. */
static void describe_one(const struct resource_set *set, const uint32_t *quanta, size_t count,
			 struct field_list *list)
{
	for (size_t i = 0; i < resource_set__count(set); i++) {
		const struct resource_figure *figure = resource_set__figure(set, i);

		if (!figure->is_detail)
			add_value(list, figure->name, figure->unit,
				  count == 1 ? resource_set__value(set, i, quanta[0]) : NAN);
	}
}

static int describe_spread(struct tables *tables, const struct resource_figure *figure,
			   const struct resource_spread *spread, struct field_list *list)
{
	static const char *const parts[] = {"count", "mean", "median", "p95", "max"};
	const double values[] = {spread->count, spread->mean, spread->median, spread->p95,
				 spread->most};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char text[256];
		const char *name;

		snprintf(text, sizeof(text), "quantum_%s_%s", figure->name, parts[i]);
		name = tables__intern(tables, text);
		if (!name)
			return -ENOMEM;
		add_value(list, name, i ? figure->unit : UNIT_NUMBER,
			  i && !spread->count ? NAN : values[i]);
	}
	return 0;
}

int query__describe_quanta(const struct query *query, const struct query_row *row, bool by_quantum,
			   struct field_list *list)
{
	const struct resource_set *set = query->resources;
	struct resource_spread spread;
	const uint32_t *quanta;
	size_t count;
	int error = 0;

	if (!set)
		return 0;
	quanta = query__quanta(query, row, &count);
	if (by_quantum) {
		describe_one(set, quanta, count, list);
		return 0;
	}
	for (size_t i = 0; i < resource_set__count(set) && !error; i++) {
		error = resource_set__spread(set, i, quanta, count, &spread);
		if (!error)
			error = describe_spread(query->tables, resource_set__figure(set, i),
						&spread, list);
	}
	return error;
}
