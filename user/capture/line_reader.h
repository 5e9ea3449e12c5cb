/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source lines (symbols/lines.h) read by a process that may do nothing else: DWARF comes from
 * whoever made the program, and libdw trusts it.
 *
 * A small process is forked before the recorder grows; it forks one reader for each call of
 * line_reader__find. A reader has no capability, may open no file and make no socket (seccomp), has
 * 1 GiB of memory and 30 s of CPU time, at the lowest priority. Whatever becomes of it, all that it
 * had goes with it. */
#ifndef CAPTURE_LINE_READER_H
#define CAPTURE_LINE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "symbols/lines.h"

#define LINE_READER_MAX_ADDRESSES 4096

struct line_reader;

struct line_cost {
	uint64_t cpu_ns, rss_bytes; /* of the reader; rss: its largest */
};

/* Forks: the caller should have one thread and few files open. The process inherits none of them.
 */
int line_reader__start(struct line_reader **ret);
void line_reader__stop(struct line_reader *reader); /* NULL is accepted */

/* As lines__find, at most LINE_READER_MAX_ADDRESSES, for the file behind fd; take may be called for
 * fewer addresses, each once. cancel_fd: ends it when readable; -1: none. *ret_cost is always
 * filled. -EBADMSG: the reader ended early, or did not keep to its protocol; -ECANCELED;
 * -ETIMEDOUT; -EFBIG: it said more than 16 MiB; -ENOMEM; -EPIPE: there is no process any more; or
 * what take returned. One call at a time. */
int line_reader__find(struct line_reader *reader, int fd, const uint64_t *addresses, size_t count,
		      int cancel_fd, lines_take *take, void *context, struct line_cost *ret_cost);

#endif
