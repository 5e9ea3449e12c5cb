/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How programs count: what is lost or odd, by counter; samples and what is chosen for the stacks,
 * by who and where; lengths, by powers of two. */
#ifndef COUNTS_BPF_H
#define COUNTS_BPF_H

#include "maps.bpf.h"

#include "counters.h"

struct counters_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PS_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct counters_map counters SEC(".maps");

struct counts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	/* clang 14 leaves __type incomplete in inner maps */
	__uint(key_size, sizeof(struct ps_count));
	__uint(value_size, sizeof(struct ps_sum));
};

/* One entry: the map of counts that is filled now. The recorder swaps it each slice and reads the
 * other in peace: replacing it waits for running programs. */
struct counts_outer_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct counts_map);
};
extern struct counts_outer_map counts SEC(".maps");

static __always_inline void count_events(__u32 counter, __u64 number)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		*value += number;
}

static __always_inline void count_event(__u32 counter)
{
	count_events(counter, 1);
}

/* Adds to what is counted under key. */
static __always_inline void counts__add(const struct ps_count *key, __u64 sum)
{
	struct ps_sum first = {.count = 1, .sum = sum}, *known;
	__u32 zero = 0;
	void *current = bpf_map_lookup_elem(&counts, &zero);
	long err;

	if (!current)
		return;
	known = bpf_map_lookup_elem(current, key);
	if (!known) {
		err = bpf_map_update_elem(current, key, &first, BPF_NOEXIST);
		if (!err)
			return;
		known = bpf_map_lookup_elem(current, key); /* another CPU was faster */
		if (!known) {
			count_event(err == -16 /* EBUSY */ ? PS_COUNTER_COUNTS_BUSY
							   : PS_COUNTER_COUNTS_FULL);
			return;
		}
	}
	__sync_fetch_and_add(&known->count, 1);
	/* Adding a constant 0 would be compiled into an atomic OR, which Linux 5.10 lacks. */
	if (sum)
		__sync_fetch_and_add(&known->sum, sum);
}

/* The same of a stack that stands for `weight`; 0: it was not chosen. */
static __always_inline void counts__add_chosen(const struct ps_count *base, __u32 metric,
					       __u64 weight)
{
	struct ps_count key = *base;

	if (!weight)
		return;
	key.metric = metric;
	counts__add(&key, weight);
}

/* The weight that a value stands for among the stacks; 0: not chosen. It is chosen with probability
 * min(1, value / period) and then counts max(value, period): the sum stays unbiased. One random
 * number may serve several values. */
static __always_inline __u64 choose(__u64 value, __u64 period, __u32 random)
{
	if (value >= period)
		return value;
	/* Periods are below 2^32, so there is no overflow. */
	return ((__u64)random * period) >> 32 < value ? period : 0;
}

/* The highest bit of value that is set, 0 for 0. Callers have it in a function of its own: its 64
 * ways through would multiply with those of every caller. */
static __always_inline __u32 log2_of(__u64 value)
{
	__u32 bits = 0;

	for (int shift = 32; shift; shift >>= 1) {
		if (value >> shift) {
			value >>= shift;
			bits += shift;
		}
	}
	return bits;
}

#endif
