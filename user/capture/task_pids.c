// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/task_pids.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "proc/facts.h"
#include "proc/rules.h"
#include "wire.h"

#define STAT_LIMIT	4096 /* bytes */
#define MOST_ANCESTORS	64 /* whose names are asked for one process's */
#define KERNEL_THREADER 2 /* the parent of the kernel's threads */

struct found {
	pid_t pid, parent;
	bool named;
	struct identity identity;
};

struct finding {
	struct rules *rules;
	struct found *items; /* by pid */
	size_t count, capacity;
};

static int by_pid(const void *one, const void *other)
{
	const struct found *a = one, *b = other;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

/* 0: it has none, or is gone. */
static pid_t parent_of(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	const char *end;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file__read(path, STAT_LIMIT, &text, NULL))
		return 0;
	end = strrchr(text, ')'); /* a command's name may hold anything */
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

static int list(struct finding *finding)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	int err = folder ? 0 : -errno;

	while (!err && (entry = readdir(folder))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid <= 0)
			continue;
		err = array__reserve(&finding->items, &finding->capacity, sizeof(*finding->items),
				     finding->count + 1);
		if (!err)
			finding->items[finding->count++] =
				(struct found){.pid = pid, .parent = parent_of(pid)};
	}
	if (folder)
		closedir(folder);
	if (finding->count > 1)
		qsort(finding->items, finding->count, sizeof(*finding->items), by_pid);
	return err;
}

static struct found *find(const struct finding *finding, pid_t pid)
{
	const struct found key = {.pid = pid};

	return bsearch(&key, finding->items, finding->count, sizeof(key), by_pid);
}

/* NAME=value strings; '=' becomes NUL. */
static size_t split(char *text, size_t size, struct environment_variable *variables)
{
	size_t count = 0;

	for (size_t at = 0; at < size && count < RULES_ENVIRONMENT_MAX;) {
		size_t length = strnlen(text + at, size - at);
		char *equals = memchr(text + at, '=', length);

		if (at + length == size) /* cut off */
			break;
		if (equals) {
			*equals = '\0';
			variables[count++] = (struct environment_variable){text + at, equals + 1};
		}
		at += length + 1;
	}
	return count;
}

/* What cannot be read of a process is not known of it. */
static int name(struct finding *finding, struct found *one, const struct found *parent)
{
	_cleanup_free_ char *arguments = NULL, *environment = NULL, *cgroup = NULL;
	struct environment_variable variables[RULES_ENVIRONMENT_MAX];
	size_t size = 0, count;
	const char *const *names = rules__environment_names(finding->rules, &count);
	struct process_facts facts = {.environment = variables};
	char comm[PS_COMM_SIZE];

	facts__comm(one->pid, comm, sizeof(comm));
	facts.comm = comm;
	if (!facts__environment(one->pid, names, count, &environment, &size))
		facts.environment_count = split(environment, size, variables);
	facts__arguments(one->pid, PS_MAX_ARGS, &arguments, &facts.arguments_size);
	facts__cgroup(one->pid, &cgroup);
	facts.arguments = arguments;
	facts.cgroup = cgroup;
	facts.parent = parent && parent->named ? &parent->identity : NULL;
	one->named = true;
	return rules__identify(finding->rules, &facts, &one->identity);
}

/* Ancestors first: rules may ask for the parent's name. */
static int name_with_ancestors(struct finding *finding, struct found *one)
{
	struct found *line[MOST_ANCESTORS];
	size_t count = 0;
	int err = 0;

	for (struct found *at = one; at && !at->named && count < MOST_ANCESTORS;
	     at = find(finding, at->parent))
		line[count++] = at;
	while (count-- && !err)
		err = name(finding, line[count], find(finding, line[count]->parent));
	return err;
}

int task_pids__find(struct rules *rules, task_wanted *wanted, void *context, pid_t **ret_pids,
		    size_t *ret_count)
{
	struct finding finding = {.rules = rules};
	size_t count = 0;
	pid_t *pids = NULL;
	int err = list(&finding);

	if (!err)
		pids = calloc(finding.count + 1, sizeof(*pids));
	if (!err && !pids)
		err = -ENOMEM;
	for (size_t i = 0; i < finding.count && !err; i++) {
		struct found *one = &finding.items[i];

		if (one->pid == getpid() || one->pid == KERNEL_THREADER ||
		    one->parent == KERNEL_THREADER)
			continue;
		err = name_with_ancestors(&finding, one);
		if (!err && wanted(context, one->identity.task))
			pids[count++] = one->pid;
	}
	free(finding.items);
	if (err) {
		free(pids);
		return err;
	}
	*ret_pids = pids;
	*ret_count = count;
	return 0;
}
