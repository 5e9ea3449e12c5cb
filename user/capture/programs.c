// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/programs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "capture/alloc_drain.h"
#include "capture/alloc_probes.h"
#include "capture/ceph_programs.h"
#include "capture/features.h"
#include "capture/io_calls.h"
#include "capture/percpu.h"
#include "capture/uring.h"
#include "capture/wait_kinds.h"
#include "mem.h"
#include "perf_events.h"
#include "pipescope.skel.h"
#include "store/writer.h"
#include "wire.h"

#define VERIFIER_LOG_SIZE  (1024 * 1024)
#define VERIFIER_LOG_STATS 4 /* BPF_LOG_STATS: one line of figures, on every kernel since 5.2 */

/* libbpf's own words are for whoever asks why a program was refused. */
static bool tell_why;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[4096];

	if (level != LIBBPF_WARN || !tell_why)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log__error("%s", text);
	return 0;
}

/* The source "quanta" with the resources of quanta. */
static void open_quanta(struct pipescope_bpf *bpf, bool quanta, uint32_t counters)
{
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();

	bpf->rodata->knob_quanta = quanta;
	bpf->rodata->knob_perf_counters = quanta ? counters : 0;
	bpf->rodata->knob_perf_cpus = cpus;
	if (quanta && counters)
		bpf_map__set_max_entries(bpf->maps.perf_counters, counters * cpus);
	if (!quanta) {
		bpf_map__set_max_entries(bpf->maps.frame_rules, 1);
		bpf_map__set_max_entries(bpf->maps.quanta, 1);
		bpf_map__set_max_entries(bpf->maps.resources, 1);
		bpf_map__set_max_entries(bpf->maps.used_threads, 1);
	}
	bpf_program__set_autoload(bpf->progs.quanta_exit, quanta);
	bpf_program__set_autoload(bpf->progs.resources_switch, quanta);
	bpf_program__set_autoload(bpf->progs.resources_exit, quanta);
	bpf_program__set_autoload(bpf->progs.resources_exec, quanta);
	bpf->rodata->knob_rss_stat = feature__rss_stat();
	bpf_program__set_autoload(bpf->progs.resources_rss, quanta && bpf->rodata->knob_rss_stat);
}

static void choose_calls(struct pipescope_bpf *bpf, bool enter, bool exit)
{
	bool by_perf = percpu__preemptible_calls();

	bpf_program__set_autoload(bpf->progs.syscall_enter, enter && !by_perf);
	bpf_program__set_autoload(bpf->progs.syscall_exit, exit && !by_perf);
	bpf_program__set_autoload(bpf->progs.syscall_enter_p, enter && by_perf);
	bpf_program__set_autoload(bpf->progs.syscall_exit_p, exit && by_perf);
}

/* What only some kernels tell. */
static void choose_points(struct pipescope_bpf *bpf, bool io)
{
	struct uring_points points = io ? uring__find() : (struct uring_points){0};

	bpf->rodata->knob_uring_entry = points.entry;
	bpf_program__set_autoload(bpf->progs.uring_complete, points.complete);
	bpf_program__set_autoload(bpf->progs.uring_submit, points.complete && points.submit);
	bpf_program__set_autoload(bpf->progs.faults_major, io && feature__growing_maps());
	bpf_program__set_autoload(bpf->progs.faults_fault, points.faults);
	bpf_program__set_autoload(bpf->progs.faults_map_pages, points.faults);
	if (!points.complete)
		bpf_map__set_max_entries(bpf->maps.uring_requests, 1);
}

/* Whether maps whose names begin so are made. */
static void create_maps(struct pipescope_bpf *bpf, const char *prefix, bool create)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, bpf->obj)
	{
		if (!strncmp(bpf_map__name(map), prefix, strlen(prefix)))
			bpf_map__set_autocreate(map, create);
	}
}

