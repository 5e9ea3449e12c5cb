// SPDX-License-Identifier: GPL-2.0-or-later
/* A breakpoint cannot be thinned out: whoever calls the function pays for it. So time is. What was
 * spent is the number of hits times what each costs, measured on functions of our own, and the run
 * time of the programs; it may never be more than the limit of what the processes used for
 * themselves. A window begins when there is enough left for a whole one, and is over as soon as all
 * is spent: so a burst ends it. Where nothing is ever spent that fast, it stays open, and is only
 * told in parts. */
#include "capture/alloc_windows.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "capture/alloc_budget.h"
#include "capture/alloc_probes.h"
#include "capture/alloc_process.h"
#include "pipescope.skel.h"

#define MILLISECOND    1000000ULL
#define LOOK_NS	       (20 * MILLISECOND)
#define TRIAL_NS       (1000 * MILLISECOND)
#define TRIAL_COST_NS  (200 * MILLISECOND) /* ends the trial */
#define TRIAL_CPU_NS   (50 * MILLISECOND) /* below it nothing can be said */
#define WINDOW_NS      (100 * MILLISECOND)
#define PART_NS	       (1000 * MILLISECOND) /* of a window that stays open */
#define LONGEST_GAP_NS 60e9
#define MEASURE_NS     (2000 * MILLISECOND) /* between two measurements of what hits cost */
#define CREDIT_NS      1e9 /* that can be saved for a burst */
/* What counting may cost at most, of what it was found to cost in a program of ours. */
#define MOST_OF_COST 1.3
#define EMPTY_NS     (1000 * MILLISECOND) /* until processes without allocators are searched again */

struct alloc_windows {
	struct pipescope_bpf *bpf;
	struct alloc_probes *probes;
	struct alloc_targets *functions;
	struct alloc_point_list points; /* of the open window */
	struct alloc_prices prices;
	uint64_t measured_ns; /* when */
	struct alloc_budget budget;
	double gone_cpu_ns, gone_spent_ns; /* of processes that have ended */
	struct alloc_process targets[ALLOC_WINDOWS_PROCESSES];
	size_t target_count;
	uint32_t number, opening;
	uint64_t start_ns, opened_ns; /* of the part, and when the breakpoints were set */
	struct alloc_budget before; /* the window was opened */
	double slow_down; /* of an open window, as last seen */
	double certainty; /* what it cost, of the most that it may have cost */
	bool open, tried;
	uint64_t empty_until_ns; /* nobody with an allocator is expected before */
	enum alloc_state state;

