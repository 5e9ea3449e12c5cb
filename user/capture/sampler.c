// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/array.h"
#include "capture/cpus.h"

#define NS_PER_S 1000000000ULL

struct sampler {
	const struct bpf_program *program;
	struct perf_event_attr attr;
	unsigned int hz; /* 0: at each event */
	struct cpus *cpus;
	struct bpf_link **links; /* by CPU */
	size_t capacity;
};

int sampler__has_cycles(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.freq = 1,
		.sample_freq = 1,
		.disabled = 1,
	};
	int fd = cpus__open_event(&attr, 0);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

/* The period of a CPU's software clock. Were all the same, then all CPUs would be sampled at the
 * same moment for ever: one's new stack wakes the recorder, and another's sample, a little later,
 * finds the recorder each time instead of the job it has displaced. So the clocks drift past each
 * other, by up to 1 %, CPUs near in number most. */
static uint64_t clock_period_ns(unsigned int hz, int cpu)
{
	uint64_t period_ns = NS_PER_S / hz, parts = ((uint64_t)cpu * 618 + 500) % 1000;

	return period_ns - period_ns / 200 + period_ns / 100 * parts / 1000;
}

static int change(void *context, int cpu, bool online)
{
	struct sampler *sampler = context;
	int fd, err;

	err = array__reserve(&sampler->links, &sampler->capacity, sizeof(*sampler->links),
			     (size_t)cpu + 1);
	if (err)
		return err;
	if (!online) {
		bpf_link__destroy(sampler->links[cpu]);
		sampler->links[cpu] = NULL;
		return 0;
	}
	if (sampler->hz && !sampler->attr.freq)
		sampler->attr.sample_period = clock_period_ns(sampler->hz, cpu);
	fd = cpus__open_event(&sampler->attr, cpu);
	if (fd < 0)
		return fd;
	sampler->links[cpu] = bpf_program__attach_perf_event(sampler->program, fd);
	if (!sampler->links[cpu]) {
		err = -errno;
		close(fd);
	}
	return err;
}

static int start(const struct bpf_program *program, const struct perf_event_attr *attr,
		 unsigned int hz, struct sampler **ret_sampler)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	int err;

	if (!sampler)
		return -ENOMEM;
	sampler->program = program;
	sampler->attr = *attr;
	sampler->hz = hz;
	err = cpus__new(change, sampler, &sampler->cpus);
	if (err) {
		sampler__free(sampler);
		return err;
	}
	*ret_sampler = sampler;
	return 0;
}

int sampler__start(const struct bpf_program *program, unsigned int hz, struct sampler **ret_sampler)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.exclude_idle = 1,
	};

	if (sampler__has_cycles()) {
		attr.freq = 1;
		attr.sample_freq = hz;
		attr.type = PERF_TYPE_HARDWARE;
		attr.config = PERF_COUNT_HW_CPU_CYCLES;
	}
	return start(program, &attr, hz, ret_sampler);
}

int sampler__start_faults(const struct bpf_program *program, struct sampler **ret_sampler)
{
	const struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_PAGE_FAULTS_MAJ,
		.sample_period = 1,
	};

	return start(program, &attr, 0, ret_sampler);
}

int sampler__update(struct sampler *sampler)
{
	return cpus__update(sampler->cpus);
}

const char *sampler__event_name(const struct sampler *sampler)
{
	return sampler->attr.type == PERF_TYPE_HARDWARE ? "cycles" : "cpu-clock";
}

void sampler__free(struct sampler *sampler)
{
	if (!sampler)
		return;
	cpus__free(sampler->cpus);
	free(sampler->links);
	free(sampler);
}
