/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all commands that read a recording do first. */
#ifndef CLI_OPENING_H
#define CLI_OPENING_H

#include <argp.h>

#include "model/tables.h"
#include "store/reader.h"

/* Takes the recording's name, the one argument of such a command, into *path; the last resort of a
 * parser. What is wrong ends the program by argp_error(). */
error_t opening__argument(int key, char *argument, struct argp_state *state, const char **path);

/* Opens and loads; speaks on failure. The caller closes the recording after it freed the tables. */
int opening__load(const char *path, struct recording **ret_recording, struct tables **ret_tables);

/* Says why a recording cannot be read: what, why, what to do. */
void opening__complain(const char *path, int error);

#endif
