/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of pthread keys of another thread. As python.bpf.h also compiled for the host. */
#ifndef PTHREAD_KEYS_BPF_H
#define PTHREAD_KEYS_BPF_H

#include "python.h"
#include "user_memory.bpf.h"

/* glibc's struct pthread: the first 32 keys' {sequence, value} pairs, then 32 pointers to blocks
 * of 32 more pairs. nptl/descr.h; the same from glibc 2.28 to 2.42 on x86-64. */
#define GLIBC_FIRST_KEYS      0x310
#define GLIBC_KEY_BLOCKS      0x510
#define GLIBC_BLOCK_SIZE      32
#define GLIBC_KEY_SIZE	      16
#define GLIBC_KEY_BLOCK_COUNT 32

/* The value of pthread key `key` in the thread whose thread control block is at tcb; 0: none. */
static __always_inline __u64 python__thread_specific(__u64 tcb, __u32 key)
{
	__u64 block = tcb + GLIBC_FIRST_KEYS, value = 0;

	if (key >= GLIBC_BLOCK_SIZE) {
		if (key >= GLIBC_BLOCK_SIZE * GLIBC_KEY_BLOCK_COUNT)
			return 0;
		if (ps_read_user(&block, sizeof(block),
				 tcb + GLIBC_KEY_BLOCKS + 8 * (key / GLIBC_BLOCK_SIZE)) ||
		    !block)
			return 0;
		key %= GLIBC_BLOCK_SIZE;
	}
	if (ps_read_user(&value, sizeof(value), block + GLIBC_KEY_SIZE * key + 8))
		return 0;
	return value;
}

#endif
