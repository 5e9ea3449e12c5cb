/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native frames of a thread, innermost first, by the rows of include/unwind.h: x86-64. Also
 * compiled for the host, where the includer provides ps_read_user().
 *
 *   program counter -> range of the process -> rows of the range -> rule -> the caller's
 *   program counter, stack pointer and rbp. All other registers are of no interest.
 */
#ifndef NATIVE_BPF_H
#define NATIVE_BPF_H

#include "counters.h"
#include "python.bpf.h"
#include "unwind.h"

/* The stack is read in windows: one read serves several frames. */
#define NATIVE_WINDOW 1024 /* bytes; a power of 2 */

/* struct rt_sigframe behind its return address: struct ucontext, in it struct sigcontext. */
#define SIGNAL_FRAME_REGISTERS 40
enum native_signal_word {
	SIGNAL_R9 = 1,
	SIGNAL_R10,
	SIGNAL_R11,
	SIGNAL_R13 = 5,
	SIGNAL_RSI = 9,
	SIGNAL_RBP,
	SIGNAL_RBX,
	SIGNAL_RAX = 13,
	SIGNAL_RSP = 15,
	SIGNAL_RIP,
	SIGNAL_WORDS
};

#define NATIVE_TABLE_STEPS 13 /* halvings of PS_UNWIND_TABLE_RANGES, and one to be done */
#define NATIVE_CHUNK_STEPS 17 /* of PS_UNWIND_CHUNK_ROWS */

struct native_walk {
	__u64 rip, rsp, rbp;
	__u32 is_caller; /* 1: rip is a return address, so it is the call before it that counts */
	__u32 rbp_lost; /* 1: rbp is not the frame's */
	__u32 others_known; /* 1: so are these */
	__u64 others[8]; /* from PS_CFA_RAX on */
	struct ps_unwind_range range; /* the latest; size 0: none yet */
	__u64 window_start; /* address; 0: nothing is read yet */
	__u8 window[NATIVE_WINDOW + 8] __attribute__((aligned(8)));
};

/* Rules that were found lately: the same return addresses come again and again, in one stack and in
 * the next, and a search costs several times as much as all the rest of a frame. */
#define NATIVE_KNOWN_BITS 9

struct native_known {
	__u64 address;
	__u32 set; /* of struct ps_unwind_process */
	__u32 rule;
};

/* Where the rule for an address would be noted. */
static __always_inline __u32 native__known_at(__u64 address)
{
	return address * 0x9e3779b97f4a7c15ULL >> (64 - NATIVE_KNOWN_BITS);
}

static __always_inline void native__begin(struct native_walk *walk, __u64 rip, __u64 rsp, __u64 rbp)
{
	walk->rip = rip;
	walk->rsp = rsp;
	walk->rbp = rbp;
	walk->is_caller = 0;
	walk->rbp_lost = 0;
	walk->others_known = 0;
	walk->range.size = 0;
	walk->window_start = 0;
}

/* The registers that a frame may have its CFA in. */
#define NATIVE_KNOW(walk, registers)                                                               \
	({                                                                                         \
		(walk)->others[PS_CFA_RAX - PS_CFA_RAX] = (registers)->rax;                        \
		(walk)->others[PS_CFA_RBX - PS_CFA_RAX] = (registers)->rbx;                        \
		(walk)->others[PS_CFA_RSI - PS_CFA_RAX] = (registers)->rsi;                        \
		(walk)->others[PS_CFA_R9 - PS_CFA_RAX] = (registers)->r9;                          \
		(walk)->others[PS_CFA_R10 - PS_CFA_RAX] = (registers)->r10;                        \
		(walk)->others[PS_CFA_R11 - PS_CFA_RAX] = (registers)->r11;                        \
		(walk)->others[PS_CFA_R13 - PS_CFA_RAX] = (registers)->r13;                        \
		(walk)->others_known = 1;                                                          \
	})

/* The address whose rule counts: a call may be the last instruction of its function. */
static __always_inline __u64 native__address(const struct native_walk *walk)
{
	return walk->rip - walk->is_caller;
}

/* The index of the last of `count` ranges from `first` on that starts at or before address, or
 * `first`. */
static __always_inline __u32 native__search_ranges(const struct ps_unwind_table *table, __u32 first,
						   __u32 count, __u64 address)
{
	__u32 at = first;

	for (int i = 0; i < NATIVE_TABLE_STEPS; i++) {
		__u32 half = count / 2, middle = at + half;

		if (!half)
			break;
		HIDE_RANGE(middle);
		if (table->ranges[middle & (PS_UNWIND_TABLE_RANGES - 1)].start <= address)
			at = middle;
		count -= half;
	}
	return at & (PS_UNWIND_TABLE_RANGES - 1);
}

/* The rule for a row address, within walk->range. */
static __always_inline __u32 native__search_rows(const struct ps_unwind_chunk *chunk, __u32 first,
						 __u32 last, __u32 address)
{
	__u32 at = first, count = last - first + 1;

	for (int i = 0; i < NATIVE_CHUNK_STEPS; i++) {
		__u32 half = count / 2, middle = at + half;

		if (!half)
			break;
		HIDE_RANGE(middle);
		if (chunk->rows[middle & (PS_UNWIND_CHUNK_ROWS - 1)].address <= address)
			at = middle;
		count -= half;
	}
	return chunk->rows[at & (PS_UNWIND_CHUNK_ROWS - 1)].rule;
}

