// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/query_private.h"

/* Drops fields from position `from` on whose name another key of the request or an earlier field
 * has: of several keys each keeps its name. */
static void drop_doubles(const struct query *query, struct field_list *list, size_t from,
			 const struct key *key)
{
	size_t kept = from;

	for (size_t i = from; i < list->count; i++) {
		struct field *field = &list->fields[i];
		bool taken = false;

		for (size_t k = 0; k < query->request.key_count; k++)
			taken |= query->request.keys[k] != key &&
				 !strcmp(query->request.keys[k]->name, field->name);
		for (size_t k = 0; k < kept; k++)
			taken |= !strcmp(list->fields[k].name, field->name);
		if (taken)
			free(field->owned);
		else
			list->fields[kept++] = *field;
	}
	list->count = kept;
}

static const char *const elapsed_names[] = {"quantum_elapsed_mean_s", "quantum_elapsed_median_s",
					    "quantum_elapsed_p95_s", "quantum_elapsed_max_s"};
static const char *const cpu_names[] = {"quantum_cpu_mean_s", "quantum_cpu_median_s",
					"quantum_cpu_p95_s", "quantum_cpu_max_s"};

static void describe_spread(const struct query_spread *spread, const char *const *names,
			    struct field_list *list)
{
	const double values[] = {spread->mean, spread->median, spread->p95, spread->most};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (spread->count)
			field_list__real(list, names[i], values[i] / 1e9);
		else
			field_list__null(list, names[i]);
	}
}

static void describe_details(const struct query_details *details, double cpu_ns, bool by_quantum,
			     struct field_list *list)
{
	field_list__real(list, "user_s", details->user_ns / 1e9);
	field_list__real(list, "system_s", details->system_ns / 1e9);
	field_list__integer(list, "processes", details->processes);
	field_list__real(list, "elapsed_s", details->elapsed_ns / 1e9);
	if (details->elapsed_ns > 0)
		field_list__real(list, "efficiency", cpu_ns / details->elapsed_ns);
	else
		field_list__null(list, "efficiency");
	if (details->max_rss_bytes == NO_VALUE)
		field_list__null(list, "max_rss_bytes");
	else
		field_list__integer(list, "max_rss_bytes", details->max_rss_bytes);
	field_list__integer(list, "failures", details->failures);
	if (by_quantum)
		return;
	field_list__integer(list, "quanta", details->quanta);
	describe_spread(&details->quantum_elapsed, elapsed_names, list);
	describe_spread(&details->quantum_cpu, cpu_names, list);
}

/* The names of the figures: of a row itself, and with all that it called. */
struct figure_names {
	const char *cpu_s, *cpu_error, *samples;
	const char *offcpu_s, *offcpu_error, *offcpu_samples, *waits;
	const char *io_s, *io_error, *io_samples, *read_bytes, *write_bytes, *ops, *errors;
	const char *waited_s, *waited;
	const char *ceph_s, *ceph_error, *ceph_samples, *ceph_read, *ceph_write, *ceph_ops,
		*ceph_errors;
	const char *grown, *grown_error, *grown_samples, *faults, *live, *peak;
	const char *allocated, *allocated_error, *allocated_samples, *allocations, *kept;
};

#define FIGURE_NAMES(prefix)                                                                       \
	{                                                                                          \
		prefix "cpu_s", prefix "cpu_s_error", prefix "samples", prefix "offcpu_s",         \
			prefix "offcpu_s_error", prefix "offcpu_samples", prefix "wait_count",     \
			prefix "io_s", prefix "io_s_error", prefix "io_samples",                   \
			prefix "read_bytes", prefix "write_bytes", prefix "op_count",              \
			prefix "error_count", prefix "waited_s", prefix "waited_count",            \
			prefix "ceph_s", prefix "ceph_s_error", prefix "ceph_samples",             \
			prefix "ceph_read_bytes", prefix "ceph_write_bytes",                       \
			prefix "ceph_op_count", prefix "ceph_error_count",                         \
			prefix "rss_growth_bytes", prefix "rss_growth_bytes_error",                \
			prefix "rss_growth_samples", prefix "fault_count",                         \
			prefix "mmap_live_bytes", prefix "mmap_peak_bytes", prefix "alloc_bytes",  \
			prefix "alloc_bytes_error", prefix "alloc_samples", prefix "alloc_count",  \
			prefix "alloc_kept_bytes"                                                  \
	}

