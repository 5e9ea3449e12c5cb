/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_PRIVILEGES_H
#define CAPTURE_PRIVILEGES_H

/* Keeps of root's capabilities only those that a recording needs, for good. 0; -EPERM. */
int privileges__drop(void);

#endif
