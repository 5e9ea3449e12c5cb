// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process uses in a quantum, without sampling. The kernel counts nearly all of it per
 * thread, and adds to the process what its threads had when they end: so at the two ends of a
 * quantum the sums over all threads are taken, and their difference is the quantum's.
 *
 * Only what can go up and down between the ends must be watched: memory, at each change of the
 * kernel's own counts (rss_stat). And what the kernel forgets with a thread (its time in the run
 * queue, its migrations) or mixes with that of reaped children (bytes) is noted when a thread ends.
 *
 * Hardware counters count per CPU. They are read when a thread of such a process gets a CPU and
 * when it leaves it, and at the ends of quanta; the difference is the process's. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "resource_counters.bpf.h"
#include "resource_fields.bpf.h"
#include "resources.bpf.h"
#include "thread.bpf.h"

#define MAX_THREADS 1024 /* of a process that are looked at */

/* --- the sums of a process */

/* Adds one thread's figures. 1: it was the last. */
__noinline int resource_thread(__u32 slot)
{
	struct resource_scratch *scratch = bpf_map_lookup_elem(&resource_work, &slot);
	struct task_struct___uses *task;
	struct list_head *node;
	const __u64 *marked;
	__u64 *sums;
	__u32 tid;

	if (!scratch || scratch->task == scratch->list)
		return 1;
	sums = scratch->event.sums;
	node = (void *)scratch->task;
	scratch->task = (__u64)BPF_CORE_READ(node, next);
	task = (void *)((char *)node - bpf_core_field_offset(struct task_struct, thread_node));
	sums[PS_RESOURCE_VOLUNTARY] += BPF_CORE_READ(task, nvcsw);
	sums[PS_RESOURCE_INVOLUNTARY] += BPF_CORE_READ(task, nivcsw);
	sums[PS_RESOURCE_MINOR_FAULTS] += BPF_CORE_READ(task, min_flt);
	sums[PS_RESOURCE_MAJOR_FAULTS] += BPF_CORE_READ(task, maj_flt);
	tid = BPF_CORE_READ((struct task_struct *)task, pid);
	marked = bpf_map_lookup_elem(&used_threads, &tid);
	if (BPF_CORE_READ((struct task_struct *)task, flags) & PF_EXITING && marked &&
	    *marked == ENDED)
		return 0;
	if (bpf_core_field_exists(task->on_cpu) && BPF_CORE_READ(task, on_cpu) &&
	    (!marked || *marked != scratch->epoch))
		scratch->event.threads++;
	sums[PS_RESOURCE_MIGRATIONS] += BPF_CORE_READ(task, se.nr_migrations);
	if (bpf_core_field_exists(task->sched_info.run_delay))
		sums[PS_RESOURCE_RUN_QUEUE] += BPF_CORE_READ(task, sched_info.run_delay);
	if (bpf_core_field_exists(task->ioac.rchar)) {
		sums[PS_RESOURCE_ASKED_READ] += BPF_CORE_READ(task, ioac.rchar);
		sums[PS_RESOURCE_ASKED_WRITE] += BPF_CORE_READ(task, ioac.wchar);
		sums[PS_RESOURCE_READ_CALLS] += BPF_CORE_READ(task, ioac.syscr);
		sums[PS_RESOURCE_WRITE_CALLS] += BPF_CORE_READ(task, ioac.syscw);
	}
	if (bpf_core_field_exists(task->ioac.read_bytes)) {
		sums[PS_RESOURCE_DEVICE_READ] += BPF_CORE_READ(task, ioac.read_bytes);
		sums[PS_RESOURCE_DEVICE_WRITE] += BPF_CORE_READ(task, ioac.write_bytes);
		sums[PS_RESOURCE_DEVICE_CANCELLED] +=
			BPF_CORE_READ(task, ioac.cancelled_write_bytes);
	}
	return 0;
}

/* What threads that have ended left with the process, and its reaped children. The kernel keeps the
 * bytes of both in one sum. */
