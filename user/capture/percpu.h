/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel's per-CPU variables lie, by its own types (BTF) or symbols. */
#ifndef CAPTURE_PERCPU_H
#define CAPTURE_PERCPU_H

#include <stdint.h>

/* Bytes from a CPU's run queue to its preempt_count, which tells whether it is in an interrupt; the
 * same for every CPU. 0: not known. */
int64_t percpu__preempt_count(void);

#endif
