// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tracker_private.h"

#include "capture/wait_rows.h"
#include "store/writer.h"

int tracker_rows__epoch(struct tracker *tracker, const struct epoch *epoch)
{
	struct epoch_row row = {
		.id = epoch->id,
		.process = epoch->process->id,
		.image = epoch->image,
		.start_ns = epoch->start_ns,
		.end_ns = epoch->end_ns,
		.task = epoch->identity.task,
		.job = epoch->identity.job,
		.rule = epoch->identity.rule,
	};

	return recording_writer__epoch(tracker->writer, &row);
}

int tracker_rows__process(struct tracker *tracker, struct process *process)
{
	struct process_row row = {
		.id = process->id,
		.parent = process->parent,
		.pid = (int64_t)process->key.tgid,
		.start_ns = process->start_ns,
		.end_ns = process->end_ns,
		.exit_code = process->exit_code,
		.exit_signal = process->exit_signal,
		.cpu_ns = (int64_t)process->cpu_ns,
		.user_ns = (int64_t)process->user_ns,
		.system_ns = (int64_t)process->system_ns,
		.max_rss_bytes = process->max_rss_bytes,
		.python = process->python,
	};

	process->dirty = false;
	return recording_writer__process(tracker->writer, &row);
}

int tracker_rows__thread(struct tracker *tracker, const struct process *process,
			 const struct thread *thread, int64_t end_ns)
{
	struct thread_row row = {
		.id = thread->id,
		.process = process->id,
		.tid = thread->tid,
		.end_ns = end_ns,
		.name = thread->name,
	};

	return recording_writer__thread(tracker->writer, &row);
}

struct wait_names *tracker__wait_names(struct tracker *tracker)
{
	return tracker->wait_names;
}

int tracker__tell_waits(struct tracker *tracker)
{
	int err = 0;

	/* A thread that is alone is no idle one. */
	for (struct process *one = tracker->processes; one && !err; one = one->hh.next)
		if (HASH_COUNT(one->threads) > 1)
			err = wait_rows__tell_all(tracker->writer, one);
	return err;
}
