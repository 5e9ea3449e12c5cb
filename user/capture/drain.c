// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/drain.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/alloc_drain.h"
#include "capture/ceph_drain.h"
#include "capture/io_drain.h"
#include "capture/choice.h"
#include "capture/map_drain.h"
#include "capture/map_slices.h"
#include "capture/programs.h"
#include "capture/mem_drain.h"
#include "capture/mmaps.h"
#include "capture/names.h"
#include "capture/quanta.h"
#include "capture/resources.h"
#include "capture/sleepers.h"
#include "capture/stacks.h"
#include "capture/tracker.h"
#include "capture/unwinder.h"
#include "capture/wait_names.h"
#include "counters.h"
#include "model/stack_tree.h"
#include "pipescope.skel.h"
#include "proc/facts.h"
#include "store/writer.h"
#include "wire.h"

#define BATCH 4096
/* BPF remembers which stacks it has sent; emptied when it holds this many (of 65,536). */
#define STACKS_SENT_LIMIT 49152

/* Waits, and operations, chosen for the stacks in a slice at most; the periods that choose them
 * begin here and double up to nine times: below 2^32, as BPF's arithmetic wants it. */
#define WAIT_PERIOD_NS	2000000ULL
#define IO_PERIOD_NS	2000000ULL
#define IO_PERIOD_BYTES 4194304ULL
#define IO_PERIOD_OPS	1024ULL
/* Histograms are written each so many slices, and at the end. */
#define HISTOGRAM_SLICES 10
/* What nobody met for so many sweeps is forgotten: longer than anybody looks back. */
#define TREE_KEPT_SWEEPS 3
/* Mappings of all processes are read again at most this often. */
#define MMAPS_READ_NS 1000000000ULL
/* Buffers that come and go with each slice get pages of their own. malloc() would soon take them
 * out of the heap, where names and rows that stay would keep the holes that they leave. */
#define BUFFERS_FROM (128 * 1024) /* bytes */

struct drain {
	struct drain_parts parts;
	struct ring_buffer *ring;
	struct bpf_link *tasks;
	struct wait_names *wait_names;
	struct io_drain *io; /* NULL: that source is off */
	struct sleepers *sleepers; /* NULL: source "offcpu" is off */
	struct mem_drain *mem; /* NULL: that source is off */
	int64_t slice;
	struct map_slices counts;
	struct meanwhile meanwhile;
	uint64_t stacks_taken; /* since BPF's memory of them was emptied */
	uint64_t remotes_taken; /* the same */
	struct choice waits, operations; /* for the stacks */
	uint64_t mmaps_lost; /* of which the mappings were read again */
	uint64_t mmaps_read_ns; /* when they were */
	int error; /* of an event, which cannot stop the ring buffer's walk by itself */
};

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

static int tell_mapping(void *context, const struct mmap_event *event)
{
	struct drain *drain = context;
	struct process *process = tracker__find(drain->parts.tracker, event->tgid);

	return process ? names__on_mmap(drain->parts.names, process, event) : 0;
}

/* BPF may know the interpreter of a process that has just begun, by its file. Here its mappings
 * wait behind this batch's events: what one of these needs must be told in front of it. */
static int hurry_mappings(struct drain *drain, const struct process *process,
			  const struct ps_event *event)
{
	uint32_t tgid = (uint32_t)process->key.tgid;
	int err;

	if (process->python_binary)
		return 0;
	err = mmaps__collect(drain->parts.mmaps);
	return err ?: mmaps__take_of(drain->parts.mmaps, tgid, event->time_ns, tell_mapping, drain);
}

