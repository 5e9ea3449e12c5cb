/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process has used in a quantum: sums of the kernel's own counts, memory, hardware counters.
 * BPF tells them at the quantum's beginning and end and once a slice. Shared by both. */
#ifndef PIPESCOPE_RESOURCE_SUMS_H
#define PIPESCOPE_RESOURCE_SUMS_H

#include "perf_events.h"
#include "wire.h"

/* Processes that have been in a quantum, at a time. */
#define PS_RESOURCE_PROCESSES 4096

/* X(NAME, "column of table resource"): sums over the threads of a process, which only grow; those
 * of its children count when it has waited for them. */
#define PS_RESOURCES(X)                                                                            \
	X(VOLUNTARY, "voluntary_switches")                                                         \
	X(INVOLUNTARY, "involuntary_switches")                                                     \
	X(MINOR_FAULTS, "minor_faults")                                                            \
	X(MAJOR_FAULTS, "major_faults")                                                            \
	X(RUN_QUEUE, "run_queue_ns")                                                               \
	X(MIGRATIONS, "migrations")                                                                \
	X(ASKED_READ, "asked_read_bytes")                                                          \
	X(ASKED_WRITE, "asked_write_bytes")                                                        \
	X(READ_CALLS, "read_calls")                                                                \
	X(WRITE_CALLS, "write_calls")                                                              \
	X(DEVICE_READ, "device_read_bytes")                                                        \
	X(DEVICE_WRITE, "device_write_bytes")                                                      \
	X(DEVICE_CANCELLED, "device_cancelled_bytes")                                              \
	X(CHILDREN, "children")                                                                    \
	X(CHILD_USER, "children_user_ns")                                                          \
	X(CHILD_SYSTEM, "children_system_ns")                                                      \
	X(CHILD_VOLUNTARY, "children_voluntary_switches")                                          \
	X(CHILD_INVOLUNTARY, "children_involuntary_switches")                                      \
	X(CHILD_MINOR_FAULTS, "children_minor_faults")                                             \
	X(CHILD_MAJOR_FAULTS, "children_major_faults")                                             \
	X(CHILD_ASKED_READ, "children_asked_read_bytes")                                           \
	X(CHILD_ASKED_WRITE, "children_asked_write_bytes")                                         \
	X(CHILD_READ_CALLS, "children_read_calls")                                                 \
	X(CHILD_WRITE_CALLS, "children_write_calls")                                               \
	X(CHILD_DEVICE_READ, "children_device_read_bytes")                                         \
	X(CHILD_DEVICE_WRITE, "children_device_write_bytes")                                       \
	X(CHILD_DEVICE_CANCELLED, "children_device_cancelled_bytes")

enum ps_resource {
#define X(name, column) PS_RESOURCE_##name,
	PS_RESOURCES(X)
#undef X
		PS_RESOURCE_COUNT
};

/* The kernel keeps the figures of operations on files together, in the same order for children. */
#define PS_RESOURCE_IO_COUNT (PS_RESOURCE_DEVICE_CANCELLED - PS_RESOURCE_ASKED_READ + 1)

/* What a kernel can be built without: bits of ps_resource_event.known. */
#define PS_KNOWS_RUN_QUEUE 1 /* also migrations */
#define PS_KNOWS_ASKED	   2 /* bytes asked for, and calls */
#define PS_KNOWS_DEVICE	   4
#define PS_KNOWS_RSS	   8
#define PS_KNOWS_PEAKS	   16 /* of memory */

enum ps_resource_moment {
	PS_MOMENT_SWITCH, /* an epoch begins, that before it ends */
	PS_MOMENT_SLICE, /* the slice is over */
	PS_MOMENT_END /* the program ends */
};

/* Nanoseconds for which it could count, and for which it did: they differ where counters take
 * turns, and where the kernel did not tell that a thread got its CPU. */
struct ps_perf_sum {
	__u64 value, enabled_ns, running_ns;
};

#define PS_EVENT_RESOURCES 49 /* see enum ps_event_type */

/* Sums and counters since the process was first in a quantum, or before; only differences have a
 * meaning. Peaks: of the process, since its event before this one that was no SLICE. Of a thread in
 * a quantum of its own there is a SWITCH at both ends, and only sums that the kernel keeps by
 * thread: those of children and the process's end are not told. */
struct ps_resource_event {
	struct ps_event event;
	__u64 epoch; /* SWITCH: that begins */
	__u64 start_boot_ns; /* of the process */
	__u32 moment; /* enum ps_resource_moment */
	__u32 in_quantum; /* SWITCH: 1: the new epoch is a quantum */
	__u32 known; /* PS_KNOWS_* */
	__u32 threads; /* that ran since the last SWITCH */
	__u32 of_thread; /* 1: sums and counters are of the thread alone */
	__u32 pad;
	__u64 sums[PS_RESOURCE_COUNT];
	__u64 rss_pages, rss_peak_pages, swap_pages, swap_peak_pages;
	__u64 child_peak_pages; /* of the largest child that ended */
	struct ps_perf_sum counters[PS_PERF_COUNT]; /* by place in the recorder's choice */
};

_Static_assert(sizeof(struct ps_resource_event) ==
		       24 + 40 + 8 * PS_RESOURCE_COUNT + 40 + 24 * PS_PERF_COUNT,
	       "wire format");
_Static_assert(PS_RESOURCE_IO_COUNT == 7 &&
		       PS_RESOURCE_CHILD_DEVICE_CANCELLED - PS_RESOURCE_CHILD_ASKED_READ + 1 ==
			       PS_RESOURCE_IO_COUNT,
	       "as in struct task_io_accounting");

#endif