	pthread_t thread;
	bool started;
	/* Below: shared. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	pid_t wanted[ALLOC_WINDOWS_PROCESSES];
	size_t wanted_count;
	struct alloc_notice notice;
	bool notice_new;
	struct alloc_window *first, **last;
};

/* --- what was spent */

/* What each hit costs changes with all else that runs. */
static int measure(struct alloc_windows *windows)
{
	double now_ns[PS_ALLOC_HITS];
	int err;

	if (windows->measured_ns && clock__ns(CLOCK_MONOTONIC) - windows->measured_ns < MEASURE_NS)
		return 0;
	err = alloc_probes__measure(windows->probes, now_ns);
	for (size_t i = 0; i < PS_ALLOC_HITS && !err; i++)
		windows->prices.ns[i] =
			windows->measured_ns ? (windows->prices.ns[i] + now_ns[i]) / 2 : now_ns[i];
	windows->measured_ns = clock__ns(CLOCK_MONOTONIC);
	return err;
}

/* What the open window may have cost at most: more than was counted, but no more than all the time
 * that was used in it. */
static double most_spent(const struct alloc_windows *windows)
{
	double counted = windows->budget.spent_ns - windows->before.spent_ns;
	double used = windows->budget.cpu_ns - windows->before.cpu_ns;

	return fmax(counted, fmin(counted * MOST_OF_COST, used));
}

static void look(struct alloc_windows *windows)
{
	windows->budget.cpu_ns = windows->gone_cpu_ns;
	windows->budget.spent_ns = windows->gone_spent_ns;
	for (size_t i = 0; i < windows->target_count; i++) {
		struct alloc_process *target = &windows->targets[i];

		target->cpu_ns = alloc_process__cpu(target);
		windows->budget.cpu_ns += (double)(target->cpu_ns - target->cpu_base);
		windows->budget.spent_ns += alloc_process__spent(target, &windows->prices);
	}
	if (windows->open)
		windows->budget.most_ns = windows->before.most_ns + most_spent(windows);
	alloc_budget__forgo(&windows->budget, CREDIT_NS);
}

/* --- whom to look at */

static size_t copy_wanted(struct alloc_windows *windows, pid_t wanted[ALLOC_WINDOWS_PROCESSES])
{
	size_t count;

	pthread_mutex_lock(&windows->lock);
	count = windows->wanted_count;
	memcpy(wanted, windows->wanted, count * sizeof(*wanted));
	pthread_mutex_unlock(&windows->lock);
	return count;
}

/* Nothing is counted any more. */
static void remove_entries(const struct alloc_windows *windows, pid_t pid)
{
	uint32_t tgid = (uint32_t)pid;

	bpf_map_delete_elem(bpf_map__fd(windows->bpf->maps.alloc_processes), &tgid);
	bpf_map_delete_elem(bpf_map__fd(windows->bpf->maps.alloc_execs), &tgid);
}

static void add_target(struct alloc_windows *windows, pid_t pid)
{
	const struct ps_alloc_process nothing = {0};
	const struct ps_alloc_exec none = {0};
	struct alloc_process *target = &windows->targets[windows->target_count];
	uint32_t tgid = (uint32_t)pid;

	if (windows->target_count == ALLOC_WINDOWS_PROCESSES ||
	    bpf_map_update_elem(bpf_map__fd(windows->bpf->maps.alloc_execs), &tgid, &none, BPF_ANY))
		return;
	if (bpf_map_update_elem(bpf_map__fd(windows->bpf->maps.alloc_processes), &tgid, &nothing,
				BPF_ANY)) {
		remove_entries(windows, pid);
		return;
	}
	*target = (struct alloc_process){.pid = pid};
	target->cpu_ns = target->cpu_base = alloc_process__cpu(target);
	target->window_cpu = target->gap_cpu = target->cpu_ns;
	windows->target_count++;
	windows->empty_until_ns = 0;
}

/* Takes out who is no longer wanted, and returns how many that were. Their breakpoints are still
 * there. */
static size_t drop_targets(struct alloc_windows *windows, pid_t dropped[ALLOC_WINDOWS_PROCESSES])
{
	pid_t wanted[ALLOC_WINDOWS_PROCESSES];
	size_t count = copy_wanted(windows, wanted), dropped_count = 0;

	for (size_t i = 0; i < windows->target_count;) {
		struct alloc_process *target = &windows->targets[i];
		bool is_wanted = false;

		for (size_t k = 0; k < count; k++)
			is_wanted |= wanted[k] == target->pid;
		if (is_wanted) {
			i++;
			continue;
		}
		windows->gone_cpu_ns += (double)(target->cpu_ns - target->cpu_base);
		windows->gone_spent_ns += alloc_process__spent(target, &windows->prices);
		remove_entries(windows, target->pid);
		dropped[dropped_count++] = target->pid;
		*target = windows->targets[--windows->target_count];
	}
	return dropped_count;
}

/* In the middle of a part nobody goes: it belongs to it. */
static void take_wanted(struct alloc_windows *windows)
{
	pid_t wanted[ALLOC_WINDOWS_PROCESSES], dropped[ALLOC_WINDOWS_PROCESSES];
	size_t count = copy_wanted(windows, wanted);

	if (!windows->open)
		drop_targets(windows, dropped);
	for (size_t i = 0; i < count; i++) {
		bool known = false;

		for (size_t k = 0; k < windows->target_count; k++)
			known |= windows->targets[k].pid == wanted[i];
		if (!known)
			add_target(windows, wanted[i]);
	}
}

/* --- breakpoints */

/* Whether it has begun another program, which has none. */
static bool has_exec(const struct alloc_windows *windows, const struct alloc_process *target,
		     struct ps_alloc_exec *ret_now)
{
	uint32_t tgid = (uint32_t)target->pid;