static int on_stack(struct drain *drain, const struct ps_stack_event *stack, size_t size)
{
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, stack->epoch);
	struct process *process = epoch ? epoch->process : NULL;
	uint64_t words =
		(uint64_t)stack->kernel_frames + stack->native_frames +
		(uint64_t)stack->python_frames * (sizeof(struct ps_frame) / sizeof(uint64_t));
	int err;

	if (words > (size - sizeof(*stack)) / sizeof(uint64_t))
		return 0;
	drain->stacks_taken++;
	if (!process) {
		err = add_unknown(drain, stack, &process);
		if (err)
			return err == -ENOMEM ? err : 0;
	}
	err = stack->python_frames ? hurry_mappings(drain, process, &stack->event) : 0;
	err = err
		      ?: stacks__on_stack(drain->parts.stacks, process, stack,
					  (const uint64_t *)(stack + 1));
	if (!err && drain->parts.quanta)
		err = quanta__settle(drain->parts.quanta);
	return err;
}

static int on_copy(struct drain *drain, const struct ps_stack_copy_event *copy, size_t size)
{
	if (copy->bytes > size - sizeof(*copy))
		return 0;
	return stacks__on_copy(drain->parts.stacks, copy, copy + 1);
}

static int on_fork(struct drain *drain, const struct ps_fork_event *fork)
{
	struct tracker *tracker = drain->parts.tracker;
	struct process *parent = tracker__find(tracker, fork->parent_tgid), *child;
	int err = 0;

	/* The child maps what its parent did then. */
	if (parent)
		err = mmaps__collect(drain->parts.mmaps)
			      ?: mmaps__take_of(drain->parts.mmaps, fork->parent_tgid,
						fork->event.time_ns, tell_mapping, drain);
	err = err ?: tracker__on_fork(tracker, fork);
	if (err)
		return err;
	parent = tracker__find(tracker, fork->parent_tgid);
	child = tracker__find(tracker, fork->event.tgid);
	return parent && child
		       ? names__on_fork(drain->parts.names, parent, child, fork->event.time_ns)
		       : 0;
}

static int on_exec(struct drain *drain, const struct ps_exec_event *exec, size_t size)
{
	struct process *process;
	int err;

	if ((uint64_t)exec->args_size + exec->env_size > size - sizeof(*exec))
		return 0;
	err = tracker__on_exec(drain->parts.tracker, exec, &process);
	if (!err && drain->mem)
		err = mem_drain__on_exec(drain->mem, process);
	return err ? err : names__after_exec(drain->parts.names, process);
}

static int on_exit_event(struct drain *drain, const struct ps_exit_event *event)
{
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, event->epoch);
	int err = 0;

	if (drain->sleepers)
		err = sleepers__on_exit(drain->sleepers, event, drain->slice);
	if (!err && drain->mem && event->last && epoch)
		err = mem_drain__on_end(drain->mem, epoch->process);
	return err ?: tracker__on_exit(drain->parts.tracker, event);
}

static int on_file(struct drain *drain, const struct ps_file_event *file, size_t size)
{
	if (!drain->io || file->text_size > size - sizeof(*file))
		return 0;
	return io_drain__on_file(drain->io, file, (const char *)(file + 1));
}

static int on_quantum(struct drain *drain, const struct ps_quantum_event *event)
{
	struct process *process = tracker__find(drain->parts.tracker, event->event.tgid);
	int err = 0;

	if (!drain->parts.quanta || !process)
		return 0;
	err = hurry_mappings(drain, process, &event->event);
	err = err ?: quanta__on_quantum(drain->parts.quanta, event, names__python_layout(process));
	if (!err && drain->mem)
		err = mem_drain__on_epoch(drain->mem, process);
	if (err && !drain->error)
		drain->error = err;
	return 0;
}

static int on_remote(struct drain *drain, const struct ps_remote_event *event)
{
	int err = remotes__on_event(wait_names__remotes(drain->wait_names), event);

	drain->remotes_taken++;
	if (err && !drain->error)
		drain->error = err;
	return 0;
}

static int on_resources(struct drain *drain, const struct ps_resource_event *event)
{
	int err = drain->parts.resources ? resources__on_event(drain->parts.resources, event) : 0;

	if (err && !drain->error)
		drain->error = err;
	return 0;
}

