// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/perf_figures.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {
#define X(id, name, type, config, meaning) [PS_PERF_##id] = name,
	PS_PERF_COUNTERS(X)
#undef X
};

static const struct {
	const char *name, *unit;
} figures[] = {
#define X(id, text, its_unit, meaning) [PERF_FIGURE_##id] = {text, its_unit},
	PERF_FIGURES(X)
#undef X
};

/* figure = of / per * times */
static const struct {
	enum ps_perf_counter of, per;
	double times;
} formulas[] = {
	[PERF_FIGURE_GHZ] = {PS_PERF_CYCLES, PS_PERF_TASK_CLOCK, 1},
	[PERF_FIGURE_IPC] = {PS_PERF_INSTRUCTIONS, PS_PERF_CYCLES, 1},
	[PERF_FIGURE_LLC_MISSES_PER_KI] = {PS_PERF_LLC_MISSES, PS_PERF_INSTRUCTIONS, 1000},
	[PERF_FIGURE_LLC_MISS_SHARE] = {PS_PERF_LLC_MISSES, PS_PERF_LLC_LOADS, 1},
	[PERF_FIGURE_BRANCH_MISSES_PER_KI] = {PS_PERF_BRANCH_MISSES, PS_PERF_INSTRUCTIONS, 1000},
	[PERF_FIGURE_BRANCH_MISS_SHARE] = {PS_PERF_BRANCH_MISSES, PS_PERF_BRANCHES, 1},
	[PERF_FIGURE_L1D_MISSES_PER_KI] = {PS_PERF_L1D_MISSES, PS_PERF_INSTRUCTIONS, 1000},
	[PERF_FIGURE_L1D_MISS_SHARE] = {PS_PERF_L1D_MISSES, PS_PERF_L1D_LOADS, 1},
};

void perf_values__clear(struct perf_values *values)
{
	for (int i = 0; i < PS_PERF_COUNT; i++)
		values->value[i] = values->share[i] = NAN;
}

void perf_values__take(struct perf_values *values, enum ps_perf_counter counter, uint64_t value,
		       uint64_t enabled_ns, uint64_t running_ns)
{
	double share = enabled_ns ? (double)running_ns / (double)enabled_ns : 1;

	if (share > 1)
		share = 1;
	values->share[counter] = share;
	values->value[counter] = share > 0 ? (double)value / share : NAN;
}

int perf_values__find(const char *name)
{
	for (int i = 0; i < PS_PERF_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *perf_values__name(enum ps_perf_counter counter)
{
	return names[counter];
}

const char *perf_figure__name(enum perf_figure figure)
{
	return figures[figure].name;
}

const char *perf_figure__unit(enum perf_figure figure)
{
	return figures[figure].unit;
}

bool perf_figure__has_all(enum perf_figure figure, const bool counted[PS_PERF_COUNT])
{
	return counted[formulas[figure].of] && counted[formulas[figure].per];
}

double perf_figure__of(enum perf_figure figure, const struct perf_values *values)
{
	double of = values->value[formulas[figure].of], per = values->value[formulas[figure].per];

	return per > 0 ? of / per * formulas[figure].times : NAN;
}