	return !bpf_map_lookup_elem(bpf_map__fd(windows->bpf->maps.alloc_execs), &tgid, ret_now) &&
	       ret_now->count != target->execs;
}

static bool take_exec(const struct alloc_windows *windows, struct alloc_process *target)
{
	struct ps_alloc_exec now;

	if (!has_exec(windows, target, &now))
		return false;
	target->execs = now.count;
	if (target->searched)
		target->gap_cpu = now.cpu_ns;
	target->searched = false;
	return true;
}

static void forget_programs(struct alloc_windows *windows)
{
	pid_t pids[ALLOC_WINDOWS_PROCESSES];
	size_t count = 0;

	for (size_t i = 0; i < windows->target_count; i++)
		if (take_exec(windows, &windows->targets[i]))
			pids[count++] = windows->targets[i].pid;
	if (count)
		windows->empty_until_ns = 0;
	alloc_probes__forget(windows->probes, pids, count, &windows->points);
}

/* Those of another program, behind `from`, would be set beside those of the one before. */
static void drop_points(struct alloc_point_list *list, size_t from)
{
	for (size_t i = from; i < list->count; i++)
		list->items[i].lost = true;
	alloc_point_list__sweep(list);
}

/* Of those without breakpoints, and with `again` of libraries that have been loaded. */
static int find_points(struct alloc_windows *windows, bool again, bool is_new[])
{
	int err = 0;

	for (size_t i = 0; i < windows->target_count && !err; i++) {
		struct alloc_process *target = &windows->targets[i];
		size_t from = windows->points.count;
		struct ps_alloc_exec now;

		is_new[i] = !target->searched;
		if (!is_new[i] && !again)
			continue;
		err = alloc_targets__find(windows->functions, target->pid, &windows->points);
		if (err && err != -ENOMEM) /* it has gone, or has too many */
			err = 0;
		if (has_exec(windows, target, &now))
			drop_points(&windows->points, from);
		else
			target->searched = true;
	}
	return err;
}

/* Breakpoints where there are none yet. opens: nothing is counted so far. */
static int attach(struct alloc_windows *windows, bool opens, bool again)
{
	bool is_new[ALLOC_WINDOWS_PROCESSES];
	size_t from;
	int err;

	forget_programs(windows);
	from = windows->points.count;
	err = find_points(windows, again, is_new);
	if (!err && windows->points.count > from)
		err = alloc_probes__attach(windows->probes, &windows->points, from, !opens);
	for (size_t i = 0; i < windows->target_count && !opens; i++)
		if (is_new[i] && windows->targets[i].searched)
			alloc_process__end_gap(&windows->targets[i], &windows->prices);
	return err;
}

/* --- windows */

/* opens: the breakpoints have just been set. Else it goes on from what the part before ended with:
 * what is counted in between belongs to one of them. */
static void begin_part(struct alloc_windows *windows, bool opens)
{
	windows->start_ns = clock__ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < windows->target_count; i++) {
		struct alloc_process *target = &windows->targets[i];
		uint64_t edge_begin = target->edge_cost;

		target->edge_cost = 0;
		if (opens) {
			target->cpu_ns = alloc_process__cpu(target);
			target->edge_cost =
				alloc_process__cost(target, &windows->prices) - edge_begin;
		}
		target->window_cpu = target->cpu_ns;
		target->window_cost = (uint64_t)target->cost_ns;
		target->window_hits = alloc_process__calls(target);
	}
	windows->bpf->bss->alloc_window = ++windows->number;
}

/* Nothing runs in the programs. */
static void begin_edge(struct alloc_windows *windows, struct alloc_process *target)
{
	int processes = bpf_map__fd(windows->bpf->maps.alloc_processes);
	struct ps_alloc_process process;
	uint32_t tgid = (uint32_t)target->pid;

	target->edge_cost = alloc_process__cost(target, &windows->prices);
	if (bpf_map_lookup_elem(processes, &tgid, &process))
		return;
	process.held_bytes = process.held_peak = 0;
	bpf_map_update_elem(processes, &tgid, &process, BPF_EXIST);
}

static int open_window(struct alloc_windows *windows)
{
	int err;

	for (size_t i = 0; i < windows->target_count; i++)
		windows->targets[i].searched = false;
	windows->bpf->bss->alloc_opening = ++windows->opening;
	windows->bpf->bss->alloc_watched_until = 0;
	windows->opened_ns = clock__ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < windows->target_count; i++)
		begin_edge(windows, &windows->targets[i]);
	/* Nothing is counted before all breakpoints are there: what is given is seen to go. */
	windows->open = true;
	err = attach(windows, true, false);
	if (!err && windows->points.count)
		begin_part(windows, true);
	return err;
}

static struct alloc_window *end_part(struct alloc_windows *windows, bool closed)
{
	struct alloc_window *window = calloc(1, sizeof(*window));

