// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/call_counter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strings.h"
#include "capture/breakpoint_guard.h"
#include "capture/breakpoints.h"
#include "capture/features.h"
#include "capture/sampler.h"
#include "pipescope.skel.h"

#define SAMPLES_HZ  199
#define PYTHON_3_11 0x030b
#define COST_CALLS  4000 /* of our own function, for measuring */

struct base {
	struct ps_calls_function function;
	struct ps_calls_sum sum;
	UT_hash_handle hh;
};

struct call_counter {
	struct pipescope_bpf *bpf;
	struct bpf_link **links; /* of one breakpoint each */
	size_t link_count, link_capacity;
	int *multi_fds; /* links of all breakpoints of a process in one file */
	size_t multi_count, multi_capacity;
	bool multi; /* this kernel has such */
	struct breakpoint_guard *guard;
	struct sampler *sampler; /* of what is inside interpreters' loops; NULL: none */
	size_t refused;
	double cost_ns;
	int cpus;
	struct base *bases; /* what was counted before call_counter__zero */
};

/* --- what a breakpoint costs */

static __attribute__((noinline, noclone, used)) void cost_target(void)
{
	__asm__ volatile("" ::: "memory");
}

static double time_calls(void)
{
	uint64_t begin = clock__ns(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < COST_CALLS; i++)
		cost_target();
	return (double)(clock__ns(CLOCK_THREAD_CPUTIME_ID) - begin) / COST_CALLS;
}

static int attach_multi(const struct call_counter *counter, pid_t pid, const char *path,
			const uint64_t *offsets, size_t count)
{
	return breakpoints__link(bpf_program__fd(counter->bpf->progs.calls_hit), false, pid, path,
				 offsets, count);
}

static int time_probed(const struct call_counter *counter, uint64_t offset, double *ret_ns)
{
	struct bpf_link *link;
	int fd;

	if (counter->multi) {
		fd = attach_multi(counter, getpid(), "/proc/self/exe", &offset, 1);
		if (fd < 0)
			return fd;
		*ret_ns = time_calls();
		close(fd);
		return 0;
	}
	link = bpf_program__attach_uprobe(counter->bpf->progs.calls_hit, false, getpid(),
					  "/proc/self/exe", offset);
	if (!link)
		return -errno;
	*ret_ns = time_calls();
	bpf_link__destroy(link);
	return 0;
}

/* The program does for our function what it does for the first of a thread's calls. */
static int measure_cost(struct call_counter *counter)
{
	uint64_t address = (uint64_t)(uintptr_t)&cost_target, offset = 0;
	const struct ps_calls_point point = {.address = address, .tgid = (uint32_t)getpid()};
	const struct ps_calls_target target = {.kind = PS_CALLS_ENTRY};
	int points = bpf_map__fd(counter->bpf->maps.calls_points);
	int err = breakpoints__offset_of(address, &offset);
	double without = time_calls(), with = 0;

	err = err ?: bpf_map_update_elem(points, &point, &target, BPF_ANY);
	err = err ?: time_probed(counter, offset, &with);
	if (err)
		return err;
	counter->cost_ns = with > without ? with - without : 0;
	counter->bpf->bss->calls_cost_ns = (uint64_t)counter->cost_ns;
	return bpf_map_delete_elem(points, &point);
}

/* --- attaching */

static bool is_ours(const char *name)
{
	return !strncmp(name, "calls_", 6) || !strcmp(name, "py_layouts") ||
	       !strcmp(name, "py_processes");
}

static int load(struct call_counter *counter)
{
	/* Before 5.11 the memory of maps counts against this limit. */
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct bpf_program *program;
	struct bpf_map *map;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(NULL);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	counter->bpf = pipescope_bpf__open();
	if (!counter->bpf)
		return -errno;
	bpf_object__for_each_program(program, counter->bpf->obj)
	{
		bpf_program__set_autoload(program, program == counter->bpf->progs.calls_hit);
	}
	bpf_program__set_autoload(counter->bpf->progs.calls_sample, feature__growing_maps());
	bpf_object__for_each_map(map, counter->bpf->obj)
	{
		if (!bpf_map__is_internal(map) && !is_ours(bpf_map__name(map)))
			bpf_map__set_autocreate(map, false);
	}
	counter->multi = breakpoints__has_links();
	if (counter->multi)
		bpf_program__set_expected_attach_type(counter->bpf->progs.calls_hit,
						      (enum bpf_attach_type)BREAKPOINTS_TYPE);
	return pipescope_bpf__load(counter->bpf);
}

