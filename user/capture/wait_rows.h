/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracker's rows of waits: of each process by slice, of each thread over its epoch. */
#ifndef CAPTURE_WAIT_ROWS_H
#define CAPTURE_WAIT_ROWS_H

#include <stdint.h>

#include "capture/tracker.h"

/* Takes what a thread has waited since it was last looked at; now_ns: CLOCK_MONOTONIC. */
void wait_rows__take(struct process *process, struct thread *thread, const struct ps_waits *waits,
		     uint64_t now_ns);

/* Charges what the process's threads have waited to its epoch and the slice. */
int wait_rows__charge(struct recording_writer *writer, int64_t slice, struct process *process);

/* The same of the quantum of a thread's own. */
int wait_rows__charge_own(struct recording_writer *writer, int64_t slice, struct process *process,
			  struct thread *thread);

/* Frees what the process still has to be charged. */
void wait_rows__forget(struct process *process);

/* Writes what the thread has waited in the process's epoch, once that or the thread ends. */
int wait_rows__tell(struct recording_writer *writer, const struct process *process,
		    struct thread *thread);
/* The same of all its threads; what is told already is not told again. */
int wait_rows__tell_all(struct recording_writer *writer, const struct process *process);

#endif