	if (!window)
		return NULL;
	window->number = windows->number;
	window->start_ns = windows->start_ns;
	window->end_ns = clock__ns(CLOCK_MONOTONIC);
	window->closed = closed;
	for (size_t i = 0; i < windows->target_count; i++) {
		struct alloc_process *target = &windows->targets[i];
		struct alloc_window_process *process = &window->processes[i];
		int64_t peak;

		take_exec(windows, target);
		target->cpu_ns = alloc_process__cpu(target);
		process->pid = target->pid;
		process->cpu_ns = alloc_process__counted_cpu(target) - target->window_cpu;
		process->cost_ns =
			alloc_process__cost(target, &windows->prices) - target->window_cost;
		process->edge_ns = target->edge_cost;
		process->hits = alloc_process__calls(target) - target->window_hits;
		peak = (int64_t)target->seen.held_peak;
		process->held_peak = peak > 0 ? (uint64_t)peak : 0;
	}
	window->process_count = windows->target_count;
	return window;
}

static void hand_over(struct alloc_windows *windows, struct alloc_window *window)
{
	pthread_mutex_lock(&windows->lock);
	*windows->last = window;
	windows->last = &window->next;
	pthread_mutex_unlock(&windows->lock);
}

/* The part is over, the breakpoints stay. Programs that have just begun may still count for it. */
static int roll(struct alloc_windows *windows)
{
	const struct timespec pause = {.tv_nsec = (long)(LOOK_NS / 4)};
	struct alloc_window *window = end_part(windows, false);
	pid_t dropped[ALLOC_WINDOWS_PROCESSES];
	size_t count;
	int err;

	if (!window)
		return -ENOMEM;
	/* What takes time comes later: whatever is counted belongs to a part. */
	count = drop_targets(windows, dropped);
	begin_part(windows, false);
	nanosleep(&pause, NULL);
	err = alloc_window__take_sums(window, bpf_map__fd(windows->bpf->maps.alloc_sums));
	hand_over(windows, window);
	alloc_probes__forget(windows->probes, dropped, count, &windows->points);
	err = err ?: measure(windows);
	return err ?: attach(windows, false, true);
}

/* What was hit while the breakpoints went. */
static void add_edges(struct alloc_windows *windows, struct alloc_window *window)
{
	for (size_t i = 0; i < window->process_count; i++) {
		struct alloc_process *target = &windows->targets[i];

		window->processes[i].edge_ns += alloc_process__cost(target, &windows->prices) -
						target->window_cost - window->processes[i].cost_ns;
	}
}

static int close_window(struct alloc_windows *windows)
{
	struct alloc_window *window;
	int err;

	windows->bpf->bss->alloc_window = 0;
	window = end_part(windows, true);
	alloc_probes__detach(windows->probes);
	look(windows);
	windows->open = false;
	alloc_point_list__clear(&windows->points);
	if (!window)
		return -ENOMEM;
	add_edges(windows, window);
	err = alloc_window__take_sums(window, bpf_map__fd(windows->bpf->maps.alloc_sums));
	err = err
		      ?: alloc_window__take_blocks(window,
						   bpf_map__fd(windows->bpf->maps.alloc_blocks));
	hand_over(windows, window);
	return err;
}

/* --- the thread */

/* Sleeps, at most for ns. False: it is over. */
static bool rest(struct alloc_windows *windows, uint64_t ns)
{
	struct timespec until;
	uint64_t at;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	at = (uint64_t)until.tv_sec * 1000000000ULL + (uint64_t)until.tv_nsec + ns;
	until.tv_sec = (time_t)(at / 1000000000ULL);
	until.tv_nsec = (long)(at % 1000000000ULL);
	pthread_mutex_lock(&windows->lock);
	if (!windows->stop)
		pthread_cond_timedwait(&windows->wake, &windows->lock, &until);
	stop = windows->stop;
	pthread_mutex_unlock(&windows->lock);
	return !stop;
}

static void tell(struct alloc_windows *windows, const struct alloc_notice *notice)
{
	pthread_mutex_lock(&windows->lock);
	windows->notice = *notice;
	windows->notice_new = true;
	pthread_mutex_unlock(&windows->lock);
}

/* Until the session has said what is to be expected. */
static void await_telling(struct alloc_windows *windows)
{
	bool waiting = true;

	while (waiting && rest(windows, LOOK_NS)) {
		pthread_mutex_lock(&windows->lock);
		waiting = windows->notice_new;
		pthread_mutex_unlock(&windows->lock);
	}
}

