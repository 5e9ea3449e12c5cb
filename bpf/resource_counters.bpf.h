/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of processes that have been in a quantum, and the hardware counters that belong to
 * them and to threads in quanta of their own. For resources.bpf.c alone. */
#ifndef RESOURCE_COUNTERS_BPF_H
#define RESOURCE_COUNTERS_BPF_H

#include "counts.bpf.h"
#include "resources.bpf.h"

#define THREADS	 32768
#define ENDED	 1ULL /* in resource_threads: what the thread used is in the record */
#define NOT_READ (~0ULL)

struct resource_record {
	__u64 epoch; /* threads that run in it are marked with it */
	__u64 in_quantum;
	__u64 since_ns; /* when it was made */
	__u64 rss_pages, rss_peak_pages, swap_pages, swap_peak_pages;
	__u64 child_peak_pages;
	__u64 children;
	/* What of the following belongs to threads that have ended. */
	__u64 run_queue_ns, migrations;
	__u64 io[PS_RESOURCE_IO_COUNT];
	__u64 threads;
	struct ps_perf_sum counters[PS_PERF_COUNT];
};

struct resource_scratch {
	struct ps_resource_event event;
	struct resource_record fresh; /* zero but for its first fields */
	__u64 task; /* of the threads' list */
	__u64 list; /* its head */
	__u64 epoch; /* of the record */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RESOURCE_SLOTS);
	__type(key, __u32);
	__type(value, struct resource_scratch);
} resource_work SEC(".maps");

/* tgid -> record */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_RESOURCE_PROCESSES); /* set */
	__type(key, __u32);
	__type(value, struct resource_record);
} resources SEC(".maps");

/* tid -> the last epoch of a quantum that it was counted in, or ENDED */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, THREADS); /* set */
	__type(key, __u32);
	__type(value, __u64);
} used_threads SEC(".maps");

static __always_inline struct resource_record *record_of(__u32 tgid)
{
	return bpf_map_lookup_elem(&resources, &tgid);
}

/* --- counters */

/* counter * CPUs + CPU -> perf event */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1); /* set */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} perf_counters SEC(".maps");

/* What the CPU's counters showed when the thread that it runs got it. */
struct perf_base {
	__u32 tid, tgid; /* 0: nobody whose counters are wanted */
	__u64 task; /* its address */
	__u64 cpu_ns; /* its CPU time until then */
	struct ps_perf_sum more[PS_PERF_COUNT]; /* what it had more when it left it */
	struct ps_perf_sum last[PS_PERF_COUNT]; /* enabled_ns NOT_READ: not known */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct perf_base);
} perf_bases SEC(".maps");

/* tid -> what a thread in a quantum of its own has counted in it */
struct thread_counters {
	struct ps_perf_sum sums[PS_PERF_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_THREAD_QUANTA);
	__type(key, __u32);
	__type(value, struct thread_counters);
} thread_counters SEC(".maps");

const volatile __u32 knob_perf_counters = 0; /* so many are counted */
const volatile __u32 knob_perf_cpus = 1;
const volatile bool knob_rss_stat = true; /* the kernel tells of each change of memory */

static __always_inline void add_counter(struct ps_perf_sum *sum, const struct ps_perf_sum *more)
{
	__sync_fetch_and_add(&sum->value, more->value);
	__sync_fetch_and_add(&sum->enabled_ns, more->enabled_ns);
	__sync_fetch_and_add(&sum->running_ns, more->running_ns);
}

static __always_inline void add_counters(struct ps_perf_sum *sums, const struct perf_base *base)
{
	for (__u32 i = 0; i < PS_PERF_COUNT; i++) {
		if (i >= knob_perf_counters)
			break;
		if (base->more[i].enabled_ns)
			add_counter(&sums[i], &base->more[i]);
	}
}

static __always_inline void charge_counters(struct resource_record *record, __u32 tid,
					    const struct perf_base *base)
{
	struct thread_counters *own;

	add_counters(record->counters, base);
	own = knob_thread_quanta ? bpf_map_lookup_elem(&thread_counters, &tid) : NULL;
	if (own)
		add_counters(own->sums, base);
}

/* Some kernels do not tell of each switch, nor is it known of the other threads that ran when the
 * process was first met. Time on the CPU that was not seen whole is told as one in which the
 * counters did not run, so that what they count is scaled to all of it. No more than has passed
 * since they were read last. */
static __always_inline void miss_counters(struct perf_base *base, __u64 ns)
{
	count_event(PS_COUNTER_PERF_MISSED);
	for (__u32 i = 0; i < PS_PERF_COUNT; i++) {
		__u64 passed = base->more[i].enabled_ns;

		base->more[i] = (struct ps_perf_sum){.enabled_ns = ns < passed ? ns : passed};
	}
}

/* Nobody saw the thread get the CPU. */
static __always_inline void miss_coming(const struct resource_record *record,
					const struct task_struct *task, struct perf_base *base)
{
	__u64 known_ns = bpf_ktime_get_ns() - record->since_ns;
	__u64 ns = BPF_CORE_READ(task, se.sum_exec_runtime) -
		   BPF_CORE_READ(task, se.prev_sum_exec_runtime);

	miss_counters(base, ns < known_ns ? ns : known_ns);
}

/* Nobody saw leave who had it last. */
static __always_inline void miss_leaving(struct perf_base *base)
{
	const struct task_struct *task = (void *)base->task;
	struct resource_record *record = record_of(base->tgid);

	if (!record || (__u32)BPF_CORE_READ(task, pid) != base->tid)
		return;
	miss_counters(base, BPF_CORE_READ(task, se.sum_exec_runtime) - base->cpu_ns);
	charge_counters(record, base->tid, base);
}

/* Reads this CPU's counters: what they have more belongs to `record` (NULL: to nobody), whose
 * thread `task` had the CPU until now. From now on `next` has it; its counters may be `wanted`. */
static __always_inline void read_counters(struct resource_record *record,
					  const struct task_struct *task,
					  const struct task_struct *next, bool wanted)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), tid = BPF_CORE_READ(task, pid);
	struct perf_base *base = bpf_map_lookup_elem(&perf_bases, &zero);

	if (!base)
		return;
	for (__u32 i = 0; i < PS_PERF_COUNT; i++) {
		struct ps_perf_sum *last = &base->last[i], *more = &base->more[i];
		struct bpf_perf_event_value now;

		if (i >= knob_perf_counters)
			break;
		if (bpf_perf_event_read_value(&perf_counters, i * knob_perf_cpus + cpu, &now,
					      sizeof(now))) {
			count_event(PS_COUNTER_PERF_UNREAD);
			last->enabled_ns = NOT_READ;
			more->enabled_ns = 0;
			continue;
		}
		more->value = now.counter - last->value;
		more->enabled_ns =
			last->enabled_ns == NOT_READ ? 0 : now.enabled - last->enabled_ns;
		more->running_ns = now.running - last->running_ns;
		last->value = now.counter;
		last->enabled_ns = now.enabled;
		last->running_ns = now.running;
	}
	if (record && base->tid != tid)
		miss_coming(record, task, base);
	else if (base->tid && base->tid != tid)
		miss_leaving(base);
	if (record)
		charge_counters(record, tid, base);
	base->tid = wanted ? BPF_CORE_READ(next, pid) : 0;
	if (wanted) {
		base->tgid = BPF_CORE_READ(next, tgid);
		base->task = (__u64)next;
		base->cpu_ns = BPF_CORE_READ(next, se.sum_exec_runtime);
	}
}

#endif
