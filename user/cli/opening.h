/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all commands that read a recording do first. */
#ifndef CLI_OPENING_H
#define CLI_OPENING_H

#include <argp.h>

#include "model/tables.h"

/* Takes the recording's name, the one argument of such a command, into *path; the last resort of a
 * parser. What is wrong ends the program by argp_error(). */
error_t opening__argument(int key, char *argument, struct argp_state *state, const char **path);

/* Opens and loads; speaks on failure. */
int opening__load(const char *path, struct tables **ret_tables);

/* Frees the tables, which may be NULL, and closes their recording. */
void opening__close(struct tables **tables);
#define _cleanup_opening_ __attribute__((cleanup(opening__close)))

/* Says why a recording cannot be read: what, why, what to do. */
void opening__complain(const char *path, int error);

#endif
