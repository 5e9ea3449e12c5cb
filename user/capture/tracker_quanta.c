// SPDX-License-Identifier: GPL-2.0-or-later
/* Where one epoch of a process ends and the next begins while it runs on. BPF tells what the
 * process had used at that moment. Only the thread at the boundary tells its waits there; those of
 * the others go to the epoch in which the slice ends. */
#include "capture/tracker_private.h"

#include <errno.h>
#include <string.h>

#include "capture/wait_rows.h"
#include "store/writer.h"

static int charge_before(struct tracker *tracker, struct process *process,
			 const struct ps_quantum_event *event)
{
	struct thread *thread = tracker__thread(tracker, process, event->event.tid, NULL);
	bool has_baseline = process->has_baseline;
	int err;

	if (!thread)
		return -ENOMEM;
	err = tracker__charge(tracker, process, event->cpu_ns, event->user_ns, event->system_ns);
	if (err)
		return err;
	if (!has_baseline)
		thread->charged_ns = event->thread_cpu_ns;
	else
		err = tracker__charge_thread(tracker, process, thread, event->thread_cpu_ns);
	if (!err && event->has_waits)
		wait_rows__take(process, thread, &event->waits, event->event.time_ns);
	err = err ?: wait_rows__tell_all(tracker->writer, process);
	return err ?: wait_rows__charge(tracker->writer, tracker->slice, process);
}

int tracker__on_quantum(struct tracker *tracker, const struct ps_quantum_event *event,
			const struct identity *identity, struct epoch **ret_epoch)
{
	struct process *process =
		tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);
	uint64_t begin_ns = event->event.time_ns;
	int err = 0;

	*ret_epoch = NULL;
	if (!process || !process->epoch || tracker__epoch(tracker, event->epoch))
		return 0;
	if (process->shown_ns && identity && process->shown_ns < begin_ns &&
	    begin_ns - process->shown_ns < SHOWN_LIMIT_NS)
		begin_ns = process->shown_ns; /* Where one epoch of a process ends and the next
					       * begins while it runs on. BPF tells what the process
					       * had used at that moment. Only the thread at the
					       * boundary tells its waits there; those of the others
					       * go to the epoch in which the slice ends. */
	else
		err = charge_before(tracker, process, event);
	process->shown_ns = 0;
	if (err)
		return err;
	if (identity)
		process->quantum_count++;
	err = tracker__begin_epoch(tracker, process, event->epoch, tracker__time(tracker, begin_ns),
				   process->epoch->image, identity ? identity : &process->own);
	if (err)
		return err;
	*ret_epoch = process->epoch;
	return begin_ns == event->event.time_ns ? 0 : charge_before(tracker, process, event);
}

int tracker__on_boundary(struct tracker *tracker, const struct ps_quantum_event *event)
{
	struct process *process =
		tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);

	if (!process || !process->epoch || process->shown_ns || process->epoch->key != event->epoch)
		return 0;
	process->shown_ns = event->event.time_ns;
	return charge_before(tracker, process, event);
}
