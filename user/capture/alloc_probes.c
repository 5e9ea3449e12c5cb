// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the kernel takes many breakpoints of one file at once (Linux 6.6), one link has them all:
 * then they go in one go, while perf events wait for each other for some milliseconds each. Probes
 * where functions return are set first, so that no call is met without its return. */
#include "capture/alloc_probes.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/array.h"
#include "base/clock.h"
#include "capture/breakpoint_guard.h"
#include "capture/breakpoints.h"
#include "pipescope.skel.h"

#define COST_CALLS   50 /* of our own functions, for measuring */
#define COST_ROUNDS  9
#define COST_MEMORY  8192 /* words that are used between them; a power of 2 */
#define COST_TOUCHES 64
/* In other programs a breakpoint costs more than in a loop of ours: 1.0 to 1.1 times as much in
 * programs that knew how much they had done (tests/overhead/alloc.sh). */
#define COST_ELSEWHERE 1.05
#define LINK_POINTS    64 /* in one link */
#define CLOSERS	       32 /* links that go at a time */

struct link {
	struct bpf_link *event; /* NULL: fd is the link */
	int fd;
	pid_t pid;
};

struct link_list {
	struct link *items;
	size_t count, capacity;
};

struct alloc_probes {
	struct pipescope_bpf *bpf;
	struct breakpoint_guard *guard;
	bool multi;
	struct link_list links;
	struct link_list own; /* in this program, for measuring */
};

/* Distances of a Poisson process: the mean of each of so many equally probable parts of the
 * exponential distribution, whose own mean is then exactly 1. */
static void fill_draws(uint32_t *draws)
{
	double before = 0, sum = 0;

	for (int i = 0; i < PS_ALLOC_DRAWS; i++) {
		/* of -x ln x + x, the integral of -ln x, between i and i + 1 */
		double x = (double)(i + 1) / PS_ALLOC_DRAWS, upto = x - x * log(x);

		draws[i] = (uint32_t)lround((upto - before) * PS_ALLOC_DRAWS * PS_ALLOC_DRAW_UNIT);
		sum += draws[i];
		before = upto;
	}
	draws[0] += (uint32_t)((double)PS_ALLOC_DRAWS * PS_ALLOC_DRAW_UNIT - sum);
}

static const char *const own_maps[] = {"alloc_points", "alloc_sums",	   "alloc_processes",
				       "alloc_execs",  "alloc_blocks",	   "alloc_threads",
				       "alloc_cpus",   "alloc_next_points"};

void alloc_probes__choose(struct pipescope_bpf *bpf, double period_bytes)
{
	enum bpf_attach_type type = (enum bpf_attach_type)BREAKPOINTS_TYPE;

	bpf_program__set_autoload(bpf->progs.alloc_enter, true);
	bpf_program__set_autoload(bpf->progs.alloc_return, true);
	bpf_program__set_autoload(bpf->progs.alloc_exec, true);
	for (size_t i = 0; i < sizeof(own_maps) / sizeof(own_maps[0]); i++)
		bpf_map__set_autocreate(bpf_object__find_map_by_name(bpf->obj, own_maps[i]), true);
	fill_draws((uint32_t *)bpf->rodata->alloc_draws);
	bpf->data->alloc_period_bytes = (uint64_t)period_bytes;
	if (breakpoints__has_links()) {
		bpf_program__set_expected_attach_type(bpf->progs.alloc_enter, type);
		bpf_program__set_expected_attach_type(bpf->progs.alloc_return, type);
	}
}

/* --- links */

static int keep_link(struct link_list *list, struct link link)
{
	int err = array__reserve(&list->items, &list->capacity, sizeof(*list->items),
				 list->count + 1);

	if (!err) {
		list->items[list->count++] = link;
		return 0;
	}
	if (link.event)
		bpf_link__destroy(link.event);
	else
		close(link.fd);
	return err;
}

static void *close_link(void *context)
{
	const struct link *link = context;

	if (link->event)
		bpf_link__destroy(link->event);
	else
		close(link->fd);
	return NULL;
}

/* Each waits until no CPU can be in its program any more, some 40 ms, and only what it begins with
 * takes breakpoints away: one after the other, the last would be hit all that time. */
