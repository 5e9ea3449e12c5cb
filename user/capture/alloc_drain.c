// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/alloc_drain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/stacks.h"
#include "capture/tracker.h"
#include "model/keys.h"
#include "store/writer_alloc.h"

struct alloc_drain {
	struct alloc_parts parts;
	struct alloc_windows *windows;
	bool written[ALLOC_TARGETS_FUNCTIONS]; /* rows of allocators */
	int64_t slice;
};

/* --- whom to look at */

void alloc_drain__look(struct alloc_drain *drain)
{
	struct process *process = tracker__first(drain->parts.tracker);
	uint64_t missed = 0, *most = &drain->parts.counters[PS_COUNTER_ALLOC_PROCESSES];
	pid_t pids[ALLOC_WINDOWS_PROCESSES];
	size_t count = 0;

	for (; process; process = process->hh.next) {
		const char *task = process->epoch ? process->epoch->identity.task : NULL;

		if (process->kernel_thread || process->gone || process->end_ns != ROW_NULL ||
		    (drain->parts.options->task &&
		     (!task || !pattern__matches(drain->parts.options->task, task))))
			continue;
		if (count < ALLOC_WINDOWS_PROCESSES)
			pids[count++] = (pid_t)process->key.tgid;
		else
			missed++;
	}
	/* The most at a time: nobody knows whether they are the same each time. */
	if (missed > *most)
		*most = missed;
	alloc_windows__set_processes(drain->windows, pids, count);
}

/* --- rows */

static int64_t bounded(uint64_t bytes)
{
	return (int64_t)(bytes < PS_ALLOC_MOST_SUM ? bytes : PS_ALLOC_MOST_SUM);
}

static int64_t bounded_net(int64_t bytes)
{
	return bytes < 0 ? -bounded(-(uint64_t)bytes) : bounded((uint64_t)bytes);
}

static int write_allocator(struct alloc_drain *drain, uint32_t number)
{
	const struct alloc_function *function = alloc_windows__function(drain->windows, number);

	if (!function || drain->written[number])
		return 0;
	drain->written[number] = true;
	return recording_writer__allocator(drain->parts.writer, (int64_t)number + 1, function->name,
					   function->module, function->frees, function->layered,
					   function->heads);
}

bool alloc_drain__sample(struct alloc_drain *drain, uint32_t metric, uint32_t allocator,
			 uint64_t sum, struct sample_row *row)
{
	const struct alloc_function *function;

	if (metric != PS_METRIC_ALLOC_BYTES && metric != PS_METRIC_ALLOC_COUNT)
		return false;
	function = alloc_windows__function(drain->windows, allocator);
	row->metric = metric == PS_METRIC_ALLOC_BYTES ? "alloc_bytes" : "alloc_count";
	row->class = function ? function->name : "";
	row->value = bounded(sum);
	return true;
}

static int write_sizes(struct alloc_drain *drain, const struct alloc_window *window, int64_t epoch,
		       const struct alloc_window_sum *sum)
{
	int err = 0;

	for (int64_t i = 0; i < PS_ALLOC_BUCKETS && !err; i++)
		if (sum->sum.sizes[i])
			err = unless_dropped(recording_writer__allocation_size(
				drain->parts.writer, window->number, epoch,
				(int64_t)sum->key.allocator + 1, i, (int64_t)sum->sum.sizes[i]));
	return err;
}

static int write_sum(struct alloc_drain *drain, const struct alloc_window *window,
		     const struct alloc_window_sum *sum)
{
	const struct alloc_function *function =
		alloc_windows__function(drain->windows, sum->key.allocator);
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, sum->key.epoch);
	struct allocation_row row = {
		.window = window->number,
		.allocator = (int64_t)sum->key.allocator + 1,
		.count = (int64_t)sum->sum.count,
		.bytes = bounded(sum->sum.bytes),
		.nested = (int64_t)sum->sum.nested,
		.nested_bytes = bounded(sum->sum.nested_bytes),
		.watched = (int64_t)sum->sum.watched,
		.watched_bytes = bounded(sum->sum.watched_bytes),
		.soon = (int64_t)sum->sum.soon,
		.soon_bytes = bounded(sum->sum.soon_bytes),
		.freed = (int64_t)sum->sum.freed,
		.freed_bytes = bounded(sum->sum.freed_bytes),
		.net_bytes = ROW_NULL,
		.kept = (int64_t)sum->kept,
		.kept_bytes = bounded(sum->kept_bytes),
	};
	int err;

	if (!epoch || !function) /* its process never became known */
		return 0;
	row.epoch = epoch->id;
	if (function->heads)
		row.net_bytes = bounded_net((int64_t)sum->sum.net_bytes);
	err = write_allocator(drain, sum->key.allocator);
	err = err ?: unless_dropped(recording_writer__allocation(drain->parts.writer, &row));
	return err ?: write_sizes(drain, window, epoch->id, sum);
}