static int on_storage(struct drain *drain, const struct ps_event *event, size_t size)
{
	const void *data = event;
	int err = 0;

	if (!drain->io)
		return 0;
	if (event->type == PS_EVENT_WRITTEN && size >= sizeof(struct ps_written_event)) {
		err = io_drain__on_written(drain->io, data);
	} else if (event->type == PS_EVENT_TORN && size >= sizeof(struct ps_torn_event)) {
		err = io_drain__on_torn(drain->io, data);
	} else if (event->type == PS_EVENT_RENAMED && size >= sizeof(struct ps_file_event)) {
		const struct ps_file_event *renamed = data;

		if (renamed->text_size <= size - sizeof(*renamed))
			err = io_drain__on_renamed(drain->io, renamed, (const char *)(renamed + 1));
	}
	if (err && !drain->error)
		drain->error = err;
	return 0;
}

/* Of one source; their numbers come from several headers, and must differ. */
static int on_source_event(struct drain *drain, const struct ps_event *event, size_t size)
{
	const void *data = event;
	int err = 0;

	switch (event->type) {
	case PS_EVENT_QUANTUM:
		return size < sizeof(struct ps_quantum_event) ? 0 : on_quantum(drain, data);
	case PS_EVENT_REMOTE:
		return size < sizeof(struct ps_remote_event) ? 0 : on_remote(drain, data);
	case PS_EVENT_RESOURCES:
		return size < sizeof(struct ps_resource_event) ? 0 : on_resources(drain, data);
	case PS_EVENT_WRITTEN:
	case PS_EVENT_RENAMED:
	case PS_EVENT_TORN:
		return on_storage(drain, event, size);
	case PS_EVENT_MEM:
		if (size >= sizeof(struct ps_mem_event) && drain->mem)
			err = mem_drain__on_event(drain->mem, data);
		break;
	}
	if (err && !drain->error)
		drain->error = err;
	return 0;
}

static int on_event(void *context, void *data, size_t size)
{
	static const size_t least[] = {
		[PS_EVENT_FORK] = sizeof(struct ps_fork_event),
		[PS_EVENT_EXEC] = sizeof(struct ps_exec_event),
		[PS_EVENT_EXIT] = sizeof(struct ps_exit_event),
		[PS_EVENT_GONE] = sizeof(struct ps_gone_event),
		[PS_EVENT_STACK] = sizeof(struct ps_stack_event),
		[PS_EVENT_STACK_COPY] = sizeof(struct ps_stack_copy_event),
		[PS_EVENT_FILE] = sizeof(struct ps_file_event),
	};
	struct drain *drain = context;
	const struct ps_event *event = data;
	int err = 0;

	if (size < sizeof(*event))
		return 0;
	if (event->type >= sizeof(least) / sizeof(least[0]))
		return on_source_event(drain, event, size);
	if (size < least[event->type])
		return 0;
	switch (event->type) {
	case PS_EVENT_FORK:
		err = on_fork(drain, data);
		break;
	case PS_EVENT_EXEC:
		err = on_exec(drain, data, size);
		break;
	case PS_EVENT_EXIT:
		err = on_exit_event(drain, data);
		break;
	case PS_EVENT_GONE:
		err = tracker__on_gone(drain->parts.tracker, data);
		break;
	case PS_EVENT_STACK:
		err = on_stack(drain, data, size);
		break;
	case PS_EVENT_STACK_COPY:
		err = on_copy(drain, data, size);
		break;
	case PS_EVENT_FILE:
		err = on_file(drain, data, size);
		break;
	}
	if (err && !drain->error)
		drain->error = err;
	return 0;
}

