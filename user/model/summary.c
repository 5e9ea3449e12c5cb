// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* What a healthy recording has few of; a hostile one could have any number. */
#define MAX_ITEMS 4096

struct loading {
	struct tables *tables;
	struct summary *summary;
	size_t capacity; /* of the array that is being filled */
};

static const char *text_column(struct loading *loading, sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return tables__intern(loading->tables, text ? text : "");
}

#define GROW(loading, array, count)                                                                \
	((count) >= MAX_ITEMS                                                                      \
		 ? -EBADMSG                                                                        \
		 : array__reserve(&(array), &(loading)->capacity, sizeof(*(array)), (count) + 1))

static int load_meta(struct loading *loading, sqlite3_stmt *row)
{
	struct summary *summary = loading->summary;
	struct summary_meta meta = {text_column(loading, row, 0), text_column(loading, row, 1)};
	int error = GROW(loading, summary->meta, summary->meta_count);

	if (error || !meta.key || !meta.value)
		return error ? error : -ENOMEM;
	summary->meta[summary->meta_count++] = meta;
	return 0;
}

static int load_counter(struct loading *loading, sqlite3_stmt *row)
{
	struct summary *summary = loading->summary;
	struct summary_counter counter = {.name = text_column(loading, row, 0),
					  .value = sqlite3_column_int64(row, 1),
					  .meaning = text_column(loading, row, 2)};
	int error = GROW(loading, summary->counters, summary->counter_count);

	if (error || !counter.name || !counter.meaning)
		return error ? error : -ENOMEM;
	counter.loss = !strncmp(counter.name, "lost_", 5);
	summary->counters[summary->counter_count++] = counter;
	return 0;
}

static struct summary_ending *find_ending(struct summary *summary, const char *name)
{
	for (size_t i = 0; i < summary->ending_count; i++)
		if (summary->endings[i].name == name) /* interned */
			return &summary->endings[i];
	return NULL;
}

static int load_ending(struct loading *loading, sqlite3_stmt *row)
{
	struct summary *summary = loading->summary;
	struct summary_ending ending = {.name = text_column(loading, row, 0),
					.ok = sqlite3_column_int(row, 1) != 0,
					.meaning = text_column(loading, row, 2)};
	int error = GROW(loading, summary->endings, summary->ending_count);

	if (error || !ending.name || !ending.meaning)
		return error ? error : -ENOMEM;
	summary->endings[summary->ending_count++] = ending;
	return 0;
}

static int load_recorder(struct loading *loading, sqlite3_stmt *row)
{
	struct summary *summary = loading->summary;
	int64_t rss = sqlite3_column_int64(row, 1);

	summary->recorder_cpu_s += (double)sqlite3_column_int64(row, 0) / 1e9;
	if (rss > summary->recorder_max_rss_bytes)
		summary->recorder_max_rss_bytes = rss;
	return 0;
}

static int load_program(struct loading *loading, sqlite3_stmt *row)
{
	struct summary *summary = loading->summary;
	struct summary_program program = {.name = text_column(loading, row, 0),
					  .runs = sqlite3_column_int64(row, 1),
					  .run_ns = sqlite3_column_int64(row, 2)};
	int error = GROW(loading, summary->programs, summary->program_count);

	if (error || !program.name)
		return error ? error : -ENOMEM;
	summary->programs_cpu_s += (double)program.run_ns / 1e9;
	summary->programs[summary->program_count++] = program;
	return 0;
}

static const struct summary_step {
	const char *sql;
	int (*load)(struct loading *loading, sqlite3_stmt *row);
} summary_steps[] = {
	{"SELECT key, value FROM meta ORDER BY key", load_meta},
	{"SELECT name, value, meaning FROM quality ORDER BY name", load_counter},
	{"SELECT name, ok, meaning FROM ending ORDER BY name", load_ending},
	{"SELECT cpu_ns, rss_bytes FROM recorder", load_recorder},
	{"SELECT name, runs, run_ns FROM program ORDER BY name", load_program},
};

