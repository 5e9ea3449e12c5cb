// SPDX-License-Identifier: GPL-2.0-or-later
#include "maps.bpf.h"

struct epochs_map epochs SEC(".maps");
struct py_processes_map py_processes SEC(".maps");
struct py_layouts_map py_layouts SEC(".maps");
struct env_names_map env_names SEC(".maps");
struct events_map events SEC(".maps");
struct counters_map counters SEC(".maps");

const volatile bool knob_only_wanted = false;
const volatile bool knob_task_pt_regs = false;

char LICENSE[] SEC("license") = "GPL";
