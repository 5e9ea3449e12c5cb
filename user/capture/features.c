// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/features.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "capture/ceph_programs.h"
#include "capture/percpu.h"
#include "capture/sampler.h"
#include "capture/uring.h"
#include "symbols/kernel.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"
/* The inode of the initial pid namespace is fixed: PROC_PID_INIT_INO. */
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

static bool is_root(void)
{
	return geteuid() == 0;
}

static bool has_btf(void)
{
	return access(KERNEL_BTF, R_OK) == 0;
}

static bool is_initial_pid_namespace(void)
{
	char target[64];
	ssize_t size = readlink("/proc/self/ns/pid", target, sizeof(target) - 1);

	if (size < 0)
		return false;
	target[size] = '\0';
	return !strcmp(target, INITIAL_PID_NAMESPACE);
}

static bool has_ring_buffer(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1;
}

static bool has_perf_programs(void)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_PERF_EVENT, NULL) == 1;
}

/* libbpf's own probe tries fentry, which some kernels lack where tracepoints work. */
static bool loads_on(const char *tracepoint, const struct bpf_insn *code, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP);
	int type = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP), fd;

	if (type < 0)
		return false;
	options.attach_btf_id = (uint32_t)type;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", code, count, &options);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

static bool has_tracing_programs(void)
{
	return loads_on("sched_process_fork", nothing, sizeof(nothing) / sizeof(nothing[0]));
}

static bool has_page_counters(void)
{
	return loads_on("rss_stat", nothing, sizeof(nothing) / sizeof(nothing[0]));
}

static bool has_system_calls(void)
{
	return loads_on("sys_enter", nothing, sizeof(nothing) / sizeof(nothing[0])) &&
	       loads_on("sys_exit", nothing, sizeof(nothing) / sizeof(nothing[0]));
}

/* bpf_get_task_stack(prev, stack - 8, 8, 0) at a switch. */
static bool has_task_stacks(void)
{
	const struct bpf_insn code[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_1,
		 .off = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_task_stack},
		nothing[0],
		nothing[1],
	};

	return loads_on("sched_switch", code, sizeof(code) / sizeof(code[0]));
}

bool feature__task_pt_regs(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_task_pt_regs, NULL) == 1;
}

bool feature__task_storage(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) == 1;
}

bool feature__growing_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "probe", 4, 4, 1, &options), fd;
	const struct bpf_insn code[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = map},
		{0},
		nothing[0],
		nothing[1],
	};

	if (map < 0)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "probe", "GPL", code,
			   sizeof(code) / sizeof(code[0]), NULL);
	close(map);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool feature__rss_stat(void)
{
	return loads_on("rss_stat", nothing, sizeof(nothing) / sizeof(nothing[0]));
}

static bool has_percpu_variables(void)
{
	return percpu__preempt_count() != 0;
}

bool feature__tells_reclaim(void)
{
	return loads_on("mm_vmscan_direct_reclaim_begin", nothing,
			sizeof(nothing) / sizeof(nothing[0])) &&
	       loads_on("mm_vmscan_direct_reclaim_end", nothing,
			sizeof(nothing) / sizeof(nothing[0]));
}

bool feature__tells_group_reclaim(void)
{
	return loads_on("mm_vmscan_memcg_reclaim_begin", nothing,
			sizeof(nothing) / sizeof(nothing[0])) &&
	       loads_on("mm_vmscan_memcg_reclaim_end", nothing,
			sizeof(nothing) / sizeof(nothing[0]));
}

static bool tells_all_reclaim(void)
{
	return feature__tells_reclaim() && feature__tells_group_reclaim();
}

static bool tells_throttling(void)
{
	return percpu__has_member("task_struct", "throttled") ||
	       percpu__has_member("cfs_rq", "throttle_count");
}

static bool has_cycles(void)
{
	return sampler__has_cycles();
}

static bool has_kernel_symbols(void)
{
	struct kernel_symbols *symbols = NULL;
	int err = kernel_symbols__new(&symbols);

	kernel_symbols__free(symbols);
	return !err;
}

static bool has_uring(void)
{
	return uring__find().complete;
}

static bool has_file_faults(void)
{
	return uring__find().faults;
}

