/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames of a stack, as the walker writes them. Wire format: see wire.h. */
#ifndef PIPESCOPE_FRAMES_H
#define PIPESCOPE_FRAMES_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* A native frame is one word: its program counter, and this bit when it is CPython's interpreter
 * loop, which stands for Python frames. */
#define PS_NATIVE_EVAL		(1ULL << 63)
#define PS_NATIVE_ADDRESS(word) ((word) & ~PS_NATIVE_EVAL)

#define PS_FRAME_LAST 1 /* the outermost Python frame that its native frame runs */
#define PS_FRAME_NONE 2 /* no frame: its native frame had none yet, or none any more */
#define PS_FRAME_PART                                                                              \
	4 /* no frame: address is an object that tells which part of a quantum the                 \
	   * frame before works at, position the rank of the rule that says so */

#define PS_FRAME_FLAGS(frame) ((frame)->kind & 0xff)
#define PS_FRAME_CHECK(frame) ((frame)->kind >> 8) /* ps_py_code_check(); 0: not known */

/* A Python frame. */
struct ps_frame {
	__u64 address; /* of its code object */
	__s32 position; /* see enum ps_py_position; -1: not started */
	__u32 kind; /* PS_FRAME_FLAGS(), and above them PS_FRAME_CHECK() */
};

_Static_assert(sizeof(struct ps_frame) == 16, "wire format");

#endif