/* Records of mappings that the kernel had no room for: nobody knows whose they were. */
static int read_lost_mappings(struct drain *drain)
{
	uint64_t lost = mmaps__lost(drain->parts.mmaps), now = clock__ns(CLOCK_MONOTONIC);
	struct process *process;
	int err = 0;

	if (lost == drain->mmaps_lost || now - drain->mmaps_read_ns < MMAPS_READ_NS)
		return 0;
	drain->mmaps_lost = lost;
	drain->mmaps_read_ns = now;
	process = tracker__first(drain->parts.tracker);
	for (; process && !err; process = process->hh.next)
		if (!process->kernel_thread && !process->gone)
			err = names__read_mappings(drain->parts.names, process, now);
	return err;
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
	events = mmaps__take(drain->parts.mmaps, &count);
	for (size_t i = 0; i < count; i++) {
		struct process *process = tracker__find(drain->parts.tracker, events[i].tgid);

		err = process ? names__on_mmap(drain->parts.names, process, &events[i]) : 0;
		if (err)
			return err;
	}
	err = read_lost_mappings(drain);
	if (!err)
		err = names__settle(drain->parts.names, clock__ns(CLOCK_MONOTONIC));
	if (!err && drain->parts.quanta)
		err = quanta__settle(drain->parts.quanta);
	if (!err)
		err = unwinder__take(drain->parts.unwinder, clock__ns(CLOCK_MONOTONIC));
	return err ? err : stacks__retry(drain->parts.stacks, clock__ns(CLOCK_MONOTONIC));
}

static int look_at_events(void *drain)
{
	return drain__events(drain);
}

const struct meanwhile *drain__meanwhile(const struct drain *drain)
{
	return &drain->meanwhile;
}

/* --- samples */

/* The row of the thread that ended a wait. Of processes that are not recorded nothing is known. */
static int find_waker(struct drain *drain, uint64_t waker, int64_t *ret_row)
{
	struct process *process;
	struct thread *thread;

	if (waker == PS_WAKER_INTERRUPT) {
		*ret_row = 0;
		return 0;
	}
	process = waker ? tracker__last_owner(drain->parts.tracker, PS_WAKER_TGID(waker)) : NULL;
	if (!process)
		return 0;
	thread = tracker__thread(drain->parts.tracker, process, PS_WAKER_TID(waker), NULL);
	if (!thread)
		return -ENOMEM;
	*ret_row = thread->id;
	return 0;
}

/* What kind of lock it was, the stack of who waited for it tells. */
static const char *class_held(struct drain *drain, const struct epoch *epoch, uint64_t waiter,
			      int *error)
{
	struct known_stack *stack = stacks__find(drain->parts.stacks, waiter);
	int64_t row = ROW_NULL;

	if (stack && epoch)
		row = stacks__leaf(drain->parts.stacks, epoch->process, stack, 0,
				   clock__ns(CLOCK_MONOTONIC));
	if (row < 0 && row != ROW_NULL)
		*error = (int)row;
	return *error ? NULL
		      : wait_names__finer(drain->wait_names, drain->parts.tree,
					  wait_class__name(PS_WAIT_LOCK, 0, NULL), row, error);
}

static void take_wait(struct drain *drain, const struct epoch *epoch, const struct ps_count *key,
		      struct sample_row *row, char buffer[WAIT_CLASS_NAME_SIZE], int *error)
{
	if (key->metric == PS_METRIC_HELD) {
		row->metric = "held";
		row->class = class_held(drain, epoch, key->waiter, error);
	} else {
		row->metric = "offcpu";
		row->class = wait_names__class(drain->wait_names, key->class, key->detail, buffer,
					       error);
	}
}

