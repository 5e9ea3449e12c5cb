/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source "mem", as the programs at system calls know it. */
#ifndef MEM_BPF_H
#define MEM_BPF_H

#include "maps.bpf.h"
#include "mem.h"

#define NR_MMAP	  9
#define NR_MUNMAP 11
#define NR_BRK	  12
#define NR_MREMAP 25

extern const volatile bool knob_mem; /* the source is on */

static __always_inline bool mem__is_call(__s64 number)
{
	return number >= NR_MMAP && number <= NR_MREMAP &&
	       (1U << number & (1U << NR_MMAP | 1U << NR_MUNMAP | 1U << NR_BRK | 1U << NR_MREMAP));
}

/* The call begins; the first arguments. */
int mem__begin(__u64 number, __u64 first, __u64 second);
/* It has ended; its result, and mmap's length, protection and flags, or mremap's old address, old
 * length and new length. */
int mem__end(__u64 number, __u64 one, __u64 two, __u64 three, __s64 result);

#endif
