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
 *   frame  -> code object, position, previous frame. Frames of 3.11+ lie side by side, the callers
 *             below: one read serves several.
 */
#ifndef PYTHON_BPF_H
#define PYTHON_BPF_H

#include "counters.h"
#include "pthread_keys.bpf.h"
#include "python.h"
#include "user_memory.bpf.h"
#include "wire.h"

#define PY_FRAME_BYTES 128 /* of a frame, and of a code object, at most; a power of 2 */
#define PY_WINDOW      1024 /* a power of 2 */
#define PY_PAGE	       4096
#define PY_NEAR	       16384 /* bytes of a chunk of CPython's own stack */
#define PY_APART       (PY_WINDOW + PY_FRAME_BYTES + 8)
#define PY_NO_FRAME    1

struct python_walk {
	__u64 frame; /* the next frame to read; 0: none is left */
	__u64 code_known; /* the latest code object, and its check */
	__u32 check_known;
	__u32 window_size; /* bytes */
	__u64 window_start; /* address */
	__u8 window[PY_APART + PY_FRAME_BYTES + 8];
	__u8 code[PY_FRAME_BYTES + 8]; /* of a code object */
};

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

	walk->frame = walk->code_known = 0;
	walk->check_known = walk->window_size = 0;
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

/* Up to 3.11: a word of what a code object's texts say. A function's name has a hash; modules and
 * classes are called the same, their files' names end differently. 0: not readable. As
 * content_of() in user/python/code.c. */
static __always_inline __u64 python__content(const struct ps_py_offsets *layout, __u64 name,
					     __u64 file, __u32 flags)
{
	__u64 length = 0, word = 0;

	if (flags & PS_PY_OPTIMIZED) {
		if (ps_read_user(&word, sizeof(word), name + layout->text_data - PS_PY_TEXT_HASH))
			return 0;
		return word | 1;
	}
	if (ps_read_user(&length, sizeof(length), file + layout->text_data - PS_PY_TEXT_LENGTH))
		return 0;
	if (length >= sizeof(word) &&
	    ps_read_user(&word, sizeof(word), file + layout->text_data + length - sizeof(word)))
		return 0;
	return (word ^ length << 32) | 1;
}

/* The last of what tells code objects apart. code: the check_size bytes. */
static __always_inline __u64 python__more(const struct ps_py_offsets *layout, const __u8 *code)
{
	const __u8 *more = code + (layout->check_more & (PY_FRAME_BYTES - 1));

	if (layout->version >= PS_PY_NUMBERED)
		return *(const __u64 *)more;
	return python__content(layout,
			       *(const __u64 *)(code + (layout->check_name & (PY_FRAME_BYTES - 1))),
			       *(const __u64 *)(code + (layout->check_file & (PY_FRAME_BYTES - 1))),
			       *(const __u32 *)more);
}

/* What tells the frame's code object from others that had or will have its address; 0: not
 * readable. */
static __always_inline __u32 python__check(struct python_walk *walk,
					   const struct ps_py_offsets *layout, __u64 code)
{
	__u32 size = layout->check_size;
	__u64 more;

	if (code == walk->code_known) /* it recurses */
		return walk->check_known;
	walk->code_known = code;
	walk->check_known = 0;
	if (size > PY_FRAME_BYTES)
		size = PY_FRAME_BYTES;
	if (!size || ps_read_user(walk->code, size, code + layout->check_start))
		return 0;
	more = python__more(layout, walk->code);
	if (!more && layout->version < PS_PY_NUMBERED)
		return 0;
	walk->check_known = ps_py_code_check(
		*(__u64 *)(walk->code + (layout->check_name & (PY_FRAME_BYTES - 1))),
		*(__u64 *)(walk->code + (layout->check_file & (PY_FRAME_BYTES - 1))),
		*(__u64 *)(walk->code + (layout->check_lines & (PY_FRAME_BYTES - 1))),
		*(__u32 *)(walk->code + (layout->check_first_line & (PY_FRAME_BYTES - 1))), more);
	return walk->check_known;
}

