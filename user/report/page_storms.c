// SPDX-License-Identifier: GPL-2.0-or-later
/* Of the page: what makes a shared file system slow without moving bytes: very many small reads,
 * stats and opens, and look-ups of files that are not there. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "report/grid.h"
#include "report/page.h"

#define MANY_OPERATIONS 2000 /* of a task, fewer are no storm */
#define SMALL_BYTES	4096 /* a read of less is small */
#define MANY_ABSENT	200 /* look-ups in one directory by a task */

static const char *text_of(uint64_t value)
{
	return value == VALUE_UNKNOWN || !value ? "-" : (const char *)(uintptr_t)value;
}

/* --- many operations */

static uint64_t kind_of(const struct tables *tables, uint32_t file)
{
	return file == NO_INDEX ? VALUE_UNKNOWN : (uintptr_t)tables->files[file].kind;
}

static bool is_kind(const struct tables *tables, uint64_t value, const char *pattern)
{
	const char *kind = value == VALUE_UNKNOWN ? "" : (const char *)(uintptr_t)value;

	(void)tables;
	(void)pattern;
	return !strcmp(kind, "file") || !strcmp(kind, "directory");
}

/* As page__query(), of regular files and directories alone: what pipes and sockets carry makes no
 * file system slow. */
static int query_files(struct tables *tables, const char *const *keys, enum query_fold fold,
		       struct query **ret_query)
{
	static const struct key kind = {
		.name = "file kind", .scope = SCOPE_FILE, .value = kind_of, .matches = is_kind};
	struct query_request request = {.metric = metric__find("ops"),
					.fold = fold,
					.filters = {{.key = &kind, .pattern = ""}},
					.filter_count = 1};

	for (; *keys; keys++)
		request.keys[request.key_count++] = key__find(*keys);
	return query__run(tables, &request, ret_query);
}

/* What a task's operations of a kind are called as a storm; NULL: they are none. */
static const char *storm_of(const struct query_row *row, const char *op)
{
	if (row->own.ops < MANY_OPERATIONS)
		return NULL;
	if (!strcmp(op, "read"))
		return row->own.read_bytes < row->own.ops * SMALL_BYTES ? "small reads" : NULL;
	if (!strcmp(op, "write"))
		return row->own.write_bytes < row->own.ops * SMALL_BYTES ? "small writes" : NULL;
	if (!strcmp(op, "stat") || !strcmp(op, "access"))
		return "stats";
	if (!strcmp(op, "open"))
		return "opens";
	return !strcmp(op, "readdir") ? "directory reads" : NULL;
}

/* The line that makes most of them; its part of the task's in *ret_part. NULL: none is known. */
static const struct query_row *line_of(const struct query *lines, uint64_t task, uint64_t op,
				       double *ret_part)
{
	const struct query_row *most = NULL;
	double all = 0;

	for (size_t i = 0; i < query__row_count(lines); i++) {
		const struct query_row *row = query__row(lines, i);
		uint64_t line = query__value(lines, row, 2);

		if (query__value(lines, row, 0) != task || query__value(lines, row, 1) != op)
			continue;
		all += row->own.ops;
		if (line != VALUE_UNKNOWN && line != VALUE_NOT_SAMPLED &&
		    (!most || row->own.ops > most->own.ops))
			most = row;
	}
	*ret_part = most ? most->own.ops / all : 0;
	return most;
}

static void add_storm(struct grid *grid, struct tables *tables, const struct query *query,
		      const struct query_row *row, const struct query *lines, const char *what)
{
	uint64_t task = query__value(query, row, 0), op = query__value(query, row, 1);
	double bytes = row->own.read_bytes + row->own.write_bytes, part;
	const struct query_row *line = line_of(lines, task, op, &part);
	char *label = NULL;

	grid__text(grid, text_of(task));
	grid__text(grid, what);
	grid__integer(grid, llround(row->own.ops));
	grid__seconds(grid, row->own.io_ns / 1e9);
	if (bytes > 0)
		grid__bytes(grid, llround(bytes / row->own.ops));
	else
		grid__text(grid, "-");
	if (!line) {
		grid__text(grid, "-");
		grid__text(grid, "-");
		return;
	}
	if (key__find("line")->label(tables, query__value(lines, line, 2), &label))
		label = NULL;
	grid__own(grid, label);
	grid__percent(grid, part, 1);
}

