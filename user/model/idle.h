/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of pools that only wait for work. Their waiting is nobody's delay, and there may be
 * hundreds of them: it would hide all other waiting.
 *
 * A thread is idle when it is not its process's main thread, IDLE_LEAST_WAITING of its time or more
 * was waiting for a lock, poll or socket, and less than IDLE_MOST_CPU of it was CPU time; its time
 * is what was counted of it: CPU time and all waiting. Its waiting for these three is of class
 * "idle" in all figures; its other waiting stays what it is. */
#ifndef MODEL_IDLE_H
#define MODEL_IDLE_H

#include "model/tables.h"

#define IDLE_LEAST_WAITING 0.95
#define IDLE_MOST_CPU	   0.01
#define IDLE_CLASS	   "idle"

/* Decides which threads are idle and gives their waits the class. In the sums by slice, which know
 * no threads, the same time is split off each slice of the epoch in proportion. After waits and
 * thread_waits were read, before anything else uses them. -EBADMSG, -ENOMEM, -EIO. */
int idle__split(struct tables *tables);

/* What *class is for this thread (NO_INDEX: not known). */
int idle__class(struct tables *tables, uint32_t thread, uint32_t *class);

#endif
