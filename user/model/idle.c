// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/idle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/events.h"
#include "model/loading.h"

struct thread_time {
	double cpu_ns, waited_ns, idling_ns; /* idling: of the three classes */
};

/* What is to be split off an epoch's waits of one class. */
struct split {
	double ns, count; /* of its idle threads */
	double all_ns, all_count; /* of the epoch */
};

struct splitting {
	struct tuple_set *set; /* (epoch, class) */
	struct split *splits;
	size_t capacity;
};

static bool is_idling(const char *class)
{
	return !strcmp(class, "lock") || !strcmp(class, "poll") || !strcmp(class, "socket");
}

int idle__class(struct tables *tables, uint32_t thread, uint32_t *class)
{
	if (thread == NO_INDEX || !tables->threads[thread].idle ||
	    !is_idling(tables->waits_for[*class]))
		return 0;
	return tables__wait_class(tables, IDLE_CLASS, class);
}

static int read_cpu_times(struct tables *tables, struct thread_time *times)
{
	static const char sql[] =
		"SELECT u.thread, total(u.cpu_ns) FROM thread_usage u"
		" GROUP BY u.thread";
	struct row row = {0};
	int error;

	error = recording__prepare(tables->recording, sql, &row.statement);
	if (error)
		return error;
	while ((error = recording__step(row.statement)) > 0) {
		uint32_t thread = row__reference(&row, 0, &tables->loading->threads);

		if (thread != NO_INDEX)
			times[thread].cpu_ns = sqlite3_column_double(row.statement, 1);
	}
	sqlite3_finalize(row.statement);
	return error;
}

/* Whether there is one. */
static bool mark_idle(struct tables *tables, const struct thread_time *times)
{
	bool any = false;

	for (size_t i = 0; i < tables->thread_count; i++) {
		struct table_thread *thread = &tables->threads[i];
		double all_ns = times[i].cpu_ns + times[i].waited_ns;

		thread->idle = thread->tid != tables->processes[thread->process].pid &&
			       all_ns > 0 && times[i].idling_ns >= IDLE_LEAST_WAITING * all_ns &&
			       times[i].cpu_ns < IDLE_MOST_CPU * all_ns;
		any |= thread->idle;
	}
	return any;
}

static int find_idle(struct tables *tables, bool *ret_any)
{
	_cleanup_free_ struct thread_time *times = NULL;
	bool candidates = false;
	int error = 0;

	times = calloc(tables->thread_count + 1, sizeof(*times));
	if (!times)
		return -ENOMEM;
	for (size_t i = 0; i < tables->thread_wait_count; i++) {
		const struct wait_fact *fact = &tables->thread_waits[i];

		if (fact->thread == NO_INDEX)
			continue;
		times[fact->thread].waited_ns += fact->ns;
		if (is_idling(tables->waits_for[fact->class]))
			times[fact->thread].idling_ns += fact->ns;
	}
	/* The table of threads' CPU times is long; often nothing depends on it. */
	candidates = mark_idle(tables, times);
	if (candidates)
		error = read_cpu_times(tables, times);
	if (!error)
		*ret_any = candidates && mark_idle(tables, times);
	return error;
}

static int split_of(struct splitting *splitting, const struct wait_fact *fact,
		    struct split **ret_split)
{
	uint32_t index;
	int error;

	error = tuple_set__add(splitting->set, (const uint64_t[]){fact->epoch, fact->class},
			       &index);
	if (!error)
		error = array__reserve(&splitting->splits, &splitting->capacity,
				       sizeof(*splitting->splits), (size_t)index + 1);
	if (!error)
		*ret_split = &splitting->splits[index];
	return error;
}

/* The idle threads' waits get their class here. */
static int collect(struct tables *tables, struct splitting *splitting)
{
	struct split *split = NULL;
	int error = 0;

	for (size_t i = 0; i < tables->thread_wait_count && !error; i++) {
		struct wait_fact *fact = &tables->thread_waits[i];
		uint32_t class = fact->class;

		error = idle__class(tables, fact->thread, &class);
		if (error || class == fact->class)
			continue;
		error = split_of(splitting, fact, &split);
		if (error)
			break;
		split->ns += fact->ns;
		split->count += fact->count;
		fact->class = class;
	}
	for (size_t i = 0; i < tables->wait_count && !error; i++) {
		error = split_of(splitting, &tables->waits[i], &split);
		if (error)
			break;
		split->all_ns += tables->waits[i].ns;
		split->all_count += tables->waits[i].count;
	}
	return error;
}

/* Never more than there is: the sums of threads and of slices may differ by what went on. */
static double part_of(double part, double whole)
{
	return whole <= 0 ? 0 : part >= whole ? 1 : part / whole;
}

static int split_waits(struct tables *tables, struct splitting *splitting)
{
	size_t count = tables->wait_count;
	uint32_t idle_class;
	int error;

	error = tables__wait_class(tables, IDLE_CLASS, &idle_class);
	for (size_t i = 0; i < count && !error; i++) {
		struct wait_fact idle = tables->waits[i];
		struct split *split;

		error = split_of(splitting, &idle, &split);
		if (error || split->ns <= 0)
			continue;
		idle.ns *= part_of(split->ns, split->all_ns);
		idle.count *= part_of(split->count, split->all_count);
		error = GROW(tables, waits, tables->wait_count, WAITS);
		if (error)
			break;
		tables->waits[i].ns -= idle.ns;
		tables->waits[i].count -= idle.count;
		idle.class = idle_class;
		tables->waits[tables->wait_count++] = idle;
	}
	return error;
}

int idle__split(struct tables *tables)
{
	struct splitting splitting = {0};
	bool any = false;
	int error;

	error = find_idle(tables, &any);
	if (error || !any)
		return error;
	splitting.set = tuple_set__new(2);
	error = splitting.set ? collect(tables, &splitting) : -ENOMEM;
	if (!error)
		error = split_waits(tables, &splitting);
	tuple_set__free(splitting.set);
	free(splitting.splits);
	return error;
}
