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
};

#define FIGURE_NAMES(prefix)                                                                       \
	{                                                                                          \
		prefix "cpu_s", prefix "cpu_s_error", prefix "samples", prefix "offcpu_s",         \
			prefix "offcpu_s_error", prefix "offcpu_samples", prefix "wait_count",     \
			prefix "io_s", prefix "io_s_error", prefix "io_samples",                   \
			prefix "read_bytes", prefix "write_bytes", prefix "op_count",              \
			prefix "error_count"                                                       \
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
	if (!estimated)
		describe_number(list, names->errors, figures->errors, false);
}

int query__describe(const struct query *query, const struct query_row *row, struct field_list *list)
{
	const struct query_details *details = query__details(query, row);
	bool by_quantum = false;

	field_list__clear(list);
	for (size_t i = 0; i < query->request.key_count; i++) {
		const struct key *key = query->request.keys[i];
		size_t from = list->count;

		by_quantum |= !strcmp(key->name, "quantum");

		key__describe(key, query->tables, query__value(query, row, i), list);
		drop_doubles(query, list, from, key);
	}
	describe_cpu(query, &row->own, &own_names, list);
	if (details)
		describe_details(details, row->own.cpu_ns, by_quantum, list);
	describe_events(query, &row->own, &own_names, list);
	if (query->places.totals) {
		describe_cpu(query, &row->total, &total_names, list);
		describe_events(query, &row->total, &total_names, list);
	}
	return list->error;
}