static struct pipescope_bpf *open_programs(bool offcpu, bool io, bool quanta, uint32_t counters)
{
	/* Before 5.11 the memory of maps counts against this limit. */
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct pipescope_bpf *bpf;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print_libbpf);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	bpf = pipescope_bpf__open();
	if (!bpf)
		return NULL;
	bpf->rodata->knob_task_pt_regs = feature__task_pt_regs();
	bpf->rodata->knob_task_storage = feature__task_storage();
	/* Of the two places for a thread's state only one is made. */
	bpf_map__set_autocreate(bpf->maps.threads, bpf->rodata->knob_task_storage);
	bpf_map__set_autocreate(bpf->maps.threads_by_tid, !bpf->rodata->knob_task_storage);
	/* The programs of source "ceph" and of `pipescope calls` are loaded by themselves
	 * (ceph_programs.c, call_counter.c). */
	create_maps(bpf, "ceph_", false);
	create_maps(bpf, "calls_", false);
	create_maps(bpf, "alloc_", false);
	bpf->rodata->knob_offcpu = offcpu;
	bpf->rodata->knob_preempt_count = offcpu ? percpu__preempt_count() : 0;
	bpf->rodata->knob_interrupt_bits = percpu__interrupt_bits();
	wait_kinds__fill((uint8_t *)bpf->rodata->wait_kinds);
	bpf_program__set_autoload(bpf->progs.offcpu_switch, offcpu);
	bpf_program__set_autoload(bpf->progs.offcpu_waking, offcpu);
	bpf_program__set_autoload(bpf->progs.offcpu_reclaim_begin,
				  offcpu && feature__tells_reclaim());
	bpf_program__set_autoload(bpf->progs.offcpu_reclaim_end,
				  offcpu && feature__tells_reclaim());
	bpf_program__set_autoload(bpf->progs.offcpu_group_begin,
				  offcpu && feature__tells_group_reclaim());
	bpf_program__set_autoload(bpf->progs.offcpu_group_end,
				  offcpu && feature__tells_group_reclaim());
	bpf->rodata->knob_io = io;
	if (io)
		io_calls__fill((uint16_t *)bpf->rodata->io_calls);
	if (!io) {
		bpf_map__set_max_entries(bpf->maps.writers, 1);
		bpf_map__set_max_entries(bpf->maps.io_patterns, 1);
		bpf_map__set_max_entries(bpf->maps.opens, 1);
	}
	if (!io && !offcpu)
		bpf_map__set_max_entries(bpf->maps.remotes_sent, 1);
	choose_calls(bpf, io, offcpu || io || quanta);
	bpf_program__set_autoload(bpf->progs.opens_dump, io);
	open_quanta(bpf, quanta, counters);
	choose_points(bpf, io);
	return bpf;
}

/* Behind open_programs(). The kernel's batch is percpu_counter_batch. */
static void choose_memory(struct pipescope_bpf *bpf)
{
	uint32_t batch = 2 * (uint32_t)get_nprocs();

	bpf->rodata->knob_mem = true;
	bpf->rodata->knob_counter_batch = batch > PS_MEM_BATCH_LEAST ? batch : PS_MEM_BATCH_LEAST;
	bpf_program__set_autoload(bpf->progs.mem_rss, true);
	bpf_program__set_autoload(bpf->progs.mem_reclaim, feature__tells_reclaim());
	bpf_program__set_autoload(bpf->progs.mem_reclaim_group, feature__tells_group_reclaim());
	bpf_program__set_autoload(bpf->progs.mem_exit, true);
	bpf_program__set_autoload(bpf->progs.mem_exec, true);
	bpf_program__set_autoload(bpf->progs.mem_tasks_dump, true);
	choose_calls(bpf, true, true);
}

/* Quanta of threads. */
static void choose_threads(struct pipescope_bpf *bpf, bool thread_quanta, uint32_t counters)
{
	bpf->rodata->knob_thread_quanta = thread_quanta;
	bpf_map__set_autocreate(bpf->maps.thread_quanta, thread_quanta);
	bpf_map__set_autocreate(bpf->maps.thread_counters, thread_quanta && counters);
}

static int choose_environment(struct pipescope_bpf *bpf, const struct programs_knobs *knobs)
{
	int fd = bpf_map__fd(bpf->maps.env_names);
	uint32_t one = 1;

	for (size_t i = 0; i < knobs->environment_count; i++) {
		uint64_t hash = PS_NAME_HASH_START;
		int err;

		for (const char *at = knobs->environment[i]; *at; at++)
			hash = PS_NAME_HASH_STEP(hash, *at);
		err = bpf_map_update_elem(fd, &hash, &one, BPF_ANY);
		if (err)
			return err;
	}
	return 0;
}

