/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting: the classes of waits, what a thread has waited so far, and how a system call is looked
 * at when a thread leaves the CPU inside it. Shared by BPF and the recorder. */
#ifndef PIPESCOPE_WAITS_H
#define PIPESCOPE_WAITS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* X(NAME, "name in the recording", "what it means") */
#define PS_WAITS(X)                                                                                \
	X(RUN_QUEUE, "run_queue", "ready to run, but no CPU was free")                             \
	X(LOCK, "lock", "futex, or a lock on a file")                                              \
	X(SLEEP, "sleep", "asked to sleep")                                                        \
	X(DISK, "disk", "a block device")                                                          \
	X(FILE, "file_system", "a file, but not its block device")                                 \
	X(PIPE, "pipe", "a pipe or FIFO")                                                          \
	X(CHILD, "child", "a child process to end")                                                \
	X(SOCKET, "socket", "a socket")                                                            \
	X(POLL, "poll", "poll, select or epoll")                                                   \
	X(PAGE_FAULT, "page_fault", "a page of memory to come")                                    \
	X(RECLAIM, "reclaim", "the kernel to free memory for it")                                  \
	X(THROTTLED, "throttled", "its control group's CPU time to be refilled")                   \
	X(OTHER, "other", "another system call, by its name")

enum ps_wait_class {
#define X(name, text, meaning) PS_WAIT_##name,
	PS_WAITS(X)
#undef X
		PS_WAIT_COUNT
};

/* What a class's waits were for more closely, as far as BPF can tell: of SOCKET the remote's hash
 * (remote.h), of OTHER 1 + the number of the system call; 0: not known. */
/* Of preempt_count: NMI, hard interrupt, in a soft interrupt; and where it also counts how often
 * interrupts were switched off, which moved them. */
#define PS_INTERRUPT_BITS	  0x00ff0100
#define PS_INTERRUPT_BITS_COUNTED 0x1f000100

#define PS_WAIT_DETAIL_BITS	   56
#define PS_WAIT_DETAIL_MASK	   ((1ULL << PS_WAIT_DETAIL_BITS) - 1)
#define PS_WAIT_KEY(class, detail) ((__u64)(class) << PS_WAIT_DETAIL_BITS | (detail))
#define PS_WAIT_KEY_CLASS(key)	   ((__u32)((key) >> PS_WAIT_DETAIL_BITS))
#define PS_WAIT_KEY_DETAIL(key)	   ((key)&PS_WAIT_DETAIL_MASK)

#define PS_WAIT_DETAILS	 12 /* kept apart per thread; what comes later is summed by its class */
#define PS_SYSCALL_LIMIT 512

/* Ready to run: nobody wakes it. */
#define PS_WAIT_IS_READY(class) ((class) == PS_WAIT_RUN_QUEUE || (class) == PS_WAIT_THROTTLED)

/* How a wait inside a system call gets its class; by number, set by the recorder before the load.
 */
enum ps_wait_kind {
	PS_KIND_OTHER,
	PS_KIND_LOCK,
	PS_KIND_SLEEP,
	PS_KIND_FILE, /* disk or file system */
	PS_KIND_CHILD,
	PS_KIND_SOCKET,
	PS_KIND_POLL,
	PS_KIND_SELECT, /* first argument: number of descriptors; 0: a sleep */
	PS_KIND_POLL_COUNT, /* the same, second argument; of one socket: that */
	PS_KIND_DESCRIPTOR /* by what the first argument, a descriptor, is */
};

struct ps_wait_detail {
	__u64 key; /* PS_WAIT_KEY() */
	__u64 ns;
	__u64 count; /* 0: the place is free */
};

/* What one thread has waited since it was first seen. Sums only grow. */
struct ps_waits {
	/* By class, without what is in details. */
	__u64 ns[PS_WAIT_COUNT];
	__u64 count[PS_WAIT_COUNT];
	struct ps_wait_detail details[PS_WAIT_DETAILS];
	/* The wait that goes on: */
	__u64 out_ns; /* CLOCK_MONOTONIC when it left the CPU; 0: it runs */
	__u64 wake_ns; /* when it was woken; 0: not yet */
	__u64 detail; /* 0: none */
	__u32 class; /* enum ps_wait_class */
	__u32 pad;
};
_Static_assert(sizeof(struct ps_wait_detail) == 24, "wire format");
_Static_assert(sizeof(struct ps_waits) == 16 * PS_WAIT_COUNT + 24 * PS_WAIT_DETAILS + 32,
	       "wire format");

#endif