static int take_count(void *context, const void *taken_key, const void *taken_sum)
{
	struct drain *drain = context;
	const struct ps_count *key = taken_key;
	const struct ps_sum *sum = taken_sum;
	struct known_stack *stack = stacks__find(drain->parts.stacks, key->stack);
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, key->epoch);
	char buffer[WAIT_CLASS_NAME_SIZE];
	struct sample_row row = {.slice = drain->slice,
				 .metric = "cpu",
				 .count = (int64_t)sum->count,
				 .stack = ROW_NULL,
				 .waker = ROW_NULL,
				 .file = ROW_NULL};
	uint64_t leaf = key->metric == PS_METRIC_CPU ? key->leaf : 0;
	struct thread *thread;
	int err = 0;

	if (key->metric == PS_METRIC_OFFCPU || key->metric == PS_METRIC_HELD) {
		take_wait(drain, epoch, key, &row, buffer, &err);
		row.value = (int64_t)sum->sum;
		drain->waits.kept += sum->count;
	} else if (key->metric >= PS_METRIC_CEPH_TIME && key->metric <= PS_METRIC_CEPH_OPS) {
		err = ceph_drain__sample(drain->parts.ceph, key, sum->sum, &row);
	} else if (key->metric >= PS_METRIC_IO_TIME && key->metric <= PS_METRIC_IO_OPS) {
		row.metric = key->metric == PS_METRIC_IO_TIME	 ? "io_time"
			     : key->metric == PS_METRIC_IO_BYTES ? "io_bytes"
								 : "io_ops";
		row.class = io_op__name(PS_IO_CLASS_OP(key->class));
		row.value = (int64_t)sum->sum;
		drain->operations.kept += sum->count;
		err = io_drain__file(drain->io, key, &row.file);
	} else if (drain->parts.alloc && alloc_drain__sample(drain->parts.alloc, key->metric,
							     key->class, sum->sum, &row)) {
		leaf = 0;
	} else if (drain->mem) {
		mem_drain__sample(drain->mem, key->metric, key->class, sum->count, sum->sum, &row);
	}
	if (!epoch) { /* its process never became known */
		drain->parts.counters[PS_COUNTER_STACK_UNKNOWN] += sum->count;
		return 0;
	}
	thread = tracker__thread(drain->parts.tracker, epoch->process, key->tid, NULL);
	if (!thread)
		return -ENOMEM;
	row.epoch = epoch->id;
	row.thread = thread->id;
	row.ending = ending__name(stack ? stack->ending : PS_END_UNKNOWN);
	if (stack) {
		row.stack = stacks__leaf(drain->parts.stacks, epoch->process, stack, leaf,
					 clock__ns(CLOCK_MONOTONIC));
		if (row.stack < 0 && row.stack != ROW_NULL)
			return (int)row.stack;
	} else {
		drain->parts.counters[PS_COUNTER_STACK_UNKNOWN] += sum->count;
	}
	if (key->metric == PS_METRIC_OFFCPU && !err) {
		row.class = wait_names__finer(drain->wait_names, drain->parts.tree, row.class,
					      row.stack, &err);
		err = err ?: find_waker(drain, key->waker, &row.waker);
	}
	if (err)
		return err;
	err = recording_writer__sample(drain->parts.writer, &row);
	return unless_dropped(err);
}

/* Without this BPF would send each stack again once its memory of them is full. */
static int empty_stacks_sent(struct drain *drain)
{
	if (drain->stacks_taken < STACKS_SENT_LIMIT)
		return 0;
	drain->stacks_taken = 0;
	return map_drain(bpf_map__fd(drain->parts.bpf->maps.stacks_sent), sizeof(uint64_t),
			 sizeof(uint32_t), NULL, NULL);
}

static int empty_remotes_sent(struct drain *drain)
{
	if (drain->remotes_taken < PS_REMOTES_SENT * 3 / 4)
		return 0;
	drain->remotes_taken = 0;
	return map_drain(bpf_map__fd(drain->parts.bpf->maps.remotes_sent), sizeof(uint64_t),
			 sizeof(uint32_t), NULL, NULL);
}