/* Reads an aligned word of the stack. Not 0: it is not readable. */
static __always_inline int native__word(struct native_walk *walk, __u64 address, __u64 *ret_word)
{
	__u64 offset = address - walk->window_start;

	if (address & 7)
		return -1;
	if (!walk->window_start || offset > NATIVE_WINDOW - 8) {
		walk->window_start = 0;
		if (ps_read_user(walk->window, NATIVE_WINDOW, address))
			return ps_read_user(ret_word, sizeof(*ret_word), address) ? -1 : 0;
		walk->window_start = address;
		offset = 0;
	}
	HIDE_RANGE(offset);
	*ret_word = *(const __u64 *)(walk->window + (offset & (NATIVE_WINDOW - 8)));
	return 0;
}

/* Out of a signal handler: the interrupted code's registers are in memory, all exact. */
static __always_inline int native__leave_signal(struct native_walk *walk)
{
	const __u64 *registers = (const __u64 *)walk->window; /* BPF's stack is small */

	walk->window_start = 0;
	if (ps_read_user(walk->window, SIGNAL_WORDS * sizeof(*registers),
			 walk->rsp + SIGNAL_FRAME_REGISTERS))
		return PS_END_STACK_UNREADABLE;
	walk->others[PS_CFA_RAX - PS_CFA_RAX] = registers[SIGNAL_RAX];
	walk->others[PS_CFA_RBX - PS_CFA_RAX] = registers[SIGNAL_RBX];
	walk->others[PS_CFA_RSI - PS_CFA_RAX] = registers[SIGNAL_RSI];
	walk->others[PS_CFA_R9 - PS_CFA_RAX] = registers[SIGNAL_R9];
	walk->others[PS_CFA_R10 - PS_CFA_RAX] = registers[SIGNAL_R10];
	walk->others[PS_CFA_R11 - PS_CFA_RAX] = registers[SIGNAL_R11];
	walk->others[PS_CFA_R13 - PS_CFA_RAX] = registers[SIGNAL_R13];
	walk->others_known = 1;
	walk->rbp = registers[SIGNAL_RBP];
	walk->rsp = registers[SIGNAL_RSP];
	walk->rip = registers[SIGNAL_RIP];
	walk->is_caller = 0;
	walk->rbp_lost = 0;
	return 0;
}

/* The canonical frame address: 0, or an enum ps_ending. */
static __always_inline int native__frame_address(struct native_walk *walk, __u32 rule,
						 __u64 *ret_address)
{
	__u32 kind = PS_UNWIND_CFA(rule);
	__u64 base = walk->rsp + PS_UNWIND_CFA_OFFSET(rule);

	if (kind == PS_CFA_RBP || kind == PS_CFA_RBP_DEREF) {
		if (walk->rbp_lost)
			return PS_END_RULE_UNSUPPORTED;
		base = walk->rbp + PS_UNWIND_CFA_OFFSET(rule);
	}
	if (kind > PS_CFA_UNSUPPORTED) {
		if (!walk->others_known)
			return PS_END_RULE_UNSUPPORTED;
		base = walk->others[(kind - PS_CFA_RAX) & 7] + PS_UNWIND_CFA_OFFSET(rule);
	}
	if (kind == PS_CFA_PLT) {
		__u64 pushed = PS_UNWIND_CFA_OFFSET(rule) / 8;

		base = walk->rsp + 8 + ((walk->rip & 15) >= pushed ? 8 : 0);
	} else if (kind == PS_CFA_RSP_DEREF || kind == PS_CFA_RBP_DEREF) {
		if (native__word(walk, base, &base))
			return PS_END_STACK_UNREADABLE;
		if (rule & PS_UNWIND_PLUS_8)
			base += 8;
	}
	*ret_address = base;
	return 0;
}

/* From a frame to its caller. 0: walk is there; else how the walk has ended: PS_END_NATIVE at the
 * bottom, or why it cannot go on. */
static __always_inline int native__step(struct native_walk *walk, __u32 rule)
{
	__u32 kind = PS_UNWIND_CFA(rule);
	__u64 frame, rip, rbp = walk->rbp;
	int ending;

	if (kind == PS_CFA_NONE)
		return PS_END_NO_RULE;
	if (kind == PS_CFA_BOTTOM)
		return PS_END_NATIVE;
	if (kind == PS_CFA_UNSUPPORTED)
		return PS_END_RULE_UNSUPPORTED;
	if (kind == PS_CFA_SIGNAL)
		return native__leave_signal(walk);
	ending = native__frame_address(walk, rule, &frame);
	if (ending)
		return ending;
	/* Stacks grow downwards: anything else is a damaged one, or a loop. */
	if (frame <= walk->rsp)
		return PS_END_STACK_DAMAGED;
	if (PS_UNWIND_RBP(rule) == PS_RBP_AT_CFA &&
	    native__word(walk, frame + PS_UNWIND_RBP_OFFSET(rule), &rbp))
		return PS_END_STACK_UNREADABLE;
	if (PS_UNWIND_RBP(rule) == PS_RBP_AT_RBP && !walk->rbp_lost &&
	    native__word(walk, walk->rbp + PS_UNWIND_RBP_OFFSET(rule), &rbp))
		return PS_END_STACK_UNREADABLE;
	if (native__word(walk, frame - 8, &rip))
		return PS_END_STACK_UNREADABLE;
	/* The others leave it as it is: what lies at a lost rbp is lost as well. */
	if (PS_UNWIND_RBP(rule) == PS_RBP_AT_CFA || PS_UNWIND_RBP(rule) == PS_RBP_LOST)
		walk->rbp_lost = PS_UNWIND_RBP(rule) == PS_RBP_LOST;
	walk->rbp = rbp;
	walk->rsp = frame;
	walk->rip = rip;
	walk->is_caller = 1;
	walk->others_known = 0;
	return rip ? 0 : PS_END_NATIVE;
}

#endif
