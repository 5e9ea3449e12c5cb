// SPDX-License-Identifier: GPL-2.0-or-later
#include "counts.bpf.h"
#include "io.bpf.h"
#include "opens.bpf.h"
#include "patterns.bpf.h"
#include "thread.bpf.h"

struct epochs_map epochs SEC(".maps");
struct py_processes_map py_processes SEC(".maps");
struct py_layouts_map py_layouts SEC(".maps");
struct unwind_chunks_map unwind_chunks SEC(".maps");
struct unwind_tables_map unwind_tables SEC(".maps");
struct unwind_processes_map unwind_processes SEC(".maps");
struct frame_rules_map frame_rules SEC(".maps");
struct frame_names_map frame_names SEC(".maps");
struct quanta_map quanta SEC(".maps");
struct thread_quanta_map thread_quanta SEC(".maps");
struct env_names_map env_names SEC(".maps");
struct events_map events SEC(".maps");
struct counters_map counters SEC(".maps");
struct counts_outer_map counts SEC(".maps");
struct io_sums_outer_map io_sums SEC(".maps");
struct io_patterns_map io_patterns SEC(".maps");
struct opens_map opens SEC(".maps");
struct threads_map threads SEC(".maps");
struct threads_by_tid_map threads_by_tid SEC(".maps");
struct thread_zero_map thread_zero SEC(".maps");

const volatile bool knob_only_wanted = false;
const volatile bool knob_task_pt_regs = false;
const volatile bool knob_task_storage = false;
const volatile __u32 knob_interrupt_bits = PS_INTERRUPT_BITS;
const volatile __s64 knob_preempt_count = 0;
const volatile bool knob_offcpu = false;
const volatile __u8 wait_kinds[PS_SYSCALL_LIMIT] = {};

const volatile bool knob_quanta = false;
const volatile bool knob_any_function = false;
const volatile bool knob_thread_quanta = false;
const volatile __u8 quantum_calls[PS_SYSCALL_LIMIT] = {};
const volatile bool knob_io = false;
const volatile __u16 io_calls[PS_SYSCALL_LIMIT] = {};

__u64 quantum_switches = 1;
__u64 wait_period_ns = 2000000;
__u64 io_period_ns = 2000000;
__u64 io_period_bytes = 4194304;
__u64 io_period_ops = 1024;
__u64 ceph_period = 1;
__s64 io_sums_room = PS_IO_SUMS;
__s64 stack_copies_left = PS_STACK_COPIES;

char LICENSE[] SEC("license") = "GPL";
