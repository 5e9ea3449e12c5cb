// SPDX-License-Identifier: GPL-2.0-or-later
/* Waits and file operations on the page one wants first. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/idle.h"
#include "report/grid.h"
#include "report/mem_shortage.h"
#include "report/page.h"
#include "report/printable.h"
#include "report/text.h"

#define PAGE_CLASSES 6 /* of waits, in columns of their own */
#define MANY_ERRORS  100 /* of one kind in one task, below which they are not shown */
#define LARGE_ERROR  0.2 /* of an estimate, from which it is shown */

static const char *task_of(const struct query *query, const struct query_row *row, size_t key)
{
	return (const char *)(uintptr_t)query__value(query, row, key);
}

/* --- Rows in an order of the page's own. */

struct entry {
	const struct query_row *row;
	double value;
	uint32_t item; /* of a part */
	bool ruled; /* a rule named the task */
};

struct entry_list {
	struct entry *entries;
	size_t count, capacity;
};

static int entry_list__add(struct entry_list *list, const struct entry *entry)
{
	int error = array__reserve(&list->entries, &list->capacity, sizeof(*list->entries),
				   list->count + 1);

	if (!error)
		list->entries[list->count++] = *entry;
	return error;
}

static int compare_entries(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	if (a->ruled != b->ruled)
		return a->ruled ? -1 : 1;
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->row < b->row	 ? -1
	       : a->row > b->row ? 1
				 : (a->item > b->item) - (a->item < b->item);
}

static void entry_list__sort(struct entry_list *list)
{
	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries), compare_entries);
}

static bool is_idle(const struct tables *tables, const struct query_part *part)
{
	return part->kind == PART_WAIT && !strcmp(tables->waits_for[part->item], IDLE_CLASS);
}

static double waited_ns(const struct tables *tables, const struct query *query,
			const struct query_row *row)
{
	const struct query_part *part = NULL;
	double ns = row->own.offcpu_ns;

	while ((part = query__part(query, row, part)))
		if (is_idle(tables, part))
			ns -= part->own;
	return ns < 1 ? 0 : ns; /* what the subtraction of idle waits leaves is no wait */
}

static double io_ns(const struct tables *tables, const struct query *query,
		    const struct query_row *row)
{
	(void)tables;
	(void)query;
	return row->own.ops > 0 ? row->own.io_ns + 1 : 0;
}

/* Daemons wait all the time: tasks that a rule named come first. */
static int list_tasks(const struct tables *tables, const struct query *query,
		      double (*value)(const struct tables *tables, const struct query *query,
				      const struct query_row *row),
		      struct entry_list *list)
{
	struct tuple_set *tasks = tuple_set__new(1);
	int error = tasks ? 0 : -ENOMEM;
	uint32_t index, ruled;

	for (size_t i = 0; i < tables->epoch_count && !error; i++)
		if (tables->epochs[i].rule)
			error = tuple_set__add(
				tasks, (const uint64_t[]){(uintptr_t)tables->epochs[i].task},
				&index);
	ruled = error ? 0 : (uint32_t)tuple_set__count(tasks);
	for (size_t i = 0; i < query__row_count(query) && !error; i++) {
		const struct query_row *row = query__row(query, i);
		uint64_t task = query__value(query, row, 0);
		struct entry entry = {.row = row, .value = value(tables, query, row)};

		error = tuple_set__add(tasks, &task, &index);
		entry.ruled = index < ruled;
		if (!error && entry.value > 0)
			error = entry_list__add(list, &entry);
	}
	tuple_set__free(tasks);
	if (!error)
		entry_list__sort(list);
	return error;
}

/* --- What tasks wait for. */

/* The classes with most time of the shown tasks, largest first. */
struct top_classes {
	uint32_t class[PAGE_CLASSES];
	char *title[PAGE_CLASSES];
	size_t count;
	bool others, idle; /* there are any */
};