static void close_links(struct link *links, size_t count)
{
	pthread_t threads[CLOSERS];
	bool started[CLOSERS];

	for (size_t i = 0; i < count; i++) {
		started[i] = !pthread_create(&threads[i], NULL, close_link, &links[i]);
		if (!started[i])
			close_link(&links[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
}

static bool is_among(pid_t pid, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Of these processes; NULL: of all. */
static void drop_links(struct link_list *list, const pid_t *pids, size_t pid_count)
{
	struct link dropped[CLOSERS];
	size_t kept = 0, count = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (pids && !is_among(list->items[i].pid, pids, pid_count)) {
			list->items[kept++] = list->items[i];
			continue;
		}
		dropped[count++] = list->items[i];
		if (count == CLOSERS) {
			close_links(dropped, count);
			count = 0;
		}
	}
	close_links(dropped, count);
	list->count = kept;
}

/* Breakpoints of one process in one file. */
static int attach_some(struct alloc_probes *probes, struct link_list *list, bool at_return,
		       pid_t pid, const char *path, const uint64_t *offsets, size_t count)
{
	const struct bpf_program *program =
		at_return ? probes->bpf->progs.alloc_return : probes->bpf->progs.alloc_enter;
	int err = breakpoint_guard__note(probes->guard, path, offsets, count);

	if (!err && probes->multi && count) {
		int fd = breakpoints__link(bpf_program__fd(program), at_return, pid, path, offsets,
					   count);

		return fd < 0 ? fd : keep_link(list, (struct link){.fd = fd, .pid = pid});
	}
	for (size_t i = 0; i < count && !err; i++) {
		struct bpf_link *event =
			bpf_program__attach_uprobe(program, at_return, pid, path, offsets[i]);

		err = event ? keep_link(list, (struct link){event, -1, pid}) : -errno;
	}
	return err;
}

static bool returns(uint32_t kind)
{
	return kind != PS_ALLOC_FREE && kind != PS_ALLOC_NEW && kind != PS_ALLOC_DELETE;
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) && errno == ESRCH;
}

/* The points from `first` on that one link can have: of one process and one file. */
static size_t count_together(const struct alloc_point_list *list, size_t first)
{
	const struct alloc_point *one = &list->items[first];
	size_t count = 1;

	while (first + count < list->count && count < LINK_POINTS &&
	       list->items[first + count].pid == one->pid &&
	       !strcmp(list->items[first + count].path, one->path))
		count++;
	return count;
}

/* A process may end or begin another program, and a library may go, at any time. */
static int attach_all(struct alloc_probes *probes, struct alloc_point_list *list, size_t from,
		      bool at_return)
{
	size_t together;
	int err = 0;

	for (size_t i = from; i < list->count && !err; i += together) {
		struct alloc_point *points = &list->items[i];
		uint64_t offsets[LINK_POINTS];
		size_t count = 0;

		together = count_together(list, i);
		for (size_t k = 0; k < together; k++)
			if (!points[k].lost && (!at_return || returns(points[k].target.kind)))
				offsets[count++] = points[k].offset;
		err = attach_some(probes, &probes->links, at_return, points->pid, points->path,
				  offsets, count);
		if (err != -ESRCH && err != -ENOENT && !(err && is_gone(points->pid)))
			continue;
		for (size_t k = 0; k < together; k++)
			points[k].lost = true;
		err = 0;
	}
	return err;
}

static int count_points(struct alloc_probes *probes, const struct alloc_point_list *list,
			size_t from)
{
	int points = bpf_map__fd(probes->bpf->maps.alloc_points), err = 0;

	for (size_t i = from; i < list->count && !err; i++) {
		const struct ps_alloc_point key = {.address = list->items[i].address,
						   .tgid = (uint32_t)list->items[i].pid};

		if (!list->items[i].lost)
			err = bpf_map_update_elem(points, &key, &list->items[i].target, BPF_ANY);
	}
	return err;
}

int alloc_probes__attach(struct alloc_probes *probes, struct alloc_point_list *list, size_t from,
			 bool late)
{
	int err = late ? 0 : count_points(probes, list, from);

	err = err ?: attach_all(probes, list, from, true);
	err = err ?: attach_all(probes, list, from, false);
	if (late)
		err = err ?: count_points(probes, list, from);
	alloc_point_list__sweep(list);
	return err;
}

void alloc_probes__detach(struct alloc_probes *probes)
{
	int points = bpf_map__fd(probes->bpf->maps.alloc_points);
	struct ps_alloc_point key;

	drop_links(&probes->links, NULL, 0);
	while (!bpf_map_get_next_key(points, NULL, &key))
		if (bpf_map_delete_elem(points, &key))
			break;
}

void alloc_probes__forget(struct alloc_probes *probes, const pid_t *pids, size_t count,
			  struct alloc_point_list *list)
{
	int points = bpf_map__fd(probes->bpf->maps.alloc_points);

	for (size_t i = 0; i < list->count; i++) {
		const struct ps_alloc_point key = {.address = list->items[i].address,
						   .tgid = (uint32_t)list->items[i].pid};

		list->items[i].lost = is_among(list->items[i].pid, pids, count);
		if (list->items[i].lost)
			bpf_map_delete_elem(points, &key);
	}
	alloc_point_list__sweep(list);
	if (count)
		drop_links(&probes->links, pids, count);
}

/* --- what they cost */

/* In our own code, for good: what a breakpoint costs changes from minute to minute, with all else
 * that runs. Two begin with what the kernel does itself, one with what it must run elsewhere. */
void alloc_cost_bare(void);
void alloc_cost_pushed(void);
void alloc_cost_stepped(void);
void alloc_cost_both(void);
#define COST_FUNCTION(name, first, last)                                                           \
	__asm__(".pushsection .text\n"                                                             \
		".globl alloc_cost_" name                                                          \
		"\n"                                                                               \
		".type alloc_cost_" name                                                           \
		", @function\n"                                                                    \
		"alloc_cost_" name ": " first "\n" last                                            \
		"ret\n"                                                                            \
		".size alloc_cost_" name ", .-alloc_cost_" name                                    \
		"\n"                                                                               \
		".popsection\n")
COST_FUNCTION("bare", "push %rbp", "pop %rbp\n");
COST_FUNCTION("pushed", "push %rbp", "pop %rbp\n");
COST_FUNCTION("stepped", "test %rdi, %rdi", "");
COST_FUNCTION("both", "push %rbp", "pop %rbp\n");

/* What a program does between two calls of allocators: a breakpoint also makes that slower, for the
 * kernel has used the caches and the predictions of branches meanwhile. */
static void work_between(uint32_t *memory)
{
	uint32_t random = memory[0];

	for (int i = 0; i < COST_TOUCHES; i++) {
		random = random * 1664525 + 1013904223;
		memory[random >> 19 & (COST_MEMORY - 1)] +=
			random & 0x40000000 ? (uint32_t)i : random;
	}
	memory[0] = random;
}

static int compare_times(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double time_calls(void (*function)(void))
{
	static uint32_t memory[COST_MEMORY];
	double rounds[COST_ROUNDS];

	for (int round = 0; round < COST_ROUNDS; round++) {
		uint64_t begin = clock__ns(CLOCK_THREAD_CPUTIME_ID);

		for (int i = 0; i < COST_CALLS; i++) {
			function();
			work_between(memory);
		}
		rounds[round] = (double)(clock__ns(CLOCK_THREAD_CPUTIME_ID) - begin) / COST_CALLS;
	}
	qsort(rounds, COST_ROUNDS, sizeof(rounds[0]), compare_times);
	return rounds[COST_ROUNDS / 2];
}

static int attach_own(struct alloc_probes *probes)
{
	void (*const functions[])(void) = {alloc_cost_both, alloc_cost_pushed, alloc_cost_stepped};
	uint64_t offsets[sizeof(functions) / sizeof(functions[0])];
	int err = 0;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]) && !err; i++)
		err = breakpoints__offset_of((uintptr_t)functions[i], &offsets[i]);
	err = err
		      ?: attach_some(probes, &probes->own, true, getpid(), "/proc/self/exe",
				     offsets, 1);
	return err
		       ?: attach_some(probes, &probes->own, false, getpid(), "/proc/self/exe",
				      offsets, sizeof(offsets) / sizeof(offsets[0]));
}

