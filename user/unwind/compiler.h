/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that compile call-frame information, of low priority, while their owner goes on. One
 * thread owns the object and calls all functions. */
#ifndef UNWIND_COMPILER_H
#define UNWIND_COMPILER_H

#include <stdbool.h>

#include "unwind/cache.h"
#include "unwind/rows.h"

struct unwind_compiler;

struct unwind_job {
	void *user; /* as given */
	int err; /* as unwind_rows__compile() */
	bool cached; /* the rows come from the cache */
	struct unwind_rows rows; /* without err; whoever took the job clears them */
};

/* Starts threads (at least 1) with all signals blocked and a nice value 5 above the caller's. The
 * cache, NULL: none, must live longer. -ENOMEM, or the error of starting a thread. */
int unwind_compiler__new(unsigned int threads, struct unwind_cache *cache,
			 struct unwind_compiler **ret);

/* Forgets jobs that no thread has begun, waits for the others, clears what was not taken. */
void unwind_compiler__free(struct unwind_compiler *compiler);

/* What else is to be done with a file in the same thread, before the job is finished. */
typedef void unwind_look(void *user, int fd);

/* Compiles the file open as fd, which stays the caller's. Jobs may be finished in another order.
 * look: NULL for none. */
int unwind_compiler__add(struct unwind_compiler *compiler, int fd, unwind_look *look, void *user);

/* Readable when there are finished jobs; only to be polled. */
int unwind_compiler__fd(const struct unwind_compiler *compiler);

/* Takes a finished job; false: there is none now. */
bool unwind_compiler__take(struct unwind_compiler *compiler, struct unwind_job *ret);

#endif
