/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to find a caller: what the native walker is told, and what it answers. Shared by BPF, the
 * recorder and the walker compiled for the host. Wire format: fixed widths, no pointers. x86-64. */
#ifndef PIPESCOPE_UNWIND_H
#define PIPESCOPE_UNWIND_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* A row holds from its address up to the next row's. */
struct ps_unwind_row {
	__u32 address; /* bytes from the base of its table */
	__u32 rule; /* PS_UNWIND_RULE() */
};

/* The canonical frame address (CFA): the stack pointer before the call. n: PS_UNWIND_CFA_OFFSET(),
 * bytes. The return address lies at CFA - 8. */
enum ps_unwind_cfa {
	PS_CFA_NONE = 0, /* no function is here: not covered by any description */
	PS_CFA_BOTTOM, /* the outermost frame: its return address is said to be undefined */
	PS_CFA_RSP, /* rsp + n */
	PS_CFA_RBP, /* rbp + n */
	PS_CFA_RSP_DEREF, /* *(rsp + n), + 8 with PS_UNWIND_PLUS_8 */
	PS_CFA_RBP_DEREF, /* *(rbp + n), + 8 with PS_UNWIND_PLUS_8 */
	PS_CFA_PLT, /* rsp + 8 + ((rip & 15) >= n / 8 ? 8 : 0) */
	PS_CFA_SIGNAL, /* in a signal's return trampoline: struct rt_sigframe lies at rsp */
	PS_CFA_UNSUPPORTED, /* described, but in words that a row does not have */
	/* The register + n. They are known of the innermost frame, and where a signal came: in code
	 * that calls others before, none of them is kept. */
	PS_CFA_RAX,
	PS_CFA_RBX,
	PS_CFA_RSI,
	PS_CFA_R9,
	PS_CFA_R10,
	PS_CFA_R11,
	PS_CFA_R13,
	PS_CFA_COUNT
};
#define PS_CFA_OTHERS (PS_CFA_COUNT - PS_CFA_RAX)

/* rbp in the caller. r: PS_UNWIND_RBP_OFFSET(), bytes. */
enum ps_unwind_rbp {
	PS_RBP_SAME = 0,
	PS_RBP_AT_CFA, /* saved at CFA + r */
	PS_RBP_AT_RBP, /* saved at rbp + r */
	PS_RBP_LOST /* not known any more */
};

#define PS_UNWIND_EVAL	 0x40u /* the code here is CPython's interpreter loop */
#define PS_UNWIND_PLUS_8 0x80u

/* cfa_offset: a multiple of 8 from -262144 to 262136; rbp_offset: from -1024 to 1016. */
#define PS_UNWIND_RULE(cfa, cfa_offset, rbp, rbp_offset)                                           \
	((__u32)(cfa) | (__u32)(rbp) << 4 | ((__u32)((rbp_offset) / 8) & 0xff) << 8 |              \
	 ((__u32)((cfa_offset) / 8) & 0xffff) << 16)
#define PS_UNWIND_CFA(rule)	   ((rule)&15)
#define PS_UNWIND_RBP(rule)	   ((rule) >> 4 & 3)
#define PS_UNWIND_CFA_OFFSET(rule) ((__s64)(__s16)((rule) >> 16) * 8)
#define PS_UNWIND_RBP_OFFSET(rule) ((__s64)(__s8)((rule) >> 8) * 8)

/* Rows lie in chunks, the rows of one range of a file side by side in one chunk. */
#define PS_UNWIND_CHUNK_ROWS 65536u
#define PS_UNWIND_CHUNKS     256

struct ps_unwind_chunk {
	struct ps_unwind_row rows[PS_UNWIND_CHUNK_ROWS];
};

/* One executable range of a process, and the rows for it. A process's ranges lie side by side in a
 * table, sorted by address; they do not overlap. */
struct ps_unwind_range {
	__u64 start; /* address in the process */
	__u32 size; /* bytes */
	__u32 delta; /* the row address of start: bytes from the base of the rows' table */
	__u32 chunk; /* PS_UNWIND_NO_ROWS: mapped, but there are no rows (yet) */
	__u16 first; /* row of the chunk */
	__u16 last; /* row of the chunk, inclusive */
};
#define PS_UNWIND_NO_ROWS 0xffffffffu

#define PS_UNWIND_TABLE_RANGES 4096u /* in a table */
#define PS_UNWIND_TABLES       256

struct ps_unwind_table {
	struct ps_unwind_range ranges[PS_UNWIND_TABLE_RANGES];
};

/* tgid -> where its ranges are */
struct ps_unwind_process {
	__u32 table;
	__u16 first; /* range of the table */
	__u16 count; /* 0: none */
	__u32 set; /* number of these ranges with their rows, never given twice; 0: it has none */
};

_Static_assert(PS_CFA_COUNT <= 16, "four bits of a rule");
_Static_assert(sizeof(struct ps_unwind_row) == 8, "wire format");
_Static_assert(sizeof(struct ps_unwind_range) == 24, "wire format");
_Static_assert(sizeof(struct ps_unwind_process) == 12, "wire format");

#endif
