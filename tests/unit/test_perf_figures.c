// SPDX-License-Identifier: GPL-2.0-or-later
// Links: model store symbols base
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "model/perf_figures.h"

static void is_near(double value, double wanted)
{
	if (fabs(value - wanted) > fabs(wanted) * 1e-12)
		fail_msg("%.17g instead of %.17g", value, wanted);
}

/* 2 s on the CPU at 3 GHz, 0.5 instructions per cycle. */
static struct perf_values measured(void)
{
	static const struct {
		enum ps_perf_counter counter;
		uint64_t value;
	} counts[] = {
		{PS_PERF_TASK_CLOCK, 2000000000},   {PS_PERF_CYCLES, 6000000000},
		{PS_PERF_INSTRUCTIONS, 3000000000}, {PS_PERF_LLC_LOADS, 40000000},
		{PS_PERF_LLC_MISSES, 9000000},	    {PS_PERF_BRANCHES, 600000000},
		{PS_PERF_BRANCH_MISSES, 12000000},  {PS_PERF_L1D_LOADS, 900000000},
		{PS_PERF_L1D_MISSES, 45000000},
	};
	struct perf_values values;

	perf_values__clear(&values);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		perf_values__take(&values, counts[i].counter, counts[i].value, 2000000000,
				  2000000000);
	return values;
}

static void derived(void **state)
{
	struct perf_values values = measured();

	(void)state;
	is_near(perf_figure__of(PERF_FIGURE_GHZ, &values), 3);
	is_near(perf_figure__of(PERF_FIGURE_IPC, &values), 0.5);
	is_near(perf_figure__of(PERF_FIGURE_LLC_MISSES_PER_KI, &values), 3);
	is_near(perf_figure__of(PERF_FIGURE_LLC_MISS_SHARE, &values), 0.225);
	is_near(perf_figure__of(PERF_FIGURE_BRANCH_MISSES_PER_KI, &values), 4);
	is_near(perf_figure__of(PERF_FIGURE_BRANCH_MISS_SHARE, &values), 0.02);
	is_near(perf_figure__of(PERF_FIGURE_L1D_MISSES_PER_KI, &values), 15);
	is_near(perf_figure__of(PERF_FIGURE_L1D_MISS_SHARE, &values), 0.05);
}

/* A counter that counted a quarter of the time counts for four. */
static void multiplexed(void **state)
{
	struct perf_values values = measured();

	(void)state;
	perf_values__take(&values, PS_PERF_LLC_MISSES, 2250000, 2000000000, 500000000);
	is_near(values.share[PS_PERF_LLC_MISSES], 0.25);
	is_near(values.value[PS_PERF_LLC_MISSES], 9e6);
	is_near(perf_figure__of(PERF_FIGURE_LLC_MISS_SHARE, &values), 0.225);
	/* Read in between, they may differ by a little the wrong way. */
	perf_values__take(&values, PS_PERF_CYCLES, 100, 1000, 1001);
	is_near(values.value[PS_PERF_CYCLES], 100);
}

/* What is not known makes nothing known. */
static void not_counted(void **state)
{
	struct perf_values values;

	(void)state;
	perf_values__clear(&values);
	for (int i = 0; i < PERF_FIGURE_COUNT; i++)
		assert_true(isnan(perf_figure__of((enum perf_figure)i, &values)));
	/* It never had its turn: that is not 0. */
	perf_values__take(&values, PS_PERF_CYCLES, 0, 2000, 0);
	assert_true(isnan(values.value[PS_PERF_CYCLES]));
	assert_true(values.share[PS_PERF_CYCLES] == 0);
	/* Never on a CPU: 0, and no share of it. */
	perf_values__take(&values, PS_PERF_CYCLES, 0, 0, 0);
	perf_values__take(&values, PS_PERF_INSTRUCTIONS, 0, 0, 0);
	assert_true(values.value[PS_PERF_CYCLES] == 0);
	assert_true(isnan(perf_figure__of(PERF_FIGURE_IPC, &values)));
	/* Instructions without cycles have no IPC. */
	values = measured();
	values.value[PS_PERF_CYCLES] = NAN;
	assert_true(isnan(perf_figure__of(PERF_FIGURE_IPC, &values)));
	assert_true(isnan(perf_figure__of(PERF_FIGURE_GHZ, &values)));
	is_near(perf_figure__of(PERF_FIGURE_LLC_MISS_SHARE, &values), 0.225);
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < PS_PERF_COUNT; i++)
		assert_int_equal(perf_values__find(perf_values__name((enum ps_perf_counter)i)), i);
	assert_int_equal(perf_values__find("of a later version"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derived),
		cmocka_unit_test(multiplexed),
		cmocka_unit_test(not_counted),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
