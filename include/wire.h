/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes from the BPF programs to the recorder: map keys and values, ring-buffer events, limits.
 * Wire format: fixed widths, explicit padding, no pointers, no bitfields. Times are nanoseconds of
 * CLOCK_MONOTONIC, process start times nanoseconds of CLOCK_BOOTTIME. */
#ifndef PIPESCOPE_WIRE_H
#define PIPESCOPE_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "frames.h"
#include "io.h"
#include "waits.h"

#define PS_COMM_SIZE	   16
#define PS_MAX_KERNEL	   64 /* kernel frames of a stack */
#define PS_MAX_NATIVE	   256 /* native frames of a stack */
#define PS_MAX_PYTHON	   256 /* Python frames of a stack */
#define PS_MAX_PARTS	   16 /* of them, parts of a quantum */
#define PS_STACK_COPY	   16384 /* bytes of a stack that is copied; a power of 2 */
#define PS_STACK_COPIES	   100 /* stacks copied in a slice, at most */
#define PS_MAX_ARGS	   4096 /* bytes of a command line kept at exec; a power of 2 */
#define PS_MAX_ENV_TEXT	   2048 /* bytes of chosen NAME=value strings kept at exec */
#define PS_LOOK_MS	   10 /* the recorder looks for events at least this often */
#define PS_MAX_ENV_STRING  512 /* bytes of one chosen NAME=value */
#define PS_MAX_ENV_STRINGS 1024 /* strings of an environment that are looked at */
#define PS_MAX_ENV_NAME	   64 /* bytes of a variable's name */

/* Chosen variables are recognised by the FNV-1a hash of their name. */
#define PS_NAME_HASH_START	      0xcbf29ce484222325ULL
#define PS_NAME_HASH_STEP(hash, byte) (((hash) ^ (__u8)(byte)) * 0x100000001b3ULL)

#define PS_QUANTUM_LOCALS 6 /* local variables that a rule of kind frame looks at */

#define PS_MAX_LAYOUTS 64 /* distinct CPython builds at a time */

/* Who: the epoch of a process, in BPF. An epoch begins at fork, at exec, and where a rule says
 * so; user space names it afterwards. Its id is made of the time it began and the process, so that
 * BPF and user space make ids without a shared counter (Linux 5.10 has no fetching atomics). */
#define PS_EPOCH_TGID_BITS 22 /* pid_max is at most 4 Mi */
#define PS_EPOCH_ID(time_ns, tgid)                                                                 \
	((((__u64)(time_ns) >> 6) << PS_EPOCH_TGID_BITS) |                                         \
	 ((__u64)(tgid) & ((1ULL << PS_EPOCH_TGID_BITS) - 1)))

struct ps_who {
	__u64 epoch;
	__u64 start_boot_ns;
	__u32 wanted; /* 1: record it */
	__u32 pad;
};

enum ps_metric {
	PS_METRIC_CPU,
	PS_METRIC_OFFCPU, /* sum: ns */
	PS_METRIC_IO_TIME, /* sum: ns */
	PS_METRIC_IO_BYTES, /* sum: bytes */
	PS_METRIC_IO_OPS, /* sum: operations */
	PS_METRIC_CEPH_TIME, /* sum: ns */
	PS_METRIC_CEPH_BYTES, /* sum: bytes */
	PS_METRIC_CEPH_OPS, /* sum: requests */
	PS_METRIC_HELD = 48 /* sum: ns that a lock was waited for, by who let it go */
};

/* Who ended a wait: a thread, or an interrupt. 0: not known. */
#define PS_WAKER_INTERRUPT   1ULL
#define PS_WAKER(tgid, tid)  ((__u64)(tgid) << 32 | (tid))
#define PS_WAKER_TGID(waker) ((__u32)((waker) >> 32))
#define PS_WAKER_TID(waker)  ((__u32)(waker))

