// SPDX-License-Identifier: GPL-2.0-or-later
/* Page faults of a process are what its living threads have had, by the kernel's own count, and
 * what threads had that ended (BPF adds that up at their end). Charged is what both together have
 * more than was charged before: so a thread that ends during a look is counted a little later, and
 * never twice. When a process begins another program, BPF tells what it had had by then. */
#include "capture/mem_drain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/live_memory.h"
#include "capture/choice.h"
#include "capture/iterator.h"
#include "capture/map_drain.h"
#include "capture/map_slices.h"
#include "capture/stacks.h"
#include "capture/tracker.h"
#include "counters.h"
#include "pipescope.skel.h"
#include "store/writer_memory.h"

#define WAITING_MOST 65536 /* events */
/* Places of live memory are written each so many slices, and when an epoch ends. */
#define LIVE_SLICES 10
/* A process that nothing is heard of for so many looks is forgotten; what was counted for an epoch
 * that did not become known in as many is lost. */
#define LOOKS_KEPT 3
/* Stacks chosen in a slice at most; the periods begin here and double up to nine times. */
#define PERIOD_BYTES  524288ULL
#define PERIOD_FAULTS 128ULL

static const char *const kind_names[] = {
#define X(name, text) text,
	PS_MEM_KINDS(X)
#undef X
};

struct faults {
	uint64_t minor, major;
};

/* What is known of a process's memory. */
struct mem_process {
	struct process_identity key;
	uint64_t epoch; /* of what is live, as BPF knows it; 0: none yet */
	int64_t epoch_row;
	struct live_memory *live; /* NULL: no event so far */
	struct faults living, ended, charged;
	int64_t pages[PS_MEM_KIND_COUNT], written[PS_MEM_KIND_COUNT];
	int64_t charged_epoch; /* row of the last look, for who has ended since; 0: none */
	uint64_t seen; /* the last look that met it, or heard of it */
	uint64_t look; /* the last one that met it */
	bool born; /* during the recording */
	bool started; /* the faults before the recording are known */
	UT_hash_handle hh;
};

/* What BPF has counted for an epoch. */
struct pending {
	uint64_t epoch;
	struct ps_mem_sum sum;
	uint32_t looks;
};

struct mem_drain {
	struct mem_parts parts;
	struct bpf_link *tasks;
	struct mem_process *memories;
	struct pending *pending;
	size_t pending_count, pending_capacity;
	struct ps_mem_event *waiting; /* events whose stacks may not be whole yet */
	size_t waiting_count, waiting_capacity;
	struct map_slices maps;
	int64_t slice, last_row;
	uint64_t look;
	struct choice chosen; /* for the stacks */
};

static struct mem_process *find_memory(struct mem_drain *drain, const struct process_identity *key)
{
	struct mem_process *memory;

	HASH_FIND(hh, drain->memories, key, sizeof(*key), memory);
	return memory;
}

static struct mem_process *make_memory(struct mem_drain *drain, const struct process_identity *key)
{
	struct mem_process *memory = find_memory(drain, key);

	if (memory)
		return memory;
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return NULL;
	memory->key = *key;
	memory->seen = drain->look;
	HASH_ADD(hh, drain->memories, key, sizeof(memory->key), memory);
	if (!memory->hh.tbl) {
		free(memory);
		return NULL;
	}
	return memory;
}

/* --- what is live */

struct writing {
	struct mem_drain *drain;
	int64_t epoch;
};

static int write_place(void *context, enum live_memory_kind kind, int64_t stack, const char *ending,
		       const struct live_figures *figures, int64_t *row_id)
{
	struct writing *writing = context;
	struct memory_map_row row = {
		.epoch = writing->epoch,
		.stack = stack,
		.count = (int64_t)figures->count,
		.bytes = (int64_t)figures->bytes,
		.live_count = figures->live_count,
		.live_bytes = figures->live_bytes,
		.peak_count = figures->peak_count,
		.peak_bytes = figures->peak_bytes,
		.kind = kind == LIVE_HEAP ? "heap" : "mapped",
		.ending = ending,
	};

	if (!*row_id)
		*row_id = ++writing->drain->last_row;
	row.id = *row_id;
	return recording_writer__memory_map(writing->drain->parts.writer, &row);
}

