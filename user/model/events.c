// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/events.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/ceph.h"
#include "model/idle.h"
#include "model/loading.h"
#include "model/refine.h"
#include "model/storage.h"

/* --- Pools. */

int tables__find_pool(struct tables *tables, enum source source, uint32_t epoch, uint32_t item,
		      uint32_t *ret_pool)
{
	struct loading_state *loading = tables->loading;
	struct sample_pool *pool;
	uint32_t index = loading->last_pool;
	int error;

	/* Rows come in runs. */
	if (index != NO_INDEX && tables->pools[index].source == source &&
	    tables->pools[index].epoch == epoch && tables->pools[index].item == item) {
		*ret_pool = index;
		return 0;
	}
	error = tuple_set__add(loading->pool_set, (const uint64_t[]){source, epoch, item}, &index);
	if (!error)
		error = GROW(tables, pools, tables->pool_count, POOLS);
	if (error)
		return error;
	if (index == tables->pool_count) {
		pool = &tables->pools[tables->pool_count++];
		*pool = (struct sample_pool){.source = source, .epoch = epoch, .item = item};
	}
	loading->last_pool = index;
	*ret_pool = index;
	return 0;
}

int tables__cpu_pool(struct tables *tables, uint32_t epoch, uint32_t *ret_pool)
{
	int error = 0;

	if (tables->epochs[epoch].cpu_pool == NO_INDEX)
		error = tables__find_pool(tables, SOURCE_CPU, epoch, 0,
					  &tables->epochs[epoch].cpu_pool);
	if (!error)
		*ret_pool = tables->epochs[epoch].cpu_pool;
	return error;
}

/* --- Waits. */

int tables__wait_class(struct tables *tables, const char *name, uint32_t *ret_class)
{
	size_t i = 0;

	while (i < tables->class_count && strcmp(tables->waits_for[i], name))
		i++;
	if (i == TABLES_MAX_CLASSES)
		return -EBADMSG;
	if (i == tables->class_count) {
		tables->waits_for[i] = tables__intern(tables, name);
		if (!tables->waits_for[i])
			return -ENOMEM;
		tables->class_count++;
	}
	*ret_class = (uint32_t)i;
	return 0;
}

static int read_wait(struct tables *tables, struct row *row, struct wait_fact *ret_fact)
{
	struct wait_fact fact = {.thread = NO_INDEX, .slice = NO_INDEX, .pool = NO_INDEX};
	int error;

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	if (fact.epoch == NO_INDEX || row__is_null(row, 2))
		return -EBADMSG;
	error = tables__wait_class(tables, row__text(row, 2), &fact.class);
	if (error)
		return error;
	fact.count = (double)row__number(row, 3, 0, TIME_LIMIT);
	fact.ns = (double)row__number(row, 4, 0, TIME_LIMIT);
	*ret_fact = fact;
	return 0;
}

static int load_wait(struct tables *tables, struct row *row)
{
	struct wait_fact fact;
	int error = read_wait(tables, row, &fact);

	fact.slice = row__reference(row, 1, &tables->loading->slices);
	return error ?: APPEND(tables, waits, tables->wait_count, WAITS, fact);
}

static int load_thread_wait(struct tables *tables, struct row *row)
{
	struct wait_fact fact;
	int error = read_wait(tables, row, &fact);

	fact.thread = row__reference(row, 1, &tables->loading->threads);
	return error ?: APPEND(tables, thread_waits, tables->thread_wait_count, THREAD_WAITS, fact);
}

static int pool_waits(struct tables *tables)
{
	int error = 0;

	for (size_t i = 0; i < tables->wait_count && !error; i++) {
		struct wait_fact *fact = &tables->waits[i];

		error = tables__find_pool(tables, SOURCE_OFFCPU, fact->epoch, fact->class,
					  &fact->pool);
		if (!error)
			tables->pools[fact->pool].shares[SHARE_TIME].exact += fact->ns;
	}
	for (size_t i = 0; i < tables->thread_wait_count && !error; i++) {
		struct wait_fact *fact = &tables->thread_waits[i];

		error = tables__find_pool(tables, SOURCE_OFFCPU, fact->epoch, fact->class,
					  &fact->pool);
	}
	return error;
}

