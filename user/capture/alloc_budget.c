// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/alloc_budget.h"

#include <math.h>

double alloc_budget__own(double cpu_ns, double spent_ns)
{
	double own = cpu_ns - spent_ns;

	return own > spent_ns / 100 ? own : spent_ns / 100;
}

double alloc_budget__left(const struct alloc_budget *budget)
{
	double own = alloc_budget__own(budget->cpu_ns, budget->most_ns);

	return own * budget->limit - budget->most_ns - budget->forgone_ns;
}

void alloc_budget__forgo(struct alloc_budget *budget, double credit_ns)
{
	budget->forgone_ns += fmax(alloc_budget__left(budget) - credit_ns, 0);
}

double alloc_budget__share(double slow_down, double limit)
{
	if (slow_down <= limit)
		return 1;
	return limit / (1 + limit) * (1 + slow_down) / slow_down;
}