static __always_inline void begin_sums(struct ps_resource_event *event,
				       struct signal_struct___uses *signal,
				       const struct resource_record *record)
{
	__u64 *sums = event->sums;

	sums[PS_RESOURCE_VOLUNTARY] = BPF_CORE_READ(signal, nvcsw);
	sums[PS_RESOURCE_INVOLUNTARY] = BPF_CORE_READ(signal, nivcsw);
	sums[PS_RESOURCE_MINOR_FAULTS] = BPF_CORE_READ(signal, min_flt);
	sums[PS_RESOURCE_MAJOR_FAULTS] = BPF_CORE_READ(signal, maj_flt);
	sums[PS_RESOURCE_RUN_QUEUE] = record->run_queue_ns;
	sums[PS_RESOURCE_MIGRATIONS] = record->migrations;
	sums[PS_RESOURCE_CHILDREN] = record->children;
	sums[PS_RESOURCE_CHILD_USER] = BPF_CORE_READ(signal, cutime);
	sums[PS_RESOURCE_CHILD_SYSTEM] = BPF_CORE_READ(signal, cstime);
	sums[PS_RESOURCE_CHILD_VOLUNTARY] = BPF_CORE_READ(signal, cnvcsw);
	sums[PS_RESOURCE_CHILD_INVOLUNTARY] = BPF_CORE_READ(signal, cnivcsw);
	sums[PS_RESOURCE_CHILD_MINOR_FAULTS] = BPF_CORE_READ(signal, cmin_flt);
	sums[PS_RESOURCE_CHILD_MAJOR_FAULTS] = BPF_CORE_READ(signal, cmaj_flt);
	for (int i = 0; i < PS_RESOURCE_IO_COUNT; i++) {
		sums[PS_RESOURCE_ASKED_READ + i] = record->io[i];
		sums[PS_RESOURCE_CHILD_ASKED_READ + i] = 0;
	}
	if (bpf_core_field_exists(signal->ioac.rchar)) {
		sums[PS_RESOURCE_CHILD_ASKED_READ] = BPF_CORE_READ(signal, ioac.rchar);
		sums[PS_RESOURCE_CHILD_ASKED_WRITE] = BPF_CORE_READ(signal, ioac.wchar);
		sums[PS_RESOURCE_CHILD_READ_CALLS] = BPF_CORE_READ(signal, ioac.syscr);
		sums[PS_RESOURCE_CHILD_WRITE_CALLS] = BPF_CORE_READ(signal, ioac.syscw);
	}
	if (bpf_core_field_exists(signal->ioac.read_bytes)) {
		sums[PS_RESOURCE_CHILD_DEVICE_READ] = BPF_CORE_READ(signal, ioac.read_bytes);
		sums[PS_RESOURCE_CHILD_DEVICE_WRITE] = BPF_CORE_READ(signal, ioac.write_bytes);
		sums[PS_RESOURCE_CHILD_DEVICE_CANCELLED] =
			BPF_CORE_READ(signal, ioac.cancelled_write_bytes);
	}
	/* A thread on its way out may be in the record and not yet in the process's sum: less than
	 * before, which the recorder lets pass. */
	for (int i = 0; i < PS_RESOURCE_IO_COUNT; i++)
		sums[PS_RESOURCE_CHILD_ASKED_READ + i] =
			not_negative(sums[PS_RESOURCE_CHILD_ASKED_READ + i] - record->io[i]);
}

static __always_inline __u32 what_is_known(void)
{
	struct task_struct___uses *task = NULL;

	return (bpf_core_field_exists(task->sched_info.run_delay) ? PS_KNOWS_RUN_QUEUE : 0) |
	       (bpf_core_field_exists(task->ioac.rchar) ? PS_KNOWS_ASKED : 0) |
	       (bpf_core_field_exists(task->ioac.read_bytes) ? PS_KNOWS_DEVICE : 0) |
	       (has_rss() ? PS_KNOWS_RSS : 0) | (has_rss() && knob_rss_stat ? PS_KNOWS_PEAKS : 0);
}