/* What the window has shown. */
static void learn(struct alloc_windows *windows)
{
	const struct alloc_budget *before = &windows->before;
	double spent = windows->budget.spent_ns - before->spent_ns;
	double most = windows->budget.most_ns - before->most_ns;
	double own = alloc_budget__own(windows->budget.cpu_ns - before->cpu_ns, spent);

	windows->slow_down = own > 0 ? spent / own : 0;
	windows->certainty = most > 0 ? spent / most : 1;
}

/* What will be spent when all is spent that may be: windows count with the most that they may cost.
 */
static double limit_expected(const struct alloc_windows *windows)
{
	return windows->budget.limit * windows->certainty;
}

static void expect(struct alloc_windows *windows, struct alloc_notice *notice)
{
	double limit = limit_expected(windows), share;

	notice->slow_down = windows->slow_down * 100;
	share = alloc_budget__share(windows->slow_down, limit);
	notice->share = share * 100;
	notice->predicted = 100 * (share < 1 ? limit : windows->slow_down);
}

static bool is_affordable(const struct alloc_windows *windows)
{
	double share = windows->slow_down / (1 + windows->slow_down);

	return alloc_budget__left(&windows->budget) > share * (double)WINDOW_NS;
}

/* Of who sleeps nothing can be said, and it costs nothing. */
static bool trial_goes_on(const struct alloc_windows *windows)
{
	bool slept = windows->budget.cpu_ns - windows->before.cpu_ns < (double)TRIAL_CPU_NS;

	return (slept || clock__ns(CLOCK_MONOTONIC) - windows->opened_ns < TRIAL_NS) &&
	       windows->budget.spent_ns - windows->before.spent_ns < (double)TRIAL_COST_NS;
}

/* What it has shown. */
static void end_trial(struct alloc_windows *windows)
{
	struct alloc_notice notice = {.state = ALLOC_PREDICTED};
	double hits = 0, spent = windows->budget.spent_ns, own = windows->budget.cpu_ns - spent;
	double doubt = 2 * PS_ALLOC_COST_ERROR * spent;

	windows->tried = true;
	learn(windows);
	notice.trial_s = (double)(clock__ns(CLOCK_MONOTONIC) - windows->opened_ns) / 1e9;
	for (size_t i = 0; i < windows->target_count; i++)
		hits += (double)alloc_process__calls(&windows->targets[i]);
	expect(windows, &notice);
	notice.at_least = own < doubt;
	if (notice.at_least) {
		own += doubt;
		notice.slow_down = own > 0 ? 100 * spent / own : 0;
	}
	notice.calls = own > 0 ? hits / own * 1e9 : 0;
	if (notice.share < 100 && (double)WINDOW_NS / notice.share * 100 > LONGEST_GAP_NS)
		notice.state = ALLOC_STOPPED;
	windows->state = notice.share < 100 ? notice.state : ALLOC_ALWAYS;
	tell(windows, &notice);
}

/* Whether the open window may stay open. */
static bool may_go_on(struct alloc_windows *windows)
{
	look(windows);
	if (windows->tried)
		return alloc_budget__left(&windows->budget) > 0;
	if (trial_goes_on(windows))
		return true;
	end_trial(windows);
	return windows->state == ALLOC_ALWAYS;
}

/* One window, from its first breakpoint to its last. */
static int run_window(struct alloc_windows *windows)
{
	int err;

	look(windows);
	windows->before = windows->budget;
	err = open_window(windows);
	if (!err && !windows->points.count) { /* nobody has an allocator yet */
		windows->open = false;
		windows->empty_until_ns = clock__ns(CLOCK_MONOTONIC) + EMPTY_NS;
		return 0;
	}
	while (!err) {
		windows->bpf->bss->alloc_watched_until =
			clock__ns(CLOCK_MONOTONIC) + LOOK_NS - PS_ALLOC_SOON_NS;
		if (!rest(windows, LOOK_NS) || !may_go_on(windows))
			break; /* closed below */
		take_wanted(windows);
		err = attach(windows, false, false);
		if (!err && clock__ns(CLOCK_MONOTONIC) - windows->start_ns >= PART_NS &&
		    windows->tried)
			err = roll(windows);
	}
	return close_window(windows) ?: err;
}

static void tell_state(struct alloc_windows *windows, enum alloc_state now)
{
	struct alloc_notice notice = {.state = now};

	if (windows->state == now)
		return;
	windows->state = now;
	expect(windows, &notice);
	tell(windows, &notice);
}

/* None of them had an allocator a moment ago, and none has begun another program since. */
static bool is_empty(struct alloc_windows *windows)
{
	forget_programs(windows);
	return clock__ns(CLOCK_MONOTONIC) < windows->empty_until_ns;
}