static void adapt_periods(struct drain *drain)
{
	struct pipescope_bpf__data *data = drain->parts.bpf->data;

	choice__adapt(&drain->waits);
	choice__adapt(&drain->operations);
	data->wait_period_ns = WAIT_PERIOD_NS << drain->waits.doublings;
	data->io_period_ns = IO_PERIOD_NS << drain->operations.doublings;
	data->io_period_bytes = IO_PERIOD_BYTES << drain->operations.doublings;
	data->io_period_ops = IO_PERIOD_OPS << drain->operations.doublings;
}

/* --- snapshots */

int drain__each_task(struct drain *drain, iterator_take *take, void *context)
{
	return iterator__each(drain->tasks, sizeof(struct ps_task_event), take, context);
}

static int take_task(void *context, const void *record)
{
	const struct ps_task_event *task = record;
	struct drain *drain = context;
	int err = tracker__snapshot_task(drain->parts.tracker, task);

	if (!err && drain->io)
		err = io_drain__on_task(drain->io, task);
	if (!err && drain->sleepers)
		err = sleepers__on_task(drain->sleepers, task);
	return err;
}

static int take_last_task(void *context, const void *record)
{
	const struct ps_task_event *task = record;
	struct drain *drain = context;

	return sleepers__on_last_task(drain->sleepers, task, drain->slice);
}

/* --- what is forgotten: once in a while, what no process maps or does any more */

/* In a recording that is kept rows refer to stacks for ever; and a stack that is met again must not
 * be another one. */
static int sweep_tree(struct drain *drain)
{
	struct process *process;
	struct thread *thread;

	for (process = tracker__first(drain->parts.tracker); process; process = process->hh.next)
		for (thread = process->threads; thread; thread = thread->hh.next)
			stack_tree__use(drain->parts.tree, thread->sleep.stack);
	return stack_tree__sweep(drain->parts.tree, TREE_KEPT_SWEEPS);
}

static int sweep(struct drain *drain, int64_t slice)
{
	struct process *process;
	int err = 0;

	if (drain->parts.live && drain->io &&
	    slice % IO_DRAIN_SWEEP_SLICES == IO_DRAIN_SWEEP_SLICES - 1)
		err = io_drain__sweep(drain->io);
	if (err)
		return err;
	if (slice % STACKS_SWEEP_SLICES != STACKS_SWEEP_SLICES - 1)
		return 0;
	for (process = tracker__first(drain->parts.tracker); process; process = process->hh.next) {
		names__use(drain->parts.names, process);
		stacks__sweep(drain->parts.stacks, process);
	}
	stacks__next_sweep(drain->parts.stacks);
	err = names__sweep(drain->parts.names, drain->parts.writer, clock__ns(CLOCK_MONOTONIC));
	if (!err && drain->parts.live)
		err = sweep_tree(drain);
	/* Compilers of unwind rows leave much behind. */
	malloc_trim(0);
	return err;
}

int drain__slice(struct drain *drain, int64_t slice, uint64_t slice_start_ns, bool final)
{
	int err;

	drain->slice = slice;
	err = map_slices__swap(&drain->counts, bpf_map__fd(drain->parts.bpf->maps.counts),
			       &drain->meanwhile);

	/* The stacks of the counted samples were sent before they were counted. */
	if (!err)
		err = drain__events(drain);
	if (!err)
		err = map_drain(map_slices__idle(&drain->counts), sizeof(struct ps_count),
				sizeof(struct ps_sum), take_count, drain);
	if (!err)
		err = empty_stacks_sent(drain) ?: empty_remotes_sent(drain);
	adapt_periods(drain);
	unwinder__slice(drain->parts.unwinder, clock__ns(CLOCK_MONOTONIC));
	if (err)
		return err;
	if (drain->io)
		err = io_drain__begin(drain->io, &drain->meanwhile);
	if (err)
		return err;
	if (drain->sleepers)
		sleepers__begin(drain->sleepers, slice_start_ns, final);
	tracker__snapshot_begin(drain->parts.tracker, final);
	err = drain__each_task(drain, take_task, drain);
	/* Epochs and names that have come during the walk: what was read belongs to them. */
	if (!err)
		err = drain__events(drain);
	if (!err)
		err = tracker__snapshot_end(drain->parts.tracker);
	if (!err && drain->io)
		err = io_drain__end(drain->io, slice);
	if (!err && drain->io && final)
		err = io_drain__last(drain->io);
	if (!err && drain->mem)
		err = mem_drain__look(drain->mem, slice, final, &drain->meanwhile);
	if (!err && drain->sleepers && final)
		err = drain__each_task(drain, take_last_task, drain);
	drain->slice = slice + 1;
	if (!err && drain->io && slice % HISTOGRAM_SLICES == HISTOGRAM_SLICES - 1)
		err = io_drain__write_histograms(drain->io);
	return err || final ? err : sweep(drain, slice);
}

