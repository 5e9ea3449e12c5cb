/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quanta: the pieces of work that a process does one after the other. A rule says which Python
 * function's call is one; BPF looks at the function's local variables at boundaries and begins a
 * new epoch when they differ; the recorder names it. Shared by both. */
#ifndef PIPESCOPE_QUANTUM_H
#define PIPESCOPE_QUANTUM_H

#include "wire.h"

/* Code objects that rules name, and in which processes; processes in a quantum at a time. Both maps
 * are allocated as a whole, because samples use them. */
#define PS_FRAME_RULES	 16384
#define PS_QUANTA	 8192
#define PS_FRAME_NAMES	 256 /* functions' names in all rules */
#define PS_THREAD_QUANTA 8192 /* threads in a quantum of their own, at a time */

/* Processes that one has forked from the other without an exec have the same code objects at the
 * same addresses: they share a space. */
struct ps_frame_key {
	__u64 code; /* address of a code object; 0: the space has a quantum's at all, 1: a part's */
	__u32 space; /* ps_py_process.space */
	__u32 pad;
};

#define PS_LOCAL_CELL 0x8000 /* the slot holds a cell, and that the object */
#define PS_LOCAL_NONE 0xffff /* the function has no such variable */

struct ps_frame_rule {
	__u32 rank; /* the rule's; of two on a stack the lower one counts. Or PS_NO_QUANTUM */
	__u32 check; /* ps_py_code_check() */
	__u8 identity_count; /* of the first slots: those that tell quanta apart */
	__u8 part_rank; /* the rank of the rule that says which part of the work it is */
	__u16 part; /* the slot of the variable that tells it, or PS_LOCAL_NONE */
	__u16 slots[PS_QUANTUM_LOCALS];
	__u32 of_thread; /* 1: the quantum is its thread's, not the process's */
};

#define PS_CODE_OF_QUANTA 0 /* ps_frame_key.code */
#define PS_CODE_OF_PARTS  1

/* What a system call is, by its number; 0: none. Set by the recorder before the load. */
#define PS_CALL_BOUNDARY 1
#define PS_CALL_CLOCK	 2 /* when it asks for the CPU time of the process, or of the thread */

#define PS_CLOCK_PROCESS_CPUTIME 2
#define PS_CLOCK_THREAD_CPUTIME	 3 /* where quanta can be a thread's own */

/* In the place of a rule's rank. */
#define PS_NO_QUANTUM	   0xffffffffU /* the process's own time; of code: it only has the name */
#define PS_PENDING_QUANTUM 0xfffffffeU /* a call that BPF knows by the function's name only */

/* With a rank in frame_names: the rule's quanta are their threads'. */
#define PS_NAME_OF_THREAD 0x80000000U

/* The quantum that a process or a thread is in; none: no such entry. */
struct ps_quantum {
	/* Hashes of str and int, addresses of other objects; of a pending one what lies in the
	 * function's first variables. */
	__u64 values[PS_QUANTUM_LOCALS];
	__u64 frame, code; /* of the call */
	__u64 state; /* where the kernel has its thread's state, 0: not known */
	__u32 rank;
	__u32 tid; /* of the thread that began it: no other one ends it */
	__s32 position; /* of the call in its code, when it was last looked at */
	__u32 pad;
};

/* A thread's own. While it begins, its epoch is still the one before. */
struct ps_thread_quantum {
	struct ps_quantum quantum;
	__u64 epoch;
};

enum ps_event_type_quanta {
	PS_EVENT_QUANTUM = 32 /* a new epoch, or (epoch and previous_epoch are the same) what a
			       * pending one has turned out to be */
};

struct ps_quantum_event {
	struct ps_event event;
	__u64 epoch, previous_epoch;
	__u64 start_boot_ns; /* of the process */
	__u64 cpu_ns, user_ns, system_ns; /* of the whole process so far; see ps_gone_event */
	__u64 thread_cpu_ns;
	/* Addresses of objects, 0: none. Of a pending one what lies in the function's first
	 * variables. */
	__u64 locals[PS_QUANTUM_LOCALS];
	__u64 frame, code; /* addresses, of the call */
	__u32 check; /* of the code, see ps_py_code_check() */
	__u32 at_call; /* 1: at a boundary; else the quantum may have begun before */
	__u32 rank; /* of the rule, or PS_NO_QUANTUM, or PS_PENDING_QUANTUM */
	__u32 has_waits;
	/* 1: of the thread alone. cpu_ns, user_ns and system_ns are the thread's, and when it ends,
	 * epoch is the process's. */
	__u32 of_thread;
	__u32 pad;
	struct ps_waits waits; /* of the thread so far */
};

_Static_assert(sizeof(struct ps_frame_key) == 16, "wire format");
_Static_assert(sizeof(struct ps_frame_rule) == 28, "wire format");
_Static_assert(sizeof(struct ps_thread_quantum) == sizeof(struct ps_quantum) + 8, "wire format");
_Static_assert(sizeof(struct ps_quantum) == 8 * PS_QUANTUM_LOCALS + 40, "wire format");

#endif