static int write_live(struct mem_drain *drain, struct mem_process *memory)
{
	struct writing writing = {drain, memory->epoch_row};

	if (!memory->live || !memory->epoch)
		return 0;
	return live_memory__each(memory->live, write_place, &writing);
}

/* What is live is that of another epoch from now on. */
static int enter_epoch(struct mem_drain *drain, struct mem_process *memory,
		       const struct epoch *epoch)
{
	int err;

	if (memory->epoch == epoch->key)
		return 0;
	err = write_live(drain, memory);
	if (memory->live)
		live_memory__begin_epoch(memory->live);
	memory->epoch = epoch->key;
	memory->epoch_row = epoch->id;
	return err;
}

/* Row of the stack, ROW_NULL, or a negative errno. */
static int64_t stack_of(struct mem_drain *drain, struct process *process,
			const struct ps_mem_event *event, const char **ret_ending)
{
	struct known_stack *stack =
		event->stack ? stacks__find(drain->parts.stacks, event->stack) : NULL;

	*ret_ending = ending__name(stack ? stack->ending : PS_END_UNKNOWN);
	if (!stack)
		return ROW_NULL;
	return stacks__leaf(drain->parts.stacks, process, stack, 0, clock__ns(CLOCK_MONOTONIC));
}

static int take_event(struct mem_drain *drain, struct mem_process *memory, struct process *process,
		      const struct ps_mem_event *event)
{
	struct live_memory *live = memory->live;
	const char *ending = NULL;
	int64_t stack = ROW_NULL;

	if (event->op == PS_MEM_MAP || event->op == PS_MEM_MOVE || event->op == PS_MEM_HEAP)
		stack = stack_of(drain, process, event, &ending);
	if (stack < 0 && stack != ROW_NULL)
		return (int)stack;
	switch (event->op) {
	case PS_MEM_MAP:
		return live_memory__map(live, LIVE_MAPPED, stack, ending, event->address,
					event->length);
	case PS_MEM_UNMAP:
		return live_memory__unmap(live, event->address, event->length);
	case PS_MEM_LEAVE:
		return live_memory__leave(live, event->event.tid, event->address, event->length);
	case PS_MEM_MOVE:
		return live_memory__arrive(live, event->event.tid, stack, ending, event->address,
					   event->length);
	case PS_MEM_HEAP_END:
		live_memory__heap_end(live, event->address);
		return 0;
	case PS_MEM_HEAP:
		return live_memory__heap(live, stack, ending, event->address);
	default:
		return 0;
	}
}

static int settle_event(struct mem_drain *drain, const struct ps_mem_event *event)
{
	struct epoch *epoch = tracker__epoch(drain->parts.tracker, event->epoch);
	struct mem_process *memory;
	int err;

	if (!epoch) { /* its process never became known */
		drain->parts.counters[PS_COUNTER_MEM_EVENTS_FULL]++;
		return 0;
	}
	memory = make_memory(drain, &epoch->process->key);
	if (!memory)
		return -ENOMEM;
	memory->seen = drain->look;
	if (!memory->live)
		memory->live = live_memory__new();
	if (!memory->live)
		return -ENOMEM;
	err = enter_epoch(drain, memory, epoch);
	err = err ?: take_event(drain, memory, epoch->process, event);
	if (err == -ENOSPC) {
		drain->parts.counters[PS_COUNTER_MEM_EVENTS_FULL]++;
		return 0;
	}
	return err;
}

static int settle(struct mem_drain *drain)
{
	int err = 0;

	for (size_t i = 0; i < drain->waiting_count && !err; i++)
		err = settle_event(drain, &drain->waiting[i]);
	drain->waiting_count = 0;
	return err;
}

/* A new program's first stacks come before its mappings are known, and are walked on a little
 * later. */
int mem_drain__on_event(struct mem_drain *drain, const struct ps_mem_event *event)
{
	int err = drain->waiting_count < WAITING_MOST ? 0 : settle(drain);

	err = err
		      ?: array__reserve(&drain->waiting, &drain->waiting_capacity,
					sizeof(*drain->waiting), drain->waiting_count + 1);
	if (!err)
		drain->waiting[drain->waiting_count++] = *event;
	return err;
}

