// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/torn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/quantum_key.h"
#include "report/csv.h"
#include "report/grid.h"
#include "report/json.h"

static const struct {
	const char *name, *headline;
} classes[] = {
	[TORN_KILLED] = {"killed", "Torn files: their writer was killed"},
	[TORN_APPENDING] = {"appending",
			    "Files whose writer was killed while it appended, as logs do"},
	[TORN_FAILED] = {"failed", "Files that a writer left open when it failed (a weaker sign)"},
};

enum torn_class torn__class(const struct torn_fact *torn)
{
	if (!strcmp(torn->cause, "exit"))
		return TORN_FAILED;
	return torn->appended ? TORN_APPENDING : TORN_KILLED;
}

const char *torn__class_name(const struct torn_fact *torn)
{
	return classes[torn__class(torn)].name;
}

const char *torn_report__refusal(const struct query_request *request)
{
	for (size_t i = 0; i < request->filter_count; i++) {
		enum key_scope scope = request->filters[i].key->scope;

		if (scope != SCOPE_EPOCH && scope != SCOPE_FILE)
			return "torn files can be chosen by task, process, job, quantum, file, "
			       "mount, "
			       "fs and dataset";
	}
	if (request->key_count || request->metric)
		return "'--by torn' stands alone, without other keys and without --metric";
	return NULL;
}

static bool passes(const struct tables *tables, const struct query_request *request,
		   const struct torn_fact *torn)
{
	for (size_t i = 0; i < request->filter_count; i++) {
		const struct query_filter *filter = &request->filters[i];
		uint32_t index = filter->key->scope == SCOPE_EPOCH ? torn->epoch : torn->file;
		uint64_t value =
			index == NO_INDEX ? VALUE_UNKNOWN : key__value(filter->key, tables, index);

		if (!filter->key->matches(tables, value, filter->pattern))
			return false;
	}
	return true;
}

char *torn__end_text(const struct torn_fact *torn)
{
	const char *name = sigabbrev_np((int)torn->code);
	char *text;
	int size;

	if (!strcmp(torn->cause, "oom"))
		return strdup("out of memory");
	if (!strcmp(torn->cause, "exit"))
		size = asprintf(&text, "exit %lld", (long long)torn->code);
	else if (name)
		size = asprintf(&text, "SIG%s", name);
	else
		size = asprintf(&text, "signal %lld", (long long)torn->code);
	return size < 0 ? NULL : text;
}

static const char *path_of(const struct tables *tables, const struct torn_fact *torn)
{
	return torn->file == NO_INDEX ? "(unknown)" : tables->files[torn->file].path;
}

/* --- text */

static void add_columns(struct grid *grid)
{
	grid__column(grid, "end", false, false, 0);
	grid__column(grid, "task", false, true, 0);
	grid__column(grid, "pid", true, false, 0);
	grid__column(grid, "quantum", false, true, 3);
	grid__column(grid, "ended", true, false, 2);
	grid__column(grid, "last write", true, false, 0);
	grid__column(grid, "written", true, false, 0);
	grid__column(grid, "size", true, false, 2);
	grid__column(grid, "file", false, true, 0);
}

static void add_cells(struct grid *grid, const struct tables *tables, const struct torn_fact *torn)
{
	const struct table_epoch *epoch = &tables->epochs[torn->epoch];
	char number[NUMBER_SIZE], *before = NULL;

	grid__own(grid, torn__end_text(torn));
	grid__text(grid, epoch->task);
	grid__integer(grid, tables->processes[epoch->process].pid);
	if (epoch->quantum == NO_INDEX)
		grid__text(grid, "-");
	else
		grid__own(grid, quantum__data_text(tables, &tables->quanta[epoch->quantum]));
	grid__seconds(grid, (double)torn->time_ns / 1e9);
	number__duration(number, (double)(torn->time_ns - torn->write_ns));
	if (asprintf(&before, "%s before", number) < 0)
		before = NULL;
	grid__own(grid, before);
	grid__bytes(grid, torn->bytes);
	grid__bytes(grid, torn->size);
	grid__text(grid, path_of(tables, torn));
}

static int print_class(FILE *stream, const struct tables *tables,
		       const struct query_request *request, enum torn_class class, size_t width,
		       size_t limit, size_t *ret_count)
{
	struct grid grid = {0};
	size_t all = 0;
	int error;

	add_columns(&grid);
	for (size_t i = 0; i < tables->torn_count && !grid.error; i++) {
		const struct torn_fact *torn = &tables->torn[i];

		if (torn__class(torn) != class || !passes(tables, request, torn))
			continue;
		if (!limit || all < limit)
			add_cells(&grid, tables, torn);
		all++;
	}
	if (all)
		fprintf(stream, "%s%s\n", *ret_count ? "\n" : "", classes[class].headline);
	error = grid__print(&grid, stream, width);
	grid__clear(&grid);
	if (!error && limit && all > limit)
		fprintf(stream, "... and %zu more; --limit 0 shows all.\n", all - limit);
	*ret_count += all;
	return error;
}

