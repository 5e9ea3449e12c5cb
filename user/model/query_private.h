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

/* A quantum that counts for a row, by the order of creation. */
struct row_quantum {
	uint32_t row, quantum;
};

struct query {
	struct tables *tables;
	struct query_request request;
	struct places places;
	bool estimated, details;
	bool knows[SOURCE_COUNT];
	bool has_live;
	bool by_scope[SCOPE_COUNT]; /* a key of the request has this scope */

	struct tuple_set *prefixes; /* values of the keys that are no where-keys */
	struct tuple_set *row_set; /* (prefix, place) */
	struct query_row *rows;
	size_t row_count, row_capacity;
	struct query_details *row_details;
	size_t details_capacity;
	bool storage; /* rows have storage; in the order of their creation */
	struct query_storage *row_storage;
	size_t storage_count, storage_capacity;
	struct query_part *parts; /* the first is nobody's: 0 ends a row's list */
	size_t part_count, part_capacity;

	struct row_quantum *row_quanta;
	size_t row_quanta_count, row_quanta_capacity;
	uint32_t *quanta; /* those of a row together; NULL: nothing is known of what they used */
	struct resource_set *resources; /* likewise */

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

/* Whether what is no request counts too: without the key nobody could tell it apart, and its time
 * contains that of requests. */
bool query__counts_ceph(const struct query *query, uint32_t op);

/* query_exact.c: what was counted, and is not shared out. -ENOMEM, -EBADMSG, -EIO. */
int query__add_exact(struct query *query);

/* query_quanta.c: notes that a quantum counts for a row, with details; when all are noted, looks up
 * what they used; and the fields of that. -ENOMEM. */
int query__note_quantum(struct query *query, uint32_t row, uint32_t quantum);
int query__settle_quanta(struct query *query);
int query__describe_quanta(const struct query *query, const struct query_row *row, bool by_quantum,
			   struct field_list *list);

/* query_samples.c: samples, and the exact sums that are shared out over them. -ENOMEM. */
int query__add_samples(struct query *query);

#endif