static const struct figure_names own_names = FIGURE_NAMES("");
static const struct figure_names total_names = FIGURE_NAMES("total_");

/* Counted things are whole numbers, unless they were shared out. */
static void describe_number(struct field_list *list, const char *name, double value, bool estimated)
{
	if (estimated)
		field_list__real(list, name, value);
	else
		field_list__integer(list, name,
				    value < (double)INT64_MAX ? llround(value) : INT64_MAX);
}

static void describe_cpu(const struct query *query, const struct query_figures *figures,
			 const struct figure_names *names, struct field_list *list)
{
	if (!query->knows[SOURCE_CPU])
		return;
	field_list__real(list, names->cpu_s, figures->cpu_ns / 1e9);
	if (query->estimated)
		field_list__real(list, names->cpu_error, figures->cpu_error_ns / 1e9);
	field_list__integer(list, names->samples, figures->samples);
}

static void describe_events(const struct query *query, const struct query_figures *figures,
			    const struct figure_names *names, struct field_list *list)
{
	bool estimated = query->estimated;

	if (query->knows[SOURCE_OFFCPU]) {
		field_list__real(list, names->offcpu_s, figures->offcpu_ns / 1e9);
		if (estimated) {
			field_list__real(list, names->offcpu_error, figures->offcpu_error_ns / 1e9);
			field_list__integer(list, names->offcpu_samples, figures->offcpu_samples);
		} else {
			describe_number(list, names->waits, figures->waits, false);
		}
	}
	if (!query->knows[SOURCE_IO])
		return;
	field_list__real(list, names->io_s, figures->io_ns / 1e9);
	if (estimated) {
		field_list__real(list, names->io_error, figures->io_error_ns / 1e9);
		field_list__integer(list, names->io_samples, figures->io_samples);
	}
	describe_number(list, names->read_bytes, figures->read_bytes, estimated);
	describe_number(list, names->write_bytes, figures->write_bytes, estimated);
	describe_number(list, names->ops, figures->ops, estimated);
	if (estimated)
		return;
	describe_number(list, names->errors, figures->errors, false);
	if (!query__has_waited(query))
		return;
	field_list__real(list, names->waited_s, figures->waited_ns / 1e9);
	describe_number(list, names->waited, figures->waited, false);
}

/* Of a row with a time slice. */
static void describe_rates(const struct query *query, const struct query_row *row,
			   struct field_list *list)
{
	double seconds = query__seconds(query, row), ops = row->own.ops;

	if (seconds > 0) {
		field_list__real(list, "read_bytes_per_s", row->own.read_bytes / seconds);
		field_list__real(list, "write_bytes_per_s", row->own.write_bytes / seconds);
		field_list__real(list, "ops_per_s", ops / seconds);
	} else {
		field_list__null(list, "read_bytes_per_s");
		field_list__null(list, "write_bytes_per_s");
		field_list__null(list, "ops_per_s");
	}
	if (ops > 0)
		field_list__real(list, "latency_s", row->own.io_ns / 1e9 / ops);
	else
		field_list__null(list, "latency_s");
}

static void describe_storage(const struct query_storage *storage, struct field_list *list)
{
	double files = (double)storage->written_files;

	field_list__integer(list, "files_written", (int64_t)storage->written_files);
	if (files > 0)
		field_list__real(list, "file_size_bytes", storage->written_size / files);
	else
		field_list__null(list, "file_size_bytes");
	field_list__real(list, "files_written_bytes", storage->written_size);
	field_list__integer(list, "files_read", (int64_t)storage->read_files);
	field_list__integer(list, "files_read_written_here", (int64_t)storage->read_here);
	field_list__integer(list, "reads_sequential", (int64_t)storage->reads.sequential);
	field_list__integer(list, "reads_strided", (int64_t)storage->reads.strided);
	field_list__integer(list, "reads_random", (int64_t)storage->reads.random);
	if (storage->reads.distinct > 0)
		field_list__real(list, "read_again_estimated",
				 storage->reads.bytes / storage->reads.distinct);
	else
		field_list__null(list, "read_again_estimated");
}