static int write_process(struct alloc_drain *drain, const struct alloc_window *window,
			 const struct alloc_window_process *one)
{
	struct process *process = tracker__last_owner(drain->parts.tracker, (uint32_t)one->pid);
	struct alloc_window_row row = {
		.number = window->number,
		.start_ns = tracker__time(drain->parts.tracker, window->start_ns),
		.end_ns = tracker__time(drain->parts.tracker, window->end_ns),
		.closed = window->closed,
		.cpu_ns = (int64_t)one->cpu_ns,
		.cost_ns = (int64_t)one->cost_ns,
		.edge_ns = (int64_t)one->edge_ns,
		.hits = (int64_t)one->hits,
		.held_peak_bytes = bounded(one->held_peak),
	};

	if (!process)
		return 0;
	row.process = process->id;
	return unless_dropped(recording_writer__alloc_window(drain->parts.writer, &row));
}

/* Where blocks were allocated that were not freed before the breakpoints went. */
static int write_kept(struct alloc_drain *drain, const struct ps_alloc_block *block)
{
	struct known_stack *stack =
		block->stack ? stacks__find(drain->parts.stacks, block->stack) : NULL;
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, block->epoch);
	const struct alloc_function *function =
		alloc_windows__function(drain->windows, block->allocator);
	struct sample_row row = {.slice = drain->slice,
				 .metric = "alloc_kept",
				 .class = function ? function->name : "",
				 .count = 1,
				 .value = bounded(block->weight),
				 .ending = ending__name(stack ? stack->ending : PS_END_UNKNOWN),
				 .stack = ROW_NULL,
				 .waker = ROW_NULL,
				 .file = ROW_NULL};
	struct thread *thread;

	if (!epoch)
		return 0;
	thread = tracker__thread(drain->parts.tracker, epoch->process, block->tid, NULL);
	if (!thread)
		return -ENOMEM;
	row.epoch = epoch->id;
	row.thread = thread->id;
	if (stack)
		row.stack = stacks__leaf(drain->parts.stacks, epoch->process, stack, 0,
					 clock__ns(CLOCK_MONOTONIC));
	if (row.stack < 0 && row.stack != ROW_NULL)
		return (int)row.stack;
	return unless_dropped(recording_writer__sample(drain->parts.writer, &row));
}

static int write_window(struct alloc_drain *drain, const struct alloc_window *window)
{
	int err = 0;

	for (size_t i = 0; i < window->process_count && !err; i++)
		err = write_process(drain, window, &window->processes[i]);
	for (size_t i = 0; i < window->sum_count && !err; i++)
		err = write_sum(drain, window, &window->sums[i]);
	for (size_t i = 0; i < window->sampled_count && !err; i++)
		err = write_kept(drain, &window->sampled[i]);
	return err;
}

void alloc_drain__stop(struct alloc_drain *drain)
{
	alloc_windows__stop(drain->windows);
}

int alloc_drain__slice(struct alloc_drain *drain, int64_t slice)
{
	struct alloc_window *window;
	int err = 0;

	drain->slice = slice;
	alloc_drain__look(drain);
	while (!err && (window = alloc_windows__take(drain->windows))) {
		err = write_window(drain, window);
		alloc_window__free(window);
	}
	return err;
}

static void write_number(struct alloc_drain *drain, const char *key, double value)
{
	char text[48];

	snprintf(text, sizeof(text), "%.6g", value);
	recording_writer__meta(drain->parts.writer, key, text);
}

bool alloc_drain__notice(struct alloc_drain *drain, struct alloc_notice *ret_notice)
{
	if (!alloc_windows__notice(drain->windows, ret_notice))
		return false;
	if (ret_notice->state == ALLOC_PREDICTED) {
		write_number(drain, "alloc_predicted_percent", ret_notice->predicted);
		write_number(drain, "alloc_open_percent", ret_notice->slow_down);
	}
	return true;
}

/* --- life */

int alloc_drain__new(const struct alloc_parts *parts, struct alloc_drain **ret_drain)
{
	struct alloc_drain *drain = calloc(1, sizeof(*drain));
	int err;

	if (!drain)
		return -ENOMEM;
	drain->parts = *parts;
	write_number(drain, "alloc_max_overhead", parts->options->max_overhead);
	write_number(drain, "alloc_period_bytes", parts->options->period_bytes);
	err = alloc_windows__new(parts->bpf, parts->options->max_overhead, parts->options->python,
				 &drain->windows);
	if (err) {
		free(drain);
		return err;
	}
	*ret_drain = drain;
	return 0;
}

void alloc_drain__free(struct alloc_drain *drain)
{
	if (!drain)
		return;
	alloc_windows__free(drain->windows);
	free(drain);
}