/* Who, where, which metric: the key under which samples are counted. The leaf is apart from the
 * stack, else nearly every CPU sample would be a new stack. */
struct ps_count {
	__u64 epoch;
	__u64 stack; /* hash of all frames but the leaf, with the epoch; 0: none */
	union {
		__u64 leaf; /* the innermost program counter, in the kernel or in user space; 0: it
			     * is in the stack */
		/* Else the leaf always is in the stack. */
		__u64 waker; /* off-CPU: PS_WAKER() */
		__u64 device; /* I/O: of the file, as in struct ps_io_key; CephFS: of the mount */
		__u64 waiter; /* held: the stack of who waited */
	};
	__u32 tgid;
	__u32 tid;
	__u32 metric; /* enum ps_metric */
	__u32 class; /* off-CPU: enum ps_wait_class; I/O: PS_IO_CLASS(); CephFS: see ceph.h */
	__u64 detail; /* off-CPU: of the class, see waits.h; I/O: the file, as in struct ps_io_key
		       */
};

struct ps_sum {
	__u64 count;
	__u64 sum; /* see enum ps_metric; the weight that the sampled ones stand for */
};

/* Events of other headers follow: quantum.h has 32, remote.h 48, resource_sums.h 49, written.h 50
 * to 52, mem.h 53 and 54. */
enum ps_event_type {
	PS_EVENT_FORK = 1,
	PS_EVENT_EXEC,
	PS_EVENT_EXIT, /* a thread; the last one of a process carries its status */
	PS_EVENT_GONE, /* a process was reaped: the kernel's final figures */
	PS_EVENT_STACK,
	PS_EVENT_STACK_COPY,
	PS_EVENT_FILE,
	PS_EVENT_TASK /* from the task iterator, not from the ring */
};

struct ps_event {
	__u32 type;
	__u32 size; /* bytes of the whole event */
	__u64 time_ns;
	__u32 tgid;
	__u32 tid;
};

struct ps_fork_event {
	struct ps_event event; /* tgid, tid: of the child */
	__u64 epoch, parent_epoch;
	__u64 start_boot_ns;
	__u64 cgroup;
	__u32 parent_tgid;
	__u32 pad;
	char comm[PS_COMM_SIZE];
};

struct ps_exec_event {
	struct ps_event event;
	__u64 epoch, previous_epoch;
	__u64 start_boot_ns;
	__u64 cgroup;
	__u64 cpu_ns; /* of the whole process so far */
	__u64 user_ns, system_ns; /* unscaled: only their ratio is exact to the tick */
	__u32 parent_tgid;
	__u32 args_size; /* bytes of arguments behind this, NUL between them */
	__u32 env_size; /* bytes of NAME=value strings behind them, NUL behind each */
	__u32 pad;
	char comm[PS_COMM_SIZE];
	struct ps_waits waits; /* of the thread, until the exec */
}; /* followed by args_size + env_size bytes of text */

struct ps_exit_event {
	struct ps_event event;
	__u64 epoch;
	__u64 start_boot_ns; /* of the process */
	__u64 thread_cpu_ns;
	__u64 max_rss_pages; /* of the process; 0 unless last */
	__u32 last; /* 1: the process's last thread */
	__u32 status; /* as wait() gives it; 0 unless last */
	char comm[PS_COMM_SIZE];
	struct ps_waits waits;
	/* A wait chosen for the stacks whose call never returned: the thread was killed in it. */
	__u64 kept_ns; /* its weight; 0: none */
	__u64 kept_since_ns; /* when it began */
	__u64 kept_detail;
	__u32 kept_class;
	__u32 pad;
};

struct ps_gone_event {
	struct ps_event event;
	__u64 start_boot_ns;
	__u64 cpu_ns;
	__u64 user_ns, system_ns; /* unscaled: only their ratio is exact to the tick */
	__u64 max_rss_pages;
	__u32 status;
	__u32 pad;
};

