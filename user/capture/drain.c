// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "capture/mmaps.h"
#include "capture/names.h"
#include "capture/tracker.h"
#include "counters.h"
#include "pipescope.skel.h"
#include "proc/facts.h"
#include "store/writer.h"
#include "wire.h"

#define BATCH	     4096
#define TASK_BUFFER  65536
#define CLOCK_NS(at) ((uint64_t)(at).tv_sec * 1000000000ULL + (uint64_t)(at).tv_nsec)
/* BPF remembers which stacks it has sent; emptied when it holds this many (of 65,536). */
#define STACKS_SENT_LIMIT 49152
/* … and after this many slices, so that every stack is looked at again now and then. */
#define STACKS_SENT_SLICES 60

struct drain {
	struct drain_parts parts;
	struct ring_buffer *ring;
	struct bpf_link *tasks;
	int counts[2]; /* the map that BPF fills, and the other */
	int current;
	uint64_t stacks_taken; /* since BPF's memory of them was emptied */
	int64_t emptied_slice;
	int error; /* of an event, which cannot stop the ring buffer's walk by itself */
	struct ps_count keys[BATCH];
	uint64_t values[BATCH];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return CLOCK_NS(now);
}

/* --- events */

/* A process that a sample met first. Everything about it is still in /proc, or it is lost. */
static int add_unknown(struct drain *drain, const struct ps_stack_event *stack,
		       struct process **ret_process)
{
	struct process *process = tracker__find(drain->parts.tracker, stack->event.tgid);
	struct ps_task_event task = {.event = stack->event};
	struct ps_who who;
	int err;

	if (bpf_map_lookup_elem(bpf_map__fd(drain->parts.bpf->maps.epochs), &stack->event.tgid,
				&who) ||
	    who.epoch != stack->epoch)
		return -ESRCH;
	if (process && process->key.start_boot_ns == who.start_boot_ns)
		return -ESRCH; /* known by another epoch: the event that began this one was lost */
	task.start_boot_ns = who.start_boot_ns;
	facts__comm((pid_t)stack->event.tgid, task.comm, sizeof(task.comm));
	err = tracker__add_running(drain->parts.tracker, &task, stack->epoch, &process);
	if (!err)
		err = names__read_mappings(drain->parts.names, process, stack->event.time_ns);
	if (!err)
		*ret_process = process;
	return err;
}

static int on_stack(struct drain *drain, const struct ps_stack_event *stack, size_t size)
{
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, stack->epoch);
	struct process *process = epoch ? epoch->process : NULL;
	uint64_t words =
		stack->kernel_frames +
		(uint64_t)stack->user_frames * (sizeof(struct ps_frame) / sizeof(uint64_t));
	int err;

	if (words > (size - sizeof(*stack)) / sizeof(uint64_t))
		return 0;
	drain->stacks_taken++;
	if (!process) {
		err = add_unknown(drain, stack, &process);
		if (err)
			return err == -ENOMEM ? err : 0;
	}
	return names__on_stack(drain->parts.names, process, stack, (const uint64_t *)(stack + 1));
}

static int on_exec(struct drain *drain, const struct ps_exec_event *exec, size_t size)
{
	struct process *process;
	int err;

	if ((uint64_t)exec->args_size + exec->env_size > size - sizeof(*exec))
		return 0;
	err = tracker__on_exec(drain->parts.tracker, exec, &process);
	return err ? err : names__after_exec(drain->parts.names, process);
}

static int on_event(void *context, void *data, size_t size)
{
	static const size_t least[] = {
		[PS_EVENT_FORK] = sizeof(struct ps_fork_event),
		[PS_EVENT_EXEC] = sizeof(struct ps_exec_event),
		[PS_EVENT_EXIT] = sizeof(struct ps_exit_event),
		[PS_EVENT_GONE] = sizeof(struct ps_gone_event),
		[PS_EVENT_STACK] = sizeof(struct ps_stack_event),
	};
	struct drain *drain = context;
	const struct ps_event *event = data;
	int err = 0;

	if (size < sizeof(*event) || event->type >= sizeof(least) / sizeof(least[0]) ||
	    size < least[event->type])
		return 0;
	switch (event->type) {
	case PS_EVENT_FORK:
		err = tracker__on_fork(drain->parts.tracker, data);
		break;
	case PS_EVENT_EXEC:
		err = on_exec(drain, data, size);
		break;
	case PS_EVENT_EXIT:
		err = tracker__on_exit(drain->parts.tracker, data);
		break;
	case PS_EVENT_GONE:
		err = tracker__on_gone(drain->parts.tracker, data);
		break;
	case PS_EVENT_STACK:
		err = on_stack(drain, data, size);
		break;
	}
	if (err && !drain->error)
		drain->error = err;
	return 0;
}

