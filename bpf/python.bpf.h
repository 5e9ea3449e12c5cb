/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Python frames of a thread, innermost first. Also compiled for the host, where tests run it on
 * memory that they made or saved: there the includer provides ps_read_user().
 *
 *   thread -> its PyThreadState, by the pthread key of the interpreter (_PyRuntime.gilstate).
 *             The static TLS variable of 3.12+ is NULL while the GIL is released; the key is not.
 *             The state found must say that it belongs to this thread (thread_id == fs base):
 *             so a wrong offset is noticed, and never shows another thread's frames.
 *   state  -> its current frame: tstate->frame (<= 3.10), tstate->cframe->current_frame (3.11,
 *             3.12), tstate->current_frame (3.13+).
 *   frame  -> code object, position, previous frame: one read that covers all three.
 */
#ifndef PYTHON_BPF_H
#define PYTHON_BPF_H

#include "counters.h"
#include "python.h"
#include "wire.h"

#ifdef __bpf__
#define ps_read_user(destination, size, address)                                                   \
	bpf_probe_read_user(destination, size, (const void *)(address))
#else
static long ps_read_user(void *destination, __u32 size, __u64 address);
#ifndef __always_inline /* glibc has one of its own */
#define __always_inline inline __attribute__((always_inline))
#endif
#endif

/* glibc's struct pthread: the first 32 keys' {sequence, value} pairs, then 32 pointers to blocks
 * of 32 more pairs. nptl/descr.h; the same from glibc 2.28 to 2.42 on x86-64. */
#define GLIBC_FIRST_KEYS      0x310
#define GLIBC_KEY_BLOCKS      0x510
#define GLIBC_BLOCK_SIZE      32
#define GLIBC_KEY_SIZE	      16
#define GLIBC_KEY_BLOCK_COUNT 32

#define PY_FRAME_BYTES 128 /* a power of 2: bounds of the reads below */
#define PY_NO_FRAME    1

struct python_walk {
	__u64 frame; /* the next frame to read; 0: none is left */
	__u8 bytes[PY_FRAME_BYTES + 8]; /* of the frame */
	__u8 code[PY_FRAME_BYTES + 8]; /* of its code object */
};

static __always_inline __u64 python__field(const struct python_walk *walk, __u32 offset)
{
	return *(const __u64 *)(walk->bytes + (offset & (PY_FRAME_BYTES - 8)));
}

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

/* Finds the thread's current frame: 0 and walk->frame (which may be 0), or an enum ps_ending. */
static __always_inline __u32 python__begin(struct python_walk *walk,
					   const struct ps_py_offsets *layout, __u64 runtime,
					   __u64 tcb)
{
	struct {
		__u32 initialized;
		__u32 key;
	} tss = {};
	__u64 state, owner = 0, frame = 0;

	walk->frame = 0;
	/* Before the interpreter touches its runtime, not even the page is there. */
	if (ps_read_user(&tss, sizeof(tss), runtime + layout->runtime_tss_key - 4) ||
	    tss.initialized != 1)
		return PS_END_PY_STARTING;
	state = python__thread_specific(tcb, tss.key);
	if (!state)
		return PS_END_PY_NO_THREAD;
	if (ps_read_user(&owner, sizeof(owner), state + layout->tstate_thread_id))
		return PS_END_PY_UNREADABLE;
	if (owner != tcb)
		return PS_END_PY_BAD_THREAD;
	if (ps_read_user(&frame, sizeof(frame), state + layout->tstate_frame))
		return PS_END_PY_UNREADABLE;
	if (layout->cframe_frame != PS_PY_NO_FIELD &&
	    (!frame || ps_read_user(&frame, sizeof(frame), frame + layout->cframe_frame)))
		return PS_END_PY_UNREADABLE;
	walk->frame = frame;
	return 0;
}

/* What tells the frame's code object from others that had or will have its address; 0: not
 * readable. */
static __always_inline __u32 python__check(struct python_walk *walk,
					   const struct ps_py_offsets *layout, __u64 code)
{
	__u32 size = layout->check_size;

	if (size > PY_FRAME_BYTES)
		size = PY_FRAME_BYTES;
	if (!size || ps_read_user(walk->code, size, code + layout->check_start))
		return 0;
	return ps_py_code_check(
		*(__u64 *)(walk->code + (layout->check_name & (PY_FRAME_BYTES - 1))),
		*(__u64 *)(walk->code + (layout->check_file & (PY_FRAME_BYTES - 1))),
		*(__u64 *)(walk->code + (layout->check_lines & (PY_FRAME_BYTES - 1))),
		*(__u32 *)(walk->code + (layout->check_first_line & (PY_FRAME_BYTES - 1))));
}

/* Reads one frame and steps to the previous one: 0 and *ret_frame; PY_NO_FRAME: an entry shim,
 * nothing to show; negative: not readable. */
static __always_inline int python__step(struct python_walk *walk,
					const struct ps_py_offsets *layout,
					struct ps_frame *ret_frame)
{
	__u32 size = layout->frame_size;
	__u64 code;
	__s32 position;

	if (size > PY_FRAME_BYTES)
		size = PY_FRAME_BYTES;
	if (ps_read_user(walk->bytes, size, walk->frame))
		return -1;
	walk->frame = python__field(walk, layout->frame_previous);
	code = python__field(walk, layout->frame_code) & ~(__u64)layout->code_tag_bits;
	if (layout->frame_owner != PS_PY_NO_FIELD &&
	    walk->bytes[layout->frame_owner & (PY_FRAME_BYTES - 1)] == layout->shim_owner)
		return PY_NO_FRAME;
	if (layout->position == PS_PY_INSTR_POINTER) {
		__s64 distance =
			python__field(walk, layout->frame_position) - code - layout->code_bytecode;

		position = distance >= 0 && distance < 0x7fffffff ? (__s32)distance : -1;
	} else {
		/* f_lasti is an int and may lie on 4 bytes */
		position = *(const __s32 *)(walk->bytes +
					    (layout->frame_position & (PY_FRAME_BYTES - 4)));
	}
	ret_frame->address = code;
	ret_frame->position = position;
	ret_frame->kind = PS_FRAME_PYTHON | python__check(walk, layout, code) << 8;
	return 0;
}

#endif