static void describe_open(const struct query_storage *storage, struct field_list *list)
{
	const struct query_open *closed = &storage->closed, *open = &storage->still_open;

	field_list__integer(list, "open_count", (int64_t)closed->count);
	field_list__real(list, "open_s", closed->ns / 1e9);
	field_list__real(list, "open_longest_s", closed->longest_ns / 1e9);
	field_list__integer(list, "still_open_count", (int64_t)open->count);
	field_list__real(list, "still_open_s", open->ns / 1e9);
	field_list__real(list, "still_open_longest_s", open->longest_ns / 1e9);
}

static void describe_memory(const struct query *query, const struct query_figures *figures,
			    const struct figure_names *names, struct field_list *list)
{
	bool estimated = query->estimated;

	if (!query->knows[SOURCE_MEM])
		return;
	describe_number(list, names->grown, figures->grown_bytes, estimated);
	if (estimated) {
		describe_number(list, names->grown_error, figures->grown_error_bytes, true);
		field_list__integer(list, names->grown_samples, figures->grown_samples);
	}
	describe_number(list, names->faults, figures->faults, estimated);
	if (!query->has_live)
		return;
	describe_number(list, names->live, figures->live_bytes, false);
	describe_number(list, names->peak, figures->peak_bytes, false);
}

static void describe_alloc(const struct query *query, const struct query_figures *figures,
			   const struct figure_names *names, struct field_list *list)
{
	bool estimated = query->estimated;

	if (!query->knows[SOURCE_ALLOC])
		return;
	describe_number(list, names->allocated, figures->allocated_bytes, estimated);
	if (estimated) {
		describe_number(list, names->allocated_error, figures->allocated_error_bytes, true);
		field_list__integer(list, names->allocated_samples, figures->allocated_samples);
	}
	describe_number(list, names->allocations, figures->allocations, estimated);
	describe_number(list, names->kept, figures->kept_bytes, estimated);
}

static void describe_ceph(const struct query *query, const struct query_figures *figures,
			  const struct figure_names *names, struct field_list *list)
{
	bool estimated = query->estimated;

	if (!query->knows[SOURCE_CEPH])
		return;
	field_list__real(list, names->ceph_s, figures->ceph_ns / 1e9);
	if (estimated) {
		field_list__real(list, names->ceph_error, figures->ceph_error_ns / 1e9);
		field_list__integer(list, names->ceph_samples, figures->ceph_samples);
	}
	describe_number(list, names->ceph_read, figures->ceph_read_bytes, estimated);
	describe_number(list, names->ceph_write, figures->ceph_write_bytes, estimated);
	describe_number(list, names->ceph_ops, figures->ceph_ops, estimated);
	if (!estimated)
		describe_number(list, names->ceph_errors, figures->ceph_errors, false);
}

int query__describe(const struct query *query, const struct query_row *row, struct field_list *list)
{
	const struct query_details *details = query__details(query, row);
	bool by_quantum = false, by_task = false;
	int error;

	field_list__clear(list);
	for (size_t i = 0; i < query->request.key_count; i++) {
		const struct key *key = query->request.keys[i];
		size_t from = list->count;

		by_quantum |= !strcmp(key->name, "quantum");
		by_task |= !strcmp(key->name, "task");

		key__describe(key, query->tables, query__value(query, row, i), list);
		drop_doubles(query, list, from, key);
	}
	describe_cpu(query, &row->own, &own_names, list);
	if (details)
		describe_details(details, row->own.cpu_ns, by_quantum, list);
	describe_events(query, &row->own, &own_names, list);
	if (query->knows[SOURCE_IO] && query->by_scope[SCOPE_SLICE] && query->by_scope[SCOPE_FILE])
		describe_rates(query, row, list);
	if (query->storage) {
		describe_storage(query__storage(query, row), list);
		describe_open(query__storage(query, row), list);
	}
	error = details && (by_quantum || by_task)
			? query__describe_quanta(query, row, by_quantum, list)
			: 0;
	describe_ceph(query, &row->own, &own_names, list);
	describe_memory(query, &row->own, &own_names, list);
	describe_alloc(query, &row->own, &own_names, list);
	if (query->places.totals) {
		describe_cpu(query, &row->total, &total_names, list);
		describe_events(query, &row->total, &total_names, list);
		describe_ceph(query, &row->total, &total_names, list);
		describe_memory(query, &row->total, &total_names, list);
		describe_alloc(query, &row->total, &total_names, list);
	}
	return error ? error : list->error;
}
