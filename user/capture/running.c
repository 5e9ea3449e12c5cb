// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/running.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/drain.h"
#include "capture/mmaps.h"
#include "capture/names.h"
#include "capture/tracker.h"
#include "wire.h"

struct running {
	struct ps_task_event *tasks; /* leaders */
	size_t count, capacity;
};

static int collect_leader(void *context, const void *record)
{
	const struct ps_task_event *task = record;
	struct running *running = context;
	int err;

	if (task->event.tid != task->event.tgid)
		return 0;
	err = array__reserve(&running->tasks, &running->capacity, sizeof(*running->tasks),
			     running->count + 1);
	if (!err)
		running->tasks[running->count++] = *task;
	return err;
}

static int by_start(const void *left, const void *right)
{
	const struct ps_task_event *a = left, *b = right;

	if (a->start_boot_ns != b->start_boot_ns)
		return a->start_boot_ns < b->start_boot_ns ? -1 : 1;
	return a->event.tgid < b->event.tgid ? -1 : 1;
}

/* Whether a process was asked for, or descends from one that was: parents come before children
 * in the sorted list, so one look at the parent's answer is enough. */
static bool is_wanted(const struct running_parts *parts, const struct running *running,
		      size_t index, const bool *wanted)
{
	const struct ps_task_event *task = &running->tasks[index];

	if (parts->all)
		return true;
	for (size_t i = 0; i < parts->pid_count; i++)
		if (task->event.tgid == (uint32_t)parts->pids[i])
			return true;
	for (size_t i = 0; i < index; i++)
		if (running->tasks[i].event.tgid == task->parent_tgid)
			return wanted[i];
	return false;
}

static int take_up(const struct running_parts *parts, const struct ps_task_event *task)
{
	uint64_t now = clock__ns(CLOCK_MONOTONIC);
	struct ps_who who = {
		.epoch = PS_EPOCH_ID(now, task->event.tgid),
		.start_boot_ns = task->start_boot_ns,
		.wanted = 1,
	};
	struct process *process;
	int err;

	err = bpf_map_update_elem(parts->epochs, &task->event.tgid, &who, BPF_NOEXIST);
	if (err == -EEXIST)
		return 0;
	if (err)
		return err;
	err = tracker__add_running(parts->tracker, task, who.epoch, &process);
	if (err || process->kernel_thread)
		return err;
	return names__read_mappings(parts->names, process, now);
}

int running__take_up(const struct running_parts *parts)
{
	struct running running = {};
	_cleanup_free_ struct ps_task_event *tasks = NULL;
	_cleanup_free_ bool *wanted = NULL;
	int err = drain__each_task(parts->drain, collect_leader, &running);

	tasks = running.tasks;
	if (err)
		return err;
	qsort(running.tasks, running.count, sizeof(*running.tasks), by_start);
	wanted = calloc(running.count + 1, sizeof(*wanted));
	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < running.count && !err; i++) {
		wanted[i] = is_wanted(parts, &running, i, wanted);
		if (wanted[i])
			err = take_up(parts, &running.tasks[i]);
		/* That took a while, and the kernel's buffers are small. */
		err = err ?: mmaps__collect(parts->mmaps);
	}
	return err;
}
