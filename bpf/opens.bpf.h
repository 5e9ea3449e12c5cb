/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are open and since when. A table of our own: putting an entry into a hash map of the
 * kernel and taking it out costs more than all else at an open. Two CPUs that take the same place
 * at once lose one entry, and say so. */
#ifndef OPENS_BPF_H
#define OPENS_BPF_H

#include "compat.bpf.h"
#include "counts.bpf.h"
#include "files.bpf.h"
#include "maps.bpf.h"
#include "opens.h"

struct opens_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PS_OPEN_SETS); /* set */
	__type(key, __u32);
	__type(value, struct ps_open_set);
};
extern struct opens_map opens SEC(".maps");

static __always_inline struct ps_open_set *opens__set(__u64 file)
{
	__u32 index = ps_mix(0, file) >> 32 & (PS_OPEN_SETS - 1);

	return bpf_map_lookup_elem(&opens, &index);
}

static __always_inline struct ps_open *opens__find(__u64 file, __u64 inode)
{
	struct ps_open_set *set = opens__set(file);

	for (int i = 0; set && i < PS_OPEN_WAYS; i++)
		if (set->ways[i].file == file && set->ways[i].inode == inode)
			return &set->ways[i];
	return NULL;
}

/* It was opened by current. */
static __always_inline void opens__add(__u64 file, __u64 inode, __u64 now)
{
	struct ps_open_set *set = opens__set(file);
	struct ps_open *open = NULL, *one;

	if (!set)
		return;
	for (int i = 0; i < PS_OPEN_WAYS; i++) {
		one = &set->ways[i];
		if (one->file == file) {
			open = one;
			break;
		}
		if (!open || !one->file || (open->file && one->opened_ns < open->opened_ns))
			open = one;
	}
	if (open->file)
		count_event(open->file == file ? PS_COUNTER_CLOSES_UNSEEN : PS_COUNTER_OPENS_FULL);
	open->file = file;
	open->inode = inode;
	open->opened_ns = now;
	open->tgid = bpf_get_current_pid_tgid() >> 32;
	open->leaving_tgid = 0;
	open->descriptors = 1;
	open->mapped = open->told = 0;
	if (*(volatile __u64 *)&open->file != file)
		count_event(PS_COUNTER_OPENS_FULL);
}

/* Whether current, which has opened it, has no other descriptor of it that is known of: for its
 * writes it is closed with that one, whoever else holds it, a child or a mapping. */
static __always_inline bool opens__is_last_own(__u64 file, __u64 inode)
{
	const struct ps_open *open = opens__find(file, inode);

	return open && open->tgid == bpf_get_current_pid_tgid() >> 32 && open->descriptors <= 1;
}

/* One of current's descriptors of it is going to be closed; when it was opened, 0: not known, or it
 * stays open. A mapping holds the file as a descriptor does, so of a mapped one those count that
 * the process which opened it is known to have. */
static __always_inline __u64 opens__close(struct file *file, __u64 inode)
{
	struct ps_open *open = opens__find((__u64)file, inode);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	bool is_last;

	if (!open)
		return 0;
	is_last = file_references(file) == 1;
	if (!is_last && open->tgid == tgid) {
		is_last = open->mapped && open->descriptors <= 1;
		if (open->descriptors > 1)
			open->descriptors--;
	}
	if (!is_last)
		return 0;
	open->file = 0;
	return open->opened_ns;
}

/* Of a call of current that has succeeded. */
int opens_duplicated(__u64 descriptor);
int opens_mapped(__u64 descriptor);
/* dup2() or dup3() begins. */
int opens_replaced(__u64 from, __u64 to);
/* current ends, and with it all its descriptors. */
int opens_end(void);

#endif