/* One task of the task iterator. Leaders also carry what their ended threads used. */
struct ps_task_event {
	struct ps_event event;
	__u64 epoch; /* 0: BPF has none for the process */
	__u64 thread_epoch; /* of the quantum that is the thread's own; 0: it is in none */
	__u64 start_boot_ns; /* of the process */
	__u64 cpu_ns, user_ns, system_ns; /* of this thread */
	__u64 ended_cpu_ns, ended_user_ns, ended_system_ns; /* leader: of ended threads */
	__u32 parent_tgid;
	__u32 kernel_thread; /* 1: yes */
	char comm[PS_COMM_SIZE];
	struct ps_waits waits;
	struct ps_io_slot slots[PS_IO_SLOTS];
	__u64 user_ip, user_sp, user_bp; /* of user space, while it is in the kernel */
	__u64 fs_base;
};

/* A file or path at first sight. */
struct ps_file_event {
	struct ps_event event;
	struct ps_io_key key; /* epoch, op and error: of that first sight */
	__u64 directory; /* inode of the directory it is in; 0: not known */
	__u32 mount; /* its id in /proc/PID/mountinfo; 0: not known */
	__s32 at; /* PATH: descriptor of the directory it is relative to, or AT_FDCWD */
	__u64 magic; /* of the file system, as in statfs(); 0: not known */
	char filesystem[PS_COMM_SIZE];
	/* Bytes of text behind this: of a path, the path with its NUL (path_size bytes), and when
	 * it is relative the names of the directory it is relative to; of a file, its names. Names
	 * go from the innermost to the outermost, NUL behind each; a mount point's name follows
	 * without a mark. */
	__u32 text_size;
	__u32 path_size;
	__u32 cut; /* 1: there was more */
	__u32 pad;
};

/* The frames of a stack but for its leaf, innermost first; sent at first sight of its hash. */
struct ps_stack_event {
	struct ps_event event;
	__u64 epoch;
	__u64 hash;
	__u32 kernel_frames;
	__u32 native_frames;
	__u32 python_frames;
	__u16 native_ending, python_ending; /* enum ps_ending */
	__u8 leaf_kernel; /* 1: the leaf is a kernel address */
	__u8 leaf_eval; /* 1: the leaf is in CPython's interpreter loop */
	__u8 copied; /* 1: a struct ps_stack_copy_event follows */
	__u8 pad[5];
}; /* followed by kernel_frames addresses, native_frames words, python_frames struct ps_frame */

/* A stack from the frame on whose rows were not there, which is the last one sent. */
struct ps_stack_copy_event {
	struct ps_event event;
	__u64 hash; /* of the stack */
	__u64 rip, rsp, rbp; /* of that frame */
	__u32 is_caller; /* 1: rip is a return address */
	__u32 rbp_lost; /* 1: rbp is not known */
	__u32 bytes; /* of stack behind this, from rsp on */
	__u32 pad;
};

_Static_assert(sizeof(struct ps_who) == 24, "wire format");
_Static_assert(sizeof(struct ps_count) == 48, "wire format");
_Static_assert(sizeof(struct ps_event) == 24, "wire format");
_Static_assert(sizeof(struct ps_fork_event) == 80, "wire format");
_Static_assert(sizeof(struct ps_exec_event) == 112 + sizeof(struct ps_waits), "wire format");
_Static_assert(sizeof(struct ps_exit_event) == 112 + sizeof(struct ps_waits), "wire format");
_Static_assert(sizeof(struct ps_gone_event) == 72, "wire format");
_Static_assert(sizeof(struct ps_task_event) ==
		       152 + sizeof(struct ps_waits) + PS_IO_SLOTS * sizeof(struct ps_io_slot),
	       "wire format");
_Static_assert(sizeof(struct ps_stack_event) == 64, "wire format");
_Static_assert(sizeof(struct ps_stack_copy_event) == 72, "wire format");

#endif
