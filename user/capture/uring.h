/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracepoints whose names or arguments differ between kernels, as the kernel's types tell. */
#ifndef CAPTURE_URING_H
#define CAPTURE_URING_H

#include <stdbool.h>

struct uring_points {
	bool complete; /* a request is told when it is complete */
	bool entry; /* its result lies in the completion's entry */
	const char *submit; /* the tracepoint that tells of a new one; static, NULL: none */
	bool faults; /* faults on mapped files are told */
};

/* What this kernel has; all false when its types cannot be read. */
struct uring_points uring__find(void);

#endif
