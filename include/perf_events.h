/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of the CPU and of the kernel's perf events that can be counted per quantum and by
 * `pipescope stat`. Shared by all. */
#ifndef PIPESCOPE_PERF_EVENTS_H
#define PIPESCOPE_PERF_EVENTS_H

#define PS_PERF_CACHE(cache, result)                                                               \
	(PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 |                          \
	 PERF_COUNT_HW_CACHE_RESULT_##result << 16)

/* X(NAME, "name", type and config of perf_event_open(), "meaning"). Values of clocks are
 * nanoseconds. */
#define PS_PERF_COUNTERS(X)                                                                        \
	X(TASK_CLOCK, "task_clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, "time on a CPU") \
	X(CYCLES, "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "CPU cycles")            \
	X(INSTRUCTIONS, "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS,            \
	  "instructions")                                                                          \
	X(LLC_LOADS, "llc_loads", PERF_TYPE_HW_CACHE, PS_PERF_CACHE(LL, ACCESS),                   \
	  "loads that reached the last-level cache")                                               \
	X(LLC_MISSES, "llc_misses", PERF_TYPE_HW_CACHE, PS_PERF_CACHE(LL, MISS),                   \
	  "of these, those that missed it")                                                        \
	X(BRANCHES, "branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, "branches") \
	X(BRANCH_MISSES, "branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES,         \
	  "branches that were predicted wrongly")                                                  \
	X(L1D_LOADS, "l1d_loads", PERF_TYPE_HW_CACHE, PS_PERF_CACHE(L1D, ACCESS),                  \
	  "loads from the first data cache")                                                       \
	X(L1D_MISSES, "l1d_misses", PERF_TYPE_HW_CACHE, PS_PERF_CACHE(L1D, MISS),                  \
	  "of these, those that missed it")                                                        \
	X(PAGE_FAULTS, "page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS,               \
	  "page faults")                                                                           \
	X(CONTEXT_SWITCHES, "context_switches", PERF_TYPE_SOFTWARE,                                \
	  PERF_COUNT_SW_CONTEXT_SWITCHES, "switches between tasks")                                \
	X(MIGRATIONS, "cpu_migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS,          \
	  "moves to another CPU")

enum ps_perf_counter {
#define X(name, text, type, config, meaning) PS_PERF_##name,
	PS_PERF_COUNTERS(X)
#undef X
		PS_PERF_COUNT
};

#endif