static int write_period(struct drain *drain, const char *key, uint64_t period_ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, period_ns);
	return recording_writer__meta(drain->parts.writer, key, text);
}

int drain__finish(struct drain *drain)
{
	int err = 0;

	if (drain->parts.offcpu)
		err = write_period(drain, "offcpu_period_ns",
				   WAIT_PERIOD_NS << drain->waits.doublings_most);
	if (!err && drain->io)
		err = write_period(drain, "io_period_ns",
				   IO_PERIOD_NS << drain->operations.doublings_most)
			      ?: io_drain__write_histograms(drain->io);
	if (!err && drain->mem)
		err = mem_drain__finish(drain->mem);
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
	ret_counters[PS_COUNTER_RUNS_MISSED] += programs__missed(drain->parts.bpf->obj);
	ret_counters[PS_COUNTER_MMAP_LOST] += mmaps__lost(drain->parts.mmaps);
	ret_counters[PS_COUNTER_QUEUE_FULL] += recording_writer__dropped(drain->parts.writer);
	return 0;
}

/* --- life */

int drain__new(const struct drain_parts *parts, struct drain **ret_drain)
{
	struct drain *drain = calloc(1, sizeof(*drain));
	int err;

	if (!drain)
		return -ENOMEM;
	mallopt(M_MMAP_THRESHOLD, BUFFERS_FROM);
	drain->parts = *parts;
	drain->wait_names = tracker__wait_names(parts->tracker);
	drain->counts = MAP_SLICES_NONE;
	drain->ring = ring_buffer__new(bpf_map__fd(parts->bpf->maps.events), on_event, drain, NULL);
	if (!drain->ring) {
		err = -errno;
		goto cleanup;
	}
	drain->meanwhile = (struct meanwhile){look_at_events, drain, drain__fd(drain)};
	drain->tasks = bpf_program__attach_iter(parts->bpf->progs.tasks_dump, NULL);
	if (!drain->tasks) {
		err = -errno;
		goto cleanup;
	}
	err = map_slices__make(&drain->counts, "counts_slice", sizeof(struct ps_count),
			       sizeof(struct ps_sum), parts->counts_per_slice, 0,
			       bpf_map__fd(parts->bpf->maps.counts));
	if (!err && parts->io)
		err = io_drain__new(parts->bpf, parts->writer, parts->tracker, parts->rules,
				    parts->counters, &drain->io);
	if (!err && drain->io && parts->live)
		io_drain__limit_live(drain->io);
	if (!err && parts->offcpu)
		err = sleepers__new(parts->tracker, parts->stacks, parts->tree, parts->writer,
				    parts->start_ns, &drain->sleepers);
	if (!err && parts->mem) {
		const struct mem_parts mem = {parts->bpf, parts->writer, parts->tracker,
					      parts->stacks, parts->counters};

		err = mem_drain__new(&mem, &drain->mem);
	}
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
	io_drain__free(drain->io);
	sleepers__free(drain->sleepers);
	mem_drain__free(drain->mem);
	map_slices__close(&drain->counts);
	free(drain);
}

int drain__fd(const struct drain *drain)
{
	return ring_buffer__epoll_fd(drain->ring);
}
