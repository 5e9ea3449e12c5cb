/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process beside the recorder that takes away the breakpoints which a recorder leaves when it is
 * killed while it sets or removes them: the kernel then gives up half-way (its pages are not to be
 * had with a fatal signal pending), and every hit goes on to cost a trap, with nobody to count it.
 * Setting and removing any breakpoint at the same place has the kernel remove what nobody wants. */
#ifndef CAPTURE_BREAKPOINT_GUARD_H
#define CAPTURE_BREAKPOINT_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct breakpoint_guard;

/* Forks: before any breakpoint is set. A negative errno. */
int breakpoint_guard__start(struct breakpoint_guard **ret_guard);

/* Before breakpoints are set at these offsets of a file. Each place of a file is kept once, by
 * whatever path it is found; the file stays, for the guard has a descriptor of it. What is too much
 * (65,536 places, 4,096 files) has no guard, which is said once. -ENOMEM. */
int breakpoint_guard__note(struct breakpoint_guard *guard, const char *path,
			   const uint64_t *offsets, size_t count);

/* All breakpoints have been removed. NULL is accepted. */
void breakpoint_guard__free(struct breakpoint_guard *guard);

#endif