static int tell_point(const struct call_counter *counter, const struct call_point *point)
{
	const struct ps_calls_point key = {.address = point->address, .tgid = (uint32_t)point->pid};

	return bpf_map_update_elem(bpf_map__fd(counter->bpf->maps.calls_points), &key,
				   &point->target, BPF_ANY);
}

static int attach_point(struct call_counter *counter, const struct call_point *point)
{
	struct bpf_link *link;
	int err = array__reserve(&counter->links, &counter->link_capacity,
				 sizeof(struct bpf_link *), counter->link_count + 1);

	if (err)
		return err;
	link = bpf_program__attach_uprobe(counter->bpf->progs.calls_hit, false, point->pid,
					  point->path, point->offset);
	if (link) {
		counter->links[counter->link_count++] = link;
		return 0;
	}
	/* Instructions that cannot run elsewhere; the calls are counted all the same. */
	if (point->target.kind != PS_CALLS_RETURN && point->target.kind != PS_CALLS_JUMP)
		return -errno;
	counter->refused++;
	return 0;
}

/* Points of one process and file. */
static int attach_points(struct call_counter *counter, const struct call_point *points,
			 size_t count)
{
	_cleanup_free_ uint64_t *offsets = calloc(count, sizeof(*offsets));
	int err = offsets ? 0 : -ENOMEM, fd = -ENOTSUP;

	for (size_t i = 0; i < count && !err; i++) {
		offsets[i] = points[i].offset;
		err = tell_point(counter, &points[i]);
	}
	err = err
		      ?: array__reserve(&counter->multi_fds, &counter->multi_capacity, sizeof(int),
					counter->multi_count + 1);
	err = err ?: breakpoint_guard__note(counter->guard, points->path, offsets, count);
	if (err)
		return err;
	if (counter->multi)
		fd = attach_multi(counter, points->pid, points->path, offsets, count);
	if (fd >= 0) {
		counter->multi_fds[counter->multi_count++] = fd;
		return 0;
	}
	/* One that the kernel refuses spoils all: each by itself. */
	for (size_t i = 0; i < count && !err; i++)
		err = attach_point(counter, &points[i]);
	return err;
}

static int attach_all(struct call_counter *counter, const struct call_targets *targets)
{
	size_t begin = 0, end;
	int err = 0;

	for (; begin < targets->point_count && !err; begin = end) {
		const struct call_point *points = &targets->points[begin];

		end = begin + 1;
		while (end < targets->point_count && targets->points[end].pid == points->pid &&
		       !strcmp(targets->points[end].path, points->path))
			end++;
		err = attach_points(counter, points, end - begin);
	}
	return err;
}

static int tell_pythons(struct call_counter *counter, const struct call_targets *targets)
{
	int layouts = bpf_map__fd(counter->bpf->maps.py_layouts), err = 0;
	int processes = bpf_map__fd(counter->bpf->maps.py_processes);

	for (uint32_t i = 0; i < targets->python_count && !err; i++) {
		struct ps_py_offsets offsets =
			python_layout__for_walker(&targets->pythons[i].layout);

		const struct call_python *python = &targets->pythons[i];
		const struct ps_py_process process = {.runtime = python->runtime, .offsets = i};
		const uint32_t tgid = (uint32_t)python->pid;

		err = bpf_map_update_elem(layouts, &i, &offsets, BPF_ANY);
		if (!err && python->version >= PYTHON_3_11)
			err = bpf_map_update_elem(processes, &tgid, &process, BPF_ANY);
	}
	return err;
}

static int start_sampler(struct call_counter *counter, const struct call_targets *targets)
{
	for (size_t i = 0; i < targets->python_count; i++)
		if (targets->pythons[i].version >= PYTHON_3_11 &&
		    bpf_program__autoload(counter->bpf->progs.calls_sample))
			return sampler__start(counter->bpf->progs.calls_sample, SAMPLES_HZ,
					      &counter->sampler);
	return 0;
}

int call_counter__new(const struct call_targets *targets, struct call_counter **ret_counter)
{
	struct call_counter *counter = calloc(1, sizeof(*counter));
	int err;

	if (!counter)
		return -ENOMEM;
	counter->cpus = libbpf_num_possible_cpus();
	err = counter->cpus < 0 ? counter->cpus : load(counter);
	err = err ?: breakpoint_guard__start(&counter->guard);
	err = err ?: measure_cost(counter);
	err = err ?: tell_pythons(counter, targets);
	err = err ?: attach_all(counter, targets);
	err = err ?: start_sampler(counter, targets);
	if (err) {
		call_counter__free(counter);
		return err;
	}
	*ret_counter = counter;
	return 0;
}