static __always_inline void add_memory(struct ps_resource_event *event, struct mm_struct *mm,
				       const struct resource_record *record)
{
	/* At its end it has no memory any more, or another program's. */
	bool ends = event->moment == PS_MOMENT_END || !mm;

	event->rss_pages = ends ? record->rss_pages : rss_of(mm);
	event->swap_pages = ends ? record->swap_pages : swap_of(mm);
	event->rss_peak_pages = record->rss_peak_pages > event->rss_pages ? record->rss_peak_pages
									  : event->rss_pages;
	event->swap_peak_pages = record->swap_peak_pages > event->swap_pages
					 ? record->swap_peak_pages
					 : event->swap_pages;
	event->child_peak_pages = record->child_peak_pages;
}

/* What was told begins anew. */
static __always_inline void settle_memory(struct resource_record *record,
					  const struct ps_resource_event *event)
{
	record->rss_pages = record->rss_peak_pages = event->rss_pages;
	record->swap_pages = record->swap_peak_pages = event->swap_pages;
	record->child_peak_pages = 0;
}

static __always_inline void settle(struct resource_record *record,
				   const struct ps_resource_event *event)
{
	__u64 epoch = event->epoch;
	__u32 tid = event->event.tid;

	settle_memory(record, event);
	if (event->moment != PS_MOMENT_SWITCH)
		return;
	record->epoch = epoch;
	record->in_quantum = event->in_quantum;
	record->threads = 1;
	bpf_map_update_elem(&used_threads, &tid, &epoch, BPF_ANY);
}

/* Of the process of the thread that runs, `task`. */
static __always_inline struct resource_record *make_record(struct resource_scratch *scratch,
							   const struct task_struct *task,
							   struct mm_struct *mm)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct resource_record *record;

	scratch->fresh.since_ns = bpf_ktime_get_ns();
	scratch->fresh.rss_pages = scratch->fresh.rss_peak_pages = rss_of(mm);
	if (knob_perf_counters)
		read_counters(NULL, task, task, true);
	/* Another thread may have made it meanwhile. */
	bpf_map_update_elem(&resources, &tgid, &scratch->fresh, BPF_NOEXIST);
	record = record_of(tgid);
	if (!record)
		count_event(PS_COUNTER_RESOURCES_FULL);
	return record;
}

__noinline int resources__tell(__u32 slot, __u64 address, __u32 moment, __u64 epoch)
{
	struct resource_scratch *scratch = bpf_map_lookup_elem(&resource_work, &slot);
	struct task_struct *task = (void *)address;
	struct resource_record *record;
	struct ps_resource_event *event;
	struct signal_struct *signal;
	struct mm_struct *mm;
	__u32 tgid;

	if (!scratch)
		return 0;
	event = &scratch->event;
	tgid = BPF_CORE_READ(task, tgid);
	mm = BPF_CORE_READ(task, mm);
	record = record_of(tgid);
	event->moment = moment & ~RESOURCE_IN_QUANTUM;
	event->in_quantum = !!(moment & RESOURCE_IN_QUANTUM);
	if (!record && event->moment == PS_MOMENT_SWITCH)
		record = make_record(scratch, task, mm);
	if (!record || (event->moment == PS_MOMENT_SLICE && !record->in_quantum))
		return 0;
	event->event.type = PS_EVENT_RESOURCES;
	event->event.size = sizeof(*event);
	event->event.time_ns = bpf_ktime_get_ns();
	event->event.tgid = tgid;
	event->event.tid = BPF_CORE_READ(task, pid);
	event->epoch = epoch;
	event->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	event->known = what_is_known();
	event->threads = record->threads;
	scratch->epoch = record->epoch;
	signal = BPF_CORE_READ(task, signal);
	begin_sums(event, (void *)signal, record);
	scratch->list = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	scratch->task = (__u64)BPF_CORE_READ(signal, thread_head.next);
	for (int i = 0; i < MAX_THREADS; i++)
		if (resource_thread(slot))
			break;
	add_memory(event, mm, record);
	if (knob_perf_counters && event->moment != PS_MOMENT_SLICE)
		read_counters(record, task, task, event->moment != PS_MOMENT_END);
	for (int i = 0; i < PS_PERF_COUNT; i++)
		event->counters[i] = record->counters[i];
	/* What is not told now, the next event tells. */
	if (bpf_ringbuf_output(&events, event, sizeof(*event), BPF_RB_NO_WAKEUP))
		count_event(PS_COUNTER_RESOURCES_LATE);
	else if (event->moment != PS_MOMENT_SLICE)
		settle(record, event);
	return 0;
}

