/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node over time: how much was going on at once, slice by slice. */
#ifndef MODEL_NODE_H
#define MODEL_NODE_H

#include <stddef.h>

#include "model/query.h"

/* A process is busy in a slice when it used at least this much of a CPU. */
#define NODE_BUSY 0.1

/* Figures are means over the time of the row, all exact; but a quantum's clock is its mean. */
enum node_figure {
	NODE_PROCESSES, /* alive at once */
	NODE_TASKS, /* … of these, those that a rule has named */
	NODE_QUANTA, /* at once */
	NODE_BUSY_PROCESSES,
	NODE_CPUS, /* CPU time per time */
	NODE_READY, /* threads in the run queue, throttled ones too */
	NODE_WAITING, /* threads that waited for anything else; the idle ones of pools left out */
	NODE_IO, /* threads in operations on files and sockets */
	NODE_READ,
	NODE_WRITTEN, /* bytes per second */
	NODE_OPS, /* operations per second */
	NODE_CLOCK, /* GHz: of the quanta that ran, by their CPU time; NAN: of none it is known */
	NODE_FIGURES
};

struct node_row {
	double start_s, end_s;
	double figures[NODE_FIGURES];
	double clocked_ns; /* CPU time of which the clock is known */
};

struct node {
	struct node_row *rows; /* in the order of time */
	size_t count;
	struct node_row mean, most; /* over all of it; of the rows */
	bool knows[NODE_FIGURES]; /* was recorded */
};

/* In words why these filters have no meaning here; NULL: they have. */
const char *node__refusal(const struct query_request *request);

/* Adds up what passes the filters of the request; consecutive slices are put together so that there
 * are at most `most` rows (0: one per slice). -ENOMEM. */
int node__run(struct tables *tables, const struct query_request *request, size_t most,
	      struct node **ret_node);
void node__free(struct node *node); /* NULL is accepted */

/* What a figure is called in JSON. Static. */
const char *node__name(enum node_figure figure);

#endif
