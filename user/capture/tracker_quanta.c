// SPDX-License-Identifier: GPL-2.0-or-later
/* Where one epoch of a process ends and the next begins while it runs on. BPF tells what the
 * process had used at that moment. Only the thread at the boundary tells its waits there; those of
 * the others go to the epoch in which the slice ends. */
#include "capture/tracker_private.h"

#include <errno.h>
#include <stdlib.h>
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

/* --- quanta of a thread's own */

const struct epoch *tracker__epoch_of(const struct process *process, const struct thread *thread)
{
	return thread->own ? thread->own->epoch : process->epoch;
}

int tracker__charge_own(struct tracker *tracker, struct process *process, struct thread *thread,
			uint64_t cpu_ns, uint64_t raw_user_ns, uint64_t raw_system_ns)
{
	struct cpu_split charged, now;

	if (!thread->own || cpu_ns <= thread->own->charged.cpu_ns)
		return 0;
	charged = thread->own->charged;
	now = tracker__split(&charged, cpu_ns, raw_user_ns, raw_system_ns);
	thread->own->charged = now;
	/* What was used before the baseline is not charged to the process either. */
	return process->has_baseline
		       ? tracker__charge_more(tracker, process, thread->own->epoch, &charged, &now)
		       : 0;
}

int tracker__end_own(struct tracker *tracker, struct process *process, struct thread *thread,
		     uint64_t mono_ns)
{
	struct thread_quantum *own = thread->own;
	int err;

	if (!own)
		return 0;
	own->epoch->end_ns = tracker__time(tracker, mono_ns);
	err = wait_rows__tell(tracker->writer, process, thread);
	err = err ?: wait_rows__charge_own(tracker->writer, tracker->slice, process, thread);
	err = err ?: tracker_rows__epoch(tracker, own->epoch);
	thread->own = NULL;
	process->own_count--;
	free(own);
	return err;
}

int tracker__end_all_own(struct tracker *tracker, struct process *process, uint64_t mono_ns)
{
	int err = 0;

	for (struct thread *one = process->threads; one && process->own_count && !err;
	     one = one->hh.next)
		err = tracker__end_own(tracker, process, one, mono_ns);
	return err;
}

/* Its epoch lies beside those of the process, behind the newest in the list. */
static int begin_own(struct tracker *tracker, struct process *process, struct thread *thread,
		     const struct ps_quantum_event *event, const struct identity *identity)
{
	struct thread_quantum *own = calloc(1, sizeof(*own));
	int err;

	if (!own)
		return -ENOMEM;
	err = tracker__new_epoch(
		tracker, process, event->epoch, tracker__time(tracker, event->event.time_ns),
		process->epoch->image, identity ? identity : &process->own, &own->epoch);
	if (err) {
		free(own);
		return err;
	}
	own->epoch->next = process->epoch->next;
	process->epoch->next = own->epoch;
	if (identity)
		own->epoch->quantum = ++process->quantum_count;
	own->charged =
		tracker__split(&own->charged, event->cpu_ns, event->user_ns, event->system_ns);
	thread->own = own;
	process->own_count++;
	return tracker_rows__epoch(tracker, own->epoch)
		       ?: recording_writer__thread_epoch(tracker->writer, own->epoch->id,
							 thread->id);
}

int tracker__on_thread_quantum(struct tracker *tracker, const struct ps_quantum_event *told,
			       const struct identity *identity, struct epoch **ret_epoch)
{
	struct process *process =
		tracker__find_exact(tracker, told->event.tgid, told->start_boot_ns);
	struct thread *thread;
	int err;

	*ret_epoch = NULL;
	if (!process || !process->epoch)
		return 0;
	thread = tracker__thread(tracker, process, told->event.tid, NULL);
	if (!thread)
		return -ENOMEM;
	/* The order of its waits and CPU time matters: what was before belongs to whom it was in.
	 */
	err = tracker__charge_own(tracker, process, thread, told->cpu_ns, told->user_ns,
				  told->system_ns);
	if (process->has_baseline)
		err = err ?: tracker__charge_thread(tracker, process, thread, told->thread_cpu_ns);
	else
		thread->charged_ns = told->thread_cpu_ns;
	if (!err && told->has_waits)
		wait_rows__take(process, thread, &told->waits, told->event.time_ns);
	if (!thread->own)
		err = err ?: wait_rows__tell(tracker->writer, process, thread);
	err = err ?: tracker__end_own(tracker, process, thread, told->event.time_ns);
	if (err || told->rank == PS_NO_QUANTUM || tracker__epoch(tracker, told->epoch))
		return err;
	err = begin_own(tracker, process, thread, told, identity);
	if (!err)
		*ret_epoch = thread->own->epoch;
	return err;
}

int tracker__name_epoch(struct tracker *tracker, struct epoch *epoch,
			const struct identity *identity)
{
	epoch->identity = *identity;
	return tracker_rows__epoch(tracker, epoch);
}
