/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the display's process does: takes rows, looks, draws, takes keys. */
#ifndef TOP_DISPLAY_H
#define TOP_DISPLAY_H

#include "top/top.h"

/* Until the user ends it, SIGTERM, SIGINT or SIGHUP (which must be blocked), or the last writer of
 * rows is gone. The terminal is then as it was. rows: what recording_writer__stream writes. 0 or a
 * negative errno; -ENOTTY: a terminal that curses does not know. */
int display__run(const struct top_options *options, int rows);

#endif
