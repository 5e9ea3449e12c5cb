// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wait_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/wait_names.h"
#include "store/writer.h"

/* What a process's threads have waited for more closely than a class tells; not yet in rows. */
struct process_wait {
	uint64_t key; /* PS_WAIT_KEY() */
	struct wait_sum sum;
	UT_hash_handle hh;
};

struct rows {
	struct recording_writer *writer;
	struct wait_names *names;
	int64_t epoch, slice, thread;
};

/* A wait_sums_detail. */
static int take_detail(void *context, uint64_t key, const struct wait_sum *more)
{
	struct process *process = context;
	struct process_wait *wait;

	HASH_FIND(hh, process->wait_details, &key, sizeof(key), wait);
	if (!wait) {
		wait = calloc(1, sizeof(*wait));
		if (!wait)
			return -ENOMEM;
		wait->key = key;
		HASH_ADD(hh, process->wait_details, key, sizeof(wait->key), wait);
		if (!wait->hh.tbl) {
			free(wait);
			return -ENOMEM;
		}
	}
	wait->sum.ns += more->ns;
	wait->sum.count += more->count;
	return 0;
}

void wait_rows__take(struct process *process, struct thread *thread, const struct ps_waits *waits,
		     uint64_t now_ns)
{
	struct wait_sums now;

	wait_sums__of(waits, now_ns, &now);
	if (thread->own)
		wait_sums__charge(&thread->own->waits, &thread->waits, &now, NULL, NULL);
	else
		wait_sums__charge(&process->waits, &thread->waits, &now, take_detail, process);
}

static int write_wait(void *context, uint32_t class, uint64_t detail, const struct wait_sum *sum)
{
	const struct rows *rows = context;
	char buffer[WAIT_CLASS_NAME_SIZE];
	struct wait_row row = {
		.epoch = rows->epoch,
		.slice = rows->slice,
		.count = (int64_t)sum->count,
		.ns = (int64_t)sum->ns,
	};
	struct wait_on_row on = {.epoch = row.epoch, .slice = row.slice};
	int err = 0;

	row.class = wait_names__class(rows->names, class, detail, buffer, &err);
	err = err ?: unless_dropped(recording_writer__wait(rows->writer, &row));
	if (err || class != PS_WAIT_SOCKET || !detail)
		return err;
	on.file = remotes__row(wait_names__remotes(rows->names), detail);
	if (on.file < 0)
		return (int)on.file;
	on.class = row.class;
	on.count = row.count;
	on.ns = row.ns;
	return unless_dropped(recording_writer__wait_on(rows->writer, &on));
}

int wait_rows__charge(struct recording_writer *writer, int64_t slice, struct process *process)
{
	struct rows rows = {.writer = writer, .names = process->wait_names, .slice = slice};
	struct process_wait *one, *next;
	int err;

	if (!process->epoch)
		return 0;
	rows.epoch = process->epoch->id;
	err = wait_sums__each(&process->waits, write_wait, &rows);
	memset(&process->waits, 0, sizeof(process->waits));
	HASH_ITER (hh, process->wait_details, one, next) {
		err = err
			      ?: write_wait(&rows, PS_WAIT_KEY_CLASS(one->key),
					    PS_WAIT_KEY_DETAIL(one->key), &one->sum);
		HASH_DEL(process->wait_details, one);
		free(one);
	}
	for (struct thread *thread = process->own_count ? process->threads : NULL; thread && !err;
	     thread = thread->hh.next)
		err = wait_rows__charge_own(writer, slice, process, thread);
	return err;
}

int wait_rows__charge_own(struct recording_writer *writer, int64_t slice, struct process *process,
			  struct thread *thread)
{
	struct rows rows = {.writer = writer, .names = process->wait_names, .slice = slice};
	int err;

	if (!thread->own)
		return 0;
	rows.epoch = thread->own->epoch->id;
	err = wait_sums__each(&thread->own->waits, write_wait, &rows);
	memset(&thread->own->waits, 0, sizeof(thread->own->waits));
	return err;
}

void wait_rows__forget(struct process *process)
{
	struct process_wait *one, *next;

	HASH_ITER (hh, process->wait_details, one, next) {
		HASH_DEL(process->wait_details, one);
		free(one);
	}
}

static int write_thread_wait(void *context, uint32_t class, uint64_t detail,
			     const struct wait_sum *sum)
{
	const struct rows *rows = context;
	char buffer[WAIT_CLASS_NAME_SIZE];
	struct thread_wait_row row = {
		.epoch = rows->epoch,
		.thread = rows->thread,
		.count = (int64_t)sum->count,
		.ns = (int64_t)sum->ns,
	};
	int err = 0;

	row.class = wait_names__class(rows->names, class, detail, buffer, &err);
	return err ?: unless_dropped(recording_writer__thread_wait(rows->writer, &row));
}

int wait_rows__tell(struct recording_writer *writer, const struct process *process,
		    struct thread *thread)
{
	struct rows rows = {.writer = writer, .names = process->wait_names, .thread = thread->id};
	const struct epoch *epoch = tracker__epoch_of(process, thread);
	struct wait_sums since = {};

	if (!epoch)
		return 0;
	rows.epoch = epoch->id;
	wait_sums__charge(&since, &thread->told, &thread->waits, NULL, NULL);
	return wait_sums__each(&since, write_thread_wait, &rows);
}

int wait_rows__tell_all(struct recording_writer *writer, const struct process *process)
{
	int err = 0;

	for (struct thread *one = process->threads; one && !err; one = one->hh.next)
		err = wait_rows__tell(writer, process, one);
	return err;
}
