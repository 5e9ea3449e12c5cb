/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inlined functions (symbols/inlines.h) read by a process that may do nothing else: line_jail.h. */
#ifndef CAPTURE_INLINE_READER_H
#define CAPTURE_INLINE_READER_H

#include <stdint.h>

#include "symbols/inlines.h"

/* Of the file behind fd. wanted is asked in the other process; take is told by this one, in texts
 * until it returns. timeout_ms: the reader is ended then, and -ETIMEDOUT returned. -EBADMSG: it
 * ended early, or said more than 1 MiB; errors of fork() and pipe(); or what take returned. */
int inline_reader__find(int fd, inlines_wanted *wanted, inlines_take *take, void *context,
			int timeout_ms);

#endif
