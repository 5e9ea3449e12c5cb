/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of waits: what BPF has added up for a thread, what of it is charged already. */
#ifndef CAPTURE_WAIT_SUMS_H
#define CAPTURE_WAIT_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "waits.h"

/* Details that one set of sums keeps apart, at least those of a thread; the rest is summed. */
#define WAIT_SUMS_DETAILS 16
_Static_assert(WAIT_SUMS_DETAILS >= PS_WAIT_DETAILS + 1, "all of a thread, and its present wait");

struct wait_sum {
	uint64_t ns, count;
};

struct wait_sums {
	struct wait_sum classes[PS_WAIT_COUNT]; /* without what is in details[] */
	struct {
		uint64_t key; /* PS_WAIT_KEY() */
		struct wait_sum sum;
	} details[WAIT_SUMS_DETAILS];
	size_t detail_count;
};

/* The sums of a thread at now_ns (CLOCK_MONOTONIC), with the part of the wait that goes on. */
void wait_sums__of(const struct ps_waits *waits, uint64_t now_ns, struct wait_sums *ret_sums);

/* Takes more of a detail; an error: it did not, and `sums` gets it. */
typedef int wait_sums_detail(void *context, uint64_t key, const struct wait_sum *more);

/* Adds to `sums` what `now` has more than `charged`, which then has it too. What a reading has less
 * stays charged: it was read while it changed, and a later one makes up for it. detail: who takes
 * details; NULL: `sums` gets them, too. */
void wait_sums__charge(struct wait_sums *sums, struct wait_sums *charged,
		       const struct wait_sums *now, wait_sums_detail *detail, void *context);

/* Calls tell for each class and detail with any time or count. The first error ends it and is
 * returned. */
typedef int wait_sums_tell(void *context, uint32_t class, uint64_t detail,
			   const struct wait_sum *sum);
int wait_sums__each(const struct wait_sums *sums, wait_sums_tell *tell, void *context);

/* The name of a class in the recording, "other:NAME" for the system call of a detail. Static or in
 * buffer. */
#define WAIT_CLASS_NAME_SIZE 64
const char *wait_class__name(uint32_t class, uint64_t detail, char buffer[WAIT_CLASS_NAME_SIZE]);

#endif
