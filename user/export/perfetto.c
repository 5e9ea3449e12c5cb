// SPDX-License-Identifier: GPL-2.0-or-later
/* A time line: processes, what they worked at as slices, threads, and a counter for each figure
 * with the amount of each time slice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/exporter.h"
#include "export/trace.h"

/* A row of a query by time, to be sorted into series. */
struct moment {
	uint32_t group; /* all values but the time */
	bool timeless; /* in no time slice: after the others */
	int64_t start_ns, end_ns;
	const struct query_row *row;
};

struct exporting {
	struct tables *tables;
	const struct query_request *request;
	struct trace *trace;
	trace_track *processes, *threads; /* 0: none */
};

/* --- Who. */

static bool passes(const struct exporting *exporting, enum key_scope scope, uint32_t index)
{
	for (size_t i = 0; i < exporting->request->filter_count; i++) {
		const struct query_filter *filter = &exporting->request->filters[i];

		if (filter->key->scope == scope &&
		    !filter->key->matches(exporting->tables,
					  filter->key->value(exporting->tables, index),
					  filter->pattern))
			return false;
	}
	return true;
}

static int write_process(struct exporting *exporting, uint32_t index)
{
	struct tables *tables = exporting->tables;
	const struct table_process *process = &tables->processes[index];
	const struct table_epoch *epoch = &tables->epochs[process->epoch];
	_cleanup_free_ char *command = NULL;
	trace_track track;
	int error;

	error = tables__command(tables, epoch->image, &command);
	if (!error)
		error = trace__process(exporting->trace, process->pid, epoch->task, command,
				       &exporting->processes[index]);
	/* Slices of a process's own track would be nested with others' of its first thread. */
	return error ? error
		     : trace__child(exporting->trace, exporting->processes[index], "task", &track);
}

static int64_t within(const struct tables *tables, int64_t time_ns)
{
	return time_ns < 0 ? 0 : time_ns > tables->end_ns ? tables->end_ns : time_ns;
}

/* The track of slices was made right behind the process's. */
static int write_epoch(struct exporting *exporting, const struct table_epoch *epoch)
{
	const struct table_process *process = &exporting->tables->processes[epoch->process];
	bool last = epoch == &exporting->tables->epochs[process->last_epoch];
	struct trace_note notes[TRACE_MAX_NOTES];
	_cleanup_free_ char *command = NULL;
	size_t count = 0;
	int error;

	error = tables__command(exporting->tables, epoch->image, &command);
	if (error)
		return error;
	notes[count++] = (struct trace_note){.name = "command", .text = command};
	if (epoch->job)
		notes[count++] = (struct trace_note){.name = "job", .text = epoch->job};
	if (epoch->rule)
		notes[count++] = (struct trace_note){.name = "rule", .text = epoch->rule};
	if (process->python)
		notes[count++] = (struct trace_note){.name = "python", .text = process->python};
	if (last && process->exit_code != NO_VALUE)
		notes[count++] =
			(struct trace_note){.name = "exit_code", .number = process->exit_code};
	if (last && process->exit_signal != NO_VALUE)
		notes[count++] =
			(struct trace_note){.name = "exit_signal", .number = process->exit_signal};
	return trace__slice(exporting->trace, exporting->processes[epoch->process] + 1, epoch->task,
			    within(exporting->tables, epoch->start_ns),
			    within(exporting->tables, epoch->end_ns), notes, count);
}

static int write_who(struct exporting *exporting)
{
	const struct tables *tables = exporting->tables;
	int error = 0;

	for (uint32_t i = 0; i < tables->epoch_count && !error; i++) {
		const struct table_epoch *epoch = &tables->epochs[i];

		if (!passes(exporting, SCOPE_EPOCH, i))
			continue;
		if (!exporting->processes[epoch->process])
			error = write_process(exporting, epoch->process);
		if (!error)
			error = write_epoch(exporting, epoch);
	}
	for (uint32_t i = 0; i < tables->thread_count && !error; i++) {
		const struct table_thread *thread = &tables->threads[i];

		if (exporting->processes[thread->process] && passes(exporting, SCOPE_THREAD, i))
			error = trace__thread(exporting->trace,
					      tables->processes[thread->process].pid, thread->tid,
					      thread->name, &exporting->threads[i]);
	}
	return error;
}

/* --- How much, when. */

static size_t time_key(const struct query_request *request)
{
	size_t position = 0;

	while (request->keys[position]->scope != SCOPE_SLICE)
		position++;
	return position;
}

