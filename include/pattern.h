/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which order files are read, and what is read more than once. Shared by BPF and the recorder.
 */
#ifndef PIPESCOPE_PATTERN_H
#define PIPESCOPE_PATTERN_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PS_PATTERNS 32768 /* files that are read in a slice */

/* Bit 63 stays 0, as recordings hold signed numbers. */
#define PS_PATTERN_PARTS 63

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
	/* So that the file had 32 to 63 parts, when it was first read; more when it was read behind
	 * these. */
	__u32 shift;
};

/* What parts are when each is 2^by times as large. */
static inline __u64 ps_parts_coarser(__u64 parts, __u32 by)
{
	if (by >= 6)
		return parts != 0;
	for (__u32 i = 0; i < 6 && i < by; i++) {
		/* Each pair gives the lower of its bits, and these move together. */
		parts = (parts | parts >> 1) & 0x5555555555555555ULL;
		parts = (parts | parts >> 1) & 0x3333333333333333ULL;
		parts = (parts | parts >> 2) & 0x0f0f0f0f0f0f0f0fULL;
		parts = (parts | parts >> 4) & 0x00ff00ff00ff00ffULL;
		parts = (parts | parts >> 8) & 0x0000ffff0000ffffULL;
		parts = (parts | parts >> 16) & 0x00000000ffffffffULL;
	}
	return parts;
}

_Static_assert(sizeof(struct ps_pattern_key) == 24, "wire format");
_Static_assert(sizeof(struct ps_pattern) == 32, "wire format");

#endif
