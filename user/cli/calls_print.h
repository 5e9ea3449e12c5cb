/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How `pipescope calls` shows what it has counted. */
#ifndef CLI_CALLS_PRINT_H
#define CLI_CALLS_PRINT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "calls.h"

struct calls_row {
	const char *name, *module;
	pid_t pid;
	int64_t line; /* 0: native */
	struct ps_calls_sum sum;
	bool unwatched; /* it has ways out that are not watched */
};

struct calls_figures {
	const struct calls_row *rows;
	size_t count;
	double seconds;
	const char *ended; /* why */
	double breakpoint_ns;
	bool sampled; /* the share of calls that are not seen is estimated */
};

/* All return 0, -ENOMEM, or -EIO: the stream failed. */
int calls_print__text(FILE *stream, const struct calls_figures *figures);
int calls_print__json(FILE *stream, const struct calls_figures *figures);
/* For pstats: {(file, line, function): (calls, of these recursive left out; seconds)}; the
 * processes of one function together. */
int calls_print__pstats(FILE *stream, const struct calls_figures *figures);

#endif
