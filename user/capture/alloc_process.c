// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/alloc_process.h"

#include <math.h>
#include <time.h>

#include <bpf/bpf.h>

uint64_t alloc_process__cpu(const struct alloc_process *process)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(process->pid, &clock) || clock_gettime(clock, &time))
		return process->cpu_ns;
	return (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
}

static double missed_hits(const struct ps_alloc_process *process)
{
	return fmax((double)process->hits[PS_ALLOC_HIT_RETURN] - (double)process->to_return, 0);
}

uint64_t alloc_process__cost(struct alloc_process *process, const struct alloc_prices *prices)
{
	struct ps_alloc_process now = {0}, *seen = &process->seen;
	uint32_t tgid = (uint32_t)process->pid;

	if (bpf_map_lookup_elem(prices->map_fd, &tgid, &now))
		return (uint64_t)process->cost_ns;
	for (size_t i = 0; i < PS_ALLOC_HITS; i++)
		process->cost_ns += (double)(now.hits[i] - seen->hits[i]) * prices->ns[i];
	/* While probes are set and go, a function that returns to one may have begun at a
	 * breakpoint that no program was told of. */
	process->cost_ns +=
		fmax(missed_hits(&now) - missed_hits(seen), 0) * prices->ns[PS_ALLOC_HIT_STEPPED];
	process->cost_ns += (double)(now.run_ns - seen->run_ns);
	process->stray_ns += (double)(now.strays - seen->strays) * prices->ns[PS_ALLOC_HIT_STEPPED];
	*seen = now;
	return (uint64_t)process->cost_ns;
}

double alloc_process__spent(struct alloc_process *process, const struct alloc_prices *prices)
{
	double cost_ns = (double)alloc_process__cost(process, prices);

	return cost_ns + process->stray_ns;
}

uint64_t alloc_process__calls(const struct alloc_process *process)
{
	return process->seen.hits[PS_ALLOC_HIT] + process->seen.hits[PS_ALLOC_HIT_STEPPED];
}

/* Of the part, when it had breakpoints last. */
static uint64_t gap_begin(const struct alloc_process *process)
{
	return process->gap_cpu > process->window_cpu ? process->gap_cpu : process->window_cpu;
}

uint64_t alloc_process__counted_cpu(const struct alloc_process *process)
{
	return process->searched ? process->cpu_ns : gap_begin(process);
}

void alloc_process__end_gap(struct alloc_process *process, const struct alloc_prices *prices)
{
	uint64_t begin = gap_begin(process);

	process->cpu_ns = alloc_process__cpu(process);
	process->window_cpu += process->cpu_ns > begin ? process->cpu_ns - begin : 0;
	alloc_process__cost(process, prices);
}