/* --- a thread in a quantum of its own */

static __always_inline void add_thread_counters(struct resource_scratch *scratch,
						struct resource_record *record,
						const struct task_struct *task, __u32 tid)
{
	struct ps_resource_event *event = &scratch->event;
	struct thread_counters *own;

	/* Zeros. */
	if (event->in_quantum)
		bpf_map_update_elem(&thread_counters, &tid, &scratch->fresh.counters, BPF_NOEXIST);
	if (event->moment != PS_MOMENT_SLICE)
		read_counters(record, task, task, true);
	own = bpf_map_lookup_elem(&thread_counters, &tid);
	if (own)
		for (int i = 0; i < PS_PERF_COUNT; i++)
			event->counters[i] = own->sums[i];
	if (event->moment != PS_MOMENT_SLICE && !event->in_quantum)
		bpf_map_delete_elem(&thread_counters, &tid);
}

__noinline int resources__tell_thread(__u32 slot, __u64 address, __u32 moment, __u64 epoch)
{
	struct resource_scratch *scratch = bpf_map_lookup_elem(&resource_work, &slot);
	struct task_struct *task = (void *)address;
	struct resource_record *record;
	struct ps_resource_event *event;
	struct mm_struct *mm;
	__u32 tgid, tid;

	if (!scratch)
		return 0;
	event = &scratch->event;
	tgid = BPF_CORE_READ(task, tgid);
	tid = BPF_CORE_READ(task, pid);
	mm = BPF_CORE_READ(task, mm);
	record = record_of(tgid);
	if (!record)
		record = make_record(scratch, task, mm);
	if (!record)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	event->moment = moment & ~RESOURCE_IN_QUANTUM;
	event->in_quantum = !!(moment & RESOURCE_IN_QUANTUM);
	event->event.type = PS_EVENT_RESOURCES;
	event->event.size = sizeof(*event);
	event->event.time_ns = bpf_ktime_get_ns();
	event->event.tgid = tgid;
	event->event.tid = tid;
	event->epoch = epoch;
	event->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	event->known = what_is_known();
	scratch->epoch = epoch;
	scratch->list = 0;
	scratch->task = address + bpf_core_field_offset(struct task_struct, thread_node);
	resource_thread(slot);
	event->threads = event->of_thread = 1;
	add_memory(event, mm, record);
	if (knob_perf_counters)
		add_thread_counters(scratch, record, task, tid);
	if (bpf_ringbuf_output(&events, event, sizeof(*event), BPF_RB_NO_WAKEUP))
		count_event(PS_COUNTER_RESOURCES_LATE);
	else if (event->moment != PS_MOMENT_SLICE)
		settle_memory(record, event);
	event->of_thread = 0;
	return 0;
}

/* --- what happens in between */

/* Once for each change of a count, that is nearly once a fault: first of all whether it matters. */
SEC("?tp_btf/rss_stat")
int BPF_PROG(resources_rss, struct mm_struct *mm)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct___percpu *owned = (void *)mm;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct resource_record *record;
	__u64 pages;

	if (BPF_CORE_READ(task, mm) != mm) { /* somebody else takes its memory away */
		if (!bpf_core_field_exists(owned->owner))
			return 0;
		task = BPF_CORE_READ(owned, owner);
		/* Not of a program that is only being loaded. */
		if (!task || BPF_CORE_READ(task, mm) != mm)
			return 0;
		tgid = BPF_CORE_READ(task, tgid);
	}
	record = record_of(tgid);
	if (!record)
		return 0;
	pages = rss_of(mm);
	record->rss_pages = pages;
	if (pages > record->rss_peak_pages)
		record->rss_peak_pages = pages;
	record->swap_pages = pages = swap_of(mm);
	if (pages > record->swap_peak_pages)
		record->swap_peak_pages = pages;
	return 0;
}

