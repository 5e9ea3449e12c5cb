/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many pages came, when the kernel tells only that their number has changed. Of mem.bpf.c. */
#ifndef MEM_PAGES_BPF_H
#define MEM_PAGES_BPF_H

#include "compat.bpf.h"
#include "mem.h"

#define MEM_CACHE 64 /* processes whose counters are remembered on a CPU; a power of 2 */

extern const volatile __u32 knob_counter_batch; /* percpu_counter_batch */

/* Before 6.2 (f1a7941243c1) threads kept counts of their own, and told of up to 64 at a time. */
struct task_rss_stat___before_6_2 {
	int events;
	int count[PS_MEM_KIND_COUNT];
} __attribute__((preserve_access_index));
struct task_struct___before_6_2 {
	struct task_rss_stat___before_6_2 rss_stat;
} __attribute__((preserve_access_index));
struct mm_rss_stat___before_6_2 {
	struct {
		__s64 counter;
	} count[PS_MEM_KIND_COUNT];
} __attribute__((preserve_access_index));
struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
} __attribute__((preserve_access_index));

/* Since then each CPU has, and adds them up when they reach a batch. */
struct percpu_counter___since_6_2 {
	__s64 count;
	__s32 *counters;
} __attribute__((preserve_access_index));
struct mm_struct___since_6_2 {
	struct percpu_counter___since_6_2 rss_stat[PS_MEM_KIND_COUNT];
} __attribute__((preserve_access_index));

#define OLD_EVENTS 64 /* a thread tells after more than so many faults */

struct arrival {
	__s64 pages; /* <= 0: none came */
	__u64 faults;
};

static __always_inline bool counts_by_thread(void)
{
	return bpf_core_field_exists(struct task_struct___before_6_2, rss_stat);
}

/* The thread's own count is still there. When it is told of without being due, the kernel is about
 * to free memory; and what is told while it is not due was added past it: a huge page. */
static __always_inline void arrived_by_thread(struct task_struct *task, __u32 kind,
					      struct arrival *ret_arrival)
{
	struct task_struct___before_6_2 *old = (void *)task;
	int events = BPF_CORE_READ(old, rss_stat.events), kept = 0;
	struct pt_regs registers = {};

	bpf_probe_read_kernel(&kept, sizeof(kept), (const int *)&old->rss_stat.count + kind);
	if (events > OLD_EVENTS) {
		ret_arrival->pages = kept;
		ret_arrival->faults = events;
		return;
	}
	compat__user_registers(&registers);
	if ((__s64)registers.orig_rax < 0) { /* in a fault of user code */
		ret_arrival->pages = PS_MEM_HUGE_PAGES;
		ret_arrival->faults = 1;
	} else if (kept > 0) {
		ret_arrival->pages = kept;
		ret_arrival->faults = events > 0 ? events : 1;
	}
}

/* What the counters were when this CPU last changed them. */
struct mem_seen {
	__u64 mm, epoch;
	__s64 all[PS_MEM_KIND_COUNT];
	__s32 here[PS_MEM_KIND_COUNT];
	__u32 valid; /* bit by kind */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MEM_CACHE);
	__type(key, __u32);
	__type(value, struct mem_seen);
} mem_seen_here SEC(".maps");

struct bpf_array___percpu {
	void *pptrs[0];
} __attribute__((preserve_access_index));

/* From a per-CPU pointer to this CPU's own: as far as a map's value is from the pointer that the
 * kernel keeps for all CPUs. A variable of the kernel without a name can be found by no other way.
 * The pointers go through the stack because only their numbers are wanted. */
static __always_inline __u64 distance_of_this_cpu(const struct mem_seen *first)
{
	void *array = &mem_seen_here;
	__u64 map = 0, here = 0, all = 0;

	bpf_probe_read_kernel(&map, sizeof(map), &array);
	bpf_probe_read_kernel(&here, sizeof(here), &first);
	bpf_probe_read_kernel(&all, sizeof(all), &((struct bpf_array___percpu *)map)->pptrs);
	return here - all;
}

