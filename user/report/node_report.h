/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node over time, as a table, JSON or CSV. */
#ifndef REPORT_NODE_REPORT_H
#define REPORT_NODE_REPORT_H

#include <stdio.h>

#include "model/node.h"
#include "model/summary.h"

#define NODE_TEXT_ROWS 60 /* unless it is said how many */

/* Each returns 0, -ENOMEM or -EIO. */
int node_report__text(FILE *stream, const struct summary *summary, const struct node *node,
		      size_t width);
int node_report__json(FILE *stream, const struct summary *summary, const struct node *node);
int node_report__csv(FILE *stream, const struct node *node);

#endif
