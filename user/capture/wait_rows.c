// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wait_rows.h"

#include <errno.h>
#include <string.h>

#include "store/writer.h"

struct rows {
	struct recording_writer *writer;
	int64_t epoch, slice, thread;
};

void wait_rows__take(struct process *process, struct thread *thread, const struct ps_waits *waits,
		     uint64_t now_ns)
{
	struct wait_sums now;

	wait_sums__of(waits, now_ns, &now);
	wait_sums__charge(&process->waits, &thread->waits, &now);
}

static int write_wait(void *context, const char *class, const struct wait_sum *sum)
{
	const struct rows *rows = context;
	struct wait_row row = {
		.epoch = rows->epoch,
		.slice = rows->slice,
		.class = class,
		.count = (int64_t)sum->count,
		.ns = (int64_t)sum->ns,
	};

	return unless_dropped(recording_writer__wait(rows->writer, &row));
}

int wait_rows__charge(struct recording_writer *writer, int64_t slice, struct process *process)
{
	struct rows rows = {.writer = writer, .slice = slice};
	int err;

	if (!process->epoch)
		return 0;
	rows.epoch = process->epoch->id;
	err = wait_sums__each(&process->waits, write_wait, &rows);
	memset(&process->waits, 0, sizeof(process->waits));
	return err;
}

static int write_thread_wait(void *context, const char *class, const struct wait_sum *sum)
{
	const struct rows *rows = context;
	struct thread_wait_row row = {
		.epoch = rows->epoch,
		.thread = rows->thread,
		.class = class,
		.count = (int64_t)sum->count,
		.ns = (int64_t)sum->ns,
	};

	return unless_dropped(recording_writer__thread_wait(rows->writer, &row));
}

int wait_rows__tell(struct recording_writer *writer, const struct process *process,
		    struct thread *thread)
{
	struct rows rows = {.writer = writer, .thread = thread->id};
	struct wait_sums since = {};

	if (!process->epoch)
		return 0;
	rows.epoch = process->epoch->id;
	wait_sums__charge(&since, &thread->told, &thread->waits);
	return wait_sums__each(&since, write_thread_wait, &rows);
}

int wait_rows__tell_all(struct recording_writer *writer, const struct process *process)
{
	int err = 0;

	for (struct thread *one = process->threads; one && !err; one = one->hh.next)
		err = wait_rows__tell(writer, process, one);
	return err;
}
