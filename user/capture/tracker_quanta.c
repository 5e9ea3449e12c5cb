// SPDX-License-Identifier: GPL-2.0-or-later
/* Where one epoch of a process ends and the next begins while it runs on. BPF tells what the
 * process had used at that moment. Only the thread at the boundary tells its waits there; those of
 * the others go to the epoch in which the slice ends. */
#include "capture/tracker_private.h"

#include <errno.h>
#include <string.h>

#include "capture/wait_rows.h"
#include "store/writer.h"

/* What was used until now belongs to the epoch that ends. */
static int close_epoch(struct tracker *tracker, struct process *process,
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

static int open_epoch(struct tracker *tracker, struct process *process,
		      const struct ps_quantum_event *event, const struct identity *identity)
{
	int err = tracker__begin_epoch(tracker, process, event->epoch,
				       tracker__time(tracker, event->event.time_ns),
				       process->epoch->image, identity ? identity : &process->own);

	if (!err && identity)
		process->epoch->quantum = ++process->quantum_count;
	return err;
}

int tracker__on_quantum(struct tracker *tracker, const struct ps_quantum_event *event,
			const struct identity *identity, struct epoch **ret_epoch)
{
	struct process *process =
		tracker__find_exact(tracker, event->event.tgid, event->start_boot_ns);
	int err;

	*ret_epoch = NULL;
	if (!process || !process->epoch || tracker__epoch(tracker, event->epoch))
		return 0;
	err = close_epoch(tracker, process, event);
	err = err ?: open_epoch(tracker, process, event, identity);
	if (!err)
		*ret_epoch = process->epoch;
	return err;
}

int tracker__name_epoch(struct tracker *tracker, struct epoch *epoch,
			const struct identity *identity)
{
	epoch->identity = *identity;
	return tracker_rows__epoch(tracker, epoch);
}
