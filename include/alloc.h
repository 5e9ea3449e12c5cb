/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the source "alloc" shares with the recorder: breakpoints in allocators, and what is counted
 * at them while a window is open. */
#ifndef PIPESCOPE_ALLOC_H
#define PIPESCOPE_ALLOC_H

#include "wire.h"

#define PS_ALLOC_PERIOD	   65536 /* bytes between two sampling points, by default */
#define PS_ALLOC_POINTS	   4096 /* breakpoints in all processes */
#define PS_ALLOC_SUMS	   16384 /* epochs times functions in a window */
#define PS_ALLOC_LIVE	   262144 /* blocks that a window knows at a time */
#define PS_ALLOC_THREADS   8192
#define PS_ALLOC_PROCESSES 256
#define PS_ALLOC_DEPTH	   4 /* allocators in each other, of a thread; a power of 2 */
#define PS_ALLOC_BUCKETS   64 /* [2^n, 2^(n + 1)) bytes; the first holds 0 too; a power of 2 */
#define PS_ALLOC_SOON_NS   10000000ULL /* what is freed within this lived shortly */
#define PS_ALLOC_DRAWS	   256 /* a power of 2 */
#define PS_ALLOC_DRAW_UNIT 65536
#define PS_ALLOC_POINTS_IN 64 /* sampling points in one block that are drawn, at most */
#define PS_ALLOC_MOST	   (1ULL << 47) /* bytes: no process has room for more, such calls fail */
#define PS_ALLOC_MOST_SUM  (1ULL << 60) /* bytes: sums grow no further; readers take twice that */
/* What the cost of counting is assumed to be wrong by, as one standard error, of it. */
#define PS_ALLOC_COST_ERROR 0.15

/* Which of a function's arguments tells what. */
enum ps_alloc_kind {
	PS_ALLOC_SIZE = 1, /* malloc(size) */
	PS_ALLOC_ALIGNED, /* memalign(alignment, size) */
	PS_ALLOC_PRODUCT, /* calloc(count, size) */
	PS_ALLOC_AGAIN, /* realloc(block, size) */
	PS_ALLOC_INTO, /* posix_memalign(&block, alignment, size) */
	PS_ALLOC_FREE, /* free(block) */
	PS_ALLOC_NEW, /* operator new(size): only counted, for it may throw */
	PS_ALLOC_DELETE /* operator delete(block): only counted */
};

struct ps_alloc_point {
	__u64 address;
	__u32 tgid;
	__u32 pad;
};

struct ps_alloc_target {
	__u32 kind; /* enum ps_alloc_kind */
	__u32 allocator; /* the recorder's number of the function */
	__u32 flags;
	__u32 pad;
};

#define PS_ALLOC_STEPPED 1 /* the instruction costs a second trap */
#define PS_ALLOC_HEADS	 2 /* the size of a block is in front of it, as glibc has it */
#define PS_ALLOC_OWN	 4 /* NEW: does not get its blocks from malloc */

struct ps_alloc_key {
	__u64 epoch;
	__u32 window;
	__u32 allocator;
};

/* Of one function; what is freed counts for the function that had given it. */
struct ps_alloc_sum {
	__u64 count, bytes; /* calls, and what they asked for, up to PS_ALLOC_MOST */
	__u64 nested, nested_bytes; /* of these: for the caller of another allocator */
	__u64 watched, watched_bytes; /* given early enough to see whether it goes soon */
	__u64 soon, soon_bytes; /* of these: freed within PS_ALLOC_SOON_NS */
	__u64 freed, freed_bytes; /* given and freed in the window */
	__u64 net_bytes; /* heads: given less freed, of any age; may be negative */
	__u64 sizes[PS_ALLOC_BUCKETS]; /* calls, by what they asked for */
};

enum ps_alloc_hit { PS_ALLOC_HIT, PS_ALLOC_HIT_STEPPED, PS_ALLOC_HIT_RETURN, PS_ALLOC_HITS };

struct ps_alloc_process {
	__u64 hits[PS_ALLOC_HITS]; /* since the recording began */
	__u64 to_return; /* of these, where functions begin whose return is probed, too */
	__u64 run_ns; /* of the programs, for these */
	__u64 strays; /* hits where nothing is counted: other programs' breakpoints, after an exec
		       */
	__u64 held_bytes, held_peak; /* given since the window opened and not freed */
};

/* Of a process that is looked at, from when it becomes one. */
struct ps_alloc_exec {
	__u64 count;
	__u64 cpu_ns; /* of the process, at the last one */
};

struct ps_alloc_block_key {
	__u64 address;
	__u32 tgid;
	__u32 pad;
};

struct ps_alloc_block {
	__u64 bytes;
	__u64 time_ns; /* 2^0 set: it is watched */
	__u64 epoch;
	__u64 stack; /* hash; 0: not sampled */
	__u64 weight; /* bytes that it stands for; 0: not sampled */
	__u32 allocator;
	__u32 tid;
};

/* Metrics of samples, behind those of mem.h. */
enum ps_alloc_metric {
	PS_METRIC_ALLOC_BYTES = 40, /* sum: bytes */
	PS_METRIC_ALLOC_COUNT /* sum: calls */
};

_Static_assert(sizeof(struct ps_alloc_point) == 16, "wire format");
_Static_assert(sizeof(struct ps_alloc_target) == 16, "wire format");
_Static_assert(sizeof(struct ps_alloc_key) == 16, "wire format");
_Static_assert(sizeof(struct ps_alloc_block_key) == 16, "wire format");
_Static_assert(sizeof(struct ps_alloc_block) == 48, "wire format");

#endif