static int find_classes(const struct tables *tables, const struct query *query,
			const struct entry_list *list, size_t limit, struct top_classes *top)
{
	_cleanup_free_ double *ns = calloc(tables->class_count + 1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	for (size_t i = 0; i < limit; i++) {
		const struct query_part *part = NULL;

		while ((part = query__part(query, list->entries[i].row, part))) {
			if (is_idle(tables, part))
				top->idle = true;
			else if (part->kind == PART_WAIT)
				ns[part->item] += part->own;
		}
	}
	while (top->count < PAGE_CLASSES) {
		uint32_t largest = 0;

		for (uint32_t i = 0; i < tables->class_count; i++)
			if (ns[i] > ns[largest])
				largest = i;
		if (ns[largest] <= 0)
			break;
		ns[largest] = 0;
		top->class[top->count] = largest;
		top->title[top->count] = printable__of(tables->waits_for[largest]);
		if (!top->title[top->count++])
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < tables->class_count; i++)
		top->others |= ns[i] > 0;
	return 0;
}

static double part_ns(const struct query *query, const struct query_row *row, uint32_t class)
{
	const struct query_part *part = NULL;

	while ((part = query__part(query, row, part)))
		if (part->kind == PART_WAIT && part->item == class)
			return part->own;
	return 0;
}

static void add_waiting_task(struct grid *grid, const struct query *query,
			     const struct top_classes *top, const struct entry *entry)
{
	double rest = entry->value, idle_ns = entry->row->own.offcpu_ns - entry->value;

	grid__text(grid, task_of(query, entry->row, 0));
	grid__seconds(grid, entry->value / 1e9);
	for (size_t i = 0; i < top->count; i++) {
		double ns = part_ns(query, entry->row, top->class[i]);

		rest -= ns;
		if (ns > 0)
			grid__percent(grid, ns, entry->value);
		else
			grid__text(grid, "-");
	}
	if (top->others && rest > 0.0005 * entry->value)
		grid__percent(grid, rest, entry->value);
	else if (top->others)
		grid__text(grid, "-");
	if (!top->idle)
		return;
	if (idle_ns >= 1)
		grid__seconds(grid, idle_ns / 1e9);
	else
		grid__text(grid, "-");
}

static int print_waiting_tasks(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"task", NULL};
	struct entry_list list = {0};
	struct top_classes top = {0};
	struct grid grid = {0};
	struct query *query = NULL;
	int error;

	error = page__query(tables, keys, "offcpu", FOLD_INTERPRETER, &query);
	if (!error)
		error = list_tasks(tables, query, waited_ns, &list);
	if (limit > list.count)
		limit = list.count;
	if (!error)
		error = find_classes(tables, query, &list, limit, &top);
	if (error || !limit)
		goto cleanup;
	grid__column(&grid, "task", false, true, 0);
	grid__column(&grid, "waited", true, false, 0);
	for (size_t i = 0; i < top.count; i++)
		grid__column(&grid, top.title[i], true, true, i ? (int)i + 2 : 0);
	if (top.others)
		grid__column(&grid, "others", true, false, 2 + PAGE_CLASSES);
	if (top.idle)
		grid__column(&grid, "idle", true, false, 0);
	for (size_t i = 0; i < limit; i++)
		add_waiting_task(&grid, query, &top, &list.entries[i]);
	error = page__grid(stream, width,
			   "Waiting, of all threads (exact; tasks with a rule first)", &grid);
	if (!error && top.idle)
		error = page__paragraph(stream, width, 2,
					"idle: threads of pools that only wait for work; not "
					"among the others");
	if (!error && list.count > limit)
		error = page__paragraph(stream, width, 2, "... and %zu more tasks",
					list.count - limit);
cleanup:
	for (size_t i = 0; i < top.count; i++)
		free(top.title[i]);
	free(list.entries);
	query__free(query);
	return error;
}

/* --- What tasks read and write. */

static void add_numbers(struct grid *grid, const struct query_figures *figures)
{
	grid__bytes(grid, (int64_t)fmin(figures->read_bytes, 9e18));
	grid__bytes(grid, (int64_t)fmin(figures->write_bytes, 9e18));
	grid__integer(grid, (int64_t)fmin(figures->ops, 9e18));
	grid__integer(grid, (int64_t)fmin(figures->errors, 9e18));
}

static int print_io_tasks(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"task", NULL};
	struct entry_list list = {0};
	struct grid grid = {0};
	struct query *query = NULL;
	int error;

	error = page__query(tables, keys, "io_time", FOLD_INTERPRETER, &query);
	if (!error)
		error = list_tasks(tables, query, io_ns, &list);
	if (limit > list.count)
		limit = list.count;
	if (error || !limit)
		goto cleanup;
	grid__column(&grid, "task", false, true, 0);
	grid__column(&grid, "read", true, false, 0);
	grid__column(&grid, "written", true, false, 0);
	grid__column(&grid, "operations", true, false, 0);
	grid__column(&grid, "errors", true, false, 0);
	grid__column(&grid, "time in them", true, false, 0);
	for (size_t i = 0; i < limit; i++) {
		const struct query_figures *own = &list.entries[i].row->own;

		grid__text(&grid, task_of(query, list.entries[i].row, 0));
		add_numbers(&grid, own);
		grid__seconds(&grid, own->io_ns / 1e9);
	}
	error = page__grid(
		stream, width,
		"Operations on files, pipes and sockets (exact; their time includes waiting)",
		&grid);
	if (!error && list.count > limit)
		error = page__paragraph(stream, width, 2, "... and %zu more tasks",
					list.count - limit);
