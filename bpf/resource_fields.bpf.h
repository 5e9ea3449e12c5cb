/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts of threads, processes and memory: the fields that resources.bpf.c reads,
 * by types of their own, since kernels may be built without some. */
#ifndef RESOURCE_FIELDS_BPF_H
#define RESOURCE_FIELDS_BPF_H

#include "maps.bpf.h"

struct task_io_accounting___any {
	__u64 rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes;
} __attribute__((preserve_access_index));

struct sched_info___any {
	unsigned long long run_delay;
} __attribute__((preserve_access_index));

struct sched_entity___moves {
	__u64 nr_migrations;
} __attribute__((preserve_access_index));

struct task_struct___uses {
	unsigned long nvcsw, nivcsw, min_flt, maj_flt;
	int on_cpu;
	struct sched_entity___moves se;
	struct sched_info___any sched_info;
	struct task_io_accounting___any ioac;
} __attribute__((preserve_access_index));

struct signal_struct___uses {
	unsigned long nvcsw, nivcsw, min_flt, maj_flt;
	unsigned long cnvcsw, cnivcsw, cmin_flt, cmaj_flt;
	__u64 cutime, cstime;
	struct task_io_accounting___any ioac;
} __attribute__((preserve_access_index));

struct percpu_counter___any {
	__s64 count;
} __attribute__((preserve_access_index));

/* Linux 6.2 (f1a7941243c1) made each of the counts one per CPU and a sum of what does not lie
 * there. */
struct mm_struct___percpu {
	struct percpu_counter___any rss_stat[4];
	struct task_struct *owner;
} __attribute__((preserve_access_index));

struct atomic64___any {
	__s64 counter;
} __attribute__((preserve_access_index));
struct mm_rss_stat___before_6_2 {
	struct atomic64___any count[4];
} __attribute__((preserve_access_index));
struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
} __attribute__((preserve_access_index));

/* Indices of both, the same in all versions. */
enum { OF_FILES, ANONYMOUS, SWAPPED, SHARED };

static __always_inline bool has_percpu_rss(void)
{
	return bpf_core_field_exists(((struct mm_struct___percpu *)0)->rss_stat[0].count);
}

static __always_inline bool has_rss(void)
{
	return has_percpu_rss() ||
	       bpf_core_field_exists(((struct mm_struct___before_6_2 *)0)->rss_stat.count);
}

#define READ_RSS(mm, member)                                                                       \
	(has_percpu_rss()                                                                          \
		 ? BPF_CORE_READ((struct mm_struct___percpu *)(mm), rss_stat[member].count)        \
		 : BPF_CORE_READ((struct mm_struct___before_6_2 *)(mm),                            \
				 rss_stat.count[member].counter))

static __always_inline __u64 not_negative(__s64 pages)
{
	return pages > 0 ? pages : 0;
}

static __always_inline __u64 rss_of(struct mm_struct *mm)
{
	if (!mm || !has_rss())
		return 0;
	return not_negative(READ_RSS(mm, OF_FILES)) + not_negative(READ_RSS(mm, ANONYMOUS)) +
	       not_negative(READ_RSS(mm, SHARED));
}

static __always_inline __u64 swap_of(struct mm_struct *mm)
{
	return mm && has_rss() ? not_negative(READ_RSS(mm, SWAPPED)) : 0;
}

#endif
