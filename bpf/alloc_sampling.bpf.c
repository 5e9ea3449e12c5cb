// SPDX-License-Identifier: GPL-2.0-or-later
/* Which blocks the source "alloc" takes the stacks of.
 *
 * Sampling points lie on the line of all bytes as a Poisson process has them. Each stands for the
 * mean distance: so the weight of a block is right on average, whatever its size. Blocks of many
 * distances stand for themselves. */
#include "compat.bpf.h"
#include "alloc.bpf.h"
#include "alloc.h"

/* Distances of a Poisson process, in PS_ALLOC_DRAW_UNITs of its mean; the recorder fills them. */
const volatile __u32 alloc_draws[PS_ALLOC_DRAWS] = {[0] = PS_ALLOC_DRAW_UNIT};

__u64 alloc_period_bytes = PS_ALLOC_PERIOD;

/* Of each CPU: bytes until the next sampling point; 0: none was drawn yet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s64);
} alloc_next_points SEC(".maps");

__noinline __u64 alloc__weight(__u64 bytes)
{
	__u32 zero = 0;
	__s64 *next = bpf_map_lookup_elem(&alloc_next_points, &zero), left;
	__u64 period = alloc_period_bytes, weight = 0;

	if (!next || !bytes)
		return 0;
	if (bytes >= period * (PS_ALLOC_POINTS_IN / 4))
		return bytes;
	left = *next;
	if (!left)
		left = (period * alloc_draws[bpf_get_prandom_u32() & (PS_ALLOC_DRAWS - 1)] /
			PS_ALLOC_DRAW_UNIT) +
		       1;
	left -= bytes;
	for (int i = 0; i < PS_ALLOC_POINTS_IN; i++) {
		if (left > 0)
			break;
		weight += period;
		left += period * alloc_draws[bpf_get_prandom_u32() & (PS_ALLOC_DRAWS - 1)] /
			PS_ALLOC_DRAW_UNIT;
	}
	*next = left > 0 ? left : 1;
	return weight;
}
