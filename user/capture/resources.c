// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/writer.h"

struct resources {
	struct tracker *tracker;
	struct recording_writer *writer;
	struct perf_choice counters;
	int64_t page_size;
};

/* What was used since some moment. */
struct account {
	uint64_t sums[PS_RESOURCE_COUNT];
	struct ps_perf_sum counters[PS_PERF_COUNT];
	uint64_t rss_start, rss_end, rss_peak; /* pages */
	uint64_t swap_start, swap_end, swap_peak;
	uint64_t child_peak;
};

struct process_resources {
	/* What the kernel's figures were when they were last charged. Some are less for a moment
	 * while a thread ends. */
	__u64 charged[PS_RESOURCE_COUNT];
	struct ps_perf_sum charged_counters[PS_PERF_COUNT];
	int64_t epoch; /* row of the quantum; 0: in none */
	struct account now; /* since the epoch began */
};

int resources__new(struct tracker *tracker, struct recording_writer *writer,
		   const struct perf_choice *counters, struct resources **ret_resources)
{
	struct resources *resources = calloc(1, sizeof(*resources));

	if (!resources)
		return -ENOMEM;
	resources->tracker = tracker;
	resources->writer = writer;
	resources->counters = *counters;
	resources->page_size = sysconf(_SC_PAGESIZE);
	*ret_resources = resources;
	return 0;
}

void resources__free(struct resources *resources)
{
	free(resources);
}

void resources__forget(struct process *process)
{
	free(process->resources);
	process->resources = NULL;
}

/* --- accounts */

static void begin(struct account *account, const struct ps_resource_event *event)
{
	memset(account, 0, sizeof(*account));
	account->rss_start = account->rss_end = account->rss_peak = event->rss_pages;
	account->swap_start = account->swap_end = account->swap_peak = event->swap_pages;
}

static void take_memory(struct account *account, const struct ps_resource_event *event)
{
	account->rss_end = event->rss_pages;
	account->swap_end = event->swap_pages;
	if (event->rss_peak_pages > account->rss_peak)
		account->rss_peak = event->rss_peak_pages;
	if (event->swap_peak_pages > account->swap_peak)
		account->swap_peak = event->swap_peak_pages;
	if (event->child_peak_pages > account->child_peak)
		account->child_peak = event->child_peak_pages;
}

/* Returns what `now` has more than was charged. */
static __u64 charge(__u64 *charged, __u64 now)
{
	__u64 more = now > *charged ? now - *charged : 0;

	*charged += more;
	return more;
}

static void charge_counter(struct process_resources *own, const struct ps_resource_event *event,
			   size_t i)
{
	struct ps_perf_sum *charged = &own->charged_counters[i];
	struct ps_perf_sum more = {
		.value = charge(&charged->value, event->counters[i].value),
		.enabled_ns = charge(&charged->enabled_ns, event->counters[i].enabled_ns),
		.running_ns = charge(&charged->running_ns, event->counters[i].running_ns),
	};

	own->now.counters[i].value += more.value;
	own->now.counters[i].enabled_ns += more.enabled_ns;
	own->now.counters[i].running_ns += more.running_ns;
}

static void charge_all(struct process_resources *own, const struct ps_resource_event *event)
{
	for (size_t i = 0; i < PS_RESOURCE_COUNT; i++)
		own->now.sums[i] += charge(&own->charged[i], event->sums[i]);
	for (size_t i = 0; i < PS_PERF_COUNT; i++)
		charge_counter(own, event, i);
	take_memory(&own->now, event);
}

/* --- rows */

static bool is_known(enum ps_resource resource, uint32_t known, bool of_thread)
{
	/* Children belong to no thread. */
	if (of_thread && resource >= PS_RESOURCE_CHILDREN)
		return false;
	switch (resource) {
	case PS_RESOURCE_RUN_QUEUE:
		return known & PS_KNOWS_RUN_QUEUE;
	case PS_RESOURCE_ASKED_READ ... PS_RESOURCE_WRITE_CALLS:
	case PS_RESOURCE_CHILD_ASKED_READ ... PS_RESOURCE_CHILD_WRITE_CALLS:
		return known & PS_KNOWS_ASKED;
	case PS_RESOURCE_DEVICE_READ ... PS_RESOURCE_DEVICE_CANCELLED:
	case PS_RESOURCE_CHILD_DEVICE_READ ... PS_RESOURCE_CHILD_DEVICE_CANCELLED:
		return known & PS_KNOWS_DEVICE;
	default:
		return true;
	}
}

static int64_t bytes(const struct resources *resources, bool known, uint64_t pages)
{
	return known ? (int64_t)pages * resources->page_size : ROW_NULL;
}

