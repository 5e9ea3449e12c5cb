// SPDX-License-Identifier: GPL-2.0-or-later
/* The page one wants first. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "report/grid.h"
#include "report/page.h"
#include "report/printable.h"
#include "report/text.h"

int page__paragraph(FILE *stream, size_t width, size_t indent, const char *format, ...)
{
	_cleanup_free_ char *raw = NULL, *text = NULL;
	size_t column = 0;
	char *word, *rest;
	va_list args;
	bool fresh;
	int size;

	va_start(args, format);
	size = vasprintf(&raw, format, args);
	va_end(args);
	if (size < 0) {
		raw = NULL;
		return -ENOMEM;
	}
	text = printable__of(raw);
	if (!text)
		return -ENOMEM;
	while (text[column] == ' ')
		column++;
	fprintf(stream, "%.*s", (int)column, text);
	fresh = true;
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		size_t wide = printable__width(word);

		if (!fresh && column + 1 + wide > width) {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!fresh) {
			fputc(' ', stream);
			column++;
		}
		fresh = false;
		fputs(word, stream);
		column += wide;
	}
	fputc('\n', stream);
	return 0;
}

static const char *meta_or(const struct summary *summary, const char *key, const char *otherwise)
{
	const char *value = summary__meta(summary, key);

	return value && *value ? value : otherwise;
}

static void start_text(const struct summary *summary, char *text, size_t size)
{
	const char *value = summary__meta(summary, "start_wall_ns");
	time_t seconds = value ? (time_t)(strtoll(value, NULL, 10) / 1000000000) : 0;
	struct tm broken;

	if (!value || !localtime_r(&seconds, &broken) ||
	    !strftime(text, size, "%Y-%m-%d %H:%M:%S %Z", &broken))
		snprintf(text, size, "start not known");
}

int text_report__head(FILE *stream, const struct summary *summary, size_t width)
{
	char start[64], cpu[NUMBER_SIZE], elapsed[NUMBER_SIZE];
	int error;

	start_text(summary, start, sizeof(start));
	error = page__paragraph(
		stream, width, 2, "Node %s, kernel %s, %s CPUs; %s, %s; %s at %s Hz",
		meta_or(summary, "node", "(unknown)"), meta_or(summary, "kernel", "(unknown)"),
		meta_or(summary, "cpus", "?"), start, number__seconds(elapsed, summary->elapsed_s),
		meta_or(summary, "sources", "cpu"), meta_or(summary, "hz", "?"));
	if (!error)
		error = text_report__warnings(stream, summary, width);
	if (!error)
		error = page__paragraph(stream, width, 2, "CPU: %s, exact, of all processes",
					number__seconds(cpu, summary->cpu_s));
	return error;
}

int text_report__warnings(FILE *stream, const struct summary *summary, size_t width)
{
	char elapsed[NUMBER_SIZE];
	int error = 0;

	if (!summary->complete)
		error = page__paragraph(
			stream, width, 2,
			"INCOMPLETE: the recorder was cut off before it could finish; "
			"this is what it had written of the first %s",
			number__seconds(elapsed, summary->elapsed_s));
	for (size_t i = 0; i < summary->counter_count && !error; i++)
		if (summary->counters[i].loss && summary->counters[i].value > 0)
			error = page__paragraph(stream, width, 2, "WARNING: %lld %s",
						(long long)summary->counters[i].value,
						summary->counters[i].meaning);
	return error;
}

static int print_cost(FILE *stream, const struct summary *summary, size_t width)
{
	char memory[NUMBER_SIZE], programs[64] = "";

	if (summary->program_count)
		snprintf(programs, sizeof(programs), "; BPF programs %.2f %% of one CPU",
			 summary->programs_cpu_percent);
	return page__paragraph(
		stream, width, 2,
		"Cost: recorder %.2f %% of one CPU after %.2f s to start, %s of memory%s",
		summary->recorder_cpu_percent, summary->startup_cpu_s,
		number__bytes(memory, summary->recorder_max_rss_bytes), programs);
}

int page__grid(FILE *stream, size_t width, const char *heading, struct grid *grid)
{
	int error;

	if (grid->cell_count)
		fprintf(stream, "\n%s\n", heading);
	error = grid__print(grid, stream, width);
	grid__clear(grid);
	return error;
}

int page__query(struct tables *tables, const char *const *keys, const char *metric,
		enum query_fold fold, struct query **ret_query)
{
	struct query_request request = {.metric = metric__find(metric), .fold = fold};

	for (; *keys; keys++)
		request.keys[request.key_count++] = key__find(*keys);
	return query__run(tables, &request, ret_query);
}

/* --- Tasks. */

