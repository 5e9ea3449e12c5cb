/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory processes had over time. A recording tells it where it changed. */
#ifndef MODEL_MEM_LEVELS_H
#define MODEL_MEM_LEVELS_H

#include "model/tables.h"

/* The process of `epoch`, which was its epoch then, had so much at the ends of slices `first` to
 * `last`. Other than 0: stop, and return it. */
typedef int mem_levels_take(void *context, uint32_t epoch, uint32_t first, uint32_t last,
			    const double bytes[LEVEL_COUNT]);

/* Every process at every slice's end of which it is known, each once. -ENOMEM. */
int mem_levels__each(const struct tables *tables, mem_levels_take *take, void *context);

/* All processes together: LEVEL_COUNT numbers of each slice, malloc'ed. NULL: no memory. */
double *mem_levels__by_slice(const struct tables *tables);

#endif
