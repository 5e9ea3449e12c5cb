/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each quantum used: all that is known of it as figures with names, and how a figure differs
 * among quanta. */
#ifndef MODEL_QUANTUM_RESOURCES_H
#define MODEL_QUANTUM_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/tables.h"

enum resource_unit { UNIT_SECONDS, UNIT_OF_BYTES, UNIT_NUMBER, UNIT_RATIO, UNIT_SHARE };

struct resource_figure {
	const char *name; /* of its field; with the tables' life */
	const char *title; /* for people */
	enum resource_unit unit;
	bool is_detail; /* struct query_details has it of every row */
};

/* How a figure differs from quantum to quantum. */
struct resource_spread {
	uint32_t count; /* of quanta that have it; 0: the others mean nothing */
	double mean, median, p95, most;
};

struct resource_set;

/* The tables must outlive it. -ENOMEM. */
int resource_set__new(struct tables *tables, struct resource_set **ret_set);
void resource_set__free(struct resource_set *set); /* NULL is accepted */

size_t resource_set__count(const struct resource_set *set);
const struct resource_figure *resource_set__figure(const struct resource_set *set, size_t figure);
/* quantum: index of tables.quanta. NAN: not known. */
double resource_set__value(const struct resource_set *set, size_t figure, uint32_t quantum);

/* Over `count` quanta; those that were not seen from beginning to end are left out. -ENOMEM. */
int resource_set__spread(const struct resource_set *set, size_t figure, const uint32_t *quanta,
			 size_t count, struct resource_spread *ret_spread);

#endif
