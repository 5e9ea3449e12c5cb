// SPDX-License-Identifier: GPL-2.0-or-later
/* The tracker's exact CPU time: of a process to its epoch, of a thread to the epoch that it is in,
 * each as far as it was not charged yet. */
#include "capture/tracker_private.h"

#include "store/writer.h"

/* What was used before the recording, or before the process was known, is not charged. */
static void set_baseline(struct process *process, uint64_t cpu_ns, uint64_t raw_user_ns,
			 uint64_t raw_system_ns)
{
	uint64_t raw = raw_user_ns + raw_system_ns;

	process->charged.cpu_ns = cpu_ns;
	process->charged.system_ns =
		raw ? (uint64_t)((double)cpu_ns * (double)raw_system_ns / (double)raw) : 0;
	process->charged.user_ns = cpu_ns - process->charged.system_ns;
	process->has_baseline = true;
}

/* user and system are the kernel's raw figures, counted at ticks: scaled to the exact sum, and
 * never going back, as the kernel itself does for getrusage(). */
struct cpu_split tracker__split(const struct cpu_split *charged, uint64_t cpu_ns,
				uint64_t raw_user_ns, uint64_t raw_system_ns)
{
	struct cpu_split now = {.cpu_ns = cpu_ns};

	if (!raw_system_ns)
		now.system_ns = 0;
	else if (!raw_user_ns)
		now.system_ns = cpu_ns;
	else
		now.system_ns = (uint64_t)((double)cpu_ns * (double)raw_system_ns /
					   ((double)raw_user_ns + (double)raw_system_ns));
	if (now.system_ns < charged->system_ns)
		now.system_ns = charged->system_ns;
	now.user_ns = cpu_ns - now.system_ns;
	if (now.user_ns > cpu_ns || now.user_ns < charged->user_ns) {
		now.user_ns = charged->user_ns;
		now.system_ns = cpu_ns - now.user_ns;
	}
	return now;
}

/* What there is more than was charged goes to an epoch of the process and the current slice. */
int tracker__charge_more(struct tracker *tracker, struct process *process,
			 const struct epoch *epoch, const struct cpu_split *charged,
			 const struct cpu_split *now)
{
	struct usage_row row = {
		.epoch = epoch->id,
		.slice = tracker->slice,
		.cpu_ns = (int64_t)(now->cpu_ns - charged->cpu_ns),
		.user_ns = (int64_t)(now->user_ns - charged->user_ns),
		.system_ns = (int64_t)(now->system_ns - charged->system_ns),
	};

	process->cpu_ns += (uint64_t)row.cpu_ns;
	process->user_ns += (uint64_t)row.user_ns;
	process->system_ns += (uint64_t)row.system_ns;
	process->charged.cpu_ns += (uint64_t)row.cpu_ns;
	process->charged.user_ns += (uint64_t)row.user_ns;
	process->charged.system_ns += (uint64_t)row.system_ns;
	process->dirty = true;
	return unless_dropped(recording_writer__usage(tracker->writer, &row));
}

/* Charges what a process used since it was last charged to its epoch. */
int tracker__charge(struct tracker *tracker, struct process *process, uint64_t cpu_ns,
		    uint64_t raw_user_ns, uint64_t raw_system_ns)
{
	struct cpu_split charged, now;

	if (!process->has_baseline)
		set_baseline(process, cpu_ns, raw_user_ns, raw_system_ns);
	if (cpu_ns <= process->charged.cpu_ns || !process->epoch)
		return 0;
	charged = process->charged;
	now = tracker__split(&charged, cpu_ns, raw_user_ns, raw_system_ns);
	return tracker__charge_more(tracker, process, process->epoch, &charged, &now);
}

int tracker__charge_thread(struct tracker *tracker, struct process *process, struct thread *thread,
			   uint64_t cpu_ns)
{
	const struct epoch *epoch = tracker__epoch_of(process, thread);
	struct thread_usage_row row = {
		.epoch = epoch ? epoch->id : 0,
		.thread = thread->id,
		.slice = tracker->slice,
		.cpu_ns = (int64_t)(cpu_ns - thread->charged_ns),
	};

	if (cpu_ns <= thread->charged_ns || !epoch)
		return 0;
	thread->charged_ns = cpu_ns;
	return unless_dropped(recording_writer__thread_usage(tracker->writer, &row));
}