int tables__close_thread_waits(struct tables *tables)
{
	_cleanup_free_ struct wait_fact *rest = NULL;
	int error = 0;

	if (tables->loading->thread_waits_closed)
		return 0;
	rest = calloc(tables->pool_count + 1, sizeof(*rest));
	if (!rest)
		return -ENOMEM;
	for (size_t i = 0; i < tables->wait_count; i++) {
		rest[tables->waits[i].pool].ns += tables->waits[i].ns;
		rest[tables->waits[i].pool].count += tables->waits[i].count;
	}
	for (size_t i = 0; i < tables->thread_wait_count; i++) {
		rest[tables->thread_waits[i].pool].ns -= tables->thread_waits[i].ns;
		rest[tables->thread_waits[i].pool].count -= tables->thread_waits[i].count;
	}
	for (uint32_t i = 0; i < tables->pool_count && !error; i++) {
		/* Less than a nanosecond comes of splitting off what is idle. */
		if (rest[i].ns < 1 && rest[i].count < 0.5)
			continue;
		error = GROW(tables, thread_waits, tables->thread_wait_count, THREAD_WAITS);
		if (error)
			break;
		tables->thread_waits[tables->thread_wait_count++] =
			(struct wait_fact){.epoch = tables->pools[i].epoch,
					   .thread = NO_INDEX,
					   .slice = NO_INDEX,
					   .class = tables->pools[i].item,
					   .pool = i,
					   .count = fmax(rest[i].count, 0),
					   .ns = fmax(rest[i].ns, 0)};
	}
	tables->loading->thread_waits_closed = !error;
	return error;
}

/* --- Files and operations. */

int tables__add_file(struct tables *tables, const struct table_file *file, uint32_t *ret_file)
{
	uint32_t index;
	int error = GROW(tables, files, tables->file_count, FILES);

	if (!error)
		error = tuple_set__add(
			tables->loading->file_set,
			(const uint64_t[]){(uintptr_t)file->kind, (uintptr_t)file->path,
					   (uintptr_t)file->filesystem, (uintptr_t)file->mount},
			&index);
	if (error)
		return error;
	if (index == tables->file_count)
		tables->files[tables->file_count++] = *file;
	*ret_file = index;
	return 0;
}

static int load_file(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_file file = {0};
	uint32_t index;
	int error;

	file.kind = tables__intern(tables, row__text(row, 1));
	file.path = tables__intern(tables, row__text(row, 2));
	file.filesystem = tables__intern(tables, row__text(row, 3));
	file.mount = tables__intern(tables, row__text(row, 4));
	if (!file.kind || !file.path || !file.filesystem || !file.mount)
		return -ENOMEM;
	error = tables__add_file(tables, &file, &index);
	if (!error)
		error = array__reserve(&loading->file_of, &loading->file_of_capacity,
				       sizeof(*loading->file_of), loading->files.count + 1);
	if (!error)
		error = id_list__add(&loading->files, row__id(row, 0));
	if (!error)
		loading->file_of[loading->files.count - 1] = index;
	return error;
}

static enum op_direction direction_of(const char *name)
{
	if (!strcmp(name, "read") || !strcmp(name, "copy_from"))
		return OP_READS;
	return !strcmp(name, "write") || !strcmp(name, "copy_to") ? OP_WRITES : OP_OTHER;
}

static int find_op(struct tables *tables, const char *name, uint16_t *ret_op)
{
	size_t i = 0;

	while (i < tables->op_count && strcmp(tables->ops[i].name, name))
		i++;
	if (i == TABLES_MAX_OPS)
		return -EBADMSG;
	if (i == tables->op_count) {
		tables->ops[i].name = tables__intern(tables, name);
		if (!tables->ops[i].name)
			return -ENOMEM;
		tables->ops[i].direction = direction_of(name);
		tables->op_count++;
	}
	*ret_op = (uint16_t)i;
	return 0;
}