int mem_drain__on_epoch(struct mem_drain *drain, const struct process *process)
{
	int err = settle(drain);
	struct mem_process *memory = find_memory(drain, &process->key);

	if (err)
		return err;
	return memory && process->epoch ? enter_epoch(drain, memory, process->epoch) : 0;
}

int mem_drain__on_exec(struct mem_drain *drain, const struct process *process)
{
	int err = settle(drain);
	struct mem_process *memory = find_memory(drain, &process->key);

	if (err || !memory || !process->epoch)
		return err;
	if (memory->live)
		live_memory__release(memory->live);
	return enter_epoch(drain, memory, process->epoch);
}

int mem_drain__on_end(struct mem_drain *drain, const struct process *process)
{
	int err = settle(drain);
	struct mem_process *memory = find_memory(drain, &process->key);

	if (err || !memory)
		return err;
	err = write_live(drain, memory);
	live_memory__free(memory->live);
	memory->live = NULL;
	return err;
}

/* --- samples */

void mem_drain__sample(struct mem_drain *drain, uint32_t metric, uint32_t class, uint64_t count,
		       uint64_t sum, struct sample_row *row)
{
	if (metric != PS_METRIC_MEM_GROWTH && metric != PS_METRIC_MEM_FAULTS)
		return;
	row->metric = metric == PS_METRIC_MEM_GROWTH ? "rss_growth" : "faults";
	row->class = kind_names[class < PS_MEM_KIND_COUNT ? class : PS_MEM_FILE];
	row->value = (int64_t)sum;
	drain->chosen.kept += count;
}

static void adapt_periods(struct mem_drain *drain)
{
	struct pipescope_bpf__data *data = drain->parts.bpf->data;

	choice__adapt(&drain->chosen);
	data->mem_period_bytes = PERIOD_BYTES << drain->chosen.doublings;
	data->mem_period_faults = PERIOD_FAULTS << drain->chosen.doublings;
	data->mem_walks_left = PS_MEM_WALKS;
}

/* --- sums */

static int take_sum(void *context, const void *key, const void *sum)
{
	struct mem_drain *drain = context;
	struct pending *pending;
	int err = array__reserve(&drain->pending, &drain->pending_capacity, sizeof(*drain->pending),
				 drain->pending_count + 1);

	if (err)
		return err;
	pending = &drain->pending[drain->pending_count++];
	*pending = (struct pending){0};
	memcpy(&pending->epoch, key, sizeof(pending->epoch));
	memcpy(&pending->sum, sum, sizeof(pending->sum));
	return 0;
}

static int write_event(struct mem_drain *drain, int64_t epoch, const char *kind, uint64_t count,
		       uint64_t bytes)
{
	if (!count)
		return 0;
	return unless_dropped(recording_writer__memory_event(
		drain->parts.writer, epoch, drain->slice, kind, (int64_t)count, (int64_t)bytes));
}

static uint64_t growth_of(uint64_t now, uint64_t *charged)
{
	uint64_t growth = now > *charged ? now - *charged : 0;

	*charged += growth;
	return growth;
}

/* A row that does not tell what the process has. */
static struct memory_row faults_alone(const struct mem_drain *drain,
				      const struct mem_process *memory)
{
	return (struct memory_row){.epoch = memory->charged_epoch,
				   .slice = drain->slice,
				   .anonymous_bytes = ROW_NULL,
				   .file_bytes = ROW_NULL,
				   .shared_bytes = ROW_NULL,
				   .swap_bytes = ROW_NULL};
}

/* The process began another program: what it had had by then is the epoch's before. All other
 * threads had ended. */
