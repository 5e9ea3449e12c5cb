/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What counts calls of functions, by breakpoints, shares with `pipescope calls`. */
#ifndef PIPESCOPE_CALLS_H
#define PIPESCOPE_CALLS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PS_CALLS_DEPTH	   32 /* calls in each other that are timed; a power of 2 */
#define PS_CALLS_BUCKETS   64 /* [2^n, 2^(n + 1)) ns; the first holds 0 too; a power of 2 */
#define PS_CALLS_FUNCTIONS 16384 /* functions, code objects included */
#define PS_CALLS_POINTS	   8192 /* breakpoints */
#define PS_CALLS_THREADS   8192

enum ps_calls_kind {
	PS_CALLS_ENTRY = 1, /* a native function begins */
	PS_CALLS_LOOP_ENTRY, /* the same; a loop of it begins there, too */
	PS_CALLS_JUMPER, /* the same; its first instruction jumps to another function */
	PS_CALLS_RETURNER, /* the same, by a return */
	PS_CALLS_RETURN, /* at an instruction that returns: the return address is on top */
	PS_CALLS_JUMP, /* at one that jumps to another function as the last act: so it is there */
	PS_CALLS_PYTHON_FIRST, /* CPython's interpreter loop begins; the frame is its 1st argument
				*/
	PS_CALLS_PYTHON_SECOND /* … its 2nd */
};

/* A breakpoint in a process. */
struct ps_calls_point {
	__u64 address;
	__u32 tgid;
	__u32 pad;
};

struct ps_calls_target {
	__u32 kind;
	__u32 layout; /* PYTHON: index of py_layouts */
	__u64 begin; /* RETURN, JUMP: address of the breakpoint where the function begins */
};

struct ps_calls_function {
	__u64 address; /* of the function, or of its code object */
	__u32 tgid;
	__u32 check; /* ps_py_code_check(); 0: a native function */
};

struct ps_calls_sum {
	__u64 count;
	__u64 ended; /* whose end was seen: all below is of these */
	__u64 jumped; /* of ended: by a jump to another function, whose time is not in theirs */
	__u64 total_ns; /* with what they called; calls of the function inside of itself left out */
	__u64 own_ns; /* without calls that are counted too */
	__u64 recursive; /* of count: begun while another of the thread was going on */
	__u64 left; /* left without an end that was seen: by an exception, longjmp, another jump */
	__u64 deep; /* of count: without a time, PS_CALLS_DEPTH others of the thread were going on
		     */
	__u64 unknown; /* of deep: whether they belong to recursive is not known */
	/* Of a Python function: frames of it met by samples, and of these such as the interpreter's
	 * loop had begun by itself, without a call that could be counted. */
	__u64 sampled, inlined;
	__u64 total[PS_CALLS_BUCKETS], own[PS_CALLS_BUCKETS];
};

enum ps_calls_counter {
	PS_CALLS_HITS, /* of breakpoints */
	PS_CALLS_FULL, /* calls not counted: more functions or threads than there is room for */
	PS_CALLS_UNREADABLE, /* calls of Python functions whose frame could not be read */
	PS_CALLS_SAMPLES_LOST, /* frames met by samples of functions that there was no room for */
	PS_CALLS_COUNTER_COUNT
};

_Static_assert(sizeof(struct ps_calls_point) == 16, "wire format");
_Static_assert(sizeof(struct ps_calls_function) == 16, "wire format");

#endif
