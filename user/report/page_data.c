// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/page_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct ranked {
	double score;
	uint32_t index;
};

static int compare_ranked(const void *one, const void *other)
{
	const struct ranked *a = one, *b = other;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Indices 0 to count - 1, the highest score first; NULL: no memory. */
static struct ranked *rank(const double *scores, size_t count)
{
	struct ranked *ranked = calloc(count + 1, sizeof(*ranked));

	for (uint32_t i = 0; ranked && i < count; i++)
		ranked[i] = (struct ranked){.score = scores[i], .index = i};
	if (ranked && count)
		qsort(ranked, count, sizeof(*ranked), compare_ranked);
	return ranked;
}

bool page_data__is_many(const struct page_data *data, uint32_t epoch)
{
	return data->epochs[epoch].many;
}

uint32_t page_data__bucket(const struct page_data *data, uint32_t slice)
{
	return slice == NO_INDEX ? data->bucket_count : data->bucket_of[slice];
}

/* --- Time. */

/* Slices come in the order of their ids, which is that of time; a recording made to harm may have
 * others: a bucket never ends before it begins. */
static int make_buckets(struct page_data *data)
{
	const struct tables *tables = data->tables;
	size_t slices = tables->slice_count;
	size_t each = slices ? (slices + data->limits.buckets - 1) / data->limits.buckets : 1;
	int64_t end = 0;

	data->bucket_count = (uint32_t)((slices + each - 1) / each);
	data->bucket_of = calloc(slices + 1, sizeof(*data->bucket_of));
	data->bucket_ends = calloc(data->bucket_count + 1, sizeof(*data->bucket_ends));
	if (!data->bucket_of || !data->bucket_ends)
		return -ENOMEM;
	for (size_t i = 0; i < slices; i++) {
		data->bucket_of[i] = (uint32_t)(i / each);
		if (tables->slices[i].end_ns > end)
			end = tables->slices[i].end_ns;
		data->bucket_ends[i / each] = end;
	}
	return 0;
}

/* --- Who. */

static double elapsed_within(const struct tables *tables, const struct table_epoch *epoch)
{
	int64_t start = epoch->start_ns > 0 ? epoch->start_ns : 0;
	int64_t end = epoch->end_ns < tables->end_ns ? epoch->end_ns : tables->end_ns;

	return end > start ? (double)(end - start) : 0;
}

static double part_of(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* CPU time, time in operations and life, each as a part of all; what a rule named comes first. */
static double *score_processes(const struct tables *tables)
{
	double *scores = calloc(tables->process_count + 1, sizeof(*scores));
	double cpu_ns = 0, io_ns = 0, elapsed_ns = 0;

	for (size_t i = 0; i < tables->epoch_count; i++) {
		cpu_ns += tables->epochs[i].cpu_ns;
		elapsed_ns += elapsed_within(tables, &tables->epochs[i]);
	}
	for (size_t i = 0; i < tables->io_count; i++)
		io_ns += (double)tables->io[i].ns;
	for (size_t i = 0; scores && i < tables->epoch_count; i++) {
		const struct table_epoch *epoch = &tables->epochs[i];

		scores[epoch->process] += part_of(epoch->cpu_ns, cpu_ns) +
					  part_of(elapsed_within(tables, epoch), elapsed_ns) +
					  (epoch->rule ? 1 : 0);
	}
	for (size_t i = 0; scores && i < tables->io_count; i++)
		scores[tables->epochs[tables->io[i].epoch].process] +=
			part_of((double)tables->io[i].ns, io_ns);
	return scores;
}

static bool has_failed(const struct table_process *process)
{
	return process->exit_signal != NO_VALUE ||
	       (process->exit_code != NO_VALUE && process->exit_code);
}

static void add_to_epoch(struct page_epoch *to, const struct tables *tables, uint32_t index)
{
	const struct table_epoch *epoch = &tables->epochs[index];
	const struct table_process *process = &tables->processes[epoch->process];
	int64_t start = epoch->start_ns > 0 ? epoch->start_ns : 0;
	int64_t end = epoch->end_ns < tables->end_ns ? epoch->end_ns : tables->end_ns;

	if (to->start_ns > start)
		to->start_ns = start;
	if (to->end_ns < end)
		to->end_ns = end;
	to->elapsed_ns += elapsed_within(tables, epoch);
	if (process->max_rss_bytes > to->max_rss_bytes)
		to->max_rss_bytes = process->max_rss_bytes;
	if (process->last_epoch == index && has_failed(process))
		to->failures++;
}

/* What is put together: one process and epoch for all small ones of a task and job, and, where
 * there are more of these than processes are wanted, one for all the others. */
struct gathering {
	struct tuple_set *groups; /* (task, job) */
	struct tuple_set *members; /* (page epoch, process) */
	uint32_t *epoch_of; /* per group */
	uint32_t others; /* page epoch, NO_INDEX */
};

static uint32_t add_many(struct page_data *data, const char *task, const char *job)
{
	data->epochs[data->epoch_count] = (struct page_epoch){.process = data->process_count,
							      .task = task,
							      .job = job,
							      .quantum = NO_INDEX,
							      .many = true,
							      .start_ns = INT64_MAX,
							      .max_rss_bytes = NO_VALUE};
	data->processes[data->process_count++].process = NO_INDEX;
	return data->epoch_count++;
}

static int place_among_many(struct page_data *data, uint32_t index, struct gathering *gathering)
{
	const struct table_epoch *epoch = &data->tables->epochs[index];
	uint32_t group, member, before = (uint32_t)tuple_set__count(gathering->groups), at;
	int error;

	error = tuple_set__add(gathering->groups,
			       (const uint64_t[]){(uintptr_t)epoch->task, (uintptr_t)epoch->job},
			       &group);
	if (error)
		return error;
	if (group == before && group <= data->limits.processes) {
		gathering->epoch_of[group] = add_many(data, epoch->task, epoch->job);
	} else if (group == before) {
		if (gathering->others == NO_INDEX)
			gathering->others = add_many(data, "(other tasks)", NULL);
		gathering->epoch_of[group] = gathering->others;
	}
	at = gathering->epoch_of[group];
	before = (uint32_t)tuple_set__count(gathering->members);
	error = tuple_set__add(gathering->members, (const uint64_t[]){at, epoch->process}, &member);
	if (error)
		return error;
	data->processes[data->epochs[at].process].count += member == before;
	data->epoch_of[index] = at;
	return 0;
}

static uint32_t add_own(struct page_data *data, uint32_t index, uint32_t process)
{
	const struct table_epoch *epoch = &data->tables->epochs[index];

	data->epochs[data->epoch_count] = (struct page_epoch){.process = process,
							      .task = epoch->task,
							      .job = epoch->job,
							      .rule = epoch->rule,
							      .quantum = epoch->quantum,
							      .start_ns = INT64_MAX,
							      .max_rss_bytes = NO_VALUE};
	return data->epoch_count++;
}

/* The epochs of a process with quanta that are not shown one by one: one for each task. */
static int place_with_others(struct page_data *data, uint32_t index, uint32_t process,
			     struct tuple_set *set, uint32_t *epoch_of)
{
	const struct table_epoch *epoch = &data->tables->epochs[index];
	uint32_t at, before = (uint32_t)tuple_set__count(set);
	int error =
		tuple_set__add(set,
			       (const uint64_t[]){process, (uintptr_t)epoch->task,
						  (uintptr_t)epoch->job, (uintptr_t)epoch->rule},
			       &at);

	if (error)
		return error;
	if (at == before) {
		epoch_of[at] = add_own(data, index, process);
		data->epochs[epoch_of[at]].quantum = NO_INDEX;
		data->epochs[epoch_of[at]].many = true;
	}
	data->epoch_of[index] = epoch_of[at];
	return 0;
}

static int place_epochs(struct page_data *data, const uint32_t *own, const bool *together)
{
	const struct tables *tables = data->tables;
	_cleanup_free_ uint32_t *epoch_of = calloc(tables->epoch_count + 1, sizeof(*epoch_of));
	_cleanup_free_ uint32_t *others_of = calloc(tables->epoch_count + 1, sizeof(*others_of));
	struct gathering gathering = {tuple_set__new(2), tuple_set__new(2), epoch_of, NO_INDEX};
	struct tuple_set *others = tuple_set__new(4);
	int error = gathering.groups && gathering.members && others && epoch_of && others_of
			    ? 0
			    : -ENOMEM;

	for (uint32_t i = 0; i < tables->epoch_count && !error; i++) {
		const struct table_epoch *epoch = &tables->epochs[i];
		uint32_t process = own[epoch->process];

		if (process == NO_INDEX)
			error = place_among_many(data, i, &gathering);
		else if (together[i])
			error = place_with_others(data, i, process, others, others_of);
		else
			data->epoch_of[i] = add_own(data, i, process);
		if (error)
			break;
		data->folded_quanta += epoch->quantum != NO_INDEX &&
				       data->epochs[data->epoch_of[i]].quantum == NO_INDEX;
		add_to_epoch(&data->epochs[data->epoch_of[i]], tables, i);
	}
	tuple_set__free(gathering.groups);
	tuple_set__free(gathering.members);
	tuple_set__free(others);
	return error;
}

/* Per epoch of the tables: whether it is put together with others of its process, since there are
 * too many quanta; the longest stand alone. NULL: no memory. */
static bool *choose_together(const struct page_data *data)
{
	const struct tables *tables = data->tables;
	bool *together = calloc(tables->epoch_count + 1, sizeof(*together));
	_cleanup_free_ bool *has_quanta = calloc(tables->process_count + 1, sizeof(*has_quanta));
	_cleanup_free_ double *scores = calloc(tables->quantum_count + 1, sizeof(*scores));
	_cleanup_free_ struct ranked *ranked = NULL;

	for (size_t i = 0; scores && i < tables->quantum_count; i++)
		scores[i] = elapsed_within(tables, &tables->epochs[tables->quanta[i].epoch]);
	ranked = scores ? rank(scores, tables->quantum_count) : NULL;
	if (!together || !has_quanta || !ranked) {
		free(together);
		return NULL;
	}
	if (tables->quantum_count <= data->limits.quanta)
		return together;
	for (size_t i = 0; i < tables->quantum_count; i++)
		has_quanta[tables->epochs[tables->quanta[i].epoch].process] = true;
	for (size_t i = 0; i < tables->epoch_count; i++)
		together[i] = has_quanta[tables->epochs[i].process];
	for (uint32_t i = 0; i < data->limits.quanta; i++)
		together[tables->quanta[ranked[i].index].epoch] = false;
	return together;
}

static int choose_processes(struct page_data *data)
{
	const struct tables *tables = data->tables;
	_cleanup_free_ double *scores = score_processes(tables);
	_cleanup_free_ struct ranked *ranked = NULL;
	_cleanup_free_ uint32_t *own = calloc(tables->process_count + 1, sizeof(*own));
	_cleanup_free_ bool *together = choose_together(data);

	data->epoch_of = calloc(tables->epoch_count + 1, sizeof(*data->epoch_of));
	data->epochs = calloc(tables->epoch_count + 1, sizeof(*data->epochs));
	/* At most one for each, and one for each epoch among many. */
	data->processes =
		calloc(tables->process_count + tables->epoch_count + 1, sizeof(*data->processes));
	ranked = scores ? rank(scores, tables->process_count) : NULL;
	if (!ranked || !own || !together || !data->epoch_of || !data->epochs || !data->processes)
		return -ENOMEM;
	memset(own, 0xff, tables->process_count * sizeof(*own));
	for (uint32_t i = 0; i < tables->process_count; i++) {
		if (i >= data->limits.processes) {
			data->folded_processes++;
			continue;
		}
		own[ranked[i].index] = data->process_count;
		data->processes[data->process_count++] =
			(struct page_process){.process = ranked[i].index, .count = 1};
	}
	return place_epochs(data, own, together);
}

/* --- Files. */

static double *score_files(const struct tables *tables)
{
	double *scores = calloc(tables->file_count + 1, sizeof(*scores));
	double ns = 0, bytes = 0, count = 0, waited = 0;

	for (size_t i = 0; i < tables->io_count; i++) {
		ns += (double)tables->io[i].ns;
		bytes += (double)tables->io[i].bytes;
		count += (double)tables->io[i].count;
	}
	for (size_t i = 0; i < tables->wait_on_count; i++)
		waited += tables->wait_on[i].ns;
	for (size_t i = 0; scores && i < tables->wait_on_count; i++)
		if (tables->wait_on[i].file != NO_INDEX)
			scores[tables->wait_on[i].file] += part_of(tables->wait_on[i].ns, waited);
	for (size_t i = 0; scores && i < tables->io_count; i++) {
		const struct io_fact *io = &tables->io[i];

		if (io->file != NO_INDEX)
			scores[io->file] += part_of((double)io->ns, ns) +
					    part_of((double)io->bytes, bytes) +
					    part_of((double)io->count, count);
	}
	return scores;
}

static const char *service_of(const struct table_file *file)
{
	return file->remote ? file->remote->service : NULL;
}

static struct page_file page_file_of(const struct table_file *file)
{
	return (struct page_file){.kind = file->kind,
				  .path = file->path,
				  .filesystem = file->filesystem,
				  .mount = file->mount,
				  .dataset = file->dataset,
				  .service = service_of(file),
				  .own = file->remote && file->remote->own};
}

static int fold_file(struct page_data *data, uint32_t index, struct tuple_set *mounts,
		     uint32_t *file_of_mount)
{
	const struct table_file *file = &data->tables->files[index];
	uint32_t mount, before = (uint32_t)tuple_set__count(mounts);
	int error;

	error = tuple_set__add(mounts,
			       (const uint64_t[]){(uintptr_t)file->kind,
						  (uintptr_t)file->filesystem,
						  (uintptr_t)file->mount, (uintptr_t)file->dataset,
						  (uintptr_t)service_of(file)},
			       &mount);
	if (error)
		return error;
	if (mount == before) {
		file_of_mount[mount] = data->file_count;
		data->files[data->file_count] = page_file_of(file);
		data->files[data->file_count++].path = NULL;
	}
	data->file_of[index] = file_of_mount[mount];
	data->files[file_of_mount[mount]].count++;
	data->folded_files++;
	return 0;
}

static int choose_files(struct page_data *data)
{
	const struct tables *tables = data->tables;
	_cleanup_free_ double *scores = score_files(tables);
	_cleanup_free_ struct ranked *ranked = NULL;
	_cleanup_free_ uint32_t *file_of_mount = NULL;
	struct tuple_set *mounts = tuple_set__new(5);
	int error = 0;

	ranked = scores ? rank(scores, tables->file_count) : NULL;
	file_of_mount = calloc(tables->file_count + 1, sizeof(*file_of_mount));
	data->file_of = calloc(tables->file_count + 1, sizeof(*data->file_of));
	data->files = calloc(tables->file_count + 1, sizeof(*data->files));
	if (!ranked || !file_of_mount || !data->file_of || !data->files || !mounts)
		error = -ENOMEM;
	else
		data->files[data->file_count++] = (struct page_file){
			.kind = "", .path = "(unknown)", .filesystem = "", .mount = "", .count = 1};
	for (uint32_t i = 0; i < tables->file_count && !error; i++) {
		uint32_t index = ranked[i].index;
		const struct table_file *file = &tables->files[index];

		if (i >= data->limits.files) {
			error = fold_file(data, index, mounts, file_of_mount);
			continue;
		}
		data->file_of[index] = data->file_count;
		data->files[data->file_count] = page_file_of(file);
		data->files[data->file_count++].count = 1;
	}
	tuple_set__free(mounts);
	return error;
}

/* --- The whole. */

int page_data__new(const struct tables *tables, const struct page_limits *limits,
		   struct page_data **ret_data)
{
	struct page_data *data = calloc(1, sizeof(*data));
	int error;

	if (!data)
		return -ENOMEM;
	data->tables = tables;
	data->limits = *limits;
	error = make_buckets(data);
	if (!error)
		error = choose_processes(data);
	if (!error)
		error = choose_files(data);
	if (!error)
		error = page_data__add_facts(data);
	if (!error)
		error = page_data__add_storage(data);
	if (!error)
		error = page_data__add_memory(data);
	if (!error)
		error = page_data__add_ceph(data);
	if (!error)
		error = page_data__add_samples(data);
	if (error) {
		page_data__free(data);
		return error;
	}
	*ret_data = data;
	return 0;
}

void page_data__free(struct page_data *data)
{
	if (!data)
		return;
	free(data->bucket_ends);
	free(data->bucket_of);
	free(data->epoch_of);
	free(data->file_of);
	free(data->processes);
	free(data->epochs);
	free(data->files);
	free(data->outcomes);
	free(data->ceph_outcomes);
	free(data->mounts);
	free(data->pools);
	free(data->nodes);
	page_rows__clear(&data->alive);
	page_rows__clear(&data->usage);
	page_rows__clear(&data->waits);
	page_rows__clear(&data->io);
	page_rows__clear(&data->waits_on);
	page_rows__clear(&data->written);
	page_rows__clear(&data->patterns);
	page_rows__clear(&data->levels);
	page_rows__clear(&data->growth);
	page_rows__clear(&data->maps);
	page_rows__clear(&data->shortages);
	page_rows__clear(&data->ceph);
	page_rows__clear(&data->in_flight);
	page_rows__clear(&data->samples);
	free(data);
}
