/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "where" of a query: which place (tuple of the values of its where-keys) each node of the
 * stack tree stands for, and which nodes the filters let pass. */
#ifndef MODEL_PLACES_H
#define MODEL_PLACES_H

#include "model/query.h"
#include "model/tables.h"
#include "model/tuples.h"

struct places {
	size_t width; /* where-keys; 0: everything is at place 0 */
	bool totals; /* figures with callees make sense for these keys */
	struct tuple_set *tuples; /* of places; NULL when width is 0 */
	uint32_t *of_node; /* place of a sample whose stack ends at the node */
	bool *counted; /* with totals: the node is the place's outermost on its path */
	bool *passes; /* NULL: no filters; a sample whose stack ends at the node passes */
	uint32_t unknown, not_sampled; /* places of what has no stack */
	bool unknown_passes, not_sampled_passes;
};

/* -ENOMEM. request is only read during the call. */
int places__build(struct tables *tables, const struct query_request *request,
		  struct places *ret_places);
void places__clear(struct places *places);

#endif
