/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of waits: what BPF has added up for a thread, what of it is charged already. */
#ifndef CAPTURE_WAIT_SUMS_H
#define CAPTURE_WAIT_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "waits.h"

/* System calls of class "other" that one set of sums keeps apart; the rest is summed. */
#define WAIT_SUMS_OTHERS 16

struct wait_sum {
	uint64_t ns, count;
};

struct wait_sums {
	struct wait_sum classes[PS_WAIT_COUNT]; /* PS_WAIT_OTHER: those not in others[] */
	struct {
		uint32_t syscall;
		struct wait_sum sum;
	} others[WAIT_SUMS_OTHERS];
	size_t other_count;
};

/* The sums of a thread at now_ns (CLOCK_MONOTONIC), with the part of the wait that goes on. */
void wait_sums__of(const struct ps_waits *waits, uint64_t now_ns, struct wait_sums *ret_sums);

/* Adds to `sums` what `now` has more than `charged`, which then has it too. What a reading has less
 * stays charged: it was read while it changed, and a later one makes up for it. */
void wait_sums__charge(struct wait_sums *sums, struct wait_sums *charged,
		       const struct wait_sums *now);

/* Calls tell for each class with any time or count, by its name in the recording. The first error
 * ends it and is returned. */
typedef int wait_sums_tell(void *context, const char *class, const struct wait_sum *sum);
int wait_sums__each(const struct wait_sums *sums, wait_sums_tell *tell, void *context);

/* The name of a class in the recording, "other:NAME" for a system call. Static or in buffer. */
#define WAIT_CLASS_NAME_SIZE 64
const char *wait_class__name(uint32_t class, uint32_t syscall, char buffer[WAIT_CLASS_NAME_SIZE]);

#endif
