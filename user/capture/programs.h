/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF programs of this build: opened, fitted to the kernel, loaded. */
#ifndef CAPTURE_PROGRAMS_H
#define CAPTURE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

struct pipescope_bpf;

struct programs_knobs {
	bool only_wanted; /* only processes that the recorder marks as wanted */
	const char *const *environment; /* names of the variables to keep at exec */
	size_t environment_count;
};

/* Loaded, nothing attached. The caller destroys *ret_bpf. */
int programs__load(const struct programs_knobs *knobs, struct pipescope_bpf **ret_bpf);
/* Attaches those that follow the life of processes. */
int programs__attach_life(struct pipescope_bpf *bpf);

/* Loads them once more, each with the verifier's figures: calls tell for each program. */
int programs__verified(void (*tell)(const char *program, unsigned long instructions));

#endif