int programs__load(const struct programs_knobs *knobs, struct pipescope_bpf **ret_bpf)
{
	struct pipescope_bpf *bpf =
		open_programs(knobs->offcpu, knobs->io, knobs->quanta, knobs->counters);
	int err;

	if (!bpf)
		return -errno;
	bpf->rodata->knob_only_wanted = knobs->only_wanted;
	bpf->rodata->knob_any_function = knobs->any_function;
	choose_threads(bpf, knobs->quanta && knobs->thread_quanta, knobs->counters);
	for (size_t i = 0; i < PS_SYSCALL_LIMIT; i++)
		if (knobs->wait_calls[i]) /* kept apart by their numbers */
			((uint8_t *)bpf->rodata->wait_kinds)[i] = PS_KIND_OTHER;
	if (knobs->mem)
		choose_memory(bpf);
	if (knobs->alloc)
		alloc_probes__choose(bpf, knobs->alloc->period_bytes);
	if (knobs->quanta)
		memcpy((uint8_t *)bpf->rodata->quantum_calls, knobs->quantum_calls,
		       sizeof(knobs->quantum_calls));
	err = pipescope_bpf__load(bpf);
	if (!err)
		err = choose_environment(bpf, knobs);
	if (err) {
		pipescope_bpf__destroy(bpf);
		return err;
	}
	*ret_bpf = bpf;
	return 0;
}

struct attachment {
	const struct bpf_program *program;
	struct bpf_link **link;
};

static int attach(const struct attachment *attachments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!bpf_program__autoload(attachments[i].program))
			continue;
		*attachments[i].link = bpf_program__attach(attachments[i].program);
		if (!*attachments[i].link)
			return -errno;
	}
	return 0;
}

int programs__attach(struct pipescope_bpf *bpf)
{
	const struct attachment attachments[] = {
		{bpf->progs.life_fork, &bpf->links.life_fork},
		{bpf->progs.life_exec, &bpf->links.life_exec},
		{bpf->progs.quanta_exit, &bpf->links.quanta_exit},
		{bpf->progs.resources_exit, &bpf->links.resources_exit},
		{bpf->progs.resources_exec, &bpf->links.resources_exec},
		{bpf->progs.alloc_exec, &bpf->links.alloc_exec},
		{bpf->progs.resources_rss, &bpf->links.resources_rss},
		{bpf->progs.resources_switch, &bpf->links.resources_switch},
		{bpf->progs.life_exit, &bpf->links.life_exit},
		{bpf->progs.life_free, &bpf->links.life_free},
		{bpf->progs.offcpu_switch, &bpf->links.offcpu_switch},
		{bpf->progs.offcpu_waking, &bpf->links.offcpu_waking},
		{bpf->progs.offcpu_reclaim_begin, &bpf->links.offcpu_reclaim_begin},
		{bpf->progs.offcpu_reclaim_end, &bpf->links.offcpu_reclaim_end},
		{bpf->progs.offcpu_group_begin, &bpf->links.offcpu_group_begin},
		{bpf->progs.offcpu_group_end, &bpf->links.offcpu_group_end},
		/* Waits that are chosen from now on must find the end of their call. */
		{bpf->progs.syscall_exit, &bpf->links.syscall_exit},
		{bpf->progs.syscall_exit_p, &bpf->links.syscall_exit_p},
	};

	return attach(attachments, sizeof(attachments) / sizeof(attachments[0]));
}

const struct bpf_program *programs__major_faults(const struct pipescope_bpf *bpf)
{
	return bpf_program__autoload(bpf->progs.faults_major) ? bpf->progs.faults_major : NULL;
}

int programs__attach_calls(struct pipescope_bpf *bpf)
{
	const struct attachment attachments[] = {
		{bpf->progs.syscall_enter, &bpf->links.syscall_enter},
		{bpf->progs.syscall_enter_p, &bpf->links.syscall_enter_p},
		{bpf->progs.uring_complete, &bpf->links.uring_complete},
		{bpf->progs.faults_fault, &bpf->links.faults_fault},
		{bpf->progs.faults_map_pages, &bpf->links.faults_map_pages},
		{bpf->progs.mem_rss, &bpf->links.mem_rss},
		{bpf->progs.mem_reclaim, &bpf->links.mem_reclaim},
		{bpf->progs.mem_reclaim_group, &bpf->links.mem_reclaim_group},
		{bpf->progs.mem_exit, &bpf->links.mem_exit},
		{bpf->progs.mem_exec, &bpf->links.mem_exec},
	};

	if (bpf_program__autoload(bpf->progs.uring_submit)) {
		bpf->links.uring_submit = bpf_program__attach_raw_tracepoint(
			bpf->progs.uring_submit, uring__find().submit);
		if (!bpf->links.uring_submit)
			return -errno;
	}
	return attach(attachments, sizeof(attachments) / sizeof(attachments[0]));
}