static void add_task(struct grid *grid, const struct query *query, const struct query_row *row,
		     bool jobs)
{
	const struct query_details *details = query__details(query, row);
	const char *job = (const char *)(uintptr_t)query__value(query, row, 1);

	grid__text(grid, (const char *)(uintptr_t)query__value(query, row, 0));
	if (jobs)
		grid__text(grid, job ? job : "-");
	grid__integer(grid, details->processes);
	grid__seconds(grid, details->elapsed_ns / 1e9);
	grid__seconds(grid, row->own.cpu_ns / 1e9);
	grid__percent(grid, row->own.cpu_ns, details->elapsed_ns);
	grid__bytes(grid, details->max_rss_bytes);
	grid__integer(grid, details->failures);
}

static int print_tasks(FILE *stream, struct tables *tables, size_t width, size_t limit)
{
	static const char *const keys[] = {"task", "job", NULL};
	struct grid grid = {0};
	struct query *query;
	size_t busy = 0, count;
	bool jobs = false;
	int error;

	error = page__query(tables, keys, "cpu", FOLD_INTERPRETER, &query);
	if (error)
		return error;
	count = query__row_count(query);
	while (busy < count && query__row(query, busy)->own.cpu_ns > 0)
		busy++;
	if (limit > busy)
		limit = busy;
	for (size_t i = 0; i < limit; i++)
		jobs |= query__value(query, query__row(query, i), 1) != 0;
	grid__column(&grid, "task", false, true, 0);
	if (jobs)
		grid__column(&grid, "job", false, true, 2);
	grid__column(&grid, "processes", true, false, 1);
	grid__column(&grid, "elapsed", true, false, 0);
	grid__column(&grid, "CPU", true, false, 0);
	grid__column(&grid, "eff.", true, false, 0);
	grid__column(&grid, "peak RSS", true, false, 0);
	grid__column(&grid, "failed", true, false, 0);
	for (size_t i = 0; i < limit; i++)
		add_task(&grid, query, query__row(query, i), jobs);
	fputs("\nTasks (exact; eff. = CPU / elapsed)\n", stream);
	error = grid__print(&grid, stream, width);
	if (!error && busy > limit)
		error = page__paragraph(stream, width, 2, "... and %zu more with CPU time",
					busy - limit);
	if (!error && count > busy)
		error = page__paragraph(stream, width, 2,
					"... and %zu without; --by task, --by process show all",
					count - busy);
	grid__clear(&grid);
	query__free(query);
	return error;
}

/* --- Functions and lines. Each table: which rows of which query. */

bool page__is_special(uint64_t value)
{
	return value == VALUE_UNKNOWN || value == VALUE_NOT_SAMPLED;
}

static bool wants_python(const struct tables *tables, const struct query *query,
			 const struct query_row *row)
{
	uint64_t function = query__value(query, row, 0);

	return !page__is_special(function) && tables->functions[function].kind == FUNCTION_PYTHON;
}

static bool wants_line(const struct tables *tables, const struct query *query,
		       const struct query_row *row)
{
	(void)tables;
	return !page__is_special(query__value(query, row, 1));
}

static bool wants_native(const struct tables *tables, const struct query *query,
			 const struct query_row *row)
{
	uint64_t function = query__value(query, row, 0);

	return !page__is_special(function) && tables->functions[function].kind != FUNCTION_PYTHON;
}

static const struct section {
	const char *title;
	const char *keys[4]; /* first the function */
	enum query_fold fold;
	bool (*wants)(const struct tables *tables, const struct query *query,
		      const struct query_row *row);
	size_t share; /* of the page's rows, in quarters */
	bool callees;
} sections[] = {
	{"Hottest Python functions (own: with the native code they call)",
	 {"function", "task"},
	 FOLD_NATIVE,
	 wants_python,
	 4,
	 true},
	{"Hottest lines", {"function", "line", "task"}, FOLD_NATIVE, wants_line, 3, false},
	{"Hottest native and kernel functions",
	 {"function"},
	 FOLD_INTERPRETER,
	 wants_native,
	 2,
	 false},
};

