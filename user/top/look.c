// SPDX-License-Identifier: GPL-2.0-or-later
#include "top/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "model/idle.h"
#include "model/query.h"
#include "top/look_private.h"

/* What a program asked for; all other waiting holds it up. */
static bool is_rest(const char *class)
{
	return !strcmp(class, "sleep") || !strcmp(class, "poll") || !strcmp(class, "child") ||
	       !strcmp(class, IDLE_CLASS);
}

static bool is_storage(const char *class)
{
	return !strcmp(class, "disk") || !strcmp(class, "file_system") ||
	       !strcmp(class, "page_fault");
}

int look__open(struct live_window *window, const struct live_choice *choice,
	       struct recording **ret_recording, struct tables **ret_tables)
{
	struct recording *recording;
	int err = live_window__open(window, choice, &recording);

	if (err)
		return err;
	err = tables__load(recording, ret_tables);
	if (err)
		recording__close(recording);
	else
		*ret_recording = recording;
	return err;
}

double look__span(struct recording *recording)
{
	int64_t ns = recording__meta_number(recording, "window_ns", 0);

	return ns > 0 ? (double)ns / 1e9 : 1;
}

int look__query(struct tables *tables, const char *key, const char *metric,
		struct query **ret_query)
{
	const struct query_request request = {
		.keys = {key__find(key)},
		.key_count = 1,
		.metric = metric__find(metric),
	};

	return query__run(tables, &request, ret_query);
}

void look__take_figures(struct look_row *to, const struct tables *tables, const struct query *query,
			const struct query_row *from, double span_s)
{
	const struct query_part *part = NULL;
	double most = 0, per_s = 1e-9 / span_s;

	to->cpu = from->own.cpu_ns * per_s;
	to->read = from->own.read_bytes / span_s;
	to->written = from->own.write_bytes / span_s;
	to->ops = from->own.ops / span_s;
	to->errors = from->own.errors / span_s;
	while ((part = query__part(query, from, part))) {
		const char *class;

		if (part->kind != PART_WAIT)
			continue;
		class = tables->waits_for[part->item];
		if (!is_rest(class))
			to->wait += part->own * per_s;
		if (!is_rest(class) && part->own > most) {
			most = part->own;
			snprintf(to->mostly, sizeof(to->mostly), "%s", class);
		}
		if (!strcmp(class, "run_queue"))
			to->run_queue += part->own * per_s;
		else if (!strcmp(class, "lock"))
			to->lock += part->own * per_s;
		else if (is_storage(class))
			to->storage += part->own * per_s;
	}
}

void look__add_figures(struct look_row *to, const struct look_row *row)
{
	to->processes += row->processes;
	to->cpu += row->cpu;
	to->wait += row->wait;
	to->run_queue += row->run_queue;
	to->storage += row->storage;
	to->lock += row->lock;
	to->read += row->read;
	to->written += row->written;
	to->ops += row->ops;
	to->errors += row->errors;
	to->rss_bytes += row->rss_bytes;
}

/* Counts a process that lives into the row that has it. */
void look__take_process(struct look_row *to, const struct table_process *process)
{
	if (process->end_ns != NO_VALUE)
		return;
	to->processes++;
	to->rss_bytes += process_memory__resident_bytes((pid_t)process->pid);
}

int look__take_summary(struct live_window *window, struct tables *tables, struct losses *losses,
		       struct look_list *list, struct look_detail *detail)
{
	struct summary *summary;
	const char *node;
	int err = summary__load(tables, &summary);

	if (err)
		return err;
	err = losses__take(losses, summary, live_window__generation(window));
	node = summary__meta(summary, "node");
	if (list) {
		snprintf(list->node, sizeof(list->node), "%s", node ? node : "?");
		list->cpus = recording__meta_number(tables->recording, "cpus", 0);
		list->recorder_cpu = summary->recorder_cpu_s / list->span_s;
		list->recorder_rss_bytes = summary->recorder_max_rss_bytes;
	}
	for (size_t i = 0; detail && i < summary->ending_count; i++) {
		detail->samples += summary->endings[i].samples[SOURCE_CPU];
		if (summary->endings[i].ok)
			detail->samples_complete += summary->endings[i].samples[SOURCE_CPU];
	}
	summary__free(summary);
	return err;
}

/* --- The list. */

void look_list__clear(struct look_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].name);
		free(list->rows[i].command);
	}
	free(list->rows);
	*list = (struct look_list){0};
}

static int name_row(struct look_row *row, struct tables *tables, enum top_by by, uint64_t value)
{
	const struct table_process *process;
	const struct table_epoch *epoch;

	if (by == TOP_TASKS) {
		const char *task =
			value == VALUE_UNKNOWN ? "(unknown)" : (const char *)(uintptr_t)value;

		row->name = strdup(task);
		return row->name ? 0 : -ENOMEM;
	}
	process = &tables->processes[value];
	epoch = &tables->epochs[process->last_epoch];
	row->pid = process->pid;
	row->start_ns = process->start_ns;
	row->name = strdup(epoch->task);
	return row->name ? tables__command(tables, epoch->image, &row->command) : -ENOMEM;
}

