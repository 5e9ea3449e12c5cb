/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What counters of the CPU say together. */
#ifndef MODEL_PERF_FIGURES_H
#define MODEL_PERF_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "perf_events.h"

/* By enum ps_perf_counter; NAN: not counted. */
struct perf_values {
	double value[PS_PERF_COUNT]; /* scaled to the whole CPU time */
	double share[PS_PERF_COUNT]; /* of the time in which it counted: below 1 it is estimated */
};

/* X(NAME, "name", "unit", "meaning"); a unit of "" stands for a plain ratio, "%" for a share of 1.
 */
#define PERF_FIGURES(X)                                                                            \
	X(GHZ, "ghz", "GHz", "clock while it ran: cycles / task_clock")                            \
	X(IPC, "ipc", "", "instructions per cycle")                                                \
	X(LLC_MISSES_PER_KI, "llc_misses_per_ki", "", "LLC misses per 1,000 instructions")         \
	X(LLC_MISS_SHARE, "llc_miss_share", "%", "LLC misses / LLC loads")                         \
	X(BRANCH_MISSES_PER_KI, "branch_misses_per_ki", "",                                        \
	  "branch misses per 1,000 instructions")                                                  \
	X(BRANCH_MISS_SHARE, "branch_miss_share", "%", "branch misses / branches")                 \
	X(L1D_MISSES_PER_KI, "l1d_misses_per_ki", "", "L1 data misses per 1,000 instructions")     \
	X(L1D_MISS_SHARE, "l1d_miss_share", "%", "L1 data misses / L1 data loads")

enum perf_figure {
#define X(id, name, unit, meaning) PERF_FIGURE_##id,
	PERF_FIGURES(X)
#undef X
		PERF_FIGURE_COUNT
};

/* Nothing counted. */
void perf_values__clear(struct perf_values *values);

/* Takes one counter. A counter that never had its turn is not known. */
void perf_values__take(struct perf_values *values, enum ps_perf_counter counter, uint64_t value,
		       uint64_t enabled_ns, uint64_t running_ns);

/* -1: there is no counter of this name. */
int perf_values__find(const char *name);

/* Names are static. */
const char *perf_values__name(enum ps_perf_counter counter);
const char *perf_figure__name(enum perf_figure figure);
const char *perf_figure__unit(enum perf_figure figure);

/* Whether what it needs is among the counters. */
bool perf_figure__has_all(enum perf_figure figure, const bool counted[PS_PERF_COUNT]);

/* NAN: what it needs was not counted, or is 0. */
double perf_figure__of(enum perf_figure figure, const struct perf_values *values);

#endif