int programs__load_told(struct pipescope_bpf *bpf, programs_tell *tell)
{
	struct bpf_program *program;
	int err = 0;

	tell_why = true;
	bpf_object__for_each_program(program, bpf->obj)
	{
		char *log = bpf_program__autoload(program) ? calloc(1, VERIFIER_LOG_SIZE) : NULL;

		if (!bpf_program__autoload(program))
			continue;
		if (!log || bpf_program__set_log_buf(program, log, VERIFIER_LOG_SIZE) ||
		    bpf_program__set_log_level(program, VERIFIER_LOG_STATS)) {
			free(log);
			err = -ENOMEM;
			break;
		}
	}
	if (!err)
		err = pipescope_bpf__load(bpf);
	bpf_object__for_each_program(program, bpf->obj)
	{
		size_t size;
		const char *log = bpf_program__log_buf(program, &size);
		const char *figure = log ? strstr(log, "processed ") : NULL;

		if (!err && figure)
			tell(bpf_program__name(program), strtoul(figure + 10, NULL, 10));
		else if (log && figure && err)
			log__error("%s: %s", bpf_program__name(program), log);
		free((char *)log);
	}
	return err;
}

int programs__verified(programs_tell *tell)
{
	struct pipescope_bpf *bpf = open_programs(true, true, true, PS_PERF_COUNT);
	int err;

	if (!bpf)
		return -errno;
	choose_memory(bpf);
	choose_threads(bpf, true, PS_PERF_COUNT);
	alloc_probes__choose(bpf, PS_ALLOC_PERIOD);
	create_maps(bpf, "calls_", true);
	bpf_program__set_autoload(bpf->progs.calls_hit, true);
	bpf_program__set_autoload(bpf->progs.calls_sample, feature__growing_maps());
	err = programs__load_told(bpf, tell);
	err = err ?: ceph_programs__verified(bpf, tell);
	pipescope_bpf__destroy(bpf);
	return err;
}

int programs__write_times(struct bpf_object *programs, struct recording_writer *writer)
{
	struct bpf_program *program;
	int err = 0;

	if (!programs)
		return 0;
	bpf_object__for_each_program(program, programs)
	{
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (!bpf_program__autoload(program))
			continue;
		err = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
		if (err)
			return err;
		if (info.run_cnt)
			err = recording_writer__program(writer, bpf_program__name(program),
							(int64_t)info.run_cnt,
							(int64_t)info.run_time_ns);
		if (err)
			return err;
	}
	return 0;
}

uint64_t programs__missed(struct bpf_object *programs)
{
	struct bpf_program *program;
	uint64_t missed = 0;

	bpf_object__for_each_program(program, programs)
	{
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_program__autoload(program) &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			missed += info.recursion_misses;
	}
	return missed;
}

void programs__detach_calls(struct pipescope_bpf *bpf)
{
	bpf_link__destroy(bpf->links.syscall_enter);
	bpf_link__destroy(bpf->links.syscall_exit);
	bpf_link__destroy(bpf->links.syscall_enter_p);
	bpf_link__destroy(bpf->links.syscall_exit_p);
	bpf_link__destroy(bpf->links.mem_rss);
	bpf->links.mem_rss = NULL;
	bpf->links.syscall_enter = bpf->links.syscall_exit = NULL;
	bpf->links.syscall_enter_p = bpf->links.syscall_exit_p = NULL;
	bpf_link__destroy(bpf->links.uring_submit);
	bpf_link__destroy(bpf->links.uring_complete);
	bpf_link__destroy(bpf->links.faults_fault);
	bpf_link__destroy(bpf->links.faults_map_pages);
	bpf->links.uring_submit = bpf->links.uring_complete = NULL;
	bpf->links.faults_fault = bpf->links.faults_map_pages = NULL;
}