static int run(struct alloc_windows *windows)
{
	int err = 0;

	while (!err && rest(windows, LOOK_NS)) {
		bool tried = windows->tried;

		take_wanted(windows);
		look(windows);
		if (!windows->target_count || is_empty(windows))
			continue;
		if (tried && !is_affordable(windows)) {
			if (windows->slow_down > limit_expected(windows))
				tell_state(windows, ALLOC_THINNED);
			continue;
		}
		err = measure(windows) ?: run_window(windows);
		if (!tried && windows->tried && windows->state != ALLOC_ALWAYS) {
			await_telling(windows);
			if (windows->state == ALLOC_STOPPED)
				return 0;
			windows->state = ALLOC_THINNED;
		}
		if (windows->budget.cpu_ns - windows->before.cpu_ns > (double)LOOK_NS)
			learn(windows);
	}
	return err;
}

static void *thread_main(void *context)
{
	struct alloc_windows *windows = context;
	int err = measure(windows) ?: run(windows);

	if (windows->open)
		close_window(windows);
	if (err)
		tell(windows, &(struct alloc_notice){.state = ALLOC_FAILED, .error = err});
	return NULL;
}

/* --- for the session */

void alloc_windows__set_processes(struct alloc_windows *windows, const pid_t *pids, size_t count)
{
	if (count > ALLOC_WINDOWS_PROCESSES)
		count = ALLOC_WINDOWS_PROCESSES;
	pthread_mutex_lock(&windows->lock);
	memcpy(windows->wanted, pids, count * sizeof(*pids));
	windows->wanted_count = count;
	pthread_mutex_unlock(&windows->lock);
}

bool alloc_windows__notice(struct alloc_windows *windows, struct alloc_notice *ret_notice)
{
	bool is_new;

	pthread_mutex_lock(&windows->lock);
	is_new = windows->notice_new;
	windows->notice_new = false;
	*ret_notice = windows->notice;
	pthread_mutex_unlock(&windows->lock);
	return is_new;
}

struct alloc_window *alloc_windows__take(struct alloc_windows *windows)
{
	struct alloc_window *window;

	pthread_mutex_lock(&windows->lock);
	window = windows->first;
	if (window) {
		windows->first = window->next;
		if (!windows->first)
			windows->last = &windows->first;
	}
	pthread_mutex_unlock(&windows->lock);
	return window;
}

void alloc_windows__stop(struct alloc_windows *windows)
{
	if (!windows->started)
		return;
	pthread_mutex_lock(&windows->lock);
	windows->stop = true;
	pthread_cond_signal(&windows->wake);
	pthread_mutex_unlock(&windows->lock);
	pthread_join(windows->thread, NULL);
	windows->started = false;
}

const struct alloc_function *alloc_windows__function(const struct alloc_windows *windows,
						     uint32_t number)
{
	return alloc_targets__function(windows->functions, number);
}

int alloc_windows__new(struct pipescope_bpf *bpf, double max_overhead, bool python,
		       struct alloc_windows **ret_windows)
{
	struct alloc_windows *windows = calloc(1, sizeof(*windows));
	pthread_condattr_t attributes;
	int err;

	if (!windows)
		return -ENOMEM;
	windows->bpf = bpf;
	windows->prices.map_fd = bpf_map__fd(bpf->maps.alloc_processes);
	windows->budget.limit = max_overhead / 100;
	windows->last = &windows->first;
	pthread_mutex_init(&windows->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&windows->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	windows->functions = alloc_targets__new(python);
	windows->probes = alloc_probes__new(bpf);
	err = windows->functions && windows->probes ? 0 : -ENOMEM;
	if (!err)
		err = -pthread_create(&windows->thread, NULL, thread_main, windows);
	windows->started = !err;
	if (err) {
		alloc_windows__free(windows);
		return err;
	}
	*ret_windows = windows;
	return 0;
}

void alloc_windows__free(struct alloc_windows *windows)
{
	struct alloc_window *window;

	if (!windows)
		return;
	alloc_windows__stop(windows);
	while ((window = alloc_windows__take(windows)))
		alloc_window__free(window);
	alloc_point_list__clear(&windows->points);
	alloc_probes__free(windows->probes);
	alloc_targets__free(windows->functions);
	pthread_cond_destroy(&windows->wake);
	pthread_mutex_destroy(&windows->lock);
	free(windows);
}
