/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many of something BPF chooses for the stacks: one for each period on average. The periods are
 * doubled while too many are chosen, which bounds the cost. */
#ifndef CAPTURE_CHOICE_H
#define CAPTURE_CHOICE_H

#include <stdint.h>

struct choice {
	uint64_t kept; /* chosen in this slice */
	uint32_t doublings; /* of the periods */
	uint32_t doublings_most; /* so far */
};

/* At the end of a slice: adapts the doublings to what was kept, which is then 0. */
void choice__adapt(struct choice *choice);

#endif
