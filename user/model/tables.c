// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/strings.h"

#define TIME_LIMIT  (1LL << 61) /* sums and differences of two times cannot overflow */
#define MAX_ENDINGS 64

struct table_frame {
	uint32_t function, line;
};

/* Room of one array of struct tables while it grows. */
enum { PROCESSES, IMAGES, EPOCHS, THREADS, SLICES, FUNCTIONS, NODES, USAGE, SAMPLES, ARRAYS };

struct loading_state {
	struct id_list processes, images, epochs, threads, slices, functions, frames, nodes;
	size_t capacity[ARRAYS];
	size_t thread_usage_capacity;
	uint32_t *function_of; /* of functions.ids: equal functions are one */
	size_t function_of_capacity;
	struct tuple_set *function_set;
	struct table_frame *frame_of; /* of frames.ids */
	size_t frame_of_capacity;
	uint16_t *depth; /* of nodes */
	size_t depth_capacity;
	size_t last_ending;
	const char *sample_metric;
	bool thread_usage_loaded;
};

/* One row, read with bounds: a value outside them fails the row for good. */
struct row {
	sqlite3_stmt *statement;
	bool failed;
};

static bool row__is_null(const struct row *row, int column)
{
	return sqlite3_column_type(row->statement, column) == SQLITE_NULL;
}

static int64_t row__number(struct row *row, int column, int64_t least, int64_t most)
{
	int64_t value = sqlite3_column_int64(row->statement, column);

	if (value < least || value > most) {
		row->failed = true;
		return least;
	}
	return value;
}

static int64_t row__optional(struct row *row, int column, int64_t least, int64_t most)
{
	return row__is_null(row, column) ? NO_VALUE : row__number(row, column, least, most);
}

static int64_t row__time(struct row *row, int column)
{
	return row__number(row, column, -TIME_LIMIT, TIME_LIMIT);
}

static int64_t row__id(struct row *row, int column)
{
	return row__number(row, column, INT64_MIN, INT64_MAX);
}

static const char *row__text(struct row *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row->statement, column);

	return text ? text : "";
}

const char *tables__intern(struct tables *tables, const char *text)
{
	return string_pool__intern(tables->names, text);
}

/* NULL stays NULL; *error is set when there is no memory. */
static const char *row__interned(struct tables *tables, struct row *row, int column, int *error)
{
	const char *text;

	if (row__is_null(row, column))
		return NULL;
	text = tables__intern(tables, row__text(row, column));
	if (!text)
		*error = -ENOMEM;
	return text;
}

static int id_list__add(struct id_list *list, int64_t id)
{
	int error;

	/* Without strict order the look-up, and with it every bound, would be wrong. */
	if (list->count && id <= list->ids[list->count - 1])
		return -EBADMSG;
	if (list->count >= NO_INDEX - 1)
		return -EOVERFLOW;
	error = array__reserve(&list->ids, &list->capacity, sizeof(*list->ids), list->count + 1);
	if (error)
		return error;
	list->ids[list->count++] = id;
	return 0;
}

static uint32_t id_list__find(const struct id_list *list, int64_t id)
{
	size_t low = 0, high = list->count;

	if (!list->count || id < list->ids[0])
		return NO_INDEX;
	/* Ids mostly count up by one. */
	if ((uint64_t)id - (uint64_t)list->ids[0] < list->count &&
	    list->ids[(uint64_t)id - (uint64_t)list->ids[0]] == id)
		return (uint32_t)((uint64_t)id - (uint64_t)list->ids[0]);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->ids[middle] == id)
			return (uint32_t)middle;
		if (list->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_INDEX;
}

static uint32_t row__reference(struct row *row, int column, const struct id_list *list)
{
	return row__is_null(row, column) ? NO_INDEX : id_list__find(list, row__id(row, column));
}

#define GROW(tables, field, count, array)                                                          \
	array__reserve(&(tables)->field, &(tables)->loading->capacity[array],                      \
		       sizeof(*(tables)->field), (count) + 1)