/* What the quantum has used until now. */
static int write_rows(const struct resources *resources, const struct process_resources *own,
		      const struct ps_resource_event *event)
{
	bool rss = event->known & PS_KNOWS_RSS, peaks = event->known & PS_KNOWS_PEAKS;
	const struct account *now = &own->now;
	struct resource_row row = {
		.epoch = own->epoch,
		.threads = event->threads,
		.rss_start_bytes = bytes(resources, rss, now->rss_start),
		.rss_end_bytes = bytes(resources, rss, now->rss_end),
		.rss_peak_bytes = bytes(resources, peaks, now->rss_peak),
		.swap_start_bytes = bytes(resources, rss, now->swap_start),
		.swap_end_bytes = bytes(resources, rss, now->swap_end),
		.swap_peak_bytes = bytes(resources, peaks, now->swap_peak),
		.children_rss_peak_bytes = ROW_NULL,
	};
	int err;

	if (!own->epoch)
		return 0;
	for (size_t i = 0; i < PS_RESOURCE_COUNT; i++)
		row.sums[i] = is_known((enum ps_resource)i, event->known, event->of_thread)
				      ? (int64_t)now->sums[i]
				      : ROW_NULL;
	if (now->sums[PS_RESOURCE_CHILDREN])
		row.children_rss_peak_bytes = (int64_t)now->child_peak * resources->page_size;
	err = recording_writer__resource(resources->writer, &row);
	for (size_t i = 0; i < resources->counters.count && !err; i++)
		err = recording_writer__counter(resources->writer, own->epoch,
						perf_counter__name(resources->counters.counters[i]),
						(int64_t)now->counters[i].value,
						(int64_t)now->counters[i].enabled_ns,
						(int64_t)now->counters[i].running_ns);
	return err;
}

/* --- events */

static void begin_epoch(const struct resources *resources, struct process_resources *own,
			const struct ps_resource_event *event)
{
	const struct epoch *epoch =
		event->in_quantum ? tracker__epoch(resources->tracker, event->epoch) : NULL;

	own->epoch = epoch ? epoch->id : 0;
	begin(&own->now, event);
}

/* Memory is the process's: a peak that was told at anybody's boundary is that of all who go on. */
static void share_memory(struct process *process, const struct process_resources *told,
			 const struct ps_resource_event *event)
{
	if (process->resources && process->resources != told)
		take_memory(&process->resources->now, event);
	for (struct thread *one = process->own_count ? process->threads : NULL; one;
	     one = one->hh.next)
		if (one->resources && one->resources != told)
			take_memory(&one->resources->now, event);
}

/* Of a thread in a quantum of its own. */
static int take_own(struct resources *resources, struct process *process,
		    const struct ps_resource_event *event)
{
	struct thread *thread =
		tracker__thread(resources->tracker, process, event->event.tid, NULL);
	struct process_resources *own;
	int err = 0;

	if (!thread)
		return -ENOMEM;
	own = thread->resources;
	share_memory(process, own, event);
	if (own) {
		charge_all(own, event);
		err = write_rows(resources, own, event);
	}
	if (event->moment != PS_MOMENT_SWITCH)
		return err;
	free(own);
	thread->resources = NULL;
	if (err || !event->in_quantum)
		return err;
	own = calloc(1, sizeof(*own));
	if (!own)
		return -ENOMEM;
	memcpy(own->charged, event->sums, sizeof(event->sums));
	memcpy(own->charged_counters, event->counters, sizeof(event->counters));
	thread->resources = own;
	begin_epoch(resources, own, event);
	return 0;
}

static int take(struct resources *resources, struct process *process,
		const struct ps_resource_event *event)
{
	struct process_resources *own = process->resources;
	int err;

	share_memory(process, own, event);
	charge_all(own, event);
	err = write_rows(resources, own, event);
	if (event->moment == PS_MOMENT_SWITCH)
		begin_epoch(resources, own, event);
	/* BPF forgets the process: its sums begin anew. */
	if (event->moment == PS_MOMENT_END)
		resources__forget(process);
	return err;
}

int resources__on_event(struct resources *resources, const struct ps_resource_event *event)
{
	struct process *process = tracker__find(resources->tracker, event->event.tgid);

	if (!process || process->key.start_boot_ns != event->start_boot_ns)
		return 0;
	if (event->of_thread)
		return take_own(resources, process, event);
	if (!process->resources) {
		process->resources = calloc(1, sizeof(*process->resources));
		if (!process->resources)
			return -ENOMEM;
		memcpy(process->resources->charged, event->sums, sizeof(event->sums));
		memcpy(process->resources->charged_counters, event->counters,
		       sizeof(event->counters));
		begin(&process->resources->now, event);
	}
	return take(resources, process, event);
}
