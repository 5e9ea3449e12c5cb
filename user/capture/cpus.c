// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/cpus.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define ONLINE_FILE  "/sys/devices/system/cpu/online"
#define ONLINE_LIMIT 65536
#define MAX_CPUS     8192 /* the kernel's own limit on x86-64 */

struct cpus {
	cpus_change *change;
	void *context;
	bool online[MAX_CPUS];
};

/* A list of ranges: "0-3,8,10-11". */
static int read_online(bool *ret_online)
{
	_cleanup_free_ char *text = NULL;
	const char *at;
	int err = file__read(ONLINE_FILE, ONLINE_LIMIT, &text, NULL);

	if (err)
		return err;
	for (at = text; *at && *at != '\n';) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			return -EBADMSG;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= MAX_CPUS)
			return -EBADMSG;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			ret_online[cpu] = true;
		at = *end == ',' ? end + 1 : end;
		if (at == end && *end && *end != '\n')
			return -EBADMSG;
	}
	return 0;
}

int cpus__update(struct cpus *cpus)
{
	bool online[MAX_CPUS] = {};
	int err = read_online(online);

	if (err)
		return err;
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (online[cpu] == cpus->online[cpu])
			continue;
		err = cpus->change(cpus->context, cpu, online[cpu]);
		if (err == -ENODEV)
			continue;
		if (err)
			return err;
		cpus->online[cpu] = online[cpu];
	}
	return 0;
}

int cpus__new(cpus_change *change, void *context, struct cpus **ret_cpus)
{
	struct cpus *cpus = calloc(1, sizeof(*cpus));
	int err;

	if (!cpus)
		return -ENOMEM;
	cpus->change = change;
	cpus->context = context;
	err = cpus__update(cpus);
	if (err) {
		cpus__free(cpus);
		return err;
	}
	*ret_cpus = cpus;
	return 0;
}

void cpus__free(struct cpus *cpus)
{
	if (!cpus)
		return;
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (cpus->online[cpu])
			cpus->change(cpus->context, cpu, false);
	free(cpus);
}

int cpus__open_event(struct perf_event_attr *attr, int cpu)
{
	attr->size = sizeof(*attr);
	long fd = syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}