static int load_process(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_process process = {.epoch = NO_INDEX, .last_epoch = NO_INDEX};
	int error = 0;

	process.parent = row__reference(row, 1, &loading->processes);
	process.pid = row__number(row, 2, 0, INT32_MAX);
	process.start_ns = row__time(row, 3);
	process.end_ns = row__optional(row, 4, -TIME_LIMIT, TIME_LIMIT);
	process.exit_code = row__optional(row, 5, INT32_MIN, INT32_MAX);
	process.exit_signal = row__optional(row, 6, 0, INT32_MAX);
	process.max_rss_bytes = row__optional(row, 7, 0, INT64_MAX);
	process.python = row__interned(tables, row, 8, &error);
	if (!error)
		error = GROW(tables, processes, tables->process_count, PROCESSES);
	if (!error)
		error = id_list__add(&loading->processes, row__id(row, 0));
	if (!error)
		tables->processes[tables->process_count++] = process;
	return error;
}

static int load_image(struct tables *tables, struct row *row)
{
	struct table_image image = {.id = row__id(row, 0)};
	int error;

	image.comm = tables__intern(tables, row__text(row, 1));
	if (!image.comm)
		return -ENOMEM;
	error = GROW(tables, images, tables->image_count, IMAGES);
	if (!error)
		error = id_list__add(&tables->loading->images, image.id);
	if (!error)
		tables->images[tables->image_count++] = image;
	return error;
}

static int load_epoch(struct tables *tables, struct row *row)
{
	struct table_epoch epoch = {0};
	int error = 0;

	epoch.process = row__reference(row, 1, &tables->loading->processes);
	if (epoch.process == NO_INDEX)
		return -EBADMSG;
	epoch.image = row__reference(row, 2, &tables->loading->images);
	epoch.start_ns = row__time(row, 3);
	epoch.end_ns = row__optional(row, 4, -TIME_LIMIT, TIME_LIMIT);
	epoch.task = row__interned(tables, row, 5, &error);
	epoch.job = row__interned(tables, row, 6, &error);
	epoch.rule = row__interned(tables, row, 7, &error);
	if (!error && !epoch.task)
		return -EBADMSG;
	if (!error)
		error = GROW(tables, epochs, tables->epoch_count, EPOCHS);
	if (!error)
		error = id_list__add(&tables->loading->epochs, row__id(row, 0));
	if (!error)
		tables->epochs[tables->epoch_count++] = epoch;
	return error;
}

static int load_thread(struct tables *tables, struct row *row)
{
	struct table_thread thread = {0};
	int error = 0;

	thread.process = row__reference(row, 1, &tables->loading->processes);
	thread.tid = row__number(row, 2, 0, INT32_MAX);
	thread.name = tables__intern(tables, row__text(row, 3));
	if (thread.process == NO_INDEX)
		return -EBADMSG;
	if (!thread.name)
		return -ENOMEM;
	error = GROW(tables, threads, tables->thread_count, THREADS);
	if (!error)
		error = id_list__add(&tables->loading->threads, row__id(row, 0));
	if (!error)
		tables->threads[tables->thread_count++] = thread;
	return error;
}

static int load_slice(struct tables *tables, struct row *row)
{
	struct table_slice slice = {.start_ns = row__time(row, 1), .end_ns = row__time(row, 2)};
	int error;

	error = GROW(tables, slices, tables->slice_count, SLICES);
	if (!error)
		error = id_list__add(&tables->loading->slices, row__id(row, 0));
	if (error)
		return error;
	tables->slices[tables->slice_count++] = slice;
	if (slice.end_ns > tables->end_ns)
		tables->end_ns = slice.end_ns;
	return 0;
}

static int kind_of(const char *text, enum function_kind *ret_kind)
{
	static const char *const kinds[] = {
		[FUNCTION_PYTHON] = "python",
		[FUNCTION_NATIVE] = "native",
		[FUNCTION_INTERPRETER] = "interpreter",
		[FUNCTION_KERNEL] = "kernel",
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(text, kinds[i])) {
			*ret_kind = (enum function_kind)i;
			return 0;
		}
	}
	return -EBADMSG;
}

