/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the walkers need to be compiled for BPF and for the host. There the includer provides
 * ps_read_user() for memory that a test has made or saved, or for another process's. */
#ifndef USER_MEMORY_BPF_H
#define USER_MEMORY_BPF_H

#ifdef __bpf__
#define ps_read_user(destination, size, address)                                                   \
	bpf_probe_read_user(destination, size, (const void *)(address))
#else
static long ps_read_user(void *destination, __u32 size, __u64 address);
#ifndef __always_inline /* glibc has one of its own */
#define __always_inline inline __attribute__((always_inline))
#endif
#endif

/* Keeps the compiler from leaving out a mask that it knows to be needless: older verifiers do not
 * know. */
#define HIDE_RANGE(value) __asm__ volatile("" : "+r"(value))

#endif
