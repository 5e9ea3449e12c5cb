/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Collapsed" stacks, the input of flame graph tools: "task;frame;frame count", outermost frame
 * first. */
#ifndef EXPORT_COLLAPSED_H
#define EXPORT_COLLAPSED_H

#include <stdio.h>

#include "model/keys.h"
#include "model/tables.h"

/* Counts are samples, or microseconds of CPU time (METRIC_CPU), rounded; lines that round to 0 are
 * left out. ';' in a name becomes ':', control characters are escaped. -ENOMEM, -EIO, -EBADMSG. */
int collapsed__print(FILE *stream, struct tables *tables, const struct metric *metric);

#endif
