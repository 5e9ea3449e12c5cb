/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the source "mem" sends to the recorder. */
#ifndef PIPESCOPE_MEM_H
#define PIPESCOPE_MEM_H

#include "wire.h"

#define PS_MEM_PAGE	   4096
#define PS_MEM_HUGE_PAGES  512 /* pages of the largest that one fault maps */
#define PS_MEM_FILE_PAGES  16 /* of a file, with those around (fault_around_bytes' default) */
#define PS_MEM_SUMS	   65536 /* epochs whose memory grows in one slice */
#define PS_MEM_WALKS	   4000 /* stacks of mappings walked in a slice, at most */
#define PS_MEM_BATCH_LEAST 32 /* see percpu_counter_batch */

/* X(NAME, "name in the recording"); in the order of the kernel's MM_FILEPAGES... */
#define PS_MEM_KINDS(X)                                                                            \
	X(FILE, "file")                                                                            \
	X(ANONYMOUS, "anonymous")                                                                  \
	X(SWAP, "swap")                                                                            \
	X(SHARED, "shared")

enum ps_mem_kind {
#define X(name, text) PS_MEM_##name,
	PS_MEM_KINDS(X)
#undef X
		PS_MEM_KIND_COUNT
};

/* Metrics of samples, behind those of wire.h. */
enum ps_mem_metric {
	PS_METRIC_MEM_GROWTH = 32, /* sum: bytes; class: enum ps_mem_kind */
	PS_METRIC_MEM_FAULTS /* sum: page faults */
};

/* What happened in an epoch. */
struct ps_mem_sum {
	__u64 pages[PS_MEM_KIND_COUNT]; /* that came, however many went */
	__u64 faults[PS_MEM_KIND_COUNT]; /* that brought them */
	__u64 ended_minor, ended_major; /* all faults of threads that ended */
	__u64 reclaims, reclaimed_pages; /* how often it had to free memory before it got some */
	__u64 oom_kills; /* 1: the kernel killed the process for want of memory */
	__u64 begun_ns; /* when a program began this epoch; 0: none did in this slice */
	__u64 begun_minor, begun_major; /* faults that its thread had had by then */
};

enum ps_mem_event_type {
	PS_EVENT_MEM = 53, /* struct ps_mem_event */
	PS_EVENT_MEM_TASK /* from an iterator, not from the ring */
};

enum ps_mem_op {
	PS_MEM_MAP = 1, /* new memory; what was mapped there is gone */
	PS_MEM_UNMAP, /* sent before it is done: nobody else can have got the addresses */
	PS_MEM_LEAVE, /* mremap() begins: what is there now is between two places */
	PS_MEM_MOVE, /* mremap() has ended: address and length, or 0: it failed */
	PS_MEM_HEAP_END, /* brk() begins: address is where the heap ends */
	PS_MEM_HEAP /* brk() has ended: address is where it ends now */
};

struct ps_mem_event {
	struct ps_event event;
	__u64 epoch;
	__u64 stack; /* hash; 0: not walked */
	__u64 address, length; /* bytes, whole pages */
	__u64 old_address, old_length; /* MOVE */
	__u32 op; /* enum ps_mem_op */
	__u32 pad;
};

/* A thread; leaders also carry what is the whole process's. */
struct ps_mem_task {
	struct ps_event event;
	__u64 epoch; /* 0: BPF has none for the process */
	__u64 start_boot_ns; /* of the process */
	__u64 minor, major; /* faults of this thread */
	__s64 pages[PS_MEM_KIND_COUNT]; /* of the process, as far as the kernel has summed up */
	__u32 leader; /* 1: yes */
	__u32 pad;
};

_Static_assert(sizeof(struct ps_mem_sum) == 16 * PS_MEM_KIND_COUNT + 64, "wire format");
_Static_assert(sizeof(struct ps_mem_event) == 80, "wire format");
_Static_assert(sizeof(struct ps_mem_task) == 64 + 8 * PS_MEM_KIND_COUNT, "wire format");

#endif