static int charge_begun(struct mem_drain *drain, struct mem_process *memory,
			const struct epoch *epoch, const struct ps_mem_sum *sum)
{
	struct memory_row row = faults_alone(drain, memory);
	uint64_t minor = memory->ended.minor + sum->begun_minor;
	uint64_t major = memory->ended.major + sum->begun_major;

	memory->charged_epoch = epoch->id;
	/* Those from before the recording are nobody's. */
	if (!memory->started && epoch->process->start_ns < 0)
		memory->charged = (struct faults){minor, major};
	memory->started = true;
	row.minor_faults = (int64_t)growth_of(minor, &memory->charged.minor);
	row.major_faults = (int64_t)growth_of(major, &memory->charged.major);
	if (!row.epoch || (!row.minor_faults && !row.major_faults))
		return 0;
	memory->written[0] = -1; /* what it has now is told behind this row, changed or not */
	return unless_dropped(recording_writer__memory(drain->parts.writer, &row));
}

static int charge_sum(struct mem_drain *drain, const struct epoch *epoch,
		      const struct ps_mem_sum *sum)
{
	struct mem_process *memory = make_memory(drain, &epoch->process->key);
	int err = 0;

	if (!memory)
		return -ENOMEM;
	memory->seen = drain->look;
	if (sum->begun_ns)
		err = charge_begun(drain, memory, epoch, sum);
	memory->ended.minor += sum->ended_minor;
	memory->ended.major += sum->ended_major;
	if (!memory->charged_epoch)
		memory->charged_epoch = epoch->id;
	for (uint32_t kind = 0; kind < PS_MEM_KIND_COUNT && !err; kind++)
		if (sum->faults[kind])
			err = unless_dropped(recording_writer__memory_growth(
				drain->parts.writer, epoch->id, drain->slice, kind_names[kind],
				(int64_t)sum->faults[kind],
				(int64_t)(sum->pages[kind] * PS_MEM_PAGE)));
	err = err
		      ?: write_event(drain, epoch->id, "reclaim", sum->reclaims,
				     sum->reclaimed_pages * PS_MEM_PAGE);
	return err ?: write_event(drain, epoch->id, "oom_kill", sum->oom_kills, 0);
}

/* Programs of a process in the order in which they began. */
static int compare_pending(const void *one, const void *other)
{
	const struct pending *a = one, *b = other;

	return (a->sum.begun_ns > b->sum.begun_ns) - (a->sum.begun_ns < b->sum.begun_ns);
}

/* An epoch that is not known yet is by the next look, or never. */
static int charge_sums(struct mem_drain *drain)
{
	size_t kept = 0;
	int err = 0;

	if (drain->pending_count)
		qsort(drain->pending, drain->pending_count, sizeof(*drain->pending),
		      compare_pending);
	for (size_t i = 0; i < drain->pending_count && !err; i++) {
		struct pending *pending = &drain->pending[i];
		struct epoch *epoch = tracker__epoch(drain->parts.tracker, pending->epoch);

		if (epoch)
			err = charge_sum(drain, epoch, &pending->sum);
		else if (++pending->looks < LOOKS_KEPT)
			drain->pending[kept++] = *pending;
		else
			drain->parts.counters[PS_COUNTER_MEM_FULL]++;
	}
	drain->pending_count = kept;
	return err;
}

/* --- processes */

static int take_task(void *context, const void *record)
{
	const struct ps_mem_task *task = record;
	struct mem_drain *drain = context;
	struct process_identity key = {.start_boot_ns = task->start_boot_ns,
				       .tgid = task->event.tgid};
	struct mem_process *memory = make_memory(drain, &key);
	struct epoch *epoch;

	if (!memory)
		return -ENOMEM;
	if (memory->look != drain->look) {
		memory->seen = memory->look = drain->look;
		memory->living = (struct faults){0};
	}
	memory->living.minor += task->minor;
	memory->living.major += task->major;
	epoch = tracker__epoch(drain->parts.tracker, task->epoch);
	if (epoch)
		memory->charged_epoch = epoch->id;
	if (task->leader) {
		for (uint32_t kind = 0; kind < PS_MEM_KIND_COUNT; kind++)
			memory->pages[kind] = task->pages[kind] > 0 ? task->pages[kind] : 0;
		if (epoch && !memory->started)
			memory->born = epoch->process->start_ns >= 0;
	}
	return 0;
}

