/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which order files are read, and what is read more than once. Shared by BPF and the recorder.
 */
#ifndef PIPESCOPE_PATTERN_H
#define PIPESCOPE_PATTERN_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PS_PATTERNS 32768 /* files that are read in a slice */

/* The part that also stands for all behind it; bit 63 stays 0, as recordings hold signed numbers.
 */
#define PS_PATTERN_LAST 62

/* As in struct ps_io_key. */
struct ps_pattern_key {
	__u64 epoch, file;
	__u32 device;
	__u32 pad;
};

/* Reads by where they begin: behind the one before; as far from the one before as that from the one
 * before it; elsewhere. The first read of a file, when it does not begin at 0, is none of these. */
struct ps_pattern {
	__u64 bytes; /* asked for and got by these */
	__u64 parts; /* bit n: something was read of [n << shift, (n + 1) << shift) */
	__u32 sequential, strided, random;
	__u32 shift; /* so that the file has 32 to 63 parts, when it was first read */
};

_Static_assert(sizeof(struct ps_pattern_key) == 24, "wire format");
_Static_assert(sizeof(struct ps_pattern) == 32, "wire format");

#endif