cleanup:
	free(list.entries);
	query__free(query);
	return error;
}

int page__events_of_tasks(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	int error = 0;

	if (tables->recorded[SOURCE_OFFCPU])
		error = print_waiting_tasks(stream, tables, width, limit);
	if (!error && tables->recorded[SOURCE_IO])
		error = print_io_tasks(stream, tables, width, limit);
	return error ? error : mem_shortage__table(stream, tables, width, limit);
}

/* --- Python functions that wait. */

static bool is_python_wait(const struct tables *tables, const struct query *query,
			   const struct query_row *row)
{
	uint64_t function = query__value(query, row, 0);

	return row->own.offcpu_samples && row->own.offcpu_ns > 0 && !page__is_special(function) &&
	       tables->functions[function].kind == FUNCTION_PYTHON &&
	       strcmp(task_of(query, row, 1), IDLE_CLASS) != 0;
}

static void add_waiting_function(struct grid *grid, const struct tables *tables,
				 const struct query *query, const struct query_row *row,
				 bool error_bar)
{
	uint64_t function = query__value(query, row, 0);

	grid__seconds(grid, row->own.offcpu_ns / 1e9);
	if (error_bar && row->own.offcpu_error_ns > LARGE_ERROR * row->own.offcpu_ns)
		grid__seconds(grid, row->own.offcpu_error_ns / 1e9);
	else if (error_bar)
		grid__text(grid, "");
	grid__text(grid, task_of(query, row, 1));
	grid__text(grid, tables->functions[function].name);
	grid__own(grid, text_report__origin(tables, function));
	grid__text(grid, task_of(query, row, 2));
}

static int print_waiting_functions(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"function", "wait", "task", NULL};
	struct entry_list list = {0};
	struct grid grid = {0};
	struct query *query = NULL;
	bool error_bar = false;
	int error;

	error = page__query(tables, keys, "offcpu", FOLD_NATIVE, &query);
	for (size_t i = 0; !error && i < query__row_count(query) && list.count < limit; i++) {
		struct entry entry = {.row = query__row(query, i)};

		if (!is_python_wait(tables, query, entry.row))
			continue;
		error_bar |=
			entry.row->own.offcpu_error_ns > LARGE_ERROR * entry.row->own.offcpu_ns;
		error = entry_list__add(&list, &entry);
	}
	if (error || !list.count)
		goto cleanup;
	grid__column(&grid, "waited", true, false, 0);
	if (error_bar)
		grid__column(&grid, "+-", true, false, 0);
	grid__column(&grid, "for", false, true, 0);
	grid__column(&grid, "function", false, true, 0);
	grid__column(&grid, "where", false, true, 0);
	grid__column(&grid, "task", false, true, 0);
	for (size_t i = 0; i < list.count; i++)
		add_waiting_function(&grid, tables, query, list.entries[i].row, error_bar);
	fprintf(stream, "\nPython functions that waited longest (estimated%s)\n",
		error_bar ? "; +-: one standard error" : "");
	error = grid__print(&grid, stream, width);
cleanup:
	grid__clear(&grid);
	free(list.entries);
	query__free(query);
	return error;
}

/* --- Files. */

static bool is_file(const struct tables *tables, uint64_t value)
{
	const char *kind = value == VALUE_UNKNOWN ? "" : tables->files[value].kind;

	return !strcmp(kind, "file") || !strcmp(kind, "directory");
}