static int compare_moments(const void *one, const void *other)
{
	const struct moment *a = one, *b = other;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->timeless != b->timeless)
		return a->timeless ? 1 : -1;
	return a->start_ns < b->start_ns ? -1 : a->start_ns > b->start_ns;
}

static int fill_moments(const struct tables *tables, const struct query *query,
			struct moment *moments)
{
	const struct query_request *request = query__request(query);
	size_t time = time_key(request);
	struct tuple_set *groups = tuple_set__new(QUERY_MAX_KEYS);
	int error = groups ? 0 : -ENOMEM;

	for (size_t i = 0; i < query__row_count(query) && !error; i++) {
		const struct query_row *row = query__row(query, i);
		uint64_t values[QUERY_MAX_KEYS] = {0}, slice = query__value(query, row, time);
		struct moment *moment = &moments[i];

		for (size_t k = 0; k < request->key_count; k++)
			if (k != time)
				values[k] = query__value(query, row, k);
		*moment = (struct moment){.row = row, .end_ns = tables->end_ns};
		moment->timeless = slice == VALUE_UNKNOWN;
		if (!moment->timeless) {
			moment->start_ns = tables->slices[slice].start_ns;
			moment->end_ns = tables->slices[slice].end_ns;
		}
		error = tuple_set__add(groups, values, &moment->group);
	}
	tuple_set__free(groups);
	if (!error)
		qsort(moments, query__row_count(query), sizeof(*moments), compare_moments);
	return error;
}

/* The track of this value of a key; 0: none. */
static trace_track track_of(const struct exporting *exporting, const struct key *key,
			    uint64_t value)
{
	if (value == VALUE_UNKNOWN)
		return 0;
	if (key->scope == SCOPE_THREAD)
		return exporting->threads[value];
	return key == key__find("process") ? exporting->processes[value] : 0;
}

/* A thread is more than its process. */
static trace_track parent_of(const struct exporting *exporting, const struct query *query,
			     const struct query_row *row)
{
	const struct query_request *request = query__request(query);
	trace_track parent = 0;

	for (size_t i = 0; i < request->key_count; i++) {
		trace_track track =
			track_of(exporting, request->keys[i], query__value(query, row, i));

		if (track && (!parent || request->keys[i]->scope == SCOPE_THREAD))
			parent = track;
	}
	return parent;
}

/* "cpu", or "offcpu: lock": what the track above it does not say. */
static int name_series(const struct exporting *exporting, const struct query *query,
		       const struct moment *moment, const struct metric *metric, char **ret_name)
{
	const struct query_request *request = query__request(query);
	const char *before = ": ";
	char *name = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&name, &size);
	int error = text ? 0 : -ENOMEM;

	if (text)
		fputs(metric->name, text);
	for (size_t i = 0; i < request->key_count && !error; i++) {
		uint64_t value = query__value(query, moment->row, i);
		_cleanup_free_ char *label = NULL;

		if (request->keys[i]->scope == SCOPE_SLICE ||
		    track_of(exporting, request->keys[i], value))
			continue;
		error = request->keys[i]->label(exporting->tables, value, &label);
		if (!error)
			fprintf(text, "%s%s", before, label);
		before = ", ";
	}
	if (text && moment->timeless)
		fputs(" (time not known)", text);
	if (text && fclose(text))
		error = -ENOMEM;
	if (error)
		free(name);
	else
		*ret_name = name;
	return error;
}

/* Where no value follows at once, the counter goes back to 0. */
static int write_series(struct exporting *exporting, const struct query *query,
			const struct moment *moments, size_t count, const struct metric *metric)
{
	struct rounding rounding = {0};
	_cleanup_free_ char *name = NULL;
	trace_track track = 0;
	int error = 0;

	for (size_t i = 0; i < count && !error; i++) {
		int64_t value = 0;

		error = rounding__next(
			&rounding, query_figures__measure(&moments[i].row->own, metric), &value);
		if (error || (!value && !track))
			continue;
		if (!track) {
			error = name_series(exporting, query, moments, metric, &name);
			if (!error)
				error = trace__counter(exporting->trace,
						       parent_of(exporting, query, moments[i].row),
						       name, metric__unit(metric), &track);
		}
		if (!error)
			error = trace__value(exporting->trace, track, moments[i].start_ns, value);
		if (!error && value &&
		    (i + 1 == count || moments[i + 1].start_ns != moments[i].end_ns))
			error = trace__value(exporting->trace, track, moments[i].end_ns, 0);
	}
	return error;
}