static int load_function(struct tables *tables, struct row *row)
{
	static const char eval_loop[] = "_PyEval_EvalFrame";
	struct loading_state *loading = tables->loading;
	struct table_function function = {0};
	uint32_t index;
	int error;

	error = kind_of(row__text(row, 1), &function.kind);
	if (error)
		return error;
	function.name = tables__intern(tables, row__text(row, 2));
	function.file = row__interned(tables, row, 3, &error);
	function.line = row__optional(row, 4, 0, INT32_MAX);
	function.module = tables__intern(tables, row__text(row, 5));
	if (error || !function.name || !function.module)
		return -ENOMEM;
	function.eval_loop = function.kind == FUNCTION_INTERPRETER &&
			     !strncmp(function.name, eval_loop, sizeof(eval_loop) - 1);
	error = tuple_set__add(loading->function_set,
			       (const uint64_t[]){function.kind, (uintptr_t)function.name,
						  (uintptr_t)function.file, (uint64_t)function.line,
						  (uintptr_t)function.module},
			       &index);
	if (!error)
		error = array__reserve(&loading->function_of, &loading->function_of_capacity,
				       sizeof(*loading->function_of), loading->functions.count + 1);
	if (!error)
		error = GROW(tables, functions, tables->function_count, FUNCTIONS);
	if (!error)
		error = id_list__add(&loading->functions, row__id(row, 0));
	if (error)
		return error;
	loading->function_of[loading->functions.count - 1] = index;
	if (index == tables->function_count)
		tables->functions[tables->function_count++] = function;
	return 0;
}

static int load_frame(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_frame frame = {.line = NO_INDEX};
	uint32_t function = row__reference(row, 1, &loading->functions);
	int64_t line = row__optional(row, 2, 0, INT32_MAX);
	const struct table_function *of;
	int error = 0;

	if (function == NO_INDEX)
		return -EBADMSG;
	frame.function = loading->function_of[function];
	of = &tables->functions[frame.function];
	if (line > 0) {
		const char *file = of->file ? of->file : of->module;

		error = tuple_set__add(tables->lines,
				       (const uint64_t[]){(uintptr_t)file, (uint64_t)line},
				       &frame.line);
	}
	if (!error)
		error = array__reserve(&loading->frame_of, &loading->frame_of_capacity,
				       sizeof(*loading->frame_of), loading->frames.count + 1);
	if (!error)
		error = id_list__add(&loading->frames, row__id(row, 0));
	if (!error)
		loading->frame_of[loading->frames.count - 1] = frame;
	return error;
}

static int load_node(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_node node = {.parent = NO_INDEX};
	uint32_t frame = row__reference(row, 2, &loading->frames);
	uint16_t depth = 1;
	int error;

	if (frame == NO_INDEX)
		return -EBADMSG;
	if (!row__is_null(row, 1)) {
		/* Only what was read before is found: no loop can be made. */
		node.parent = row__reference(row, 1, &loading->nodes);
		if (node.parent == NO_INDEX)
			return -EBADMSG;
		depth = loading->depth[node.parent] + 1;
		if (depth > TABLES_MAX_DEPTH)
			return -EBADMSG;
	}
	node.function = loading->frame_of[frame].function;
	node.line = loading->frame_of[frame].line;
	error = GROW(tables, nodes, tables->node_count, NODES);
	if (!error)
		error = array__reserve(&loading->depth, &loading->depth_capacity,
				       sizeof(*loading->depth), tables->node_count + 1);
	if (!error)
		error = id_list__add(&loading->nodes, row__id(row, 0));
	if (error)
		return error;
	loading->depth[tables->node_count] = depth;
	tables->nodes[tables->node_count++] = node;
	return 0;
}

static int read_usage(struct tables *tables, struct row *row, struct usage_fact *ret_fact)
{
	struct usage_fact fact = {.thread = NO_INDEX};

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	fact.slice = row__reference(row, 1, &tables->loading->slices);
	fact.cpu_ns = row__number(row, 2, 0, TIME_LIMIT);
	if (fact.epoch == NO_INDEX)
		return -EBADMSG;
	*ret_fact = fact;
	return 0;
}

