/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are open for writing, per process that has opened them: what is torn when it ends. */
#ifndef WRITERS_BPF_H
#define WRITERS_BPF_H

#include "maps.bpf.h"

/* All are of current, and only of threads that are recorded. `file` is the address of a struct
 * file. */

/* It was opened. */
int writers_opened(__u64 file);
/* One of its descriptors is going to be closed; before opens__close() hears of it. */
int writers_closing(__u64 file);
/* A write to it; sums of writes that have become known, the last of which ended at that time. */
int writers_wrote(__u64 file_id, __u32 device);
int writers_add(__u64 file_id, __u32 device, __u64 epoch, __u64 bytes, __u64 time_ns);
/* The process has begun another program. */
int writers_exec(__u64 time_ns);
/* Its thread ends, and has moved its slots; all_end: the others do too, or have. */
int writers_end(__u32 status, bool all_end);

#endif