static bool has_stats(void)
{
	return access("/proc/sys/kernel/bpf_stats_enabled", F_OK) == 0;
}

static const struct feature table[] = {
	{"root", true, is_root, "everything: BPF programs need root", "run it with sudo"},
	{"the host's pid namespace", true, is_initial_pid_namespace,
	 "everything: process numbers seen here are not the kernel's",
	 "run it on the host, or in a container with the host's pid namespace (--pid=host)"},
	{"kernel types (BTF)", true, has_btf, "everything: programs cannot be fitted to the kernel",
	 "use a kernel built with CONFIG_DEBUG_INFO_BTF (Debian's and Red Hat's are)"},
	{"BPF ring buffer", true, has_ring_buffer, "everything: events cannot be sent",
	 "use Linux 5.8 or later"},
	{"BPF programs on tracepoints with types", true, has_tracing_programs,
	 "everything: processes cannot be followed", "use Linux 5.5 or later with BTF"},
	{"BPF programs on perf events", true, has_perf_programs, "everything: no CPU samples",
	 "use a kernel with CONFIG_PERF_EVENTS and CONFIG_BPF_EVENTS"},
	{"hardware cycles", false, has_cycles,
	 "samples come from the kernel's clock: code that runs with interrupts off is charged to "
	 "what "
	 "follows it",
	 "virtual machines often hide the counters: ask for a virtual PMU"},
	{"user registers by helper", false, feature__task_pt_regs,
	 "nothing on x86-64: they are read from the kernel stack instead",
	 "use Linux 5.15 or later"},
	{"system calls", false, has_system_calls,
	 "waits and files: only 'record --sources cpu' works",
	 "use a kernel with tracepoints at system calls (Debian's and Red Hat's have them)"},
	{"changes of page counters", false, has_page_counters,
	 "memory: 'record --sources mem' does not work", "use Linux 5.6 or later"},
	{"kernel stacks of other tasks", false, has_task_stacks,
	 "waits: only 'record --sources cpu,io' works", "use Linux 5.9 or later"},
	{"storage with tasks", false, feature__task_storage,
	 "speed, and waits and files of more than 65,536 threads at a time: they are kept in a "
	 "hash, "
	 "which costs every switch some 200 ns more",
	 "use Linux 5.11 or later"},
	{"changes of memory", false, feature__rss_stat, "quanta: their own peak of memory",
	 "use Linux 5.5 or later"},
	{"kernel's per-CPU variables", false, has_percpu_variables,
	 "waits: who ended them ('report --by waker')",
	 "use a kernel whose BTF has per-CPU variables (made with pahole 1.18 or later), or one "
	 "with "
	 "CONFIG_KALLSYMS_ALL"},
	{"memory reclaim", false, tells_all_reclaim,
	 "waits: those for memory to be freed are in the class of what asked for it",
	 "use a kernel with the tracepoints of vmscan (Debian's and Red Hat's have them)"},
	{"throttled control groups", false, tells_throttling,
	 "waits: those of threads whose control group has used up its CPU time are in run_queue",
	 "use a kernel with CONFIG_CFS_BANDWIDTH"},
	{"requests of io_uring", false, has_uring,
	 "operations on files that programs make through io_uring", "use Linux 5.19 or later"},
	{"faults on mapped files", false, has_file_faults,
	 "page faults per mapped file ('report --by op,file')", "use Linux 6.11 or later"},
	{"growing maps in perf events", false, feature__growing_maps,
	 "major page faults per mapped file; calls: the share of Python's that is not seen",
	 "use Linux 6.1 or later"},
	{"CephFS client", false, ceph_programs__possible,
	 "what CephFS's kernel client does ('report --by ceph'), if CephFS is mounted",
	 "load the module ceph, and use a kernel with module BTF and fentry, or with kprobes"},
	{"kernel symbols", false, has_kernel_symbols, "kernel functions have no names",
	 "set kernel.kptr_restrict to 0 or 1"},
	{"BPF run-time statistics", false, has_stats,
	 "record --stats cannot tell the programs' own run time", "use Linux 5.1 or later"},
};

const struct feature *features__table(size_t *ret_count)
{
	*ret_count = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct feature *features__missing(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].required && !table[i].present())
			return &table[i];
	return NULL;
}