static int print_many(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const by_op[] = {"task", "op", NULL};
	static const char *const by_line[] = {"task", "op", "line", NULL};
	struct query *query = NULL, *lines = NULL;
	struct grid grid = {0};
	size_t shown = 0;
	int error;

	error = query_files(tables, by_op, FOLD_INTERPRETER, &query);
	if (!error)
		error = query_files(tables, by_line, FOLD_NATIVE, &lines);
	if (error)
		goto cleanup;
	grid__column(&grid, "task", false, true, 0);
	grid__column(&grid, "storm of", false, false, 0);
	grid__column(&grid, "number", true, false, 0);
	grid__column(&grid, "time", true, false, 1);
	grid__column(&grid, "bytes each", true, false, 2);
	grid__column(&grid, "mostly by line", false, true, 0);
	grid__column(&grid, "of them", true, false, 1);
	for (size_t i = 0; i < query__row_count(query) && shown < limit; i++) {
		const struct query_row *row = query__row(query, i);
		const char *what = storm_of(row, text_of(query__value(query, row, 1)));

		if (!what)
			continue;
		add_storm(&grid, tables, query, row, lines, what);
		shown++;
	}
	error = page__grid(stream, width,
			   "Storms of small operations on files (numbers exact, lines estimated)",
			   &grid);
cleanup:
	query__free(query);
	query__free(lines);
	return error;
}

/* --- files that are not there */

/* Look-ups by one task in one directory. */
struct absent {
	const char *task;
	const char *path; /* of one of them, with the directory's path in front */
	size_t length; /* of the directory's path */
	double count, ns;
	uint32_t names; /* files, each once */
};

static int by_directory(const void *one, const void *other)
{
	const struct absent *a = one, *b = other;
	size_t length = a->length < b->length ? a->length : b->length;
	int order = a->task < b->task ? -1 : a->task > b->task;

	order = order ? order : memcmp(a->path, b->path, length);
	if (!order)
		order = a->length < b->length ? -1 : a->length > b->length;
	return order ? order : strcmp(a->path, b->path);
}

static int by_count(const void *one, const void *other)
{
	const struct absent *a = one, *b = other;

	return a->count > b->count ? -1 : a->count < b->count ? 1 : by_directory(one, other);
}

/* Look-ups of each file → of each directory, in place. */
static size_t sum_up(struct absent *items, size_t count)
{
	size_t kept = 0;

	qsort(items, count, sizeof(*items), by_directory);
	for (size_t i = 0; i < count; i++) {
		struct absent *last = kept ? &items[kept - 1] : NULL;

		if (last && last->task == items[i].task && last->length == items[i].length &&
		    !memcmp(last->path, items[i].path, last->length)) {
			last->names += strcmp(items[i].path, items[i - 1].path) != 0;
			last->count += items[i].count;
			last->ns += items[i].ns;
			continue;
		}
		items[kept++] = items[i];
	}
	qsort(items, kept, sizeof(*items), by_count);
	return kept;
}

static int list_absent(const struct tables *tables, struct absent **items, size_t *count)
{
	size_t capacity = 0;
	int error = 0;

	for (size_t i = 0; i < tables->io_count && !error; i++) {
		const struct io_fact *io = &tables->io[i];
		const char *path, *slash;

		if (io->error != ENOENT || io->file == NO_INDEX)
			continue;
		path = tables->files[io->file].path;
		slash = strrchr(path, '/');
		if (!slash)
			continue;
		error = array__reserve(items, &capacity, sizeof(**items), *count + 1);
		if (!error)
			(*items)[(*count)++] = (struct absent){
				.task = tables->epochs[io->epoch].task,
				.path = path,
				.length = (size_t)(slash - path),
				.count = (double)io->count,
				.ns = (double)io->ns,
				.names = 1,
			};
	}
	return error;
}

static int print_absent(FILE *stream, const struct tables *tables, size_t width, size_t limit)
{
	_cleanup_free_ struct absent *items = NULL;
	struct grid grid = {0};
	size_t count = 0, shown = 0;
	int error = list_absent(tables, &items, &count);

	if (error || !count)
		return error;
	count = sum_up(items, count);
	grid__column(&grid, "task", false, true, 0);
	grid__column(&grid, "look-ups", true, false, 0);
	grid__column(&grid, "names", true, false, 1);
	grid__column(&grid, "time", true, false, 1);
	grid__column(&grid, "in", false, true, 0);
	grid__column(&grid, "of, for example", false, true, 2);
	for (size_t i = 0; i < count && shown < limit && items[i].count >= MANY_ABSENT; i++) {
		const struct absent *one = &items[i];

		grid__text(&grid, one->task);
		grid__integer(&grid, llround(one->count));
		grid__integer(&grid, one->names);
		grid__seconds(&grid, one->ns / 1e9);
		grid__own(&grid, one->length ? strndup(one->path, one->length) : strdup("/"));
		grid__text(&grid, one->path + one->length + 1);
		shown++;
	}
	return page__grid(stream, width,
			  "Files that were looked for and not there, by search path (exact)",
			  &grid);
}

int page__storms(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	int error = print_many(stream, tables, width, limit);

	return error ? error : print_absent(stream, tables, width, limit);
}