int alloc_probes__measure(struct alloc_probes *probes, double ret_ns[PS_ALLOC_HITS])
{
	double bare, pushed, stepped, both;
	int err = probes->own.count ? 0 : attach_own(probes);

	if (err)
		return err;
	bare = time_calls(alloc_cost_bare);
	pushed = time_calls(alloc_cost_pushed);
	stepped = time_calls(alloc_cost_stepped);
	both = time_calls(alloc_cost_both);
	ret_ns[PS_ALLOC_HIT] = fmax(pushed - bare, 0) * COST_ELSEWHERE;
	ret_ns[PS_ALLOC_HIT_STEPPED] = fmax(stepped - bare, 0) * COST_ELSEWHERE;
	ret_ns[PS_ALLOC_HIT_RETURN] = fmax(both - pushed, 0) * COST_ELSEWHERE;
	return 0;
}

/* --- life */

struct alloc_probes *alloc_probes__new(struct pipescope_bpf *bpf)
{
	struct alloc_probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return NULL;
	probes->bpf = bpf;
	probes->multi =
		(int)bpf_program__expected_attach_type(bpf->progs.alloc_enter) == BREAKPOINTS_TYPE;
	if (!breakpoint_guard__start(&probes->guard))
		return probes;
	free(probes);
	return NULL;
}

void alloc_probes__free(struct alloc_probes *probes)
{
	if (!probes)
		return;
	alloc_probes__detach(probes);
	drop_links(&probes->own, NULL, 0);
	breakpoint_guard__free(probes->guard);
	free(probes->links.items);
	free(probes->own.items);
	free(probes);
}
