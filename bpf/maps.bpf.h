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

#include "counters.h"
#include "python.h"
#include "wire.h"

/* tgid -> who it is now */
struct epochs_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536); /* set */
	__type(key, __u32);
	__type(value, struct ps_who);
};
extern struct epochs_map epochs SEC(".maps");

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
	__uint(max_entries, 8 * 1024 * 1024); /* set */
};
extern struct events_map events SEC(".maps");

struct counters_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PS_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct counters_map counters SEC(".maps");

static __always_inline void count_event(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		(*value)++;
}

/* Knobs; the object loads with these defaults alone. */
extern const volatile bool knob_only_wanted; /* record only processes marked as wanted */
extern const volatile bool knob_task_pt_regs; /* bpf_task_pt_regs() exists (Linux 5.15) */

#endif