int tables__read_sum(struct tables *tables, struct row *row, enum source source,
		     tables_find_op *find, struct io_fact *ret_fact)
{
	struct io_fact fact = {.file = NO_INDEX};
	struct sample_pool *pool;
	int error;

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	fact.slice = row__reference(row, 1, &tables->loading->slices);
	fact.error = (uint16_t)row__number(row, 4, 0, TABLES_MAX_ERRNO);
	fact.count = row__number(row, 5, 0, TIME_LIMIT);
	fact.bytes = row__number(row, 6, 0, TIME_LIMIT);
	fact.ns = row__number(row, 7, 0, TIME_LIMIT);
	if (fact.epoch == NO_INDEX || row__is_null(row, 3))
		return -EBADMSG;
	error = find(tables, row__text(row, 3), &fact.op);
	if (!error)
		error = tables__find_pool(tables, source, fact.epoch, fact.op, &fact.pool);
	if (error)
		return error;
	pool = &tables->pools[fact.pool];
	pool->shares[SHARE_TIME].exact += (double)fact.ns;
	pool->shares[SHARE_BYTES].exact += (double)fact.bytes;
	pool->shares[SHARE_OPS].exact += (double)fact.count;
	*ret_fact = fact;
	return 0;
}

static int load_io(struct tables *tables, struct row *row)
{
	struct io_fact fact;
	int error = tables__read_sum(tables, row, SOURCE_IO, find_op, &fact);

	fact.file = row__file(row, 2, tables->loading);
	return error ?: APPEND(tables, io, tables->io_count, IO, fact);
}

static int load_histogram(struct tables *tables, struct row *row)
{
	struct histogram_fact fact;

	fact.op = tables__intern(tables, row__text(row, 0));
	fact.filesystem = tables__intern(tables, row__text(row, 1));
	fact.what = tables__intern(tables, row__text(row, 2));
	fact.bucket = row__number(row, 3, 0, 62);
	fact.count = row__number(row, 4, 0, TIME_LIMIT);
	if (!fact.op || !fact.filesystem || !fact.what)
		return -ENOMEM;
	if (tables->histogram_count == TABLES_MAX_HISTOGRAMS)
		return -EBADMSG;
	return APPEND(tables, histograms, tables->histogram_count, HISTOGRAMS, fact);
}

/* --- Samples. */

static const struct sample_kind {
	const char *metric;
	enum source source;
	uint32_t share;
} sample_kinds[] = {
	{"cpu", SOURCE_CPU, SHARE_TIME},	  {"offcpu", SOURCE_OFFCPU, SHARE_TIME},
	{"io_time", SOURCE_IO, SHARE_TIME},	  {"io_bytes", SOURCE_IO, SHARE_BYTES},
	{"io_ops", SOURCE_IO, SHARE_OPS},	  {"ceph_time", SOURCE_CEPH, SHARE_TIME},
	{"ceph_bytes", SOURCE_CEPH, SHARE_BYTES}, {"ceph_ops", SOURCE_CEPH, SHARE_OPS},
	{"rss_growth", SOURCE_MEM, SHARE_BYTES},  {"faults", SOURCE_MEM, SHARE_OPS},
	{"held", SOURCE_OFFCPU, SHARE_HELD},	  {"alloc_bytes", SOURCE_ALLOC, SHARE_BYTES},
	{"alloc_count", SOURCE_ALLOC, SHARE_OPS}, {"alloc_kept", SOURCE_ALLOC, SHARE_LIVE},
};

int tables__count_ending(struct tables *tables, const char *name, enum source source,
			 int64_t samples)
{
	struct loading_state *loading = tables->loading;
	size_t i = loading->last_ending;

	if (i >= tables->ending_count || strcmp(tables->endings[i].name, name)) {
		for (i = 0; i < tables->ending_count; i++)
			if (!strcmp(tables->endings[i].name, name))
				break;
	}
	if (i == tables->ending_count) {
		if (i == TABLES_MAX_ENDINGS)
			return -EBADMSG;
		tables->endings[i].name = tables__intern(tables, name);
		if (!tables->endings[i].name)
			return -ENOMEM;
		tables->ending_count++;
	}
	loading->last_ending = i;
	tables->endings[i].samples[source] += samples;
	return 0;
}

