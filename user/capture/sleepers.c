// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/sleepers.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/stacks.h"
#include "capture/tracker.h"
#include "capture/wait_names.h"
#include "store/writer.h"

struct sleepers {
	struct tracker *tracker;
	struct stacks *stacks;
	const struct stack_tree *tree;
	struct recording_writer *writer;
	uint64_t start_ns, slice_start_ns;
	int left; /* walks that this slice may still do */
};

int sleepers__new(struct tracker *tracker, struct stacks *stacks, const struct stack_tree *tree,
		  struct recording_writer *writer, uint64_t start_ns,
		  struct sleepers **ret_sleepers)
{
	struct sleepers *sleepers = calloc(1, sizeof(*sleepers));

	if (!sleepers)
		return -ENOMEM;
	sleepers->tracker = tracker;
	sleepers->stacks = stacks;
	sleepers->tree = tree;
	sleepers->writer = writer;
	sleepers->start_ns = start_ns;
	*ret_sleepers = sleepers;
	return 0;
}

void sleepers__free(struct sleepers *sleepers)
{
	free(sleepers);
}

void sleepers__begin(struct sleepers *sleepers, uint64_t slice_start_ns, int final)
{
	sleepers->slice_start_ns = final ? UINT64_MAX : slice_start_ns;
	sleepers->left = final ? INT32_MAX : SLEEPERS_PER_SLICE;
}

static int is_asleep(const struct ps_waits *waits)
{
	return waits->out_ns && !waits->wake_ns && !PS_WAIT_IS_READY(waits->class);
}

static struct thread *find_thread(struct sleepers *sleepers, const struct ps_event *event,
				  struct process **ret_process)
{
	struct process *process = tracker__find(sleepers->tracker, event->tgid);
	struct thread *thread;

	if (!process || process->kernel_thread)
		return NULL;
	HASH_FIND(hh, process->threads, &event->tid, sizeof(event->tid), thread);
	*ret_process = process;
	return thread;
}

int sleepers__on_task(struct sleepers *sleepers, const struct ps_task_event *task)
{
	enum ps_ending ending = PS_END_UNKNOWN;
	struct process *process;
	struct thread *thread;
	int64_t stack;

	if (!sleepers->left || !is_asleep(&task->waits) ||
	    task->waits.out_ns > sleepers->slice_start_ns)
		return 0;
	thread = find_thread(sleepers, &task->event, &process);
	if (!thread || thread->sleep.out_ns == task->waits.out_ns)
		return 0;
	sleepers->left--;
	stack = stacks__sleeper(sleepers->stacks, process, task, &ending);
	if (stack < 0 && stack != ROW_NULL)
		return (int)stack;
	thread->sleep.out_ns = task->waits.out_ns;
	thread->sleep.stack = stack;
	thread->sleep.ending = ending;
	return 0;
}

static int write_sample(struct sleepers *sleepers, const struct process *process,
			const struct thread *thread, uint32_t class, uint64_t detail,
			uint64_t weight_ns, int64_t slice)
{
	char buffer[WAIT_CLASS_NAME_SIZE];
	struct sample_row row = {
		.epoch = tracker__epoch_of(process, thread)->id,
		.thread = thread->id,
		.slice = slice,
		.stack = thread->sleep.stack,
		.ending = ending__name(thread->sleep.ending),
		.metric = "offcpu",
		.count = 1,
		.value = (int64_t)weight_ns,
		.waker = ROW_NULL,
		.file = ROW_NULL,
	};
	struct wait_names *names = process->wait_names;
	int err = 0;

	row.class = wait_names__class(names, class, detail, buffer, &err);
	if (!err)
		row.class = wait_names__finer(names, sleepers->tree, row.class, row.stack, &err);
	return err ?: unless_dropped(recording_writer__sample(sleepers->writer, &row));
}

int sleepers__on_exit(struct sleepers *sleepers, const struct ps_exit_event *event, int64_t slice)
{
	struct process *process;
	struct thread *thread;

	if (!event->kept_ns)
		return 0;
	thread = find_thread(sleepers, &event->event, &process);
	if (!thread || thread->sleep.out_ns != event->kept_since_ns || !process->epoch)
		return 0; /* another wait, or one too short to be walked from outside */
	return write_sample(sleepers, process, thread, event->kept_class, event->kept_detail,
			    event->kept_ns, slice);
}

int sleepers__on_last_task(struct sleepers *sleepers, const struct ps_task_event *task,
			   int64_t slice)
{
	const struct ps_waits *waits = &task->waits;
	struct process *process;
	struct thread *thread;
	uint64_t since;

	if (!is_asleep(waits))
		return 0;
	thread = find_thread(sleepers, &task->event, &process);
	if (!thread || thread->sleep.out_ns != waits->out_ns || !process->epoch)
		return 0; /* it woke while it was walked */
	since = waits->out_ns > sleepers->start_ns ? waits->out_ns : sleepers->start_ns;
	if (task->event.time_ns <= since)
		return 0;
	return write_sample(sleepers, process, thread, waits->class, waits->detail,
			    task->event.time_ns - since, slice);
}
