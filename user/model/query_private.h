/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a query share: query.c (request and rows), query_exact.c and query_samples.c
 * (which fill the rows), query_fields.c. */
#ifndef MODEL_QUERY_PRIVATE_H
#define MODEL_QUERY_PRIVATE_H

#include "model/places.h"
#include "model/query.h"

/* Of what one figure of the tables is: an index per scope, NO_INDEX where it has none. */
struct fact {
	uint32_t at[SCOPE_NODE];
};

struct query {
	struct tables *tables;
	struct query_request request;
	struct places places;
	bool estimated, details;
	bool knows[SOURCE_COUNT];
	bool by_scope[SCOPE_COUNT]; /* a key of the request has this scope */

	struct tuple_set *prefixes; /* values of the keys that are no where-keys */
	struct tuple_set *row_set; /* (prefix, place) */
	struct query_row *rows;
	size_t row_count, row_capacity;
	struct query_details *row_details;
	size_t details_capacity;
	struct query_part *parts; /* the first is nobody's: 0 ends a row's list */
	size_t part_count, part_capacity;

	bool *passes[SCOPE_NODE]; /* per index; NULL: no filter */
	bool unknown_passes[SCOPE_NODE];
};

/* Whether the filters by who, when and what let it pass. */
bool query__passes(const struct query *query, const struct fact *fact);

/* Each adds what is not there yet. -ENOMEM, -EOVERFLOW. */
int query__prefix_of(struct query *query, const struct fact *fact, uint32_t *ret_prefix);
int query__row_of(struct query *query, uint32_t prefix, uint32_t place, uint32_t *ret_row);

/* Adds to a row's part, which is made when it is new. -ENOMEM. */
int query__add_part(struct query *query, uint32_t row, enum query_part_kind kind, uint32_t item,
		    double own, double total);

/* Whether the exact sum is shared out over samples, or passes no filter as not sampled: then it is
 * not added as it is. */
bool query__shares_out(const struct query *query, uint32_t pool, uint32_t share);

/* query_exact.c: what was counted, and is not shared out. -ENOMEM, -EBADMSG, -EIO. */
int query__add_exact(struct query *query);

/* query_samples.c: samples, and the exact sums that are shared out over them. -ENOMEM. */
int query__add_samples(struct query *query);

#endif