static int load_usage(struct tables *tables, struct row *row)
{
	struct usage_fact fact;
	int error;

	error = read_usage(tables, row, &fact);
	if (!error)
		error = GROW(tables, usage, tables->usage_count, USAGE);
	if (error)
		return error;
	fact.user_ns = row__number(row, 3, 0, TIME_LIMIT);
	fact.system_ns = row__number(row, 4, 0, TIME_LIMIT);
	tables->epochs[fact.epoch].cpu_ns += (double)fact.cpu_ns;
	tables->usage[tables->usage_count++] = fact;
	return 0;
}

static int add_thread_usage(struct tables *tables, const struct usage_fact *fact)
{
	int error;

	error = array__reserve(&tables->thread_usage, &tables->loading->thread_usage_capacity,
			       sizeof(*tables->thread_usage), tables->thread_usage_count + 1);
	if (!error)
		tables->thread_usage[tables->thread_usage_count++] = *fact;
	return error;
}

static int load_thread_fact(struct tables *tables, struct row *row)
{
	struct usage_fact fact;
	int error;

	error = read_usage(tables, row, &fact);
	if (error)
		return error;
	fact.thread = row__reference(row, 3, &tables->loading->threads);
	return add_thread_usage(tables, &fact);
}

static int count_ending(struct tables *tables, const char *name, int64_t samples)
{
	struct loading_state *loading = tables->loading;
	size_t i = loading->last_ending;

	if (i >= tables->ending_count || strcmp(tables->endings[i].name, name)) {
		for (i = 0; i < tables->ending_count; i++)
			if (!strcmp(tables->endings[i].name, name))
				break;
	}
	if (i == tables->ending_count) {
		if (i == MAX_ENDINGS)
			return -EBADMSG;
		tables->endings[i].name = tables__intern(tables, name);
		if (!tables->endings[i].name)
			return -ENOMEM;
		tables->ending_count++;
	}
	loading->last_ending = i;
	tables->endings[i].samples += samples;
	return 0;
}

static int load_sample(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct sample_fact fact;
	int error;

	fact.epoch = row__reference(row, 0, &loading->epochs);
	fact.thread = row__reference(row, 1, &loading->threads);
	fact.slice = row__reference(row, 2, &loading->slices);
	fact.stack = row__reference(row, 3, &loading->nodes);
	/* So bounded, no sum over all rows can overflow. */
	fact.count = (uint32_t)row__number(row, 5, 0, INT32_MAX);
	if (fact.epoch == NO_INDEX || (fact.stack == NO_INDEX && !row__is_null(row, 3)))
		return -EBADMSG;
	if (!fact.count)
		return 0;
	error = count_ending(tables, row__text(row, 4), fact.count);
	if (!error)
		error = GROW(tables, samples, tables->sample_count, SAMPLES);
	if (error)
		return error;
	tables->epochs[fact.epoch].samples += fact.count;
	tables->samples[tables->sample_count++] = fact;
	return 0;
}

static int load_table(struct tables *tables, const char *sql,
		      int (*load)(struct tables *tables, struct row *row))
{
	struct row row = {0};
	int error;

	error = recording__prepare(tables->recording, sql, &row.statement);
	if (error)
		return error;
	if (sqlite3_bind_parameter_count(row.statement))
		sqlite3_bind_text(row.statement, 1, tables->loading->sample_metric, -1,
				  SQLITE_STATIC);
	while ((error = recording__step(row.statement)) > 0) {
		error = load(tables, &row);
		if (!error && row.failed)
			error = -EBADMSG;
		if (error)
			break;
	}
	sqlite3_finalize(row.statement);
	return error;
}

