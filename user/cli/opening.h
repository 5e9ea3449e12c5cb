/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all commands that read a recording do first. */
#ifndef CLI_OPENING_H
#define CLI_OPENING_H

#include "model/tables.h"
#include "store/reader.h"

/* Opens and loads; speaks on failure. The caller closes the recording after it freed the tables. */
int opening__load(const char *path, struct recording **ret_recording, struct tables **ret_tables);

/* Says why a recording cannot be read: what, why, what to do. */
void opening__complain(const char *path, int error);

#endif
