/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much counting allocations may cost; no thread, no clock. */
#ifndef CAPTURE_ALLOC_BUDGET_H
#define CAPTURE_ALLOC_BUDGET_H

/* CPU time of all processes and what of it was spent, ns. */
struct alloc_budget {
	double limit; /* of the processes' own time; 0.2: a fifth */
	double cpu_ns, spent_ns;
	double most_ns; /* that may have been spent: what counts for the limit */
	double forgone_ns; /* not spent while it could be */
};

/* CPU time without that of counting, both in ns. What little is left beside it may be less than its
 * error. */
double alloc_budget__own(double cpu_ns, double spent_ns);
/* What may still be spent. */
double alloc_budget__left(const struct alloc_budget *budget);
/* No more than credit_ns is saved: who has computed for an hour would pay for it in minutes. */
void alloc_budget__forgo(struct alloc_budget *budget, double credit_ns);
/* The share of the time in which an open window, which makes processes slower by slow_down (1:
 * twice as slow), costs them limit on the whole; 1: always. */
double alloc_budget__share(double slow_down, double limit);

#endif
