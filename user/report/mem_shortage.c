// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/mem_shortage.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/grid.h"
#include "report/json.h"
#include "report/page.h"
#include "report/printable.h"
#include "report/text.h"

struct shortage {
	uint32_t epoch; /* the last one that was short of memory */
	int64_t killed_ns; /* end of the slice; NO_VALUE: not killed, or not known when */
	double kills, reclaims, freed_bytes;
};

static void add(struct shortage *to, const struct tables *tables, const struct mem_event_fact *fact)
{
	to->epoch = fact->epoch;
	if (fact->kind == MEM_EVENT_RECLAIM) {
		to->reclaims += fact->count;
		to->freed_bytes += fact->bytes;
		return;
	}
	to->kills += fact->count;
	if (fact->slice != NO_INDEX)
		to->killed_ns = tables->slices[fact->slice].end_ns;
}

/* Who was killed first, then who freed most. */
static int compare(const void *one, const void *other)
{
	const struct shortage *a = one, *b = other;

	if (a->kills != b->kills)
		return a->kills > b->kills ? -1 : 1;
	if (a->freed_bytes != b->freed_bytes)
		return a->freed_bytes > b->freed_bytes ? -1 : 1;
	return a->epoch < b->epoch ? -1 : a->epoch > b->epoch;
}

/* By process, malloc'ed. */
static int collect(const struct tables *tables, struct shortage **ret_all, size_t *ret_count)
{
	_cleanup_free_ uint32_t *of = calloc(tables->process_count + 1, sizeof(*of));
	struct shortage *all = calloc(tables->process_count + 1, sizeof(*all));
	size_t count = 0;

	if (!of || !all) {
		free(all);
		return -ENOMEM;
	}
	for (size_t i = 0; i < tables->mem_event_count; i++) {
		const struct mem_event_fact *fact = &tables->mem_events[i];
		uint32_t *at = &of[tables->epochs[fact->epoch].process];

		if (!*at) {
			all[count].killed_ns = NO_VALUE;
			*at = (uint32_t)++count;
		}
		add(&all[*at - 1], tables, fact);
	}
	qsort(all, count, sizeof(*all), compare);
	*ret_all = all;
	*ret_count = count;
	return 0;
}

int mem_shortage__table(FILE *stream, const struct tables *tables, size_t width, size_t limit)
{
	_cleanup_free_ struct shortage *all = NULL;
	struct grid grid = {0};
	size_t count;
	int error = tables->mem_event_count ? collect(tables, &all, &count) : 0;

	if (error || !all || !limit)
		return error;
	grid__column(&grid, "killed", true, false, 0);
	grid__column(&grid, "had to free", true, false, 0);
	grid__column(&grid, "in all", true, false, 0);
	grid__column(&grid, "pid", true, false, 0);
	grid__column(&grid, "task", false, true, 0);
	for (size_t i = 0; i < count && i < limit; i++) {
		const struct shortage *one = &all[i];
		const struct table_epoch *epoch = &tables->epochs[one->epoch];

		if (one->kills > 0 && one->killed_ns != NO_VALUE)
			grid__seconds(&grid, (double)one->killed_ns / 1e9);
		else
			grid__text(&grid, one->kills > 0 ? "yes" : "-");
		grid__integer(&grid, llround(fmin(one->reclaims, 9e18)));
		grid__bytes(&grid, (int64_t)fmin(one->freed_bytes, 9e18));
		grid__integer(&grid, tables->processes[epoch->process].pid);
		grid__text(&grid, epoch->task);
	}
	error = page__grid(stream, width,
			   "Short of memory (exact; killed: for want of it, when; had to free: so "
			   "often, before it got some)",
			   &grid);
	if (!error && count > limit)
		error = page__paragraph(stream, width, 2, "... and %zu more processes",
					count - limit);
	return error;
}

int mem_shortage__sentence(FILE *stream, const struct tables *tables)
{
	double kills = 0, reclaims = 0, freed = 0;
	char text[NUMBER_SIZE];

	for (size_t i = 0; i < tables->mem_event_count; i++) {
		const struct mem_event_fact *fact = &tables->mem_events[i];

		kills += fact->kind == MEM_EVENT_OOM_KILL ? fact->count : 0;
		reclaims += fact->kind == MEM_EVENT_RECLAIM ? fact->count : 0;
		freed += fact->kind == MEM_EVENT_RECLAIM ? fact->bytes : 0;
	}
	if (kills > 0)
		fprintf(stream,
			"In the whole recording %.0f process%s killed for want of memory.\n", kills,
			kills > 1 ? "es were" : " was");
	if (reclaims > 0)
		fprintf(stream,
			"In the whole recording memory was so short that processes had to free "
			"some %.0f times before they got any: %s.\n",
			reclaims, number__bytes(text, (int64_t)fmin(freed, 9e18)));
	return ferror(stream) ? -EIO : 0;
}

static int print_object(FILE *stream, const struct tables *tables, const struct shortage *one)
{
	const struct table_epoch *epoch = &tables->epochs[one->epoch];
	_cleanup_free_ char *task = printable__utf8(epoch->task);
	json_t *object;

	if (!task)
		return -ENOMEM;
	object = json_pack("{s:s, s:I, s:I, s:o, s:I, s:I}", "task", task, "pid",
			   (json_int_t)tables->processes[epoch->process].pid, "oom_kills",
			   (json_int_t)fmin(one->kills, 9e18), "killed_s",
			   one->kills > 0 && one->killed_ns != NO_VALUE
				   ? json_real((double)one->killed_ns / 1e9)
				   : json_null(),
			   "reclaims", (json_int_t)fmin(one->reclaims, 9e18), "reclaimed_bytes",
			   (json_int_t)fmin(one->freed_bytes, 9e18));
	return json_report__dump(stream, object);
}

int mem_shortage__json(FILE *stream, const struct tables *tables)
{
	_cleanup_free_ struct shortage *all = NULL;
	size_t count;
	int error = collect(tables, &all, &count);

	for (size_t i = 0; i < count && !error; i++) {
		fputs(i ? ",\n" : "\n", stream);
		error = print_object(stream, tables, &all[i]);
	}
	return error;
}
