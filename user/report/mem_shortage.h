/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who was short of memory: processes that the kernel killed for want of it, and those that had to
 * free some before they got any. Exact. Prints nothing where nobody was. */
#ifndef REPORT_MEM_SHORTAGE_H
#define REPORT_MEM_SHORTAGE_H

#include <stddef.h>
#include <stdio.h>

#include "model/tables.h"

/* A table by process, with a headline; at most `limit` rows. -ENOMEM, -EIO. */
int mem_shortage__table(FILE *stream, const struct tables *tables, size_t width, size_t limit);

/* A sentence on all of the recording. -EIO. */
int mem_shortage__sentence(FILE *stream, const struct tables *tables);

/* Objects by process, with a comma between them. -ENOMEM, -EIO. */
int mem_shortage__json(FILE *stream, const struct tables *tables);

#endif
