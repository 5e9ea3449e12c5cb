// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/live_counters.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "capture/cpus.h"
#include "capture/perf_counters.h"

struct live_event {
	enum ps_perf_counter counter;
	int fd;
};

struct live_counters {
	struct live_event *events;
	size_t count, capacity;
	bool missing[PS_PERF_COUNT];
	bool on_exec;
	struct cpus *cpus; /* of the node */
};

static bool is_unsupported(int err)
{
	return err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV || err == -ENXIO ||
	       err == -EINVAL;
}

static int open_event(const struct live_counters *counters, enum ps_perf_counter counter, pid_t tid,
		      int cpu)
{
	struct perf_event_attr attr = perf_counter__attr(counter);
	long fd;

	attr.inherit = tid >= 0;
	attr.disabled = attr.enable_on_exec = counters->on_exec;
	fd = syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/* All counters of one thread (cpu -1) or of one CPU (tid -1). */
static int add(struct live_counters *counters, pid_t tid, int cpu)
{
	for (int i = 0; i < PS_PERF_COUNT; i++) {
		enum ps_perf_counter counter = (enum ps_perf_counter)i;
		int fd, err;

		if (counters->missing[i])
			continue;
		err = array__reserve(&counters->events, &counters->capacity,
				     sizeof(*counters->events), counters->count + 1);
		if (err)
			return err;
		fd = open_event(counters, counter, tid, cpu);
		if (fd < 0 && !is_unsupported(fd))
			return fd;
		if (fd < 0)
			counters->missing[i] = true;
		else
			counters->events[counters->count++] = (struct live_event){counter, fd};
	}
	return 0;
}

static int add_process(struct live_counters *counters, pid_t pid)
{
	size_t before = counters->count;
	const struct dirent *entry;
	char path[64];
	int err = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && (entry = readdir(tasks))) {
		char *end;
		long tid = strtol(entry->d_name, &end, 10);

		if (end == entry->d_name || *end)
			continue;
		err = add(counters, (pid_t)tid, -1);
		if (err == -ESRCH) /* this thread has just ended */
			err = 0;
	}
	closedir(tasks);
	return err ?: counters->count == before ? -ESRCH : 0;
}

static struct live_counters *new_counters(void)
{
	struct live_counters *counters = calloc(1, sizeof(*counters));
	struct rlimit files;

	/* A descriptor for each thread and counter. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return counters;
}

int live_counters__of_processes(const pid_t *pids, size_t pid_count, bool on_exec,
				struct live_counters **ret_counters)
{
	struct live_counters *counters = new_counters();
	int err = 0;

	if (!counters)
		return -ENOMEM;
	counters->on_exec = on_exec;
	for (size_t i = 0; i < pid_count && !err; i++)
		err = add_process(counters, pids[i]);
	if (err) {
		live_counters__free(counters);
		return err;
	}
	*ret_counters = counters;
	return 0;
}

/* A cpus_change. What a CPU has counted stays when it goes. */
static int add_cpu(void *context, int cpu, bool online)
{
	return online ? add(context, -1, cpu) : 0;
}

int live_counters__of_node(struct live_counters **ret_counters)
{
	struct live_counters *counters = new_counters();
	int err;

	if (!counters)
		return -ENOMEM;
	err = cpus__new(add_cpu, counters, &counters->cpus);
	if (err) {
		live_counters__free(counters);
		return err;
	}
	*ret_counters = counters;
	return 0;
}

void live_counters__free(struct live_counters *counters)
{
	if (!counters)
		return;
	cpus__free(counters->cpus);
	for (size_t i = 0; i < counters->count; i++)
		close(counters->events[i].fd);
	free(counters->events);
	free(counters);
}

int live_counters__read(const struct live_counters *counters, struct live_sum *ret_sums)
{
	struct live_sum sums[PS_PERF_COUNT] = {0};

	for (int i = 0; i < PS_PERF_COUNT; i++)
		sums[i].supported = !counters->missing[i];
	for (size_t i = 0; i < counters->count; i++) {
		struct live_sum *sum = &sums[counters->events[i].counter];
		uint64_t figures[3]; /* see perf_counter__attr() */
		ssize_t size = read(counters->events[i].fd, figures, sizeof(figures));

		if (size < 0)
			return -errno;
		if (size != sizeof(figures)) /* its CPU has gone */
			continue;
		sum->value += figures[0];
		sum->enabled_ns += figures[1];
		sum->running_ns += figures[2];
	}
	memcpy(ret_sums, sums, sizeof(sums));
	return 0;
}
