// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/refine.h"

#include <errno.h>
#include <stdlib.h>

#include "model/events.h"
#include "model/loading.h"

#define MOST_FINER 64 /* of all classes together */

/* Sums by three numbers. */
struct sums {
	struct tuple_set *set;
	double *values;
	size_t capacity;
};

struct refining {
	struct finer {
		uint32_t class, part_of;
	} finer[MOST_FINER];
	size_t count;
	/* Weights of samples and nanoseconds by (epoch, thread, class); NO_INDEX: all threads. */
	struct sums weights;
	struct sums whole, part; /* (epoch, class, 0): what was split, and off it */
};

static int add(struct sums *sums, uint32_t one, uint32_t two, uint32_t three, double value)
{
	uint32_t index;
	int error = tuple_set__add(sums->set, (const uint64_t[]){one, two, three}, &index);

	if (!error)
		error = array__reserve(&sums->values, &sums->capacity, sizeof(*sums->values),
				       (size_t)index + 1);
	if (!error)
		sums->values[index] += value;
	return error;
}

/* Makes a 0 of what is not there: errors are those of memory. */
static double get(struct sums *sums, uint32_t one, uint32_t two, uint32_t three, int *ret_error)
{
	uint32_t index;
	int error = add(sums, one, two, three, 0);

	if (!error)
		error = tuple_set__add(sums->set, (const uint64_t[]){one, two, three}, &index);
	if (error) {
		*ret_error = error;
		return 0;
	}
	return sums->values[index];
}

/* --- The classes. */

static int read_classes(struct tables *tables, struct refining *refining)
{
	struct row row = {0};
	int error;

	error = recording__prepare(tables->recording,
				   "SELECT name, part_of FROM wait_class WHERE estimated",
				   &row.statement);
	if (error)
		return error;
	while ((error = recording__step(row.statement)) > 0) {
		struct finer finer;

		error = tables__wait_class(tables, row__text(&row, 0), &finer.class)
				?: tables__wait_class(tables, row__text(&row, 1), &finer.part_of);
		if (!error && (refining->count == MOST_FINER || finer.class == finer.part_of))
			error = -EBADMSG;
		if (error)
			break;
		tables->estimated_waits[finer.class] = true;
		refining->finer[refining->count++] = finer;
	}
	sqlite3_finalize(row.statement);
	return error;
}

static bool counts(const struct refining *refining, uint32_t class)
{
	for (size_t i = 0; i < refining->count; i++)
		if (refining->finer[i].class == class || refining->finer[i].part_of == class)
			return true;
	return false;
}

static int read_weights(struct tables *tables, struct refining *refining)
{
	struct row row = {0};
	int error;

	error = recording__prepare(
		tables->recording,
		"SELECT epoch, thread, class, total(value) FROM sample"
		" WHERE metric = 'offcpu' AND class IS NOT NULL GROUP BY 1, 2, 3",
		&row.statement);
	if (error)
		return error;
	while ((error = recording__step(row.statement)) > 0) {
		uint32_t epoch = row__reference(&row, 0, &tables->loading->epochs), class;
		uint32_t thread = row__reference(&row, 1, &tables->loading->threads);
		double weight = sqlite3_column_double(row.statement, 3);

		error = tables__wait_class(tables, row__text(&row, 2), &class);
		if (error)
			break;
		if (epoch == NO_INDEX || !counts(refining, class) || !(weight > 0 && weight < 1e18))
			continue;
		error = add(&refining->weights, epoch, NO_INDEX, class, weight);
		if (!error && thread != NO_INDEX)
			error = add(&refining->weights, epoch, thread, class, weight);
		if (error)
			break;
	}
	sqlite3_finalize(row.statement);
	return error;
}

/* --- The shares. */

/* The part of a class's samples that has the finer class; -1: there are none. */
static double share_of(struct refining *refining, uint32_t epoch, uint32_t thread,
		       const struct finer *finer, int *ret_error)
{
	double all = get(&refining->weights, epoch, thread, finer->part_of, ret_error);

	for (size_t i = 0; i < refining->count; i++)
		if (refining->finer[i].part_of == finer->part_of)
			all += get(&refining->weights, epoch, thread, refining->finer[i].class,
				   ret_error);
	if (all <= 0)
		return -1;
	return get(&refining->weights, epoch, thread, finer->class, ret_error) / all;
}

/* The facts that are split off `whole`: shares are of what it was at first. */
static struct wait_fact part_of(const struct wait_fact *whole, const struct finer *finer,
				double share)
{
	struct wait_fact part = *whole;

	part.class = finer->class;
	part.ns *= share;
	part.count *= share;
	return part;
}

static int split_threads(struct tables *tables, struct refining *refining)
{
	size_t count = tables->thread_wait_count;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		struct wait_fact whole = tables->thread_waits[i];

		for (size_t j = 0; j < refining->count && !error; j++) {
			const struct finer *finer = &refining->finer[j];
			struct wait_fact part;
			double share;

			if (finer->part_of != whole.class)
				continue;
			share = share_of(refining, whole.epoch, whole.thread, finer, &error);
			if (share < 0)
				share = share_of(refining, whole.epoch, NO_INDEX, finer, &error);
			part = part_of(&whole, finer, share > 0 ? share : 0);
			error = error
					?: add(&refining->whole, whole.epoch, finer->class, 0,
					       whole.ns);
			error = error
					?: add(&refining->part, whole.epoch, finer->class, 0,
					       part.ns);
			if (error || part.ns <= 0)
				continue;
			error = GROW(tables, thread_waits, tables->thread_wait_count, THREAD_WAITS);
			if (error)
				break;
			tables->thread_waits[i].ns -= part.ns;
			tables->thread_waits[i].count -= part.count;
			tables->thread_waits[tables->thread_wait_count++] = part;
		}
	}
	return error;
}

/* Each slice of an epoch is split like all of the epoch. */
static int split_slices(struct tables *tables, struct refining *refining)
{
	size_t count = tables->wait_count;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		struct wait_fact whole = tables->waits[i];

		for (size_t j = 0; j < refining->count && !error; j++) {
			const struct finer *finer = &refining->finer[j];
			struct wait_fact part;
			double all, share;

			if (finer->part_of != whole.class)
				continue;
			all = get(&refining->whole, whole.epoch, finer->class, 0, &error);
			/* A recording that was cut off lacks threads that went on. */
			share = all > 0 ? get(&refining->part, whole.epoch, finer->class, 0,
					      &error) /
						  all
					: share_of(refining, whole.epoch, NO_INDEX, finer, &error);
			part = part_of(&whole, finer, share > 0 ? share : 0);
			if (error || part.ns <= 0)
				continue;
			error = GROW(tables, waits, tables->wait_count, WAITS);
			if (error)
				break;
			tables->waits[i].ns -= part.ns;
			tables->waits[i].count -= part.count;
			tables->waits[tables->wait_count++] = part;
		}
	}
	return error;
}

int refine__split(struct tables *tables)
{
	struct refining refining = {0};
	struct sums *const all[] = {&refining.weights, &refining.whole, &refining.part};
	int error = read_classes(tables, &refining);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !error && refining.count; i++) {
		all[i]->set = tuple_set__new(3);
		error = all[i]->set ? 0 : -ENOMEM;
	}
	if (!error && refining.count)
		error = read_weights(tables, &refining)
				?: split_threads(tables, &refining)
				?: split_slices(tables, &refining);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		tuple_set__free(all[i]->set);
		free(all[i]->values);
	}
	return error;
}