/* Where the current frame's `size` bytes begin in the window; negative: they are not readable. What
 * is read ends with the frame, as its callers lie below, and begins in the frame's page: the one
 * before it may not be there. Shims lie far away, on the native stack: they get a place of their
 * own behind the window. */
static __always_inline __s32 python__fetch(struct python_walk *walk,
					   const struct ps_py_offsets *layout, __u32 size)
{
	__u64 offset = walk->frame - walk->window_start, start = walk->frame, length = size;

	if (walk->frame & 7) /* not a frame */
		return -1;
	if (offset < walk->window_size && offset + size <= walk->window_size)
		return offset;
	if (layout->position != PS_PY_INSTR_POINTER ||
	    (walk->window_size && walk->window_start - walk->frame > PY_NEAR)) {
		if (ps_read_user(walk->window + PY_APART, size, start))
			return -1;
		return PY_APART;
	}
	start = walk->frame & ~(__u64)(PY_PAGE - 1);
	if (walk->frame - start > PY_WINDOW)
		start = walk->frame - PY_WINDOW;
	length = walk->frame - start + size;
	HIDE_RANGE(length);
	if (length > PY_WINDOW + PY_FRAME_BYTES)
		return -1;
	walk->window_size = 0;
	if (ps_read_user(walk->window, length, start))
		return -1;
	walk->window_start = start;
	walk->window_size = length;
	return walk->frame - start;
}

/* As python__step(), but without what tells code objects apart. */
static __always_inline int python__step_only(struct python_walk *walk,
					     const struct ps_py_offsets *layout,
					     struct ps_frame *ret_frame)
{
	__u32 size = layout->frame_size, is_last = 1;
	const __u8 *bytes;
	__s32 offset, position;
	__u64 code, at;

	if (size > PY_FRAME_BYTES)
		size = PY_FRAME_BYTES;
	offset = python__fetch(walk, layout, size);
	HIDE_RANGE(offset);
	if (offset < 0 || offset > PY_APART)
		return -1;
	bytes = walk->window + offset;
#define FIELD(name) (*(const __u64 *)(bytes + (layout->name & (PY_FRAME_BYTES - 8))))
	walk->frame = FIELD(frame_previous);
	code = FIELD(frame_code) & ~(__u64)layout->code_tag_bits;
	at = FIELD(frame_position);
#undef FIELD
	if (layout->frame_owner != PS_PY_NO_FIELD) {
		__u8 owner = bytes[layout->frame_owner & (PY_FRAME_BYTES - 1)];

		if (layout->shim_owner == 0xff)
			is_last = owner;
		else if (owner == layout->shim_owner)
			return PY_NO_FRAME;
		else
			is_last = 0; /* the shim behind it is */
	}
	if (layout->position == PS_PY_INSTR_POINTER) {
		__s64 distance = at - code - layout->code_bytecode;

		position = distance >= 0 && distance < 0x7fffffff ? (__s32)distance : -1;
	} else {
		/* f_lasti is an int and may lie on 4 bytes */
		position =
			*(const __s32 *)(bytes + (layout->frame_position & (PY_FRAME_BYTES - 4)));
	}
	ret_frame->address = code;
	ret_frame->position = position;
	ret_frame->kind = is_last ? PS_FRAME_LAST : 0;
	return 0;
}

/* Reads one frame and steps to the previous one: 0 and *ret_frame; PY_NO_FRAME: an entry shim,
 * nothing to show; negative: not readable. */
static __always_inline int python__step(struct python_walk *walk,
					const struct ps_py_offsets *layout,
					struct ps_frame *ret_frame)
{
	int status = python__step_only(walk, layout, ret_frame);

	if (!status)
		ret_frame->kind |= python__check(walk, layout, ret_frame->address) << 8;
	return status;
}

#endif
