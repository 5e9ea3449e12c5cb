/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts calls at breakpoints. When its process ends, however it ends, the kernel takes the
 * breakpoints away. */
#ifndef CAPTURE_CALL_COUNTER_H
#define CAPTURE_CALL_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"
#include "capture/call_targets.h"

struct call_counter;

struct call_count {
	struct ps_calls_function function;
	struct ps_calls_sum sum; /* since call_counter__zero */
};

/* Loads and attaches; what a breakpoint costs is measured on the way, on a function of our own.
 * targets are borrowed. -EPERM: not root; the kernel's errors. */
int call_counter__new(const struct call_targets *targets, struct call_counter **ret_counter);
void call_counter__free(struct call_counter *counter); /* NULL is accepted */

/* Whether calls inside of an interpreter's loop are estimated: CPython 3.11 and later. */
bool call_counter__samples(const struct call_counter *counter);

/* Breakpoints that the kernel refused, of those that only tell times. */
size_t call_counter__refused(const struct call_counter *counter);

/* CPU time that a breakpoint costs, ns. */
double call_counter__cost_ns(const struct call_counter *counter);

/* By enum ps_calls_counter, from the beginning. */
int call_counter__counters(const struct call_counter *counter, uint64_t *ret_values);

/* Figures are counted from here on. */
int call_counter__zero(struct call_counter *counter);

/* This function is not asked for: it is no longer counted. */
int call_counter__ignore(struct call_counter *counter, const struct ps_calls_function *function);

/* All functions met so far, malloc'ed. */
int call_counter__read(struct call_counter *counter, struct call_count **ret_counts,
		       size_t *ret_count);

/* No breakpoint is left. */
void call_counter__detach(struct call_counter *counter);

#endif