static int pool_of_sample(struct tables *tables, struct row *row, const struct sample_kind *kind,
			  uint32_t epoch, struct sample_fact *fact)
{
	const char *item = row__text(row, 7);
	uint32_t class;
	uint16_t op;
	int error = tables__count_ending(tables, row__text(row, 4), kind->source, fact->count);

	if (error)
		return error;
	if (kind->source == SOURCE_CPU) {
		tables->epochs[epoch].samples += fact->count;
		return tables__cpu_pool(tables, epoch, &fact->pool);
	}
	if (row__is_null(row, 7))
		return -EBADMSG;
	if (kind->source == SOURCE_ALLOC)
		return tables__find_pool(tables, SOURCE_ALLOC, epoch, 0, &fact->pool);
	if (kind->source == SOURCE_MEM) {
		/* Which faults brought what kind is told by samples alone. */
		error = tables__mem_kind(tables, kind->share == SHARE_OPS ? "fault" : item, &class);
		return error ? error
			     : tables__find_pool(tables, SOURCE_MEM, epoch, class, &fact->pool);
	}
	if (kind->source == SOURCE_IO) {
		error = find_op(tables, item, &op);
		return error ? error : tables__find_pool(tables, SOURCE_IO, epoch, op, &fact->pool);
	}
	if (kind->source == SOURCE_CEPH) {
		error = ceph__op(tables, item, &op);
		return error ? error
			     : tables__find_pool(tables, SOURCE_CEPH, epoch, op, &fact->pool);
	}
	error = tables__wait_class(tables, item, &class);
	if (!error && kind->share != SHARE_HELD)
		error = idle__class(tables, fact->thread, &class);
	return error ? error : tables__find_pool(tables, SOURCE_OFFCPU, epoch, class, &fact->pool);
}

static uint32_t read_waker(struct loading_state *loading, struct row *row)
{
	uint32_t thread;

	if (row__is_null(row, 9))
		return NO_INDEX;
	if (!row__id(row, 9))
		return WAKER_INTERRUPT;
	thread = row__reference(row, 9, &loading->threads);
	return thread == NO_INDEX ? NO_INDEX : WAKER_THREADS + thread;
}

static int load_sample(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	const struct sample_kind *kind = NULL;
	uint32_t epoch = row__reference(row, 0, &loading->epochs);
	struct sample_fact fact;
	int64_t value;
	int error;

	for (size_t i = 0; i < sizeof(sample_kinds) / sizeof(sample_kinds[0]) && !kind; i++)
		if (!strcmp(row__text(row, 6), sample_kinds[i].metric))
			kind = &sample_kinds[i];
	if (!kind)
		return 0; /* of a metric that is not known here */
	fact.thread = row__reference(row, 1, &loading->threads);
	fact.slice = row__reference(row, 2, &loading->slices);
	fact.stack = row__stack(row, 3, loading);
	/* So bounded, no sum over all rows can overflow. */
	fact.count = (uint32_t)row__number(row, 5, 0, INT32_MAX);
	value = row__number(row, 8, 0, TIME_LIMIT);
	if (epoch == NO_INDEX || (fact.stack == NO_INDEX && !row__is_null(row, 3)))
		return -EBADMSG;
	fact.share = kind->share;
	fact.weight = (double)(kind->source == SOURCE_CPU ? fact.count : value);
	if (!fact.count || fact.weight <= 0)
		return 0;
	fact.waker = read_waker(loading, row);
	fact.file = kind->source == SOURCE_CEPH ? ceph__mount(tables, row, 10)
						: row__file(row, 10, loading);
	error = pool_of_sample(tables, row, kind, epoch, &fact);
	fact.ending = (uint32_t)loading->last_ending;
	if (!error)
		error = GROW(tables, samples, tables->sample_count, SAMPLES);
	if (error)
		return error;
	tables->pools[fact.pool].shares[fact.share].weight += fact.weight;
	tables->pools[fact.pool].shares[fact.share].samples += fact.count;
	if (kind->share == SHARE_HELD) /* nobody has counted it */
		tables->pools[fact.pool].shares[fact.share].exact += fact.weight;
	tables->samples[tables->sample_count++] = fact;
	return 0;
}