int torn_report__text(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t width, size_t limit)
{
	size_t count = 0;
	int error = 0;

	if (!tables->recorded[SOURCE_IO]) {
		fputs("Files: not recorded; 'pipescope record --sources cpu,offcpu,io' records "
		      "all.\n",
		      stream);
		return ferror(stream) ? -EIO : 0;
	}
	for (int class = 0; class < TORN_CLASSES && !error; class ++)
		error = print_class(stream, tables, request, (enum torn_class) class, width, limit,
				    &count);
	if (!error && !count)
		fputs("No torn files are known: no process ended by a signal or with a failure "
		      "while it had a file\nopen that it had opened itself since the recording "
		      "began, and written. Files that were open\nbefore are not known.\n",
		      stream);
	return error ? error : ferror(stream) ? -EIO : 0;
}

/* --- JSON and CSV */

static void describe(struct tables *tables, const struct torn_fact *torn, struct field_list *list)
{
	const struct table_epoch *epoch = &tables->epochs[torn->epoch];
	const struct table_quantum *quantum =
		epoch->quantum == NO_INDEX ? NULL : &tables->quanta[epoch->quantum];
	const struct table_file *file = torn->file == NO_INDEX ? NULL : &tables->files[torn->file];
	bool is_exit = !strcmp(torn->cause, "exit");

	field_list__clear(list);
	field_list__text(list, "file", path_of(tables, torn));
	field_list__text(list, "class", classes[torn__class(torn)].name);
	field_list__text(list, "cause", torn->cause);
	if (is_exit) {
		field_list__null(list, "signal");
		field_list__integer(list, "exit_code", torn->code);
	} else {
		field_list__integer(list, "signal", torn->code);
		field_list__null(list, "exit_code");
	}
	field_list__text(list, "task", epoch->task);
	field_list__text(list, "job", epoch->job);
	field_list__integer(list, "pid", tables->processes[epoch->process].pid);
	field_list__text(list, "quantum", quantum ? quantum->id : NULL);
	if (quantum)
		field_list__own(list, "dataid", quantum__data_text(tables, quantum));
	else
		field_list__null(list, "dataid");
	field_list__integer(list, "written_bytes", torn->bytes);
	field_list__integer(list, "size_bytes", torn->size);
	field_list__real(list, "open_s", (double)torn->open_ns / 1e9);
	field_list__real(list, "last_write_s", (double)torn->write_ns / 1e9);
	field_list__real(list, "end_s", (double)torn->time_ns / 1e9);
	field_list__text(list, "fs", file && *file->filesystem ? file->filesystem : NULL);
	field_list__text(list, "mount", file && *file->mount ? file->mount : NULL);
	field_list__text(list, "dataset", file ? file->dataset : NULL);
}

typedef int print_fn(FILE *stream, struct tables *tables, const struct field_list *list,
		     size_t position);

static int print_each(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t limit, print_fn *print, size_t *ret_count)
{
	struct field_list list = {0};
	size_t count = 0;
	int error = 0;

	for (size_t i = 0; i < tables->torn_count && !error && (!limit || count < limit); i++) {
		if (!passes(tables, request, &tables->torn[i]))
			continue;
		describe(tables, &tables->torn[i], &list);
		error = list.error ? list.error : print(stream, tables, &list, count++);
	}
	field_list__free(&list);
	*ret_count = count;
	return error;
}

static int print_object(FILE *stream, struct tables *tables, const struct field_list *list,
			size_t position)
{
	fputs(position ? ",\n" : "\n", stream);
	return json_report__fields(stream, tables, list);
}

static int print_line(FILE *stream, struct tables *tables, const struct field_list *list,
		      size_t position)
{
	if (!position)
		csv_report__names(stream, list);
	return csv_report__fields(stream, tables, list);
}

int torn_report__json(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t limit)
{
	size_t count;
	int error;

	fputs("{\"torn\":[", stream);
	error = print_each(stream, tables, request, limit, print_object, &count);
	fputs("]}\n", stream);
	return error ? error : ferror(stream) ? -EIO : 0;
}

int torn_report__csv(FILE *stream, struct tables *tables, const struct query_request *request,
		     size_t limit)
{
	size_t count;
	int error = print_each(stream, tables, request, limit, print_line, &count);

	if (!error && !count)
		fputs("file\r\n", stream);
	return error ? error : ferror(stream) ? -EIO : 0;
}