static int take_rows(struct look_list *list, struct tables *tables, enum top_by by,
		     const struct query *query, struct tuple_set *values)
{
	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *from = query__row(query, i);
		uint64_t value = query__value(query, from, 0);
		struct look_row *row;
		uint32_t index;
		int err = tuple_set__add(values, &value, &index);

		if (!err)
			err = array__reserve(&list->rows, &list->capacity, sizeof(*list->rows),
					     list->count + 1);
		if (err)
			return err;
		row = &list->rows[list->count++];
		*row = (struct look_row){0};
		err = name_row(row, tables, by, value);
		if (err)
			return err;
		look__take_figures(row, tables, query, from, list->span_s);
	}
	return 0;
}

static int take_processes(struct look_list *list, const struct tables *tables, enum top_by by,
			  struct tuple_set *values)
{
	for (uint32_t i = 0; i < tables->process_count; i++) {
		const struct table_process *process = &tables->processes[i];
		uint64_t value = i;
		uint32_t index;
		int err;

		if (by == TOP_TASKS)
			value = (uintptr_t)tables->epochs[process->last_epoch].task;
		err = tuple_set__add(values, &value, &index);
		if (err)
			return err;
		if (index < list->count)
			look__take_process(&list->rows[index], process);
	}
	return 0;
}

/* Who has ended, and did nothing in these seconds, is no longer there. */
static void leave_out_ended(struct look_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct look_row *row = &list->rows[i];

		if (row->processes || row->cpu > 0 || row->wait > 0 || row->ops > 0) {
			list->rows[kept++] = *row;
			continue;
		}
		free(row->name);
		free(row->command);
	}
	list->count = kept;
}

int look__list(struct live_window *window, enum top_by by, int64_t span_s, struct look_list *list,
	       struct losses *losses)
{
	const struct live_choice choice = {.slices = span_s};
	struct tuple_set *values = tuple_set__new(1);
	struct recording *recording = NULL;
	struct tables *tables = NULL;
	struct query *query = NULL;
	int err = values ? 0 : -ENOMEM;

	look_list__clear(list);
	err = err ?: look__open(window, &choice, &recording, &tables);
	if (err)
		goto cleanup;
	list->span_s = look__span(recording);
	err = look__query(tables, by == TOP_TASKS ? "task" : "process", "cpu", &query);
	err = err ?: take_rows(list, tables, by, query, values);
	err = err ?: take_processes(list, tables, by, values);
	err = err ?: look__take_summary(window, tables, losses, list, NULL);
	leave_out_ended(list);
	for (size_t i = 0; i < list->count; i++)
		look__add_figures(&list->all, &list->rows[i]);
cleanup:
	query__free(query);
	tables__free(tables);
	recording__close(recording);
	tuple_set__free(values);
	return err;
}

static double sort_value(const struct look_row *row, enum top_sort sort)
{
	switch (sort) {
	case SORT_CPU:
		return row->cpu;
	case SORT_WAIT:
		return row->wait;
	case SORT_IO:
		return row->read + row->written;
	case SORT_MEMORY:
		return (double)row->rss_bytes;
	default:
		return 0;
	}
}

struct sorting {
	enum top_sort sort;
	bool reverse;
};

static int compare_rows(const void *one, const void *other, void *context)
{
	const struct look_row *a = one, *b = other;
	const struct sorting *sorting = context;
	double x = sort_value(a, sorting->sort), y = sort_value(b, sorting->sort);
	int order = x != y ? (x > y ? -1 : 1) : 0;

	if (a->hidden != b->hidden)
		return a->hidden ? 1 : -1;
	/* Of what reads and writes nothing, who opens and looks most. */
	if (!order && sorting->sort == SORT_IO)
		order = a->ops != b->ops ? (a->ops > b->ops ? -1 : 1) : 0;
	if (!order)
		order = strcmp(a->name, b->name);
	if (!order)
		order = a->pid < b->pid ? -1 : a->pid > b->pid;
	return sorting->reverse ? -order : order;
}

static bool is_wanted(const struct look_row *row, const char *filter)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%lld", (long long)row->pid);
	return !*filter || strcasestr(row->name, filter) ||
	       (row->command && strcasestr(row->command, filter)) ||
	       (row->pid && !strcmp(pid, filter));
}

void look_list__sort(struct look_list *list, enum top_sort sort, bool reverse, const char *filter)
{
	struct sorting sorting = {sort, reverse};

	list->shown = 0;
	for (size_t i = 0; i < list->count; i++) {
		list->rows[i].hidden = !is_wanted(&list->rows[i], filter);
		list->shown += !list->rows[i].hidden;
	}
	if (list->count)
		qsort_r(list->rows, list->count, sizeof(*list->rows), compare_rows, &sorting);
}