static int print_files(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"file", "task", NULL};
	struct grid grid = {0};
	struct query *query;
	size_t shown = 0;
	int error;

	error = page__query(tables, keys, "io_time", FOLD_INTERPRETER, &query);
	if (error)
		return error;
	grid__column(&grid, "time", true, false, 0);
	grid__column(&grid, "bytes", true, false, 0);
	grid__column(&grid, "operations", false, true, 0);
	grid__column(&grid, "errors", true, false, 0);
	grid__column(&grid, "file", false, true, 0);
	grid__column(&grid, "task", false, true, 0);
	for (size_t i = 0; i < query__row_count(query) && shown < limit; i++) {
		const struct query_row *row = query__row(query, i);
		uint64_t file = query__value(query, row, 0);

		if (!is_file(tables, file))
			continue;
		grid__seconds(&grid, row->own.io_ns / 1e9);
		grid__bytes(&grid, (int64_t)fmin(row->own.read_bytes + row->own.write_bytes, 9e18));
		grid__own(&grid, text_report__ops(tables, query, row, 2));
		grid__integer(&grid, (int64_t)fmin(row->own.errors, 9e18));
		grid__text(&grid, tables->files[file].path);
		grid__text(&grid, task_of(query, row, 1));
		shown++;
	}
	error = page__grid(stream, width, "Files that took longest (exact)", &grid);
	query__free(query);
	return error;
}

/* --- Errors. */

static int list_errors(const struct query *query, struct entry_list *list)
{
	int error = 0;

	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *row = query__row(query, i);
		const struct query_part *part = NULL;

		while (!error && (part = query__part(query, row, part)))
			if (part->kind == PART_ERROR && part->own >= MANY_ERRORS)
				error = entry_list__add(list, &(struct entry){.row = row,
									      .value = part->own,
									      .item = part->item});
	}
	entry_list__sort(list);
	return error;
}

static int print_errors(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"op", "task", NULL};
	struct entry_list list = {0};
	struct grid grid = {0};
	struct query *query = NULL;
	int error;

	error = page__query(tables, keys, "errors", FOLD_INTERPRETER, &query);
	if (!error)
		error = list_errors(query, &list);
	if (error || !list.count)
		goto cleanup;
	grid__column(&grid, "errors", true, false, 0);
	grid__column(&grid, "error", false, false, 0);
	grid__column(&grid, "operation", false, true, 0);
	grid__column(&grid, "of all such", true, false, 0);
	grid__column(&grid, "task", false, true, 0);
	for (size_t i = 0; i < list.count && i < limit; i++) {
		const struct entry *entry = &list.entries[i];
		char name[ERROR_NAME_SIZE];

		grid__integer(&grid, (int64_t)fmin(entry->value, 9e18));
		grid__text(&grid, error__name(entry->item, name));
		grid__text(&grid, task_of(query, entry->row, 0));
		grid__percent(&grid, entry->value, entry->row->own.ops);
		grid__text(&grid, task_of(query, entry->row, 1));
	}
	fprintf(stream, "\nOperations that failed %d times or more (exact)\n", MANY_ERRORS);
	error = grid__print(&grid, stream, width);
cleanup:
	grid__clear(&grid);
	free(list.entries);
	query__free(query);
	return error;
}

/* --- How long operations take. */

static const char *const timed_ops[] = {"read", "write", "open", "stat"};

/* Linear in the logarithm within a bucket, as the buckets are. rows: of one file system and
 * operation, ascending. */
static double quantile_ns(const struct histogram_fact *rows, size_t count, double part)
{
	double all = 0, before = 0;

	for (size_t i = 0; i < count; i++)
		all += (double)rows[i].count;
	for (size_t i = 0; i < count; i++) {
		double here = (double)rows[i].count;

		if (here > 0 && before + here >= part * all)
			return exp2((double)rows[i].bucket + (part * all - before) / here);
		before += here;
	}
	return 0;
}

/* The rows of one file system from `first` on: one cell per operation. */
static void add_latencies(struct grid *grid, const struct histogram_fact *rows, size_t count)
{
	for (size_t op = 0; op < sizeof(timed_ops) / sizeof(timed_ops[0]); op++) {
		char median[NUMBER_SIZE], high[NUMBER_SIZE], *text = NULL;
		size_t first = 0, end;

		while (first < count &&
		       (strcmp(rows[first].op, timed_ops[op]) || strcmp(rows[first].what, "ns")))
			first++;
		for (end = first; end < count && !strcmp(rows[end].op, timed_ops[op]) &&
				  !strcmp(rows[end].what, "ns");)
			end++;
		if (first == end) {
			grid__text(grid, "-");
			continue;
		}
		number__duration(median, quantile_ns(&rows[first], end - first, 0.5));
		number__duration(high, quantile_ns(&rows[first], end - first, 0.99));
		if (asprintf(&text, "%s / %s", median, high) < 0)
			text = NULL;
		grid__own(grid, text);
	}
}