void call_counter__detach(struct call_counter *counter)
{
	for (size_t i = 0; i < counter->link_count; i++)
		bpf_link__destroy(counter->links[i]);
	for (size_t i = 0; i < counter->multi_count; i++)
		close(counter->multi_fds[i]);
	counter->link_count = counter->multi_count = 0;
	sampler__free(counter->sampler);
	counter->sampler = NULL;
}

void call_counter__free(struct call_counter *counter)
{
	struct base *one, *next;

	if (!counter)
		return;
	call_counter__detach(counter);
	breakpoint_guard__free(counter->guard);
	free(counter->links);
	free(counter->multi_fds);
	if (counter->bpf)
		pipescope_bpf__destroy(counter->bpf);
	HASH_ITER (hh, counter->bases, one, next) {
		HASH_DEL(counter->bases, one);
		free(one);
	}
	free(counter);
}

bool call_counter__samples(const struct call_counter *counter)
{
	return counter->sampler;
}

size_t call_counter__refused(const struct call_counter *counter)
{
	return counter->refused;
}

double call_counter__cost_ns(const struct call_counter *counter)
{
	return counter->cost_ns;
}

/* --- figures */

int call_counter__counters(const struct call_counter *counter, uint64_t *ret_values)
{
	_cleanup_free_ uint64_t *values = calloc((size_t)counter->cpus, sizeof(*values));
	int fd = bpf_map__fd(counter->bpf->maps.calls_counters);

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < PS_CALLS_COUNTER_COUNT; i++) {
		int err = bpf_map_lookup_elem(fd, &i, values);

		if (err)
			return err;
		ret_values[i] = 0;
		for (int cpu = 0; cpu < counter->cpus; cpu++)
			ret_values[i] += values[cpu];
	}
	return 0;
}

int call_counter__ignore(struct call_counter *counter, const struct ps_calls_function *function)
{
	const uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(counter->bpf->maps.calls_others), function, &one,
				   BPF_ANY);
}

static void subtract(struct ps_calls_sum *sum, const struct ps_calls_sum *base)
{
	sum->count -= base->count;
	sum->ended -= base->ended;
	sum->jumped -= base->jumped;
	sum->total_ns -= base->total_ns;
	sum->own_ns -= base->own_ns;
	sum->recursive -= base->recursive;
	sum->left -= base->left;
	sum->deep -= base->deep;
	sum->unknown -= base->unknown;
	sum->sampled -= base->sampled;
	sum->inlined -= base->inlined;
	for (size_t i = 0; i < PS_CALLS_BUCKETS; i++) {
		sum->total[i] -= base->total[i];
		sum->own[i] -= base->own[i];
	}
}

static int read_all(struct call_counter *counter, struct call_count **ret_counts, size_t *ret_count)
{
	int fd = bpf_map__fd(counter->bpf->maps.calls_sums), err = 0;
	struct ps_calls_function key, *before = NULL;
	_cleanup_free_ struct call_count *counts = NULL;
	size_t count = 0, capacity = 0;

	while (!err && count < PS_CALLS_FUNCTIONS && !bpf_map_get_next_key(fd, before, &key)) {
		err = array__reserve(&counts, &capacity, sizeof(*counts), count + 1);
		if (err)
			break;
		before = &counts[count].function;
		*before = key;
		if (!bpf_map_lookup_elem(fd, &key, &counts[count].sum))
			count++;
	}
	if (err)
		return err;
	*ret_counts = counts;
	*ret_count = count;
	counts = NULL;
	return 0;
}

int call_counter__zero(struct call_counter *counter)
{
	_cleanup_free_ struct call_count *counts = NULL;
	size_t count = 0;
	int err = read_all(counter, &counts, &count);

	for (size_t i = 0; i < count && !err; i++) {
		struct base *base = calloc(1, sizeof(*base));

		if (!base)
			return -ENOMEM;
		base->function = counts[i].function;
		base->sum = counts[i].sum;
		HASH_ADD(hh, counter->bases, function, sizeof(base->function), base);
		if (!base->hh.tbl) {
			free(base);
			return -ENOMEM;
		}
	}
	return err;
}

int call_counter__read(struct call_counter *counter, struct call_count **ret_counts,
		       size_t *ret_count)
{
	int err = read_all(counter, ret_counts, ret_count);

	for (size_t i = 0; !err && i < *ret_count; i++) {
		struct call_count *one = &(*ret_counts)[i];
		struct base *base;

		HASH_FIND(hh, counter->bases, &one->function, sizeof(one->function), base);
		if (base)
			subtract(&one->sum, &base->sum);
	}
	return err;
}