static int load_step(struct loading *loading, const struct summary_step *step)
{
	sqlite3_stmt *statement;
	int error;

	error = recording__prepare(loading->tables->recording, step->sql, &statement);
	if (error)
		return error;
	loading->capacity = 0;
	while ((error = recording__step(statement)) > 0) {
		error = step->load(loading, statement);
		if (error)
			break;
	}
	sqlite3_finalize(statement);
	return error;
}

/* Other endings that are ok are of threads that ran no Python function. */
static bool met_python(const struct summary_ending *ending)
{
	return !strncmp(ending->name, "python", 6) &&
	       (!ending->ok || !strcmp(ending->name, "python"));
}

/* Endings that the recording's own table does not explain count as not ok. */
static int add_ending_counts(struct loading *loading)
{
	struct tables *tables = loading->tables;
	struct summary *summary = loading->summary;

	loading->capacity = summary->ending_count;
	for (size_t i = 0; i < tables->ending_count; i++) {
		struct summary_ending *ending = find_ending(summary, tables->endings[i].name);

		if (!ending) {
			int error = GROW(loading, summary->endings, summary->ending_count);

			if (error)
				return error;
			ending = &summary->endings[summary->ending_count++];
			*ending = (struct summary_ending){.name = tables->endings[i].name,
							  .meaning = tables->endings[i].name};
		}
		for (size_t source = 0; source < SOURCE_COUNT; source++) {
			int64_t samples = tables->endings[i].samples[source];
			struct summary_stacks *stacks = &summary->stacks[source];

			ending->samples[source] = samples;
			stacks->samples += samples;
			stacks->python += met_python(ending) ? samples : 0;
			stacks->named += met_python(ending) && ending->ok ? samples : 0;
		}
	}
	return 0;
}

int summary__load(struct tables *tables, struct summary **ret_summary)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	struct loading loading = {.tables = tables, .summary = summary};
	int error = 0;

	if (!summary)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(summary_steps) / sizeof(summary_steps[0]) && !error; i++)
		error = load_step(&loading, &summary_steps[i]);
	if (!error)
		error = add_ending_counts(&loading);
	if (error) {
		summary__free(summary);
		return error;
	}
	summary->complete = recording__complete(tables->recording);
	summary->elapsed_s = (double)tables->end_ns / 1e9;
	for (size_t i = 0; i < tables->epoch_count; i++)
		summary->cpu_s += tables->epochs[i].cpu_ns / 1e9;
	for (size_t i = 0; i < tables->pool_count; i++) {
		const struct sample_pool *pool = &tables->pools[i];

		if (pool->source == SOURCE_OFFCPU)
			summary->offcpu_s += pool->shares[SHARE_TIME].exact / 1e9;
		else if (pool->source == SOURCE_IO)
			summary->io_s += pool->shares[SHARE_TIME].exact / 1e9;
		else if (pool->source == SOURCE_CEPH && tables->ceph_ops[pool->item].is_request)
			summary->ceph_s += pool->shares[SHARE_TIME].exact / 1e9;
		for (uint32_t share = 0; share < SHARE_COUNT; share++) {
			summary->mem[share] +=
				pool->source == SOURCE_MEM ? pool->shares[share].exact : 0;
			summary->alloc[share] +=
				pool->source == SOURCE_ALLOC ? pool->shares[share].exact : 0;
		}
	}
	if (summary->elapsed_s > 0) {
		summary->startup_cpu_s =
			(double)recording__meta_number(tables->recording, "startup_cpu_ns", 0) /
			1e9;
		summary->recorder_cpu_percent = summary->recorder_cpu_s / summary->elapsed_s * 100;
		summary->programs_cpu_percent = summary->programs_cpu_s / summary->elapsed_s * 100;
	}
	*ret_summary = summary;
	return 0;
}

void summary__free(struct summary *summary)
{
	if (!summary)
		return;
	free(summary->meta);
	free(summary->counters);
	free(summary->endings);
	free(summary->programs);
	free(summary);
}

const char *summary__meta(const struct summary *summary, const char *key)
{
	for (size_t i = 0; i < summary->meta_count; i++)
		if (!strcmp(summary->meta[i].key, key))
			return summary->meta[i].value;
	return NULL;
}
