/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process that reads hostile files gives up. */
#ifndef CAPTURE_LINE_JAIL_H
#define CAPTURE_LINE_JAIL_H

/* Closes every descriptor from `first` on. */
void line_jail__close_from(int first);

/* For good: all capabilities and all system calls but those that read, map and write what is open
 * already; others fail with EPERM. Limits memory and CPU time. A negative errno: something of it
 * could not be done, and the process should end. */
int line_jail__enter(void);

#endif
