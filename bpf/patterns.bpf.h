/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which order a thread reads a file: noted in its state, whatever else it does with the file
 * between, and moved from there into a map twice a second, when another file takes the place, and
 * when the recorder finds it idle. A thread that reads while the recorder does so may lose a read
 * of these figures, never of the sums. */
#ifndef PATTERNS_BPF_H
#define PATTERNS_BPF_H

#include "files.bpf.h"
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

static __always_inline void pattern__add(struct ps_pattern *sum, const struct ps_pattern *more)
{
	sum->bytes += more->bytes;
	sum->sequential += more->sequential;
	sum->strided += more->strided;
	sum->random += more->random;
	if (sum->shift < more->shift) {
		sum->parts = ps_parts_coarser(sum->parts, more->shift - sum->shift);
		sum->shift = more->shift;
	}
	sum->parts |= ps_parts_coarser(more->parts, sum->shift - more->shift);
}

static __always_inline void pattern__move(struct io_pattern *pattern)
{
	struct ps_pattern_key moved = pattern->key;
	struct ps_pattern *sum;

	if (!pattern->sum.bytes)
		return;
	sum = bpf_map_lookup_elem(&io_patterns, &moved);
	/* Of two threads that find none, the second adds to what the first has made. */
	if (!sum && bpf_map_update_elem(&io_patterns, &moved, &pattern->sum, BPF_NOEXIST)) {
		sum = bpf_map_lookup_elem(&io_patterns, &moved);
		if (!sum)
			count_event(PS_COUNTER_PATTERNS_FULL);
	}
	if (sum)
		pattern__add(sum, &pattern->sum);
	pattern->sum.bytes = pattern->sum.parts = 0;
	pattern->sum.sequential = pattern->sum.strided = pattern->sum.random = 0;
}

/* Before the thread or its epoch ends. */
static __always_inline void pattern__move_all(struct thread_state *state)
{
	for (int i = 0; i < IO_PATTERNS; i++)
		pattern__move(&state->patterns[i]);
}

/* The pattern of a file, key, which takes the place of another's. inode: its address. */
static __always_inline struct io_pattern *pattern__of(struct thread_state *state, struct file *file,
						      __u64 inode, const struct ps_pattern_key *key)
{
	struct io_pattern *pattern =
		&state->patterns[(inode >> 7 ^ inode >> 11) & (IO_PATTERNS - 1)];
	__u32 bits;

	if (pattern->inode != inode || pattern->key.file != key->file) {
		pattern__move(pattern);
		__builtin_memset(pattern, 0, sizeof(*pattern));
		pattern->inode = inode;
		bits = log2_of(file_size(file));
		pattern->sum.shift = bits > 5 ? bits - 5 : 0;
	}
	pattern->key = *key;
	return pattern;
}

/* Which parts of the file these bytes are in. */
static __always_inline void note_parts(struct ps_pattern *sum, __u64 at, __u64 bytes)
{
	__u64 end = at + bytes - 1, first, last;

	if (end >> (sum->shift & 63) >= PS_PATTERN_PARTS) {
		__u32 shift = log2_of(end) - 4;

		sum->parts = ps_parts_coarser(sum->parts, shift - sum->shift);
		sum->shift = shift;
	}
	first = at >> (sum->shift & 63);
	last = end >> (sum->shift & 63);
	sum->parts |= (~0ULL << (first & 63)) & (~0ULL >> (63 - (last & 63)));
}

/* A read of `bytes` from `at` on, which has ended now. */
static __always_inline void pattern__note(struct io_pattern *pattern, __u64 at, __u64 bytes,
					  __u64 now)
{
	__u64 distance = at - pattern->last;

	/* Before there is anything to move: the recorder looks at it behind that. */
	pattern->last_ns = now;
	barrier();
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
	note_parts(&pattern->sum, at, bytes);
	if (now - pattern->moved_ns > PATTERN_MOVE_NS) {
		pattern->moved_ns = now;
		pattern__move(pattern);
	}
}

#endif
