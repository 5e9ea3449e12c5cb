/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's own types (BTF) tell: where per-CPU variables lie, and which members there are.
 */
#ifndef CAPTURE_PERCPU_H
#define CAPTURE_PERCPU_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes from a CPU's run queue to its preempt_count, which tells whether it is in an interrupt; the
 * same for every CPU. 0: not known. */
int64_t percpu__preempt_count(void);

/* Those bits of it: some kernels also count in it how often interrupts were switched off. */
uint32_t percpu__interrupt_bits(void);

/* Whether tasks may be preempted in the tracepoints of system calls, as since Linux 7.0. */
bool percpu__preemptible_calls(void);

/* Whether a structure of the kernel has a member of this name. */
bool percpu__has_member(const char *structure, const char *member);

#endif