/* In this order: each refers to those before it. */
static const struct loading_step {
	const char *sql;
	int (*load)(struct tables *tables, struct row *row);
} loading_steps[] = {
	{"SELECT id, start_ns, end_ns FROM slice ORDER BY id", load_slice},
	{"SELECT id, parent, pid, start_ns, end_ns, exit_code, exit_signal, max_rss_bytes, python"
	 " FROM process ORDER BY id",
	 load_process},
	{"SELECT id, comm FROM image ORDER BY id", load_image},
	{"SELECT id, process, image, start_ns, end_ns, task, job, rule FROM epoch ORDER BY id",
	 load_epoch},
	{"SELECT id, process, tid, name FROM thread ORDER BY id", load_thread},
	{"SELECT id, kind, name, file, line, module FROM function ORDER BY id", load_function},
	{"SELECT id, function, line FROM frame ORDER BY id", load_frame},
	{"SELECT id, parent, frame FROM stack ORDER BY id", load_node},
	{"SELECT epoch, slice, cpu_ns, user_ns, system_ns FROM usage", load_usage},
	{"SELECT epoch, thread, slice, stack, ending, count FROM sample WHERE metric = ?1",
	 load_sample},
};

/* A process without an epoch would be in no row of any report. */
static int complete_epochs(struct tables *tables)
{
	size_t recorded = tables->epoch_count;
	bool *has_epoch;
	int error = 0;

	has_epoch = calloc(tables->process_count + 1, sizeof(*has_epoch));
	if (!has_epoch)
		return -ENOMEM;
	for (size_t i = 0; i < recorded; i++)
		has_epoch[tables->epochs[i].process] = true;
	for (uint32_t i = 0; i < tables->process_count && !error; i++) {
		const struct table_process *process = &tables->processes[i];
		struct table_epoch epoch = {.process = i, .image = NO_INDEX};

		if (has_epoch[i])
			continue;
		epoch.start_ns = process->start_ns;
		epoch.end_ns = process->end_ns;
		epoch.task = tables__intern(tables, "(unknown)");
		error = epoch.task ? GROW(tables, epochs, tables->epoch_count, EPOCHS) : -ENOMEM;
		if (!error)
			tables->epochs[tables->epoch_count++] = epoch;
	}
	free(has_epoch);
	return error;
}

static bool epoch_is_later(const struct table_epoch *one, const struct table_epoch *other)
{
	return one->start_ns >= other->start_ns;
}

static int close_epochs(struct tables *tables)
{
	struct tuple_set *seen = tuple_set__new(2);
	int error = seen ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < tables->epoch_count; i++) {
		struct table_epoch *epoch = &tables->epochs[i];
		struct table_process *process = &tables->processes[epoch->process];
		const struct table_epoch *chosen;

		if (epoch->end_ns == NO_VALUE)
			epoch->end_ns =
				process->end_ns != NO_VALUE ? process->end_ns : tables->end_ns;
		if (process->last_epoch == NO_INDEX ||
		    epoch_is_later(epoch, &tables->epochs[process->last_epoch]))
			process->last_epoch = i;
		chosen = process->epoch == NO_INDEX ? NULL : &tables->epochs[process->epoch];
		if (!chosen || (epoch->rule && !chosen->rule) ||
		    (!epoch->rule == !chosen->rule && epoch_is_later(epoch, chosen)))
			process->epoch = i;
	}
	for (uint32_t i = 0; i < tables->epoch_count && !error; i++) {
		const struct table_epoch *epoch = &tables->epochs[i];
		struct table_process *process = &tables->processes[epoch->process];
		uint32_t index, before = (uint32_t)tuple_set__count(seen);

		if (!epoch->rule || epoch->task == tables->epochs[process->epoch].task)
			continue;
		error = tuple_set__add(
			seen, (const uint64_t[]){epoch->process, (uintptr_t)epoch->task}, &index);
		if (!error && index == before)
			process->other_tasks++;
	}
	tuple_set__free(seen);
	return error;
}

