// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/strings.h"
#include "model/events.h"
#include "model/loading.h"

uint32_t tables__slice_after(const struct tables *tables, int64_t ns)
{
	size_t low = 0, high = tables->slice_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tables->slices[middle].end_ns > ns)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

const char *tables__intern(struct tables *tables, const char *text)
{
	return string_pool__intern(tables->names, text);
}

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
		error = id_list__add(&loading->processes, row__id(row, 0));
	return error ?: APPEND(tables, processes, tables->process_count, PROCESSES, process);
}

static int load_image(struct tables *tables, struct row *row)
{
	struct table_image image = {.id = row__id(row, 0)};
	int error;

	image.comm = tables__intern(tables, row__text(row, 1));
	if (!image.comm)
		return -ENOMEM;
	error = id_list__add(&tables->loading->images, image.id);
	return error ?: APPEND(tables, images, tables->image_count, IMAGES, image);
}

static int load_epoch(struct tables *tables, struct row *row)
{
	struct table_epoch epoch = {.cpu_pool = NO_INDEX, .quantum = NO_INDEX};
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
		error = id_list__add(&tables->loading->epochs, row__id(row, 0));
	return error ?: APPEND(tables, epochs, tables->epoch_count, EPOCHS, epoch);
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
	error = id_list__add(&tables->loading->threads, row__id(row, 0));
	return error ?: APPEND(tables, threads, tables->thread_count, THREADS, thread);
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
		[FUNCTION_PYTHON] = "python",		[FUNCTION_NATIVE] = "native",
		[FUNCTION_INTERPRETER] = "interpreter", [FUNCTION_KERNEL] = "kernel",
		[FUNCTION_SUBTASK] = "subtask",
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

static int line_of(struct tables *tables, uint32_t function, int64_t line, uint32_t *ret_line)
{
	const struct table_function *of = &tables->functions[function];
	const char *file = of->file ? of->file : of->module;

	*ret_line = NO_INDEX;
	if (line <= 0)
		return 0;
	return tuple_set__add(tables->lines, (const uint64_t[]){(uintptr_t)file, (uint64_t)line},
			      ret_line);
}

static int load_frame(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_frame frame = {0};
	uint32_t function = row__reference(row, 1, &loading->functions);
	int error;

	if (function == NO_INDEX)
		return -EBADMSG;
	frame.function = loading->function_of[function];
	error = line_of(tables, frame.function, row__optional(row, 2, 0, INT32_MAX), &frame.line);
	if (!error)
		error = array__reserve(&loading->frame_of, &loading->frame_of_capacity,
				       sizeof(*loading->frame_of), loading->frames.count + 1);
	if (!error)
		error = id_list__add(&loading->frames, row__id(row, 0));
	if (!error)
		loading->frame_of[loading->frames.count - 1] = frame;
	return error;
}

/* Sorted by frame, the outermost first. */
static int load_inlined(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_inlined inlined;
	uint32_t index = row__reference(row, 0, &loading->frames);
	uint32_t function = row__reference(row, 1, &loading->functions);
	struct table_frame *frame;
	int error;

	if (index == NO_INDEX || function == NO_INDEX ||
	    loading->frame_of[index].inlined_count == TABLES_MAX_INLINED)
		return -EBADMSG;
	inlined.function = loading->function_of[function];
	error = line_of(tables, inlined.function, row__optional(row, 2, 0, INT32_MAX),
			&inlined.line);
	if (!error)
		error = array__reserve(&loading->inlined, &loading->inlined_capacity,
				       sizeof(*loading->inlined), loading->inlined_count + 1);
	if (error)
		return error;
	frame = &loading->frame_of[index];
	if (!frame->inlined_count)
		frame->inlined = (uint32_t)loading->inlined_count;
	frame->inlined_count++;
	loading->inlined[loading->inlined_count++] = inlined;
	return 0;
}

static int add_node(struct tables *tables, const struct table_node *node)
{
	struct loading_state *loading = tables->loading;
	uint16_t depth = node->parent == NO_INDEX ? 1 : loading->depth[node->parent] + 1;
	int error;

	if (depth > TABLES_MAX_DEPTH)
		return -EBADMSG;
	if (tables->node_count >= NO_INDEX - 1)
		return -EOVERFLOW;
	error = GROW(tables, nodes, tables->node_count, NODES);
	if (!error)
		error = array__reserve(&loading->depth, &loading->depth_capacity,
				       sizeof(*loading->depth), tables->node_count + 1);
	if (error)
		return error;
	loading->depth[tables->node_count] = depth;
	tables->nodes[tables->node_count++] = *node;
	return 0;
}

/* A frame is one node, and one more for each function inlined into it. */
static int load_node(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_node node = {.parent = NO_INDEX};
	uint32_t index = row__reference(row, 2, &loading->frames);
	const struct table_frame *frame;
	int error;

	if (index == NO_INDEX)
		return -EBADMSG;
	if (!row__is_null(row, 1)) {
		/* Only what was read before is found: no loop can be made. */
		node.parent = row__stack(row, 1, loading);
		if (node.parent == NO_INDEX)
			return -EBADMSG;
	}
	frame = &loading->frame_of[index];
	node.function = frame->function;
	node.line = frame->line;
	error = add_node(tables, &node);
	for (uint32_t i = 0; i < frame->inlined_count && !error; i++) {
		const struct table_inlined *inlined = &loading->inlined[frame->inlined + i];

		node = (struct table_node){.parent = (uint32_t)tables->node_count - 1,
					   .function = inlined->function,
					   .line = inlined->line,
					   .inlined = true};
		error = add_node(tables, &node);
	}
	if (!error)
		error = array__reserve(&loading->node_of, &loading->node_of_capacity,
				       sizeof(*loading->node_of), loading->nodes.count + 1);
	if (!error)
		error = id_list__add(&loading->nodes, row__id(row, 0));
	if (!error)
		loading->node_of[loading->nodes.count - 1] = (uint32_t)tables->node_count - 1;
	return error;
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
	uint32_t pool;
	int error;

	error = read_usage(tables, row, &fact);
	if (!error)
		error = tables__cpu_pool(tables, fact.epoch, &pool);
	if (error)
		return error;
	fact.user_ns = row__number(row, 3, 0, TIME_LIMIT);
	fact.system_ns = row__number(row, 4, 0, TIME_LIMIT);
	tables->pools[pool].shares[0].exact += (double)fact.cpu_ns;
	tables->epochs[fact.epoch].cpu_ns += (double)fact.cpu_ns;
	return APPEND(tables, usage, tables->usage_count, USAGE, fact);
}

static int add_thread_usage(struct tables *tables, const struct usage_fact *fact)
{
	return APPEND(tables, thread_usage, tables->thread_usage_count, THREAD_USAGE, *fact);
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

int tables__load_rows(struct tables *tables, const char *sql, row_load *load)
{
	struct row row = {0};
	int error;

	error = recording__prepare(tables->recording, sql, &row.statement);
	if (error)
		return error;
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
	row_load *load;
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
	{"SELECT frame, function, line FROM inline ORDER BY frame, position DESC", load_inlined},
	{"SELECT id, parent, frame FROM stack ORDER BY id", load_node},
	{"SELECT epoch, slice, cpu_ns, user_ns, system_ns FROM usage", load_usage},
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
		struct table_epoch epoch = {
			.process = i, .image = NO_INDEX, .cpu_pool = NO_INDEX, .quantum = NO_INDEX};

		if (has_epoch[i])
			continue;
		epoch.start_ns = process->start_ns;
		epoch.end_ns = process->end_ns;
		epoch.task = tables__intern(tables, "(unknown)");
		error = epoch.task ? APPEND(tables, epochs, tables->epoch_count, EPOCHS, epoch)
				   : -ENOMEM;
	}
	free(has_epoch);
	return error;
}

static bool epoch_is_later(const struct table_epoch *one, const struct table_epoch *other)
{
	return one->start_ns >= other->start_ns;
}

/* Its process's last so far; one of a thread only counts where there is no other. */
static bool is_last(const struct tables *tables, const struct table_process *process,
		    const struct table_epoch *epoch)
{
	const struct table_epoch *last;

	if (process->last_epoch == NO_INDEX)
		return true;
	last = &tables->epochs[process->last_epoch];
	if (last->of_thread != epoch->of_thread)
		return last->of_thread;
	return epoch_is_later(epoch, last);
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
		if (is_last(tables, process, epoch))
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

static int load_all(struct tables *tables)
{
	int64_t stop_ns;
	int error = 0;

	for (size_t i = 0; i < sizeof(loading_steps) / sizeof(loading_steps[0]) && !error; i++)
		error = tables__load_rows(tables, loading_steps[i].sql, loading_steps[i].load);
	if (error)
		return error;
	error = quanta__load(tables);
	if (!error)
		error = table_resources__load(tables);
	if (error)
		return error;
	stop_ns = recording__meta_number(tables->recording, "stop_ns", -1);
	if (stop_ns >= 0 && stop_ns <= TIME_LIMIT)
		tables->end_ns = stop_ns;
	error = complete_epochs(tables);
	if (!error)
		error = close_epochs(tables);
	if (!error)
		error = events__load(tables);
	return error;
}

int tables__load(struct recording *recording, struct tables **ret_tables)
{
	struct tables *tables = calloc(1, sizeof(*tables));
	int error = -ENOMEM;

	if (!tables)
		return -ENOMEM;
	tables->recording = recording;
	tables->names = string_pool__new();
	tables->loading = calloc(1, sizeof(*tables->loading));
	tables->endings = calloc(TABLES_MAX_ENDINGS, sizeof(*tables->endings));
	tables->waits_for = calloc(TABLES_MAX_CLASSES, sizeof(*tables->waits_for));
	tables->estimated_waits = calloc(TABLES_MAX_CLASSES, sizeof(*tables->estimated_waits));
	tables->ops = calloc(TABLES_MAX_OPS, sizeof(*tables->ops));
	tables->mem_kinds = calloc(TABLES_MAX_MEM_KINDS, sizeof(*tables->mem_kinds));
	tables->lines = tuple_set__new(2);
	if (!tables->names || !tables->loading || !tables->endings || !tables->waits_for ||
	    !tables->estimated_waits || !tables->ops || !tables->mem_kinds || !tables->lines)
		goto cleanup;
	tables->loading->last_pool = NO_INDEX;
	tables->loading->function_set = tuple_set__new(5);
	tables->loading->file_set = tuple_set__new(4);
	tables->loading->pool_set = tuple_set__new(3);
	if (!tables->loading->function_set || !tables->loading->file_set ||
	    !tables->loading->pool_set)
		goto cleanup;
	error = load_all(tables);
	if (error)
		goto cleanup;
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
	error = tables__load_rows(tables, "SELECT epoch, slice, cpu_ns, thread FROM thread_usage",
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
	free(loading->files.ids);
	free(loading->file_of);
	free(loading->ceph_mounts.ids);
	free(loading->file_of_mount);
	free(loading->function_of);
	free(loading->frame_of);
	free(loading->inlined);
	free(loading->node_of);
	free(loading->depth);
	free(loading->grown_faults);
	tuple_set__free(loading->function_set);
	tuple_set__free(loading->file_set);
	tuple_set__free(loading->pool_set);
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
	free(tables->quanta);
	free(tables->data);
	free(tables->resources);
	free(tables->threads);
	free(tables->slices);
	free(tables->functions);
	free(tables->nodes);
	free(tables->usage);
	free(tables->thread_usage);
	free(tables->waits);
	free(tables->thread_waits);
	free(tables->waits_for);
	free(tables->estimated_waits);
	free(tables->wait_on);
	for (size_t i = 0; i < tables->remote_count; i++)
		free(tables->remotes[i]);
	free(tables->remotes);
	free(tables->files);
	free(tables->ops);
	alloc_facts__clear(&tables->alloc);
	free(tables->mem);
	free(tables->levels);
	free(tables->mem_events);
	free(tables->mem_kinds);
	free(tables->io);
	free(tables->ceph);
	free(tables->ceph_ops);
	free(tables->ceph_histograms);
	free(tables->ceph_in_flight);
	free(tables->histograms);
	free(tables->renamed);
	free(tables->written);
	free(tables->patterns);
	free(tables->open_times);
	free(tables->torn);
	free(tables->pools);
	free(tables->samples);
	free(tables->endings);
	string_pool__free(tables->names);
	free(tables);
}