int drain__events(struct drain *drain)
{
	const struct mmap_event *events;
	size_t count;
	int err;

	/* What a mapping record belongs to was told by an earlier event: so the records are
	 * collected before the events are taken, and told after them. */
	err = mmaps__collect(drain->parts.mmaps);
	if (err)
		return err;
	err = ring_buffer__consume(drain->ring);
	if (err < 0)
		return err;
	if (drain->error)
		return drain->error;
	events = mmaps__events(drain->parts.mmaps, &count);
	for (size_t i = 0; i < count; i++) {
		struct process *process = tracker__find(drain->parts.tracker, events[i].tgid);

		err = process ? names__on_mmap(drain->parts.names, process, &events[i]) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* --- samples */

static int take_count(struct drain *drain, int64_t slice, const struct ps_count *key,
		      uint64_t count)
{
	struct known_stack *stack = names__find(drain->parts.names, key->stack);
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, key->epoch);
	struct sample_row row = {
		.slice = slice, .metric = "cpu", .count = (int64_t)count, .stack = ROW_NULL};
	static const char *const endings[] = {
#define X(name, text, ok, meaning) text,
		PS_ENDINGS(X)
#undef X
	};
	struct thread *thread;

	if (!epoch) { /* its process never became known */
		drain->parts.counters[PS_COUNTER_STACK_UNKNOWN] += count;
		return 0;
	}
	thread = tracker__thread(drain->parts.tracker, epoch->process, key->tid, NULL);
	if (!thread)
		return -ENOMEM;
	row.epoch = epoch->id;
	row.thread = thread->id;
	row.ending = endings[stack ? stack->ending : PS_END_UNKNOWN];
	if (stack) {
		row.stack =
			names__leaf(drain->parts.names, epoch->process, stack, key->leaf, now_ns());
		if (row.stack < 0)
			return (int)row.stack;
	} else {
		drain->parts.counters[PS_COUNTER_STACK_UNKNOWN] += count;
	}
	return recording_writer__sample(drain->parts.writer, &row);
}

static int take_counts(struct drain *drain, int fd, int64_t slice)
{
	uint64_t position = 0;
	bool first = true, last = false;
	int err = 0;

	while (!last && !err) {
		uint32_t count = BATCH;

		err = bpf_map_lookup_and_delete_batch(fd, first ? NULL : &position, &position,
						      drain->keys, drain->values, &count, NULL);
		last = err == -ENOENT;
		if (last)
			err = 0;
		first = false;
		for (uint32_t i = 0; i < count && !err; i++) {
			err = take_count(drain, slice, &drain->keys[i], drain->values[i]);
			if (err == -ENOBUFS)
				err = 0;
		}
	}
	return err;
}

static int swap_counts(struct drain *drain)
{
	uint32_t zero = 0;
	int other = !drain->current;
	/* Returns when no program uses the old map any more. */
	int err = bpf_map_update_elem(bpf_map__fd(drain->parts.bpf->maps.counts), &zero,
				      &drain->counts[other], BPF_ANY);

	if (!err)
		drain->current = other;
	return err;
}

/* Without this BPF would send each stack again once its memory of them is full. */
static int empty_stacks_sent(struct drain *drain, int64_t slice)
{
	int fd = bpf_map__fd(drain->parts.bpf->maps.stacks_sent);
	uint32_t values[BATCH], count;
	uint64_t hashes[BATCH], position = 0;
	bool first = true;
	int err = 0;

	if (drain->stacks_taken < STACKS_SENT_LIMIT &&
	    slice - drain->emptied_slice < STACKS_SENT_SLICES)
		return 0;
	drain->stacks_taken = 0;
	drain->emptied_slice = slice;
	while (!err) {
		count = BATCH;
		err = bpf_map_lookup_and_delete_batch(fd, first ? NULL : &position, &position,
						      hashes, values, &count, NULL);
		first = false;
	}
	return err == -ENOENT ? 0 : err;
}

/* --- snapshots */

int drain__each_task(struct drain *drain, drain_task_fn *take, void *context)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(drain->tasks));
	_Alignas(8) char buffer[TASK_BUFFER];
	size_t filled = 0;
	int err = 0;

	if (fd < 0)
		return fd;
	while (!err) {
		ssize_t got = read(fd, buffer + filled, sizeof(buffer) - filled);
		size_t at;

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		filled += (size_t)got;
		for (at = 0; filled - at >= sizeof(struct ps_task_event) && !err;
		     at += sizeof(struct ps_task_event)) {
			struct ps_task_event task;

			memcpy(&task, buffer + at, sizeof(task));
			err = take(context, &task);
		}
		memmove(buffer, buffer + at, filled - at);
		filled -= at;
	}
	return err;
}

