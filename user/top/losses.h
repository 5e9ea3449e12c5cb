/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorder's counters, summed over the recorders that followed each other. */
#ifndef TOP_LOSSES_H
#define TOP_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/summary.h"
#include "report/grid.h"

struct losses_counter {
	char *name, *meaning;
	int64_t before, now; /* of earlier recorders, of this one */
	bool loss;
};

/* Starts zeroed. */
struct losses {
	struct losses_counter *counters;
	size_t count, capacity;
	uint64_t generation;
	double unseen_s; /* between two recorders */
	int64_t restarts;
};

int losses__take(struct losses *losses, const struct summary *summary, uint64_t generation);
void losses__clear(struct losses *losses);

/* "nothing lost", or what was; malloc'ed. NULL: no memory. */
char *losses__line(const struct losses *losses);
/* Whether that line is bad news. */
bool losses__any(const struct losses *losses);

/* All that were counted, with their meanings; the grid starts zeroed. */
void losses__table(const struct losses *losses, struct grid *grid);

#endif
