/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the tracker share. */
#ifndef CAPTURE_TRACKER_PRIVATE_H
#define CAPTURE_TRACKER_PRIVATE_H

#include "capture/tracker.h"

struct tracker {
	struct recording_writer *writer;
	struct rules *rules;
	struct wait_names *wait_names;
	struct tracker_clock clock;
	tracker_free_hook *free_hook;
	void *context;
	struct process *processes; /* by start time and pid */
	struct process *by_tgid; /* also of who is gone, until the pid has another owner */
	unsigned int living; /* of these */
	struct epoch *epochs;
	int64_t slice;
	uint64_t snapshot_number;
	bool final; /* the snapshot is the last one */
	int64_t last_process, last_image, last_epoch, last_thread;
};

/* Write a row as it is now. */
int tracker_rows__epoch(struct tracker *tracker, const struct epoch *epoch);
int tracker_rows__process(struct tracker *tracker, struct process *process);
int tracker_rows__thread(struct tracker *tracker, const struct process *process,
			 const struct thread *thread, int64_t end_ns);

/* NULL: not known. */
struct process *tracker__find_exact(struct tracker *tracker, uint32_t tgid, uint64_t start_boot_ns);

/* Makes an epoch, without a row yet, and not in the process's list. */
int tracker__new_epoch(struct tracker *tracker, struct process *process, uint64_t key,
		       int64_t start_ns, int64_t image, const struct identity *identity,
		       struct epoch **ret_epoch);

/* Ends the process's epoch and begins another. key: as BPF knows it. */
int tracker__begin_epoch(struct tracker *tracker, struct process *process, uint64_t key,
			 int64_t start_ns, int64_t image, const struct identity *identity);

/* Charge what process and thread have used so far, and was not charged yet, to the process's epoch.
 * user and system are the kernel's raw figures. */
int tracker__charge(struct tracker *tracker, struct process *process, uint64_t cpu_ns,
		    uint64_t raw_user_ns, uint64_t raw_system_ns);
struct cpu_split tracker__split(const struct cpu_split *charged, uint64_t cpu_ns,
				uint64_t raw_user_ns, uint64_t raw_system_ns);
/* Charges to an epoch of the process what `now` has more than `charged`. */
int tracker__charge_more(struct tracker *tracker, struct process *process,
			 const struct epoch *epoch, const struct cpu_split *charged,
			 const struct cpu_split *now);
/* To the quantum of the thread's own, if it is in one; the figures are the thread's. In front of
 * what charges the process. */
int tracker__charge_own(struct tracker *tracker, struct process *process, struct thread *thread,
			uint64_t cpu_ns, uint64_t raw_user_ns, uint64_t raw_system_ns);
/* Ends the quantum of the thread's own, if it is in one, whose end was not told; all of a process.
 */
int tracker__end_own(struct tracker *tracker, struct process *process, struct thread *thread,
		     uint64_t mono_ns);
int tracker__end_all_own(struct tracker *tracker, struct process *process, uint64_t mono_ns);

int tracker__charge_thread(struct tracker *tracker, struct process *process, struct thread *thread,
			   uint64_t cpu_ns);

#endif