/* Counts a thread once per quantum. */
static __always_inline void count_thread(struct resource_record *record, __u32 tid)
{
	const __u64 *marked = bpf_map_lookup_elem(&used_threads, &tid);
	__u64 epoch = record->epoch;

	if (marked && *marked == epoch)
		return;
	bpf_map_update_elem(&used_threads, &tid, &epoch, BPF_ANY);
	__sync_fetch_and_add(&record->threads, 1);
}

static __always_inline struct resource_record *record_of_task(struct task_struct *task)
{
	return task->pid && !(task->flags & PF_KTHREAD) ? record_of(task->tgid) : NULL;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(resources_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct resource_record *from = record_of_task(prev);
	bool wanted = record_of_task(next);

	if (from && !(prev->flags & PF_EXITING))
		count_thread(from, prev->pid);
	barrier_var(
		wanted); /* else the two pointers are joined by OR, which the verifier refuses */
	if (knob_perf_counters && (wanted || from))
		read_counters(from, prev, next, wanted);
	return 0;
}

/* What the kernel forgets with the thread, or mixes with its children's. */
static __always_inline void keep_ended(struct resource_record *record, struct task_struct *ended)
{
	struct task_struct___uses *task = (void *)ended;
	__u64 marker = ENDED;
	__u32 tid = ended->pid;

	__sync_fetch_and_add(&record->migrations, BPF_CORE_READ(task, se.nr_migrations));
	if (bpf_core_field_exists(task->sched_info.run_delay))
		__sync_fetch_and_add(&record->run_queue_ns,
				     BPF_CORE_READ(task, sched_info.run_delay));
	if (bpf_core_field_exists(task->ioac.rchar)) {
		__sync_fetch_and_add(&record->io[0], BPF_CORE_READ(task, ioac.rchar));
		__sync_fetch_and_add(&record->io[1], BPF_CORE_READ(task, ioac.wchar));
		__sync_fetch_and_add(&record->io[2], BPF_CORE_READ(task, ioac.syscr));
		__sync_fetch_and_add(&record->io[3], BPF_CORE_READ(task, ioac.syscw));
	}
	if (bpf_core_field_exists(task->ioac.read_bytes)) {
		__sync_fetch_and_add(&record->io[4], BPF_CORE_READ(task, ioac.read_bytes));
		__sync_fetch_and_add(&record->io[5], BPF_CORE_READ(task, ioac.write_bytes));
		__sync_fetch_and_add(&record->io[6],
				     BPF_CORE_READ(task, ioac.cancelled_write_bytes));
	}
	bpf_map_update_elem(&used_threads, &tid, &marker, BPF_ANY);
}

/* A child has ended: its parent may be in a quantum. */
static __always_inline void note_child(struct task_struct *task)
{
	struct resource_record *parent = record_of(task->real_parent->tgid);
	__u64 pages = task->signal->maxrss;

	if (!parent)
		return;
	__sync_fetch_and_add(&parent->children, 1);
	if (pages > parent->child_peak_pages)
		parent->child_peak_pages = pages;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(resources_exit, struct task_struct *task)
{
	struct resource_record *record = record_of(task->tgid);
	__u32 tgid = task->tgid;

	if (!task->signal->live.counter)
		note_child(task);
	if (!record)
		return 0;
	if (task->signal->live.counter) {
		count_thread(record, task->pid);
		keep_ended(record, task);
		return 0;
	}
	resources__tell(WALKER_TRACEPOINT, bpf_get_current_task(), PS_MOMENT_END, record->epoch);
	bpf_map_delete_elem(&resources, &tgid);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(resources_exec, struct task_struct *task)
{
	struct resource_record *record = record_of(task->tgid);
	__u32 tgid = task->tgid;

	if (!record)
		return 0;
	resources__tell(WALKER_TRACEPOINT, bpf_get_current_task(), PS_MOMENT_END, record->epoch);
	bpf_map_delete_elem(&resources, &tgid);
	return 0;
}