static int take_task(void *context, const struct ps_task_event *task)
{
	struct drain *drain = context;

	return tracker__snapshot_task(drain->parts.tracker, task);
}

int drain__slice(struct drain *drain, int64_t slice)
{
	int err = swap_counts(drain);

	/* The stacks of the counted samples were sent before they were counted. */
	if (!err)
		err = drain__events(drain);
	if (!err)
		err = take_counts(drain, drain->counts[!drain->current], slice);
	if (!err)
		err = empty_stacks_sent(drain, slice);
	if (err)
		return err;
	tracker__snapshot_begin(drain->parts.tracker);
	err = drain__each_task(drain, take_task, drain);
	if (!err)
		err = tracker__snapshot_end(drain->parts.tracker);
	return err;
}

int drain__counters(const struct drain *drain, uint64_t *ret_counters)
{
	int fd = bpf_map__fd(drain->parts.bpf->maps.counters), cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t counter = 0; counter < PS_COUNTER_COUNT; counter++) {
		int err = bpf_map_lookup_elem(fd, &counter, values);

		if (err)
			return err;
		ret_counters[counter] = drain->parts.counters[counter];
		for (int cpu = 0; cpu < cpus; cpu++)
			ret_counters[counter] += values[cpu];
	}
	ret_counters[PS_COUNTER_MMAP_LOST] += mmaps__lost(drain->parts.mmaps);
	ret_counters[PS_COUNTER_QUEUE_FULL] += recording_writer__dropped(drain->parts.writer);
	return 0;
}

/* --- life */

static int make_counts(struct drain *drain)
{
	for (int i = 0; i < 2; i++) {
		drain->counts[i] =
			bpf_map_create(BPF_MAP_TYPE_HASH, "counts_slice", sizeof(struct ps_count),
				       sizeof(uint64_t), drain->parts.counts_per_slice, NULL);
		if (drain->counts[i] < 0)
			return drain->counts[i];
	}
	return swap_counts(drain);
}

int drain__new(const struct drain_parts *parts, struct drain **ret_drain)
{
	struct drain *drain = calloc(1, sizeof(*drain));
	int err;

	if (!drain)
		return -ENOMEM;
	drain->parts = *parts;
	drain->counts[0] = drain->counts[1] = -1;
	drain->ring = ring_buffer__new(bpf_map__fd(parts->bpf->maps.events), on_event, drain, NULL);
	if (!drain->ring) {
		err = -errno;
		goto cleanup;
	}
	drain->tasks = bpf_program__attach_iter(parts->bpf->progs.tasks_dump, NULL);
	if (!drain->tasks) {
		err = -errno;
		goto cleanup;
	}
	err = make_counts(drain);
	if (err)
		goto cleanup;
	*ret_drain = drain;
	return 0;
cleanup:
	drain__free(drain);
	return err;
}

void drain__free(struct drain *drain)
{
	if (!drain)
		return;
	ring_buffer__free(drain->ring);
	bpf_link__destroy(drain->tasks);
	for (int i = 0; i < 2; i++)
		if (drain->counts[i] >= 0)
			close(drain->counts[i]);
	free(drain);
}

int drain__fd(const struct drain *drain)
{
	return ring_buffer__epoll_fd(drain->ring);
}
