/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which order a thread reads a file: noted in the slot of its reads, and moved from there into a
 * map twice a second, when the slot is emptied, and when the recorder finds it idle. A thread that
 * reads while the recorder does so may lose a read of these figures, never of the sums. */
#ifndef PATTERNS_BPF_H
#define PATTERNS_BPF_H

#include "thread.bpf.h"

#define PATTERN_MOVE_NS 500000000ULL

struct io_patterns_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_PATTERNS);
	__type(key, struct ps_pattern_key);
	__type(value, struct ps_pattern);
};
extern struct io_patterns_map io_patterns SEC(".maps");

static __always_inline void pattern__move(const struct ps_io_key *key, struct io_pattern *pattern)
{
	struct ps_pattern_key moved = {
		.epoch = key->epoch, .file = key->file, .device = key->device};
	struct ps_pattern *sum = bpf_map_lookup_elem(&io_patterns, &moved);

	/* Of two threads that find none, the second adds to what the first has made. */
	if (!sum && bpf_map_update_elem(&io_patterns, &moved, &pattern->sum, BPF_NOEXIST)) {
		sum = bpf_map_lookup_elem(&io_patterns, &moved);
		if (!sum)
			count_event(PS_COUNTER_PATTERNS_FULL);
	}
	if (sum) {
		sum->bytes += pattern->sum.bytes;
		sum->sequential += pattern->sum.sequential;
		sum->strided += pattern->sum.strided;
		sum->random += pattern->sum.random;
		if (sum->shift == pattern->sum.shift)
			sum->parts |= pattern->sum.parts;
	}
	pattern->sum.bytes = pattern->sum.parts = 0;
	pattern->sum.sequential = pattern->sum.strided = pattern->sum.random = 0;
}

/* A read of `bytes` from `at` on, which has ended now. */
static __always_inline void pattern__note(const struct ps_io_key *key, struct io_pattern *pattern,
					  __u64 at, __u64 bytes, __u64 now)
{
	__u64 distance = at - pattern->last, first, last;
	__u32 shift = pattern->sum.shift & 63;

	if (at == pattern->next)
		pattern->sum.sequential++;
	else if (pattern->known && distance == pattern->stride)
		pattern->sum.strided++;
	else if (pattern->known)
		pattern->sum.random++;
	pattern->known = 1;
	pattern->stride = distance;
	pattern->last = at;
	pattern->next = at + bytes;
	pattern->sum.bytes += bytes;
	first = at >> shift;
	last = (at + bytes - 1) >> shift;
	if (first > PS_PATTERN_LAST)
		first = PS_PATTERN_LAST;
	if (last > PS_PATTERN_LAST)
		last = PS_PATTERN_LAST;
	pattern->sum.parts |= (~0ULL << first) & (~0ULL >> (63 - last));
	pattern->last_ns = now;
	if (now - pattern->moved_ns > PATTERN_MOVE_NS) {
		pattern->moved_ns = now;
		pattern__move(key, pattern);
	}
}

#endif