static __always_inline __s64 clamp_pages(__s64 pages, __u32 kind)
{
	__s64 most = kind == PS_MEM_FILE ? PS_MEM_FILE_PAGES : PS_MEM_HUGE_PAGES;

	return pages > most ? most : pages;
}

/* Exact while the CPU's own part has not been added up. When it has, it was full to the batch: by
 * one page if it lacked just one, else by what the sum grew, in which there may be other CPUs'. */
static __always_inline __s64 pages_since(const struct mem_seen *seen, __u32 kind, __s64 all,
					 __s32 here)
{
	__s32 before = seen->here[kind & (PS_MEM_KIND_COUNT - 1)];

	if (all == seen->all[kind & (PS_MEM_KIND_COUNT - 1)] || here)
		return here - before;
	if (before + 1 == (__s32)knob_counter_batch)
		return 1;
	return clamp_pages(all - seen->all[kind & (PS_MEM_KIND_COUNT - 1)] - before, kind);
}

static __always_inline void read_counter(struct mm_struct *mm, __u32 kind, __s64 *ret_all,
					 const __s32 **ret_each)
{
	struct mm_struct___since_6_2 *new = (void *)mm;

	if (kind == PS_MEM_ANONYMOUS) {
		*ret_all = BPF_CORE_READ(new, rss_stat[PS_MEM_ANONYMOUS].count);
		*ret_each = BPF_CORE_READ(new, rss_stat[PS_MEM_ANONYMOUS].counters);
	} else if (kind == PS_MEM_FILE) {
		*ret_all = BPF_CORE_READ(new, rss_stat[PS_MEM_FILE].count);
		*ret_each = BPF_CORE_READ(new, rss_stat[PS_MEM_FILE].counters);
	} else {
		*ret_all = BPF_CORE_READ(new, rss_stat[PS_MEM_SHARED].count);
		*ret_each = BPF_CORE_READ(new, rss_stat[PS_MEM_SHARED].counters);
	}
}

/* Compares the counters with what they were. Another's memory is only forgotten: what is done to it
 * from outside is no growth of its own. */
static __always_inline void arrived_here(struct mm_struct *mm, bool own, __u64 epoch, __u32 kind,
					 struct arrival *ret_arrival)
{
	__u32 first = 0, at = ((__u64)mm >> 7 ^ (__u64)mm >> 13) & (MEM_CACHE - 1),
	      bit = 1U << kind;
	struct mem_seen *origin = bpf_map_lookup_elem(&mem_seen_here, &first);
	struct mem_seen *seen = bpf_map_lookup_elem(&mem_seen_here, &at);
	const __s32 *each = NULL;
	__s64 all = 0;
	__s32 here = 0;

	if (!origin || !seen)
		return;
	if (!own) {
		if (seen->mm == (__u64)mm)
			seen->mm = 0;
		return;
	}
	read_counter(mm, kind, &all, &each);
	if (bpf_probe_read_kernel(&here, sizeof(here),
				  (const char *)each + distance_of_this_cpu(origin)))
		return;
	if (seen->mm != (__u64)mm || seen->epoch != epoch) {
		seen->mm = (__u64)mm;
		seen->epoch = epoch;
		seen->valid = 0;
	}
	kind &= PS_MEM_KIND_COUNT - 1;
	if (seen->valid & bit) {
		ret_arrival->pages = pages_since(seen, kind, all, here);
	} else {
		struct pt_regs registers = {};

		/* What it was is not known. In a fault of user code something has come. */
		compat__user_registers(&registers);
		ret_arrival->pages = (__s64)registers.orig_rax < 0;
	}
	ret_arrival->faults = 1;
	seen->all[kind] = all;
	seen->here[kind] = here;
	seen->valid |= bit;
}

#endif