/* Of one metric, or of all that the query knows but `not`. */
static int write_query(struct exporting *exporting, const struct query_request *request,
		       const struct metric *only, const struct metric * not )
{
	_cleanup_free_ struct moment *moments = NULL;
	struct query *query;
	size_t count, to;
	int error;

	error = query__run(exporting->tables, request, &query);
	if (error)
		return error;
	count = query__row_count(query);
	moments = calloc(count + 1, sizeof(*moments));
	error = moments ? fill_moments(exporting->tables, query, moments) : -ENOMEM;
	for (size_t from = 0; from < count && !error; from = to) {
		for (to = from; to < count && moments[to].group == moments[from].group &&
				moments[to].timeless == moments[from].timeless;)
			to++;
		for (size_t i = 0; metric__at(i) && !error; i++) {
			const struct metric *metric = metric__at(i);

			if (only ? metric == only
				 : metric != not &&query__knows(query, metric->source))
				error = write_series(exporting, query, moments + from, to - from,
						     metric);
		}
	}
	query__free(query);
	return error;
}

/* Waiting is of a class; all classes together say little. */
static bool split_waits(struct query_request *request)
{
	if (request->metric && request->metric != metric__find("offcpu"))
		return false;
	for (size_t i = 0; i < request->key_count; i++)
		if (request->keys[i]->scope == SCOPE_WAIT)
			return false;
	if (request->key_count == QUERY_MAX_KEYS)
		return false;
	request->keys[request->key_count++] = key__find("wait");
	request->metric = metric__find("offcpu");
	return !query__refusal(request);
}

static int write_how_much(struct exporting *exporting)
{
	struct query_request by_wait = *exporting->request, by_thread = *exporting->request;
	const struct metric *metric = exporting->request->metric, *cpu = metric__find("cpu");
	bool waits = exporting->tables->recorded[SOURCE_OFFCPU] && split_waits(&by_wait);
	int error = 0;

	if (!metric || !waits)
		error = write_query(exporting, exporting->request, metric,
				    waits ? by_wait.metric : NULL);
	if (!error && waits)
		error = write_query(exporting, &by_wait, by_wait.metric, NULL);
	if (error || exporting->request->keys[0] != key__find("process") ||
	    exporting->request->key_count != 2 || (metric && metric != cpu))
		return error;
	by_thread.keys[0] = key__find("thread");
	by_thread.metric = cpu;
	return query__refusal(&by_thread) ? 0 : write_query(exporting, &by_thread, cpu, NULL);
}

static int write_perfetto(FILE *stream, struct tables *tables, const struct query_request *request)
{
	struct exporting exporting = {.tables = tables, .request = request};
	int64_t boot_ns = recording__meta_number(tables->recording, "start_boot_ns", 0);
	int error;

	error = trace__new(stream, boot_ns > 0 && boot_ns < INT64_MAX / 2 ? boot_ns : 0,
			   &exporting.trace);
	exporting.processes = calloc(tables->process_count + 1, sizeof(*exporting.processes));
	exporting.threads = calloc(tables->thread_count + 1, sizeof(*exporting.threads));
	if (!error && (!exporting.processes || !exporting.threads))
		error = -ENOMEM;
	if (!error)
		error = write_who(&exporting);
	if (!error)
		error = write_how_much(&exporting);
	trace__free(exporting.trace);
	free(exporting.processes);
	free(exporting.threads);
	return error ? error : ferror(stream) ? -EIO : 0;
}

static void complete(struct query_request *request)
{
	bool has_time = false;

	if (!request->key_count)
		request->keys[request->key_count++] = key__find("process");
	for (size_t i = 0; i < request->key_count; i++)
		has_time |= request->keys[i]->scope == SCOPE_SLICE;
	if (!has_time && request->key_count < QUERY_MAX_KEYS)
		request->keys[request->key_count++] = key__find("time");
}

static const char *refusal(const struct query_request *request)
{
	for (size_t i = 0; i < request->key_count; i++)
		if (request->keys[i]->scope == SCOPE_SLICE)
			return query__refusal(request);
	return "too many keys: there is no room for the time";
}

const struct exporter perfetto__exporter = {
	.name = "perfetto",
	.suffix = ".perfetto-trace",
	.viewers = "ui.perfetto.dev, trace_processor",
	.binary = true,
	.complete = complete,
	.refusal = refusal,
	.write = write_perfetto,
};
