/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --by, --metric and --where: the same words with the same meaning in every command that reads a
 * recording. What is wrong ends the program by argp_error(). */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include <argp.h>

#include "model/query.h"

#define SELECTION_FIELDS (QUERY_MAX_KEYS + QUERY_MAX_FILTERS)
#define SELECTION_NAME	 80 /* bytes of a key's name */

/* Not to be copied: the request points into it. Texts are borrowed from the command line. */
struct selection {
	struct query_request request;
	struct key fields[SELECTION_FIELDS]; /* keys dataid.FIELD */
	char names[SELECTION_FIELDS][SELECTION_NAME];
	size_t field_count;
	bool may_be_node; /* set by commands that know --by node */
	bool by_node; /* the node over time; then there are no keys */
	bool torn; /* --by torn: the list of torn files */
	bool alloc; /* --by alloc: allocations */
};

/* A child of a command's argp; its input is a struct selection. Whether the parts have a meaning
 * together is the command's to ask, when all is read. */
extern const struct argp selection__argp;

/* "KEY=VALUE", for a command that takes --where alone. */
void selection__where(struct argp_state *state, struct selection *selection, char *argument);

/* The key of that name, of the table or of a field of quanta's data; NULL: there is none. */
const struct key *selection__key(struct selection *selection, const char *name);

#endif
