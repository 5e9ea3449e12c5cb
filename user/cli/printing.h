/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How tables are printed: options that commands share. What is wrong ends the program by
 * argp_error(). */
#ifndef CLI_PRINTING_H
#define CLI_PRINTING_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_HTML /* the last */ };

enum format printing__format(struct argp_state *state, const char *argument, bool html);
size_t printing__limit(struct argp_state *state, const char *argument);

/* Columns of the terminal, or of $COLUMNS. */
size_t printing__width(void);

#endif
