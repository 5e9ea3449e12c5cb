/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long files are open: from open() to the close of the last descriptor. Shared by BPF and the
 * recorder. */
#ifndef PIPESCOPE_OPENS_H
#define PIPESCOPE_OPENS_H

#include "io.h"

/* What open() has made and nothing has closed; found by its address, in a set of few. */
#define PS_OPEN_SETS 32768 /* a power of 2 */
#define PS_OPEN_WAYS 4

struct ps_open {
	__u64 file; /* address of the struct file; 0: nobody's */
	__u64 inode; /* of its inode: other files come to the same address */
	__u64 opened_ns;
	__u32 tgid; /* that opened it */
	__u32 leaving_tgid; /* that ends with `leaving` descriptors of it */
	__u16 leaving;
	__u16 descriptors; /* of it in that process, as far as known */
	__u8 mapped; /* 1: it was; its references are no descriptors only */
	__u8 told; /* 1: to the recorder, as still open */
	__u8 pad[2];
};

struct ps_open_set {
	struct ps_open ways[PS_OPEN_WAYS];
};

/* What is open still at the end. */
struct ps_still_open {
	struct ps_io_key key; /* op: PS_IO_CLOSE */
	__u64 ns; /* since when */
};

_Static_assert(sizeof(struct ps_open) == 40, "wire format");
_Static_assert(sizeof(struct ps_still_open) == 32, "wire format");

#endif
