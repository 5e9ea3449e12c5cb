/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages' stacks are walked. What comes to a process on a CPU is cut into pieces of one
 * period, and of each piece one page is chosen by chance: each page with the same probability, so
 * estimates are unbiased; and what a function has brought is off by a fraction of a period for each
 * time that it begins or ends, not by the square root of its samples. Of mem.bpf.c. */
#ifndef MEM_STRATA_BPF_H
#define MEM_STRATA_BPF_H

#include "compat.bpf.h"
#include "mem.h"

#define STRATA 64 /* processes remembered on a CPU; a power of 2 */

struct mem_stratum {
	__u32 length; /* 0: none begun */
	__u32 at; /* of it have come */
	__u32 pick; /* the chosen one, below length */
};

struct mem_strata {
	__u64 epoch;
	struct mem_stratum pages[PS_MEM_KIND_COUNT], faults[PS_MEM_KIND_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STRATA);
	__type(key, __u32);
	__type(value, struct mem_strata);
} mem_strata_here SEC(".maps");

/* A piece that is given up unfinished leaves the estimate unbiased too. */
static __always_inline struct mem_strata *strata__of(__u32 tgid, __u64 epoch)
{
	__u32 at = (tgid ^ tgid >> 6) & (STRATA - 1);
	struct mem_strata *strata = bpf_map_lookup_elem(&mem_strata_here, &at);

	if (strata && strata->epoch != epoch) {
		__builtin_memset(strata, 0, sizeof(*strata));
		strata->epoch = epoch;
	}
	return strata;
}

/* Whether so many more begin another piece: only then is a random number looked at. */
static __always_inline bool stratum__ends(const struct mem_stratum *stratum, __u32 amount)
{
	return !stratum->length || stratum->at + amount >= stratum->length;
}

/* `amount` more have come, period > 0. How many the chosen ones among them stand for; 0: none is
 * chosen. Two of equal lengths that begin together choose together, with the same random number. */
static __always_inline __u64 stratum__pass(struct mem_stratum *stratum, __u32 amount, __u32 period,
					   __u32 random)
{
	__u64 weight = 0;
	__u32 end;

	if (!stratum->length) {
		stratum->length = period;
		stratum->pick = (__u64)random * period >> 32;
	}
	end = stratum->at + amount;
	if (stratum->pick >= stratum->at && stratum->pick < end)
		weight = stratum->length;
	if (end < stratum->length) {
		stratum->at = end;
		return weight;
	}
	end -= stratum->length;
	stratum->length = period;
	stratum->at = end % period;
	stratum->pick = (__u64)random * period >> 32;
	weight += end - stratum->at;
	if (stratum->pick < stratum->at)
		weight += period;
	return weight;
}

#endif