static int compare_samples(const void *one, const void *other)
{
	const struct sample_fact *a = one, *b = other;

	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

int tables__load(struct recording *recording, const char *sample_metric, struct tables **ret_tables)
{
	struct tables *tables = calloc(1, sizeof(*tables));
	int64_t stop_ns;
	int error = -ENOMEM;

	if (!tables)
		return -ENOMEM;
	tables->recording = recording;
	tables->names = string_pool__new();
	tables->loading = calloc(1, sizeof(*tables->loading));
	tables->endings = calloc(MAX_ENDINGS, sizeof(*tables->endings));
	tables->lines = tuple_set__new(2);
	if (!tables->names || !tables->loading || !tables->endings || !tables->lines)
		goto cleanup;
	tables->loading->function_set = tuple_set__new(5);
	if (!tables->loading->function_set)
		goto cleanup;
	tables->loading->sample_metric = sample_metric;
	for (size_t i = 0; i < sizeof(loading_steps) / sizeof(loading_steps[0]); i++) {
		error = load_table(tables, loading_steps[i].sql, loading_steps[i].load);
		if (error)
			goto cleanup;
	}
	stop_ns = recording__meta_number(recording, "stop_ns", -1);
	if (stop_ns >= 0 && stop_ns <= TIME_LIMIT)
		tables->end_ns = stop_ns;
	error = complete_epochs(tables);
	if (!error)
		error = close_epochs(tables);
	if (error)
		goto cleanup;
	if (tables->sample_count)
		qsort(tables->samples, tables->sample_count, sizeof(*tables->samples),
		      compare_samples);
	*ret_tables = tables;
	tables = NULL;
cleanup:
	tables__free(tables);
	return error;
}

static int close_thread_usage(struct tables *tables)
{
	struct tuple_set *pairs = tuple_set__new(2);
	_cleanup_free_ int64_t *missing = NULL;
	size_t capacity = 0, facts = tables->thread_usage_count;
	int error = pairs ? 0 : -ENOMEM;

	for (size_t i = 0; i < tables->usage_count + facts && !error; i++) {
		bool whole = i < tables->usage_count;
		const struct usage_fact *fact =
			whole ? &tables->usage[i] : &tables->thread_usage[i - tables->usage_count];
		uint32_t pair;

		error = tuple_set__add(pairs, (const uint64_t[]){fact->epoch, fact->slice}, &pair);
		if (!error)
			error = array__reserve(&missing, &capacity, sizeof(*missing),
					       (size_t)pair + 1);
		if (!error &&
		    __builtin_add_overflow(missing[pair], whole ? fact->cpu_ns : -fact->cpu_ns,
					   &missing[pair]))
			error = -EBADMSG;
	}
	for (uint32_t i = 0; !error && i < tuple_set__count(pairs); i++) {
		const uint64_t *pair = tuple_set__at(pairs, i);
		struct usage_fact fact = {.epoch = (uint32_t)pair[0], .slice = (uint32_t)pair[1]};

		fact.thread = NO_INDEX;
		fact.cpu_ns = missing[i];
		if (fact.cpu_ns)
			error = add_thread_usage(tables, &fact);
	}
	tuple_set__free(pairs);
	return error;
}

int tables__load_thread_usage(struct tables *tables)
{
	int error;

	if (tables->loading->thread_usage_loaded)
		return 0;
	tables->thread_usage_count = 0;
	error = load_table(tables, "SELECT epoch, slice, cpu_ns, thread FROM thread_usage",
			   load_thread_fact);
	if (!error)
		error = close_thread_usage(tables);
	tables->loading->thread_usage_loaded = !error;
	return error;
}

static void loading_state__free(struct loading_state *loading)
{
	if (!loading)
		return;
	free(loading->processes.ids);
	free(loading->images.ids);
	free(loading->epochs.ids);
	free(loading->threads.ids);
	free(loading->slices.ids);
	free(loading->functions.ids);
	free(loading->frames.ids);
	free(loading->nodes.ids);
	free(loading->function_of);
	free(loading->frame_of);
	free(loading->depth);
	tuple_set__free(loading->function_set);
	free(loading);
}

void tables__free(struct tables *tables)
{
	if (!tables)
		return;
	sqlite3_finalize(tables->arguments);
	loading_state__free(tables->loading);
	tuple_set__free(tables->lines);
	tuple_set__free(tables->shown);
	free(tables->shown_of_node);
	free(tables->shown_labels);
	free(tables->processes);
	free(tables->epochs);
	free(tables->images);
	free(tables->threads);
	free(tables->slices);
	free(tables->functions);
	free(tables->nodes);
	free(tables->usage);
	free(tables->thread_usage);
	free(tables->samples);
	free(tables->endings);
	string_pool__free(tables->names);
	free(tables);
}
