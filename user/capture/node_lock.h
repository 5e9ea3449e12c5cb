/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One recorder per node: it sees all processes. */
#ifndef CAPTURE_NODE_LOCK_H
#define CAPTURE_NODE_LOCK_H

/* Held until *ret_fd is closed. -EBUSY, -errno; the reason has been told. */
int node_lock__take(int *ret_fd);

#endif
