// SPDX-License-Identifier: GPL-2.0-or-later
#include "top/losses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static int find(struct losses *losses, const struct summary_counter *counter,
		struct losses_counter **ret_counter)
{
	struct losses_counter *added;
	int err;

	for (size_t i = 0; i < losses->count; i++) {
		if (!strcmp(losses->counters[i].name, counter->name)) {
			*ret_counter = &losses->counters[i];
			return 0;
		}
	}
	err = array__reserve(&losses->counters, &losses->capacity, sizeof(*losses->counters),
			     losses->count + 1);
	if (err)
		return err;
	added = &losses->counters[losses->count];
	*added = (struct losses_counter){.name = strdup(counter->name),
					 .meaning = strdup(counter->meaning),
					 .loss = counter->loss};
	losses->count++; /* a half-made one is freed like others */
	if (!added->name || !added->meaning)
		return -ENOMEM;
	*ret_counter = added;
	return 0;
}

int losses__take(struct losses *losses, const struct summary *summary, uint64_t generation)
{
	int err = 0;

	if (generation != losses->generation) {
		losses->restarts += losses->generation != 0;
		losses->generation = generation;
		for (size_t i = 0; i < losses->count; i++) {
			losses->counters[i].before += losses->counters[i].now;
			losses->counters[i].now = 0;
		}
	}
	for (size_t i = 0; i < summary->counter_count && !err; i++) {
		struct losses_counter *counter;

		err = find(losses, &summary->counters[i], &counter);
		if (!err)
			counter->now = summary->counters[i].value;
	}
	return err;
}

void losses__clear(struct losses *losses)
{
	for (size_t i = 0; i < losses->count; i++) {
		free(losses->counters[i].name);
		free(losses->counters[i].meaning);
	}
	free(losses->counters);
	*losses = (struct losses){0};
}

bool losses__any(const struct losses *losses)
{
	for (size_t i = 0; i < losses->count; i++)
		if (losses->counters[i].loss &&
		    losses->counters[i].before + losses->counters[i].now > 0)
			return true;
	return false;
}

char *losses__line(const struct losses *losses)
{
	char *line = NULL;
	size_t size = 0, shown = 0;
	FILE *stream = open_memstream(&line, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < losses->count; i++) {
		const struct losses_counter *counter = &losses->counters[i];
		int64_t value = counter->before + counter->now;

		if (counter->loss && value > 0)
			fprintf(stream, "%s%s %lld", shown++ ? ", " : "LOST: ", counter->name,
				(long long)value);
	}
	if (!shown)
		fputs("nothing lost", stream);
	if (losses->restarts)
		fprintf(stream, "; %lld new recorder%s, %.1f s not seen",
			(long long)losses->restarts, losses->restarts == 1 ? "" : "s",
			losses->unseen_s);
	if (fclose(stream)) {
		free(line);
		return NULL;
	}
	return line;
}

void losses__table(const struct losses *losses, struct grid *grid)
{
	grid__column(grid, "number", true, false, 0);
	grid__column(grid, "counter", false, true, 0);
	grid__column(grid, "meaning", false, true, 1);
	for (size_t i = 0; i < losses->count; i++) {
		const struct losses_counter *counter = &losses->counters[i];

		if (counter->before + counter->now <= 0)
			continue;
		grid__integer(grid, counter->before + counter->now);
		grid__text(grid, counter->name);
		grid__text(grid, counter->meaning);
	}
}
