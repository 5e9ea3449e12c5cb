/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Collapsed" stacks, the input of flame graph tools: "task;frame;frame count", outermost frame
 * first. */
#ifndef EXPORT_COLLAPSED_H
#define EXPORT_COLLAPSED_H

#include <stdio.h>

#include "model/keys.h"
#include "model/tables.h"

/* Counts are in the metric's unit, times in microseconds, rounded; lines that round to 0 are left
 * out. Stacks of waits end with what was waited for, those of operations with the operation, as
 * "[lock]", "[read]". ';' in a name becomes ':', control characters are escaped. -EINVAL:
 * metric->only_exact; -ENOMEM, -EIO, -EBADMSG. */
int collapsed__print(FILE *stream, struct tables *tables, const struct metric *metric);

#endif
