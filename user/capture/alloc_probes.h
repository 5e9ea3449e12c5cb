/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets the breakpoints of the source "alloc" and takes them away. When the recorder ends, however
 * it ends, the kernel does so, with some help (breakpoint_guard.h). */
#ifndef CAPTURE_ALLOC_PROBES_H
#define CAPTURE_ALLOC_PROBES_H

#include <stdbool.h>

#include "alloc.h"
#include "capture/alloc_targets.h"

struct alloc_probes;
struct pipescope_bpf;

/* Behind the open, before the load: the programs and maps of this source. */
void alloc_probes__choose(struct pipescope_bpf *bpf, double period_bytes);

/* bpf is borrowed. NULL: no memory. */
struct alloc_probes *alloc_probes__new(struct pipescope_bpf *bpf);
void alloc_probes__free(struct alloc_probes *probes); /* NULL is accepted */

/* CPU time, ns, that each enum ps_alloc_hit costs now, beside the programs' own: measured on
 * functions of this program, in some 10 ms of CPU time. */
int alloc_probes__measure(struct alloc_probes *probes, double ret_ns[PS_ALLOC_HITS]);

/* Sets those behind the first `from` of the list. Those of processes and files that have gone
 * meanwhile are taken off it. late: what they count begins when all of them are set. */
int alloc_probes__attach(struct alloc_probes *probes, struct alloc_point_list *list, size_t from,
			 bool late);
/* Those of some processes, which are also taken off the list. */
void alloc_probes__forget(struct alloc_probes *probes, const pid_t *pids, size_t count,
			  struct alloc_point_list *list);
/* When it returns, none is left. */
void alloc_probes__detach(struct alloc_probes *probes);

#endif