static void add_section_row(struct grid *grid, const struct section *section,
			    const struct tables *tables, const struct query *query,
			    const struct query_row *row, double all_s)
{
	grid__seconds(grid, row->own.cpu_ns / 1e9);
	grid__percent(grid, row->own.cpu_ns / 1e9, all_s);
	if (section->callees)
		grid__percent(grid, row->total.cpu_ns / 1e9, all_s);
	for (size_t i = 0; section->keys[i]; i++) {
		const struct key *key = query__request(query)->keys[i];
		uint64_t value = query__value(query, row, i);
		char *label = NULL;

		if (key->label(tables, value, &label))
			label = NULL;
		grid__own(grid, label);
		/* A line says it better than where its function begins. */
		if (!i && section->wants != wants_line)
			grid__own(grid, text_report__origin(tables, value));
	}
}

static int print_section(FILE *stream, struct tables *tables, const struct section *section,
			 double all_s, size_t width, size_t limit)
{
	struct grid grid = {0};
	struct query *query;
	size_t shown = 0;
	int error;

	error = page__query(tables, section->keys, "cpu", section->fold, &query);
	if (error)
		return error;
	grid__column(&grid, "own", true, false, 0);
	grid__column(&grid, "of all", true, false, 0);
	if (section->callees)
		grid__column(&grid, "w. callees", true, false, 2);
	for (size_t i = 0; section->keys[i]; i++) {
		grid__column(&grid, query__request(query)->keys[i]->title, false, true, 0);
		if (!i && section->wants != wants_line)
			grid__column(&grid, "where", false, true, 0);
	}
	for (size_t i = 0; i < query__row_count(query) && shown < limit; i++) {
		const struct query_row *row = query__row(query, i);

		if (!row->own.samples || !section->wants(tables, query, row))
			continue;
		add_section_row(&grid, section, tables, query, row, all_s);
		shown++;
	}
	error = page__grid(stream, width, section->title, &grid);
	query__free(query);
	return error;
}

/* What no table of functions can show. */
static int print_rest(FILE *stream, const struct tables *tables, const struct summary *summary,
		      size_t width)
{
	double not_sampled_s = 0;
	char text[NUMBER_SIZE];

	for (size_t i = 0; i < tables->epoch_count; i++)
		if (!tables->epochs[i].samples)
			not_sampled_s += tables->epochs[i].cpu_ns / 1e9;
	fputc('\n', stream);
	if (not_sampled_s > 0)
		return page__paragraph(
			stream, width, 2,
			"Functions and lines are estimated from samples; %s (%.1f %%) of "
			"CPU time were of processes too short for any.",
			number__seconds(text, not_sampled_s),
			summary->cpu_s > 0 ? not_sampled_s / summary->cpu_s * 100 : 0);
	return page__paragraph(stream, width, 2, "Functions and lines are estimated from samples.");
}

int text_report__page(FILE *stream, struct tables *tables, const struct summary *summary,
		      size_t width, size_t limit)
{
	int error;

	error = text_report__head(stream, summary, width);
	if (!error)
		error = page__quality(stream, summary, width);
	if (!error)
		error = print_cost(stream, summary, width);
	if (!error)
		error = print_tasks(stream, tables, width, limit ? limit : PAGE_ROWS);
	if (!error)
		error = page__events_of_tasks(stream, tables, width, limit ? limit : PAGE_ROWS);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]) && !error; i++)
		error = print_section(stream, tables, &sections[i], summary->cpu_s, width,
				      limit ? limit : PAGE_ROWS * sections[i].share / 4);
	if (!error)
		error = page__events(stream, tables, width, limit ? limit : PAGE_ROWS * 3 / 4);
	if (!error)
		error = page__ceph(stream, tables, width, limit ? limit : PAGE_ROWS);
	if (!error)
		error = print_rest(stream, tables, summary, width);
	if (!error)
		error = page__missing(stream, summary, width);
	return error ? error : ferror(stream) ? -EIO : 0;
}
