// SPDX-License-Identifier: GPL-2.0-or-later
/* Source "mem": where memory grows.
 *
 * Pages. The kernel tells (rss_stat) whenever it has changed the number of a process's pages. How
 * many came is counted for each event; the stacks of some, chosen in proportion to their bytes, are
 * walked: mem_pages.bpf.h tells how that number is found, mem_strata.bpf.h which are chosen.
 *
 * Mappings. Every anonymous mmap(), mremap(), brk() is an event with its stack, and every release
 * one without: the recorder knows what is live. Where addresses are given back the event is sent
 * as the call begins, for when it ends they may be another thread's already. */
#include "compat.bpf.h"
#include "counts.bpf.h"
#include "mem.bpf.h"
#include "mem_pages.bpf.h"
#include "mem_strata.bpf.h"
#include "walker.bpf.h"

#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define ERRORS	      4096

const volatile bool knob_mem = false;
const volatile __u32 knob_counter_batch = PS_MEM_BATCH_LEAST;

__u64 mem_period_bytes = 524288;
__u64 mem_period_faults = 128;
__s64 mem_walks_left = PS_MEM_WALKS;

struct mem_sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_MEM_SUMS);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct ps_mem_sum));
};

/* One entry, swapped each slice like the counts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct mem_sums_map);
} mem_sums SEC(".maps");

static __always_inline struct ps_mem_sum *sum_of(__u64 epoch)
{
	struct ps_mem_sum nothing = {}, *sum;
	__u32 zero = 0;
	void *current = bpf_map_lookup_elem(&mem_sums, &zero);

	if (!current)
		return NULL;
	sum = bpf_map_lookup_elem(current, &epoch);
	if (sum)
		return sum;
	bpf_map_update_elem(current, &epoch, &nothing, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(current, &epoch);
	if (!sum)
		count_event(PS_COUNTER_MEM_FULL);
	return sum;
}

static __always_inline void choose_stack(__u64 epoch, __u64 id, __u32 kind,
					 const struct arrival *arrival)
{
	struct mem_strata *strata = strata__of(id >> 32, epoch);
	struct ps_count key = {.epoch = epoch, .class = kind};
	__u64 pages, faults;
	__u32 random = 0;

	if (!strata)
		return;
	if (stratum__ends(&strata->pages[kind], arrival->pages) ||
	    stratum__ends(&strata->faults[kind], arrival->faults))
		random = bpf_get_prandom_u32();
	pages = stratum__pass(&strata->pages[kind], arrival->pages,
			      (__u32)(mem_period_bytes / PS_MEM_PAGE), random);
	faults = stratum__pass(&strata->faults[kind], arrival->faults, (__u32)mem_period_faults,
			       random);
	if (!pages && !faults)
		return;
	key.tgid = id >> 32;
	key.tid = (__u32)id;
	key.stack = walker__walk(WALKER_TRACEPOINT, epoch, NULL, 0, 0);
	counts__add_chosen(&key, PS_METRIC_MEM_GROWTH, pages * PS_MEM_PAGE);
	counts__add_chosen(&key, PS_METRIC_MEM_FAULTS, faults);
}

static __always_inline struct mm_struct *mm_of(struct task_struct *task)
{
	return knob_task_storage ? task->mm : BPF_CORE_READ(task, mm);
}

/* Linux 6.2 took the third argument away. */
SEC("?tp_btf/rss_stat")
int BPF_PROG(mem_rss, struct mm_struct *mm, int member)
{
	struct task_struct *task = compat__current();
	__u64 id = bpf_get_current_pid_tgid(), epoch;
	struct arrival arrival = {};
	struct ps_mem_sum *sum;
	__u32 kind = member;
	bool own;

	if (kind >= PS_MEM_KIND_COUNT || kind == PS_MEM_SWAP)
		return 0;
	own = (__u64)mm_of(task) == (__u64)mm;
	if (!own && counts_by_thread())
		return 0;
	epoch = epochs__recorded(id >> 32);
	if (!epoch)
		return 0;
	if (counts_by_thread())
		arrived_by_thread(task, kind, &arrival);
	else
		arrived_here(mm, own, epoch, kind, &arrival);
	if (arrival.pages <= 0)
		return 0;
	sum = sum_of(epoch);
	if (!sum)
		return 0;
	kind &= PS_MEM_KIND_COUNT - 1;
	__sync_fetch_and_add(&sum->pages[kind], arrival.pages);
	__sync_fetch_and_add(&sum->faults[kind], arrival.faults);
	choose_stack(epoch, id, kind, &arrival);
	return 0;
}

