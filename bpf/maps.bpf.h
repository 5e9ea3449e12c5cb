/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps that programs share; maps.bpf.c defines them. Sizes marked "set" are chosen by the
 * recorder before the load. */
#ifndef MAPS_BPF_H
#define MAPS_BPF_H

#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <linux/ptrace.h>
#include <stdbool.h>

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "python.h"
#include "quantum.h"
#include "unwind.h"
#include "user_memory.bpf.h"
#include "wire.h"

/* tgid -> who it is now */
struct epochs_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536); /* set */
	__type(key, __u32);
	__type(value, struct ps_who);
};
extern struct epochs_map epochs SEC(".maps");

/* tid -> the quantum of a thread's own. Made only where a rule has that scope; used by samples. */
struct thread_quanta_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_THREAD_QUANTA);
	__type(key, __u32);
	__type(value, struct ps_thread_quantum);
};
extern struct thread_quanta_map thread_quanta SEC(".maps");
extern const volatile bool knob_thread_quanta; /* a rule has the scope of a thread */

/* The epoch of a thread of the process. */
static __always_inline __u64 epochs__of_thread(const struct ps_who *who, __u32 tid)
{
	const struct ps_thread_quantum *own;

	if (!knob_thread_quanta)
		return who->epoch;
	own = bpf_map_lookup_elem(&thread_quanta, &tid);
	return own ? own->epoch : who->epoch;
}

/* The epoch that a process is in; 0: it is not recorded. */
static __always_inline __u64 epochs__recorded(__u32 tgid)
{
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	return who && who->wanted ? who->epoch : 0;
}

/* The same of the current thread. */
static __always_inline __u64 epochs__current(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	const struct ps_who *who = bpf_map_lookup_elem(&epochs, &tgid);

	return who && who->wanted ? epochs__of_thread(who, (__u32)id) : 0;
}

/* tgid -> where its Python interpreter is */
struct py_processes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536); /* set */
	__type(key, __u32);
	__type(value, struct ps_py_process);
};
extern struct py_processes_map py_processes SEC(".maps");

struct py_layouts_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PS_MAX_LAYOUTS);
	__type(key, __u32);
	__type(value, struct ps_py_offsets);
};
extern struct py_layouts_map py_layouts SEC(".maps");

/* Rows of the native walker. One value is a whole chunk: a search then needs no more look-ups. The
 * recorder makes chunks as they are needed, and fills them through memory that it shares. */
struct unwind_chunk_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ps_unwind_chunk));
};

struct unwind_chunks_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PS_UNWIND_CHUNKS);
	__type(key, __u32);
	__array(values, struct unwind_chunk_map);
};
extern struct unwind_chunks_map unwind_chunks SEC(".maps");

/* Ranges of processes, likewise. */
struct unwind_table_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ps_unwind_table));
};

struct unwind_tables_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PS_UNWIND_TABLES);
	__type(key, __u32);
	__array(values, struct unwind_table_map);
};
extern struct unwind_tables_map unwind_tables SEC(".maps");

/* tgid -> its ranges. What the map has no room for is only known by its leaves, and counted. */
struct unwind_processes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536); /* set */
	__type(key, __u32);
	__type(value, struct ps_unwind_process);
};
extern struct unwind_processes_map unwind_processes SEC(".maps");

/* FNV-1a of a variable's name -> 1 */
struct env_names_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u32);
};
extern struct env_names_map env_names SEC(".maps");

struct events_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024); /* a power of 2 */
};
extern struct events_map events SEC(".maps");

/* Bytes in the ring at which the recorder is woken even for what can wait. */
#define RING_HURRY (1024 * 1024)

/* The flags for bpf_ringbuf_output(). Urgent is what tells of something that is gone soon; all else
 * is read within PS_LOOK_MS: to wake the recorder costs a job some microseconds, 20 in a virtual
 * machine, which is more than most of these programs do. */
static __always_inline __u64 events__flags(bool urgent)
{
	return urgent || bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > RING_HURRY
		       ? BPF_RB_FORCE_WAKEUP
		       : BPF_RB_NO_WAKEUP;
}

/* Which code is whose quantum. Both are used by samples: so both are allocated beforehand. */
struct frame_rules_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_FRAME_RULES);
	__type(key, struct ps_frame_key);
	__type(value, struct ps_frame_rule);
};
extern struct frame_rules_map frame_rules SEC(".maps");

/* FNV-1a of the last part of a function's name -> the lowest rank of the rules that name it */
struct frame_names_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_FRAME_NAMES);
	__type(key, __u64);
	__type(value, __u32);
};
extern struct frame_names_map frame_names SEC(".maps");

/* tgid -> the quantum that it is in */
struct quanta_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PS_QUANTA);
	__type(key, __u32);
	__type(value, struct ps_quantum);
};
extern struct quanta_map quanta SEC(".maps");

/* Grows when any process's epoch changes while it runs: threads then look at theirs. Never 0. */
extern __u64 quantum_switches;

/* Knobs; the object loads with these defaults alone. */
extern const volatile bool knob_only_wanted; /* record only processes marked as wanted */
extern const volatile bool knob_task_pt_regs; /* bpf_task_pt_regs() exists (Linux 5.15) */
extern const volatile __u32
	knob_interrupt_bits; /* of preempt_count: NMI, interrupts hard and soft */
extern const volatile __s64 knob_preempt_count; /* bytes from a run queue; 0: not known */
extern const volatile bool knob_offcpu; /* source "offcpu" is on */
extern const volatile bool knob_quanta; /* source "quanta" is on */
extern const volatile bool knob_any_function; /* a rule's function is no name but a pattern */
extern const volatile __u8 quantum_calls[PS_SYSCALL_LIMIT]; /* PS_CALL_* */
extern const volatile bool knob_io; /* source "io" is on */
extern const volatile __u16 io_calls[PS_SYSCALL_LIMIT]; /* PS_IO_CALL() by system call; 0: none */
extern const volatile __u8 wait_kinds[PS_SYSCALL_LIMIT]; /* enum ps_wait_kind by system call */

/* A wait of this length is always chosen for the stacks, a shorter one with a probability in
 * proportion; the recorder raises it when too many are chosen. */
extern __u64 wait_period_ns;
/* The same for file operations: of this time, of so many bytes, of so many operations. */
extern __u64 io_period_ns, io_period_bytes, io_period_ops;
/* One of so many CephFS requests is chosen for the stacks; raised when there are many. */
extern __u64 ceph_period;
/* Keys that this slice's map of file sums still has room for; set anew with each map. */
extern __s64 io_sums_room;

/* Stacks that may still be copied in this slice, for the recorder to walk. */
extern __s64 stack_copies_left;

#endif