static int write_usage(struct mem_drain *drain, struct mem_process *memory)
{
	struct memory_row row = faults_alone(drain, memory);
	bool lives = memory->look == drain->look;

	if (!lives)
		memory->living = (struct faults){0};
	if (!memory->started && !memory->born && lives) {
		memory->charged.minor = memory->living.minor + memory->ended.minor;
		memory->charged.major = memory->living.major + memory->ended.major;
	}
	memory->started = true;
	row.minor_faults = (int64_t)growth_of(memory->living.minor + memory->ended.minor,
					      &memory->charged.minor);
	row.major_faults = (int64_t)growth_of(memory->living.major + memory->ended.major,
					      &memory->charged.major);
	if (!row.minor_faults && !row.major_faults &&
	    (!lives || !memcmp(memory->pages, memory->written, sizeof(memory->pages))))
		return 0;
	if (lives) {
		row.anonymous_bytes = memory->pages[PS_MEM_ANONYMOUS] * PS_MEM_PAGE;
		row.file_bytes = memory->pages[PS_MEM_FILE] * PS_MEM_PAGE;
		row.shared_bytes = memory->pages[PS_MEM_SHARED] * PS_MEM_PAGE;
		row.swap_bytes = memory->pages[PS_MEM_SWAP] * PS_MEM_PAGE;
		memcpy(memory->written, memory->pages, sizeof(memory->pages));
	}
	return unless_dropped(recording_writer__memory(drain->parts.writer, &row));
}

static void forget(struct mem_drain *drain, struct mem_process *memory)
{
	HASH_DEL(drain->memories, memory);
	live_memory__free(memory->live);
	free(memory);
}

int mem_drain__look(struct mem_drain *drain, int64_t slice, bool final,
		    const struct meanwhile *meanwhile)
{
	struct mem_process *memory, *next;
	int err;

	drain->slice = slice;
	drain->look++;
	adapt_periods(drain);
	err = settle(drain);
	err = err
		      ?: map_slices__swap(&drain->maps,
					  bpf_map__fd(drain->parts.bpf->maps.mem_sums), meanwhile);
	err = err
		      ?: map_drain(map_slices__idle(&drain->maps), sizeof(uint64_t),
				   sizeof(struct ps_mem_sum), take_sum, drain);
	err = err ?: charge_sums(drain);
	err = err ?: iterator__each(drain->tasks, sizeof(struct ps_mem_task), take_task, drain);
	HASH_ITER (hh, drain->memories, memory, next) {
		if (!err && memory->charged_epoch)
			err = write_usage(drain, memory);
		if (!err && (final || slice % LIVE_SLICES == LIVE_SLICES - 1))
			err = write_live(drain, memory);
		if (err || memory->seen + LOOKS_KEPT >= drain->look)
			continue;
		err = write_live(drain, memory);
		forget(drain, memory);
	}
	return err;
}

int mem_drain__finish(struct mem_drain *drain)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64,
		 (uint64_t)(PERIOD_BYTES << drain->chosen.doublings_most));
	return recording_writer__meta(drain->parts.writer, "mem_period_bytes", text);
}

/* --- life */

int mem_drain__new(const struct mem_parts *parts, struct mem_drain **ret_drain)
{
	struct mem_drain *drain = calloc(1, sizeof(*drain));
	int err = 0;

	if (!drain)
		return -ENOMEM;
	drain->parts = *parts;
	drain->maps = MAP_SLICES_NONE;
	drain->tasks = bpf_program__attach_iter(parts->bpf->progs.mem_tasks_dump, NULL);
	if (!drain->tasks)
		err = -errno;
	err = err
		      ?: map_slices__make(&drain->maps, "mem_sums_slice", sizeof(uint64_t),
					  sizeof(struct ps_mem_sum), PS_MEM_SUMS, BPF_F_NO_PREALLOC,
					  bpf_map__fd(parts->bpf->maps.mem_sums));
	if (err) {
		mem_drain__free(drain);
		return err;
	}
	*ret_drain = drain;
	return 0;
}

void mem_drain__free(struct mem_drain *drain)
{
	struct mem_process *memory, *next;

	if (!drain)
		return;
	bpf_link__destroy(drain->tasks);
	HASH_ITER (hh, drain->memories, memory, next)
		forget(drain, memory);
	map_slices__close(&drain->maps);
	free(drain->pending);
	free(drain->waiting);
	free(drain);
}