/* --- want of memory, and the end */

static __always_inline int count_reclaim(__u64 reclaimed)
{
	__u64 epoch = epochs__recorded(bpf_get_current_pid_tgid() >> 32);
	struct ps_mem_sum *sum = epoch ? sum_of(epoch) : NULL;

	if (!sum)
		return 0;
	__sync_fetch_and_add(&sum->reclaims, 1);
	if (reclaimed)
		__sync_fetch_and_add(&sum->reclaimed_pages, reclaimed);
	return 0;
}

/* The node has too little memory … */
SEC("?tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(mem_reclaim, unsigned long reclaimed)
{
	return count_reclaim(reclaimed);
}

/* … or the process's control group is at its limit. */
SEC("?tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(mem_reclaim_group, unsigned long reclaimed)
{
	return count_reclaim(reclaimed);
}

struct signal_struct___mem {
	atomic_t live;
	struct mm_struct *oom_mm;
} __attribute__((preserve_access_index));
struct task_struct___mem {
	__u64 min_flt, maj_flt;
} __attribute__((preserve_access_index));

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(mem_exit, struct task_struct *task)
{
	struct task_struct___mem *faults = (void *)task;
	struct signal_struct___mem *signal = (void *)task->signal;
	__u64 epoch = epochs__recorded(task->tgid), minor, major;
	struct ps_mem_sum *sum = epoch ? sum_of(epoch) : NULL;

	if (!sum)
		return 0;
	minor = BPF_CORE_READ(faults, min_flt);
	major = BPF_CORE_READ(faults, maj_flt);
	if (minor)
		__sync_fetch_and_add(&sum->ended_minor, minor);
	if (major)
		__sync_fetch_and_add(&sum->ended_major, major);
	if (!BPF_CORE_READ(signal, live.counter) && BPF_CORE_READ(signal, oom_mm))
		__sync_fetch_and_add(&sum->oom_kills, 1);
	return 0;
}

/* The thread goes on to count, but what it had counted is the program's before. The epoch is the
 * new one: life_exec was attached first. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(mem_exec, struct task_struct *task)
{
	struct task_struct___mem *faults = (void *)task;
	__u64 epoch = epochs__recorded(task->tgid);
	struct ps_mem_sum *sum = epoch ? sum_of(epoch) : NULL;

	if (!sum)
		return 0;
	sum->begun_minor = BPF_CORE_READ(faults, min_flt);
	sum->begun_major = BPF_CORE_READ(faults, maj_flt);
	sum->begun_ns = bpf_ktime_get_ns();
	return 0;
}

/* --- mappings */

static __always_inline void send(struct ps_mem_event *event, bool walk)
{
	__u64 id = bpf_get_current_pid_tgid();

	event->epoch = epochs__recorded(id >> 32);
	if (!event->epoch)
		return;
	event->event.type = PS_EVENT_MEM;
	event->event.size = sizeof(*event);
	event->event.tgid = id >> 32;
	event->event.tid = (__u32)id;
	if (walk && mem_walks_left > 0) {
		__sync_fetch_and_add(&mem_walks_left, -1);
		event->stack = walker__walk(WALKER_TRACEPOINT, event->epoch, NULL, 0, 0);
	} else if (walk) {
		count_event(PS_COUNTER_MEM_NO_STACK);
	}
	event->event.time_ns = bpf_ktime_get_ns();
	if (bpf_ringbuf_output(&events, event, sizeof(*event), events__flags(false)))
		count_event(PS_COUNTER_MEM_EVENTS_FULL);
}

static __always_inline __u64 whole_pages(__u64 bytes)
{
	return (bytes + PS_MEM_PAGE - 1) & ~(__u64)(PS_MEM_PAGE - 1);
}

struct mm_struct___mem {
	unsigned long brk;
} __attribute__((preserve_access_index));

__noinline int mem__begin(__u64 number, __u64 first, __u64 second)
{
	struct task_struct *task = compat__current();
	struct ps_mem_event event = {};

	if (compat__is_32_bit(task) || (first & (PS_MEM_PAGE - 1) && number != NR_BRK))
		return 0;
	event.address = first;
	event.length = whole_pages(second);
	if (number == NR_MUNMAP) {
		event.op = PS_MEM_UNMAP;
	} else if (number == NR_MREMAP) {
		event.op = PS_MEM_LEAVE;
	} else if (number == NR_BRK && first) {
		event.op = PS_MEM_HEAP_END;
		event.address = BPF_CORE_READ((struct mm_struct___mem *)mm_of(task), brk);
		event.length = 0;
	} else {
		return 0;
	}
	send(&event, false);
	return 0;
}

__noinline int mem__end(__u64 number, __u64 one, __u64 two, __u64 three, __s64 result)
{
	bool failed = (__u64)result > -(__u64)ERRORS;
	struct ps_mem_event event = {};

	if (compat__is_32_bit(compat__current()))
		return 0;
	if (number == NR_MMAP && !failed) {
		event.address = result;
		event.length = whole_pages(one);
		/* What cannot be touched takes no memory; allocators reserve room that way. */
		event.op = three & MAP_ANONYMOUS && two ? PS_MEM_MAP : PS_MEM_UNMAP;
		if (event.op == PS_MEM_UNMAP && !(three & MAP_FIXED))
			return 0;
	} else if (number == NR_MREMAP) {
		event.op = PS_MEM_MOVE;
		event.address = failed ? 0 : result;
		event.length = whole_pages(three);
		event.old_address = one;
		event.old_length = whole_pages(two);
	} else if (number == NR_BRK && one) {
		event.op = PS_MEM_HEAP;
		event.address = result;
	} else {
		return 0;
	}
	send(&event, event.op != PS_MEM_UNMAP);
	return 0;
}

/* --- how much each process has */

static __always_inline __s64 pages_of(struct mm_struct *mm, __u32 kind)
{
	struct mm_struct___before_6_2 *old = (void *)mm;
	const __s32 *each;
	__s64 pages = 0;

	if (kind == PS_MEM_SWAP && !counts_by_thread())
		return BPF_CORE_READ((struct mm_struct___since_6_2 *)mm,
				     rss_stat[PS_MEM_SWAP].count);
	if (counts_by_thread())
		bpf_probe_read_kernel(&pages, sizeof(pages),
				      (const __s64 *)&old->rss_stat.count + kind);
	else
		read_counter(mm, kind, &pages, &each);
	return pages;
}

SEC("?iter/task")
int mem_tasks_dump(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct ps_mem_task event = {};
	const struct ps_who *who;
	struct mm_struct *mm;
	__u32 tgid;

	/* Who ends is counted there. */
	if (!task || task->flags & (PF_KTHREAD | PF_EXITING))
		return 0;
	tgid = task->tgid;
	who = bpf_map_lookup_elem(&epochs, &tgid);
	if (!who || !who->wanted)
		return 0;
	event.event.type = PS_EVENT_MEM_TASK;
	event.event.size = sizeof(event);
	event.event.time_ns = bpf_ktime_get_ns();
	event.event.tgid = tgid;
	event.event.tid = task->pid;
	event.epoch = who->epoch;
	event.start_boot_ns = task->group_leader->start_boottime;
	event.minor = BPF_CORE_READ((struct task_struct___mem *)task, min_flt);
	event.major = BPF_CORE_READ((struct task_struct___mem *)task, maj_flt);
	mm = task->mm;
	if (task->pid == task->tgid && mm) {
		event.leader = 1;
		event.pages[PS_MEM_FILE] = pages_of(mm, PS_MEM_FILE);
		event.pages[PS_MEM_ANONYMOUS] = pages_of(mm, PS_MEM_ANONYMOUS);
		event.pages[PS_MEM_SWAP] = pages_of(mm, PS_MEM_SWAP);
		event.pages[PS_MEM_SHARED] = pages_of(mm, PS_MEM_SHARED);
	}
	bpf_seq_write(ctx->meta->seq, &event, sizeof(event));
	return 0;
}
