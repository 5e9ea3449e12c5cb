/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF programs of source "ceph". They are loaded late, when there is a CephFS mount, because
 * its kernel modules come with the first one: as a second copy of the object, of which only these
 * programs are used, and which shares the maps of the first. */
#ifndef CAPTURE_CEPH_PROGRAMS_H
#define CAPTURE_CEPH_PROGRAMS_H

#include <stdbool.h>

#include "capture/programs.h"

struct pipescope_bpf;

/* How the client's functions are followed: "types" (fentry, fexit), "tracepoint" (the same, and
 * requests to metadata servers by the kernel's tracepoint), "kprobes"; static. */
struct ceph_programs {
	struct pipescope_bpf *bpf; /* its maps ceph_…, and programs */
	const char *way;
};

/* Before the programs are attached: what they need in their maps. */
typedef int ceph_programs_ready(void *context, struct pipescope_bpf *bpf);

/* Loads the programs beside those of main, whose maps must exist, and attaches them: ends of
 * requests first, so that none begins that is not seen to end. Takes the first way that the kernel
 * lets; -ENOTSUP and others: none; -ENOMEM. */
int ceph_programs__start(struct pipescope_bpf *main, ceph_programs_ready *ready, void *context,
			 struct ceph_programs *ret_programs);
/* Detaches them, in the other order. */
void ceph_programs__detach(struct ceph_programs *programs);
void ceph_programs__clear(struct ceph_programs *programs); /* also of an empty one */

/* Loads both sets, as far as this kernel has what they need, each program with the verifier's
 * figures: calls tell for each. */
int ceph_programs__verified(struct pipescope_bpf *main, programs_tell *tell);

/* Whether the client is in this kernel, and can be followed. */
bool ceph_programs__possible(void);

#endif
