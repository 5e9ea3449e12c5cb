// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/perf_counters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "capture/cpus.h"
#include "store/writer.h"

static const struct {
	const char *name;
	uint32_t type;
	uint64_t config;
} table[] = {
#define X(id, text, kind, event, meaning) [PS_PERF_##id] = {text, kind, event},
	PS_PERF_COUNTERS(X)
#undef X
};

struct perf_counters {
	struct perf_choice choice;
	int map_fd, cpu_count;
	struct cpus *cpus;
	int *fds; /* by place in the map; -1: none */
};

const char *perf_counter__name(enum ps_perf_counter counter)
{
	return table[counter].name;
}

struct perf_event_attr perf_counter__attr(enum ps_perf_counter counter)
{
	return (struct perf_event_attr){
		.type = table[counter].type,
		.size = sizeof(struct perf_event_attr),
		.config = table[counter].config,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
}

/* --- the choice */

static int find(const char *name, size_t size)
{
	for (int i = 0; i < PS_PERF_COUNT; i++)
		if (strlen(table[i].name) == size && !memcmp(table[i].name, name, size))
			return i;
	return -1;
}

int perf_choice__parse(const char *list, struct perf_choice *ret_choice, const char **ret_at,
		       size_t *ret_size)
{
	struct perf_choice choice = {.count = 0};

	for (const char *at = list;; at++) {
		size_t size = strcspn(at, ",");
		int counter = find(at, size);
		bool taken = false;

		for (size_t i = 0; i < choice.count; i++)
			taken |= (int)choice.counters[i] == counter;
		if (counter < 0 || taken) {
			*ret_at = at;
			*ret_size = size;
			return -EINVAL;
		}
		choice.counters[choice.count++] = (enum ps_perf_counter)counter;
		at += size;
		if (!*at)
			break;
	}
	*ret_choice = choice;
	return 0;
}

static bool is_there(enum ps_perf_counter counter)
{
	struct perf_event_attr attr = perf_counter__attr(counter);
	int fd = cpus__open_event(&attr, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void perf_choice__split(struct perf_choice *choice, struct perf_choice *ret_missing)
{
	size_t count = choice->count;

	choice->count = ret_missing->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct perf_choice *to = is_there(choice->counters[i]) ? choice : ret_missing;

		to->counters[to->count++] = choice->counters[i];
	}
}

static int write_names(struct recording_writer *writer, const char *key,
		       const struct perf_choice *choice)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	int err = -ENOMEM;

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < choice->count; i++)
		fprintf(stream, "%s%s", i ? "," : "", table[choice->counters[i]].name);
	if (!fclose(stream))
		err = recording_writer__meta(writer, key, text);
	free(text);
	return err;
}

int perf_choice__write(struct recording_writer *writer, const struct perf_choice *choice,
		       const struct perf_choice *missing)
{
	return write_names(writer, "counters", choice)
		       ?: write_names(writer, "counters_unsupported", missing);
}

/* --- one of each on every CPU */

static int change(void *context, int cpu, bool online)
{
	struct perf_counters *counters = context;

	if (cpu >= counters->cpu_count)
		return -ENODEV;
	for (size_t i = 0; i < counters->choice.count; i++) {
		uint32_t place = (uint32_t)i * (uint32_t)counters->cpu_count + (uint32_t)cpu;
		struct perf_event_attr attr = perf_counter__attr(counters->choice.counters[i]);
		int *fd = &counters->fds[place];

		if (*fd >= 0) {
			bpf_map_delete_elem(counters->map_fd, &place);
			close(*fd);
			*fd = -1;
		}
		if (!online)
			continue;
		*fd = cpus__open_event(&attr, cpu);
		if (*fd < 0)
			return *fd;
		if (bpf_map_update_elem(counters->map_fd, &place, fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

int perf_counters__start(const struct perf_choice *choice, int map_fd, int cpus,
			 struct perf_counters **ret_counters)
{
	struct perf_counters *counters = calloc(1, sizeof(*counters));
	size_t places = choice->count * (size_t)cpus;
	int err = -ENOMEM;

	if (!counters)
		return -ENOMEM;
	counters->choice = *choice;
	counters->map_fd = map_fd;
	counters->cpu_count = cpus;
	counters->fds = calloc(places + 1, sizeof(*counters->fds));
	if (counters->fds) {
		for (size_t i = 0; i < places; i++)
			counters->fds[i] = -1;
		err = cpus__new(change, counters, &counters->cpus);
	}
	if (err) {
		perf_counters__free(counters);
		return err;
	}
	*ret_counters = counters;
	return 0;
}

int perf_counters__update(struct perf_counters *counters)
{
	return counters ? cpus__update(counters->cpus) : 0;
}

void perf_counters__free(struct perf_counters *counters)
{
	if (!counters)
		return;
	cpus__free(counters->cpus);
	free(counters->fds);
	free(counters);
}
