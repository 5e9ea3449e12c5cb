/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Breakpoints (uprobes) of one file in one link, Linux 6.6: they go in one go, while links of one
 * each wait for the kernel one after the other. */
#ifndef CAPTURE_BREAKPOINTS_H
#define CAPTURE_BREAKPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BREAKPOINTS_TYPE 48 /* BPF_TRACE_UPROBE_MULTI, for headers that lack it */

/* Whether this kernel has such links, and they see all threads of a process: Linux 6.6 to 6.9 see
 * hits of the first one alone. Sets one for a moment, in this program. */
bool breakpoints__has_links(void);

/* program: a descriptor; loaded to be attached so. at_return: where the functions at the offsets
 * return, else where they begin. A descriptor, the caller's, or what the kernel said; kernels
 * without such links refuse with one error or another. */
int breakpoints__link(int program, bool at_return, pid_t pid, const char *path,
		      const uint64_t *offsets, size_t count);

/* Where in /proc/self/exe code of this program is, by its address: for measuring what a breakpoint
 * costs. -ENOENT: it is in no file; what reading mappings gives. */
int breakpoints__offset_of(uint64_t address, uint64_t *ret_offset);

#endif