static bool is_timed(const struct histogram_fact *fact)
{
	for (size_t i = 0; i < sizeof(timed_ops) / sizeof(timed_ops[0]); i++)
		if (!strcmp(fact->op, timed_ops[i]) && !strcmp(fact->what, "ns") && fact->count)
			return true;
	return false;
}

/* The tables' rows are sorted by file system, operation, what and bucket. */
static int print_latencies(FILE *stream, const struct tables *tables, size_t width)
{
	const struct histogram_fact *rows = tables->histograms;
	struct grid grid = {0};
	size_t end;

	grid__column(&grid, "file system", false, true, 0);
	for (size_t i = 0; i < sizeof(timed_ops) / sizeof(timed_ops[0]); i++)
		grid__column(&grid, timed_ops[i], true, false, (int)i);
	for (size_t first = 0; first < tables->histogram_count; first = end) {
		bool any = false;

		for (end = first; end < tables->histogram_count &&
				  rows[end].filesystem == rows[first].filesystem;
		     end++)
			any |= is_timed(&rows[end]);
		if (!any)
			continue;
		grid__text(&grid, *rows[first].filesystem ? rows[first].filesystem : "(others)");
		add_latencies(&grid, &rows[first], end - first);
	}
	return page__grid(stream, width, "Time of an operation: median / 99 % are faster", &grid);
}

/* --- Who ended waits. */

/* What the samples say of all waits of the row's task and class. */
static double waited_in_all_ns(const struct query *query, const struct query_row *row)
{
	double ns = 0;

	for (size_t i = 0; i < query__row_count(query); i++) {
		const struct query_row *other = query__row(query, i);

		if (query__value(query, other, 0) == query__value(query, row, 0) &&
		    query__value(query, other, 1) == query__value(query, row, 1))
			ns += other->own.offcpu_ns;
	}
	return ns;
}

static void add_waker(struct grid *grid, const struct tables *tables, const struct query *query,
		      const struct query_row *row)
{
	const struct table_thread *thread = &tables->threads[query__value(query, row, 2)];
	const struct table_process *process = &tables->processes[thread->process];
	char *text = NULL;

	grid__seconds(grid, row->own.offcpu_ns / 1e9);
	grid__percent(grid, row->own.offcpu_ns, waited_in_all_ns(query, row));
	grid__text(grid, task_of(query, row, 1));
	grid__text(grid, task_of(query, row, 0));
	if (asprintf(&text, "%s %lld", thread->name, (long long)thread->tid) < 0)
		text = NULL;
	grid__own(grid, text);
	grid__text(grid, tables->epochs[process->epoch].task);
}

/* Interrupts end what timers and devices were waited for: there is nobody to look at. */
static int print_wakers(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"task", "wait", "waker", NULL};
	struct grid grid = {0};
	struct query *query;
	size_t shown = 0;
	int error;

	error = page__query(tables, keys, "offcpu", FOLD_INTERPRETER, &query);
	if (error)
		return error;
	grid__column(&grid, "waited", true, false, 0);
	grid__column(&grid, "of such", true, false, 0);
	grid__column(&grid, "for", false, true, 0);
	grid__column(&grid, "task", false, true, 0);
	grid__column(&grid, "woken by thread", false, true, 0);
	grid__column(&grid, "of task", false, true, 0);
	for (size_t i = 0; i < query__row_count(query) && shown < limit; i++) {
		const struct query_row *row = query__row(query, i);
		uint64_t waker = query__value(query, row, 2);

		if (waker >= tables->thread_count || row->own.offcpu_ns <= 0 ||
		    !strcmp(task_of(query, row, 1), IDLE_CLASS))
			continue;
		add_waker(&grid, tables, query, row);
		shown++;
	}
	error = page__grid(stream, width, "Threads that ended the waits of others (estimated)",
			   &grid);
	query__free(query);
	return error;
}

int page__events(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	int error = 0;

	if (tables->recorded[SOURCE_OFFCPU])
		error = print_waiting_functions(stream, tables, width, limit);
	if (!error && tables->recorded[SOURCE_OFFCPU])
		error = print_wakers(stream, tables, width, limit);
	if (error || !tables->recorded[SOURCE_IO])
		return error;
	error = print_files(stream, tables, width, limit);
	if (!error)
		error = print_errors(stream, tables, width, limit);
	if (!error)
		error = page__storms(stream, tables, width, limit);
	return error ? error : print_latencies(stream, tables, width);
}
