/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last slices of a recording that is never written down: rows come as recording_writer__stream
 * sends them, and what is older than the window is forgotten. In memory; one thread. */
#ifndef STORE_LIVE_WINDOW_H
#define STORE_LIVE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "store/reader.h"

struct live_window;

/* Keeps the figures of so many slices; of fewer where these take more than 64 MB. -ENOMEM. */
int live_window__new(int64_t slices, struct live_window **ret_window);
void live_window__free(struct live_window *window); /* NULL is accepted */

/* Takes the next bytes of the stream, cut anywhere. Where another recorder begins (its first row is
 * meta.state) all that was there is forgotten. -EBADMSG: these are no rows. */
int live_window__take(struct live_window *window, const void *bytes, size_t size);

/* How many recorders have begun, and slices of the one that is at work have ended. */
uint64_t live_window__generation(const struct live_window *window);
int64_t live_window__slices(const struct live_window *window);

/* What a look is about. */
struct live_choice {
	int64_t slices; /* the newest; at most what the window keeps */
	const char *task; /* NULL: all */
	int64_t pid, start_ns; /* of one process, as table process has them; pid 0: all */
};

/* The chosen part as a recording: figures of these slices, and the processes that lived in them.
 * Samples, with their stacks, and files only where a task or a process was chosen, since nobody can
 * look at those of a whole node every second. meta window_ns: how long these slices lasted. One at
 * a time; closed before the next call of any function here. -EAGAIN: no slice has ended yet. */
int live_window__open(struct live_window *window, const struct live_choice *choice,
		      struct recording **ret_recording);

#endif