static int compare_samples(const void *one, const void *other)
{
	const struct sample_fact *a = one, *b = other;

	if (a->pool != b->pool)
		return a->pool < b->pool ? -1 : 1;
	if (a->share != b->share)
		return a->share < b->share ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

/* --- The whole. */

static bool names_source(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, size) && (!at[size] || at[size] == ','))
			return true;
	}
	return false;
}

/* A recording that does not tell, or was made by something else: what it has rows of. */
static void find_sources(struct tables *tables)
{
	const char *list = recording__meta(tables->recording, "sources");

	tables->recorded[SOURCE_CPU] = true;
	tables->recorded[SOURCE_OFFCPU] = tables->wait_count || names_source(list, "offcpu");
	tables->recorded[SOURCE_IO] = tables->io_count || names_source(list, "io");
	/* The source may be on, and no mount there. */
	tables->recorded[SOURCE_CEPH] =
		tables->ceph_count || recording__meta(tables->recording, "ceph_way");
	tables->recorded[SOURCE_MEM] = tables->mem_count || names_source(list, "mem");
	tables->recorded[SOURCE_ALLOC] =
		tables->alloc.function_count || names_source(list, "alloc");
}

static double period_of(const struct tables *tables, const char *key)
{
	int64_t period_ns = recording__meta_number(tables->recording, key, 0);

	return period_ns > 0 ? (double)period_ns : INFINITY;
}

static const struct events_step {
	const char *sql; /* NULL: load gets no row */
	row_load *load;
	int (*then)(struct tables *tables);
} events_steps[] = {
	{"SELECT epoch, thread, class, count, ns FROM thread_wait", load_thread_wait, NULL},
	{"SELECT epoch, slice, class, count, ns FROM wait", load_wait, NULL},
	{NULL, NULL, refine__split},
	{NULL, NULL, idle__split},
	{NULL, NULL, pool_waits},
	{"SELECT id, kind, path, filesystem, mount FROM file ORDER BY id", load_file, NULL},
	{NULL, NULL, remotes__load},
	{"SELECT epoch, slice, file, op, error, count, bytes, ns FROM io", load_io, NULL},
	{NULL, NULL, storage__load},
	{"SELECT op, filesystem, what, bucket, count FROM io_histogram"
	 " ORDER BY filesystem, op, what, bucket",
	 load_histogram, NULL},
	{NULL, NULL, ceph__load},
	{NULL, NULL, tables__load_mem},
	{NULL, NULL, tables__load_alloc},
	{"SELECT epoch, thread, slice, stack, ending, count, metric, class, value, waker, file"
	 " FROM sample",
	 load_sample, NULL},
	{NULL, NULL, tables__split_faults},
};

int events__load(struct tables *tables)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(events_steps) / sizeof(events_steps[0]) && !error; i++) {
		const struct events_step *step = &events_steps[i];

		error = step->sql ? tables__load_rows(tables, step->sql, step->load)
				  : step->then(tables);
	}
	if (error)
		return error;
	if (tables->sample_count)
		qsort(tables->samples, tables->sample_count, sizeof(*tables->samples),
		      compare_samples);
	find_sources(tables);
	tables->period_ns[SOURCE_CPU] = INFINITY;
	tables->period_ns[SOURCE_OFFCPU] = period_of(tables, "offcpu_period_ns");
	tables->period_ns[SOURCE_IO] = period_of(tables, "io_period_ns");
	/* One of so many requests: with 1, all are certain. */
	tables->period_ns[SOURCE_CEPH] = period_of(tables, "ceph_period") == 1 ? 0 : INFINITY;
	tables->period_ns[SOURCE_MEM] = period_of(tables, "mem_period_bytes");
	tables->period_ns[SOURCE_ALLOC] = period_of(tables, "alloc_period_bytes");
	return 0;
}
