// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/quantum_key.h"
#include "report/grid.h"
#include "report/mem_shortage.h"
#include "report/text_alloc.h"
#include "report/text_io.h"
#include "report/text_quanta.h"

/* How one key looks in a table: its columns, and their cells. */
struct view {
	const char *key;
	void (*columns)(struct grid *grid, const struct query *query);
	void (*cells)(struct grid *grid, struct tables *tables, const struct query *query,
		      uint64_t value);
};

bool text_report__has_key(const struct query *query, const char *name)
{
	const struct query_request *request = query__request(query);

	for (size_t i = 0; i < request->key_count; i++)
		if (!strcmp(request->keys[i]->name, name))
			return true;
	return false;
}

static enum source shown_source(const struct query *query)
{
	return query__request(query)->metric->source;
}

/* Columns of processes: elapsed time, memory, exit. */
static bool shows_details(const struct query *query)
{
	return query__has_details(query) && shown_source(query) == SOURCE_CPU;
}

/* Columns of how long quanta took. */
static bool shows_spread(const struct query *query)
{
	if (text_report__has_key(query, "quantum"))
		return false;
	for (size_t i = 0; i < query__row_count(query); i++)
		if (query__details(query, query__row(query, i))->quanta)
			return true;
	return false;
}

char *text_report__origin(const struct tables *tables, uint64_t value)
{
	const struct table_function *function;
	char *text;
	int size;

	if (value == VALUE_UNKNOWN || value == VALUE_NOT_SAMPLED)
		return strdup("-");
	function = &tables->functions[value];
	if (function->kind != FUNCTION_PYTHON || !function->file)
		return strdup(path__base(function->module));
	if (function->line == NO_VALUE)
		return strdup(path__base(function->file));
	size = asprintf(&text, "%s:%lld", path__base(function->file), (long long)function->line);
	return size < 0 ? NULL : text;
}

char *text_report__exit(const struct table_process *process)
{
	const char *name;
	char *text;
	int size;

	if (process->exit_signal != NO_VALUE) {
		name = process->exit_signal < 256 ? sigabbrev_np((int)process->exit_signal) : NULL;
		size = name ? asprintf(&text, "SIG%s", name)
			    : asprintf(&text, "signal %lld", (long long)process->exit_signal);
	} else if (process->exit_code != NO_VALUE) {
		size = asprintf(&text, "%lld", (long long)process->exit_code);
	} else {
		return strdup(process->end_ns == NO_VALUE ? "-" : "?");
	}
	return size < 0 ? NULL : text;
}

/* --- Processes. */

static void process_columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "pid", true, false, 0);
	if (!text_report__has_key(query, "task"))
		grid__column(grid, "task", false, true, 0);
	grid__column(grid, "command", false, true, 0);
	if (shows_details(query))
		grid__column(grid, "start", true, false, 1);
}

static void process_cells(struct grid *grid, struct tables *tables, const struct query *query,
			  uint64_t value)
{
	const struct table_process *process = &tables->processes[value];
	const struct table_epoch *epoch = &tables->epochs[process->epoch];
	char *text = NULL;

	grid__integer(grid, process->pid);
	if (!text_report__has_key(query, "task")) {
		if (process->other_tasks &&
		    asprintf(&text, "%s +%u", epoch->task, process->other_tasks) < 0)
			text = NULL;
		if (text)
			grid__own(grid, text);
		else
			grid__text(grid, epoch->task);
	}
	text = NULL;
	if (tables__command(tables, epoch->image, &text))
		text = NULL;
	grid__own(grid, text);
	if (shows_details(query))
		grid__seconds(grid, (double)process->start_ns / 1e9);
}

/* --- Quanta. */

static void quantum_columns(struct grid *grid, const struct query *query)
{
	if (shows_details(query))
		grid__column(grid, "start", true, false, 0);
	grid__column(grid, "pid", true, false, 4);
	if (!text_report__has_key(query, "task"))
		grid__column(grid, "task", false, true, 0);
	grid__column(grid, "data", false, true, 0);
	grid__column(grid, "quantum", false, true, 7);
}

static void quantum_cells(struct grid *grid, struct tables *tables, const struct query *query,
			  uint64_t value)
{
	const struct table_quantum *quantum;
	const struct table_epoch *epoch;

	if (value == VALUE_UNKNOWN || value == VALUE_NOT_SAMPLED) {
		if (shows_details(query))
			grid__text(grid, "-");
		grid__text(grid, "-");
		if (!text_report__has_key(query, "task"))
			grid__text(grid, value == VALUE_UNKNOWN ? "(own time)" : "(not sampled)");
		grid__text(grid, "-");
		grid__text(grid, "-");
		return;
	}
	quantum = &tables->quanta[value];
	epoch = &tables->epochs[quantum->epoch];
	if (shows_details(query))
		grid__seconds(grid, (double)epoch->start_ns / 1e9);
	grid__integer(grid, tables->processes[epoch->process].pid);
	if (!text_report__has_key(query, "task"))
		grid__text(grid, quantum->label ? epoch->task : "(unread)");
	grid__own(grid, quantum__data_text(tables, quantum));
	grid__text(grid, quantum->id ? quantum->id : "-");
}

/* --- Functions. */

static void function_columns(struct grid *grid, const struct query *query)
{
	(void)query;
	grid__column(grid, "function", false, true, 0);
	grid__column(grid, "where", false, true, 3);
}

static void function_cells(struct grid *grid, struct tables *tables, const struct query *query,
			   uint64_t value)
{
	char *name = NULL;

	(void)query;
	if (key__find("function")->label(tables, value, &name))
		name = NULL;
	grid__own(grid, name);
	grid__own(grid, text_report__origin(tables, value));
}

/* --- Remotes. */

static void remote_columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "remote", false, true, 0);
	if (!text_report__has_key(query, "service"))
		grid__column(grid, "service", false, true, 3);
}

static void remote_cells(struct grid *grid, struct tables *tables, const struct query *query,
			 uint64_t value)
{
	const struct table_file *file = value == VALUE_UNKNOWN ? NULL : &tables->files[value];
	const struct table_remote *remote = file ? file->remote : NULL;

	grid__text(grid, file ? file->path : "(unknown)");
	if (!text_report__has_key(query, "service"))
		grid__text(grid, remote && remote->service ? remote->service : "-");
}

/* --- Stacks, innermost frame first: that is where the time goes. */

static void stack_columns(struct grid *grid, const struct query *query)
{
	(void)query;
	grid__column(grid, "stack, innermost frame first", false, true, 0);
}

static void stack_cells(struct grid *grid, struct tables *tables, const struct query *query,
			uint64_t value)
{
	char *joined = NULL;
	size_t size = 0;
	FILE *text;

	(void)query;
	if (value == VALUE_UNKNOWN || value == VALUE_NOT_SAMPLED) {
		grid__text(grid, value == VALUE_UNKNOWN ? "(unknown)" : "(not sampled)");
		return;
	}
	text = open_memstream(&joined, &size);
	for (uint32_t at = (uint32_t)value; text && at != NO_INDEX;
	     at = (uint32_t)tuple_set__at(tables->shown, at)[0]) {
		_cleanup_free_ char *label = tables__short_label(tables, at);

		fprintf(text, "%s%s", at == value ? "" : " < ", label ? label : "?");
	}
	if (!text || fclose(text)) {
		free(joined);
		joined = NULL;
	}
	grid__own(grid, joined);
}

static const struct view views[] = {
	{"process", process_columns, process_cells},	{"quantum", quantum_columns, quantum_cells},
	{"function", function_columns, function_cells}, {"stack", stack_columns, stack_cells},
	{"remote", remote_columns, remote_cells},
};

static const struct view *view_of(const struct key *key)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!strcmp(views[i].key, key->name))
			return &views[i];
	return NULL;
}

static void add_cpu_columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "CPU", true, false, 0);
	if (query__estimated(query))
		grid__column(grid, "+-", true, false, 4);
	grid__column(grid, "CPU %", true, false, 0);
	grid__column(grid, "samples", true, false,
		     query__request(query)->metric->value == METRIC_SAMPLES ? 0 : 5);
}

static void add_wait_columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "waited", true, false, 0);
	if (query__estimated(query))
		grid__column(grid, "+-", true, false, 4);
	grid__column(grid, "of all", true, false, 1);
	if (!query__estimated(query))
		grid__column(grid, "waits", true, false,
			     query__request(query)->metric->value == METRIC_WAITS ? 0 : 5);
	if (!text_report__has_key(query, "wait"))
		grid__column(grid, "mostly for", false, true, 3);
}

static void add_mem_columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "grown", true, false, 0);
	if (query__estimated(query))
		grid__column(grid, "+-", true, false, 4);
	grid__column(grid, "faults", true, false, 2);
	if (query__has_live(query)) {
		grid__column(grid, "mapped, live", true, false, 0);
		grid__column(grid, "at peak", true, false, 0);
	}
	grid__column(grid, "of all", true, false, 1);
	grid__column(grid, "mostly", false, true, 4);
}

static void add_ceph_columns(struct grid *grid, const struct query *query)
{
	grid__column(grid, "time", true, false, 0);
	if (query__estimated(query))
		grid__column(grid, "+-", true, false, 4);
	grid__column(grid, "of all", true, false, 5);
	grid__column(grid, "read", true, false, 0);
	grid__column(grid, "written", true, false, 0);
	grid__column(grid, text_report__has_key(query, "ceph") ? "number" : "requests", true, false,
		     1);
	if (!query__estimated(query))
		grid__column(grid, "errors", true, false, 1);
	if (!text_report__has_key(query, "ceph"))
		grid__column(grid, "mostly", false, true, 4);
}

static void add_columns(struct grid *grid, const struct query *query)
{
	const struct query_request *request = query__request(query);

	for (size_t i = 0; i < request->key_count; i++) {
		const struct view *view = view_of(request->keys[i]);

		if (view)
			view->columns(grid, query);
		else
			grid__column(grid, request->keys[i]->title, false, true, 0);
	}
	if (shows_details(query)) {
		bool process = text_report__has_key(query, "process"),
		     quantum = text_report__has_key(query, "quantum");

		if (!process)
			grid__column(grid, "processes", true, false, quantum ? 8 : 3);
		if (shows_spread(query)) {
			grid__column(grid, "quanta", true, false, 1);
			grid__column(grid, "median", true, false, 2);
			grid__column(grid, "p95", true, false, 2);
			grid__column(grid, "max", true, false, 3);
		}
		grid__column(grid, "elapsed", true, false, 0);
		grid__column(grid, "CPU", true, false, 0);
		grid__column(grid, "user", true, false, process ? 0 : 4);
		grid__column(grid, "system", true, false, process ? 0 : 4);
		grid__column(grid, "eff.", true, false, process ? 6 : 0);
		grid__column(grid, "peak RSS", true, false, process ? 0 : 1);
		if (quantum)
			text_quanta__columns(grid, query);
		grid__column(grid, process ? "exit" : "failed", true, false, 0);
		grid__column(grid, "samples", true, false, 5);
		return;
	}
	if (shown_source(query) == SOURCE_CPU) {
		add_cpu_columns(grid, query);
	} else if (shown_source(query) == SOURCE_OFFCPU) {
		add_wait_columns(grid, query);
	} else if (shown_source(query) == SOURCE_CEPH) {
		add_ceph_columns(grid, query);
	} else if (shown_source(query) == SOURCE_MEM) {
		add_mem_columns(grid, query);
	} else if (shown_source(query) == SOURCE_ALLOC) {
		text_alloc__columns(grid, query);
	} else {
		text_io__columns(grid, query);
	}
	if (query__has_totals(query)) {
		grid__column(grid, "with callees", true, false, 2);
		grid__column(grid, "%", true, false, 2);
	}
}

static void add_key_cells(struct grid *grid, struct tables *tables, const struct query *query,
			  const struct query_row *row)
{
	const struct query_request *request = query__request(query);

	for (size_t i = 0; i < request->key_count; i++) {
		const struct view *view = view_of(request->keys[i]);
		uint64_t value = query__value(query, row, i);
		char *label = NULL;

		if (view) {
			view->cells(grid, tables, query, value);
			continue;
		}
		if (request->keys[i]->label(tables, value, &label))
			label = NULL;
		grid__own(grid, label);
	}
}

static void add_spread_cell(struct grid *grid, const struct query_spread *spread, double ns)
{
	if (spread->count)
		grid__seconds(grid, ns / 1e9);
	else
		grid__text(grid, "-");
}

static void add_detail_cells(struct grid *grid, struct tables *tables, const struct query *query,
			     const struct query_row *row)
{
	const struct query_details *details = query__details(query, row);
	const struct query_request *request = query__request(query);
	const struct table_process *process = NULL;

	for (size_t i = 0; i < request->key_count; i++)
		if (!strcmp(request->keys[i]->name, "process"))
			process = &tables->processes[query__value(query, row, i)];
	if (!process)
		grid__integer(grid, details->processes);
	if (shows_spread(query)) {
		const struct query_spread *spread = &details->quantum_elapsed;

		grid__integer(grid, details->quanta);
		add_spread_cell(grid, spread, spread->median);
		add_spread_cell(grid, spread, spread->p95);
		add_spread_cell(grid, spread, spread->most);
	}
	grid__seconds(grid, details->elapsed_ns / 1e9);
	grid__seconds(grid, row->own.cpu_ns / 1e9);
	grid__seconds(grid, details->user_ns / 1e9);
	grid__seconds(grid, details->system_ns / 1e9);
	grid__percent(grid, row->own.cpu_ns, details->elapsed_ns);
	if (text_report__has_key(query, "quantum"))
		text_quanta__cells(grid, query, row);
	else
		grid__bytes(grid, details->max_rss_bytes);
	if (process)
		grid__own(grid, text_report__exit(process));
	else
		grid__integer(grid, details->failures);
	grid__integer(grid, row->own.samples);
}

static void add_cpu_cells(struct grid *grid, const struct summary *summary,
			  const struct query *query, const struct query_row *row)
{
	grid__seconds(grid, row->own.cpu_ns / 1e9);
	if (query__estimated(query))
		grid__seconds(grid, row->own.cpu_error_ns / 1e9);
	grid__percent(grid, row->own.cpu_ns / 1e9, summary->cpu_s);
	grid__integer(grid, row->own.samples);
}

static void add_wait_cells(struct grid *grid, const struct tables *tables,
			   const struct summary *summary, const struct query *query,
			   const struct query_row *row)
{
	const struct query_part *part = query__largest_part(query, row, PART_WAIT);
	char *text = NULL;

	grid__seconds(grid, row->own.offcpu_ns / 1e9);
	if (query__estimated(query))
		grid__seconds(grid, row->own.offcpu_error_ns / 1e9);
	grid__percent(grid, row->own.offcpu_ns / 1e9, summary->offcpu_s);
	if (!query__estimated(query))
		grid__integer(grid, (int64_t)fmin(row->own.waits, 9e18));
	if (text_report__has_key(query, "wait"))
		return;
	if (!part || row->own.offcpu_ns <= 0)
		text = strdup("-");
	else if (asprintf(&text, "%s %.0f %%", tables->waits_for[part->item],
			  part->own / row->own.offcpu_ns * 100) < 0)
		text = NULL;
	grid__own(grid, text);
}

/* What all rows have together, of the query's metric. */
static double whole_mem(const struct summary *summary, const struct query *query)
{
	switch (query__request(query)->metric->value) {
	case METRIC_FAULTS:
		return summary->mem[SHARE_OPS];
	case METRIC_MMAP_LIVE:
		return summary->mem[SHARE_LIVE];
	case METRIC_MMAP_PEAK:
		return summary->mem[SHARE_PEAK];
	default:
		return summary->mem[SHARE_BYTES];
	}
}

static void add_mem_cells(struct grid *grid, const struct tables *tables,
			  const struct summary *summary, const struct query *query,
			  const struct query_row *row)
{
	const struct query_part *part = query__largest_part(query, row, PART_GROWTH);

	grid__bytes(grid, (int64_t)fmin(row->own.grown_bytes, 9e18));
	if (query__estimated(query))
		grid__bytes(grid, (int64_t)fmin(row->own.grown_error_bytes, 9e18));
	grid__integer(grid, llround(fmin(row->own.faults, 9e18)));
	if (query__has_live(query)) {
		grid__bytes(grid, (int64_t)fmin(row->own.live_bytes, 9e18));
		grid__bytes(grid, (int64_t)fmin(row->own.peak_bytes, 9e18));
	}
	grid__percent(grid, query__measure(query, &row->own), whole_mem(summary, query));
	grid__text(grid, part ? tables->mem_kinds[part->item] : "-");
}

static void add_ceph_cells(struct grid *grid, const struct tables *tables,
			   const struct summary *summary, const struct query *query,
			   const struct query_row *row)
{
	grid__seconds(grid, row->own.ceph_ns / 1e9);
	if (query__estimated(query))
		grid__seconds(grid, row->own.ceph_error_ns / 1e9);
	grid__percent(grid, row->own.ceph_ns / 1e9, summary->ceph_s);
	grid__bytes(grid, (int64_t)fmin(row->own.ceph_read_bytes, 9e18));
	grid__bytes(grid, (int64_t)fmin(row->own.ceph_write_bytes, 9e18));
	grid__integer(grid, llround(fmin(row->own.ceph_ops, 9e18)));
	if (!query__estimated(query))
		grid__integer(grid, (int64_t)fmin(row->own.ceph_errors, 9e18));
	if (!text_report__has_key(query, "ceph"))
		grid__own(grid, text_report__ceph_ops(tables, query, row));
}

static void add_figure_cells(struct grid *grid, const struct tables *tables,
			     const struct summary *summary, const struct query *query,
			     const struct query_row *row)
{
	double total_s = row->total.cpu_ns / 1e9, all_s = summary->cpu_s;

	if (shown_source(query) == SOURCE_CPU) {
		add_cpu_cells(grid, summary, query, row);
	} else if (shown_source(query) == SOURCE_OFFCPU) {
		add_wait_cells(grid, tables, summary, query, row);
		total_s = row->total.offcpu_ns / 1e9;
		all_s = summary->offcpu_s;
	} else if (shown_source(query) == SOURCE_CEPH) {
		add_ceph_cells(grid, tables, summary, query, row);
		total_s = row->total.ceph_ns / 1e9;
		all_s = summary->ceph_s;
	} else if (shown_source(query) == SOURCE_ALLOC) {
		text_alloc__cells(grid, summary, query, row);
		return;
	} else if (shown_source(query) == SOURCE_MEM) {
		add_mem_cells(grid, tables, summary, query, row);
		if (query__has_totals(query)) {
			total_s = query__measure(query, &row->total);
			if (metric__unit(query__request(query)->metric) == UNIT_BYTES)
				grid__bytes(grid, (int64_t)fmin(total_s, 9e18));
			else
				grid__integer(grid, llround(fmin(total_s, 9e18)));
			grid__percent(grid, total_s, whole_mem(summary, query));
		}
		return;
	} else {
		text_io__cells(grid, tables, summary, query, row);
		total_s = row->total.io_ns / 1e9;
		all_s = summary->io_s;
	}
	if (query__has_totals(query)) {
		grid__seconds(grid, total_s);
		grid__percent(grid, total_s, all_s);
	}
}

/* Rows of other sources have nothing to show here. */
static bool is_shown(const struct query *query, const struct query_row *row)
{
	switch (shown_source(query)) {
	case SOURCE_CPU:
		return shows_details(query) || row->own.cpu_ns > 0 || row->own.samples ||
		       row->total.samples;
	case SOURCE_OFFCPU:
		return row->own.offcpu_ns > 0 || row->own.waits > 0 || row->total.offcpu_samples;
	case SOURCE_CEPH:
		return row->own.ceph_ops > 0 || row->own.ceph_ns > 0 || row->total.ceph_ops > 0 ||
		       row->total.ceph_samples;
	case SOURCE_MEM:
	case SOURCE_ALLOC:
		return query__measure(query, &row->own) > 0 ||
		       query__measure(query, &row->total) > 0;
	default:
		return row->own.ops > 0 || row->own.io_ns > 0 || row->own.read_bytes > 0 ||
		       row->own.write_bytes > 0 || row->own.waited_ns > 0 || row->total.ops > 0 ||
		       row->total.io_ns > 0 || row->total.read_bytes > 0 ||
		       row->total.write_bytes > 0;
	}
}

static const char *what_is_shown(const struct query *query)
{
	static const char *const words[] = {
		[SOURCE_CPU] = "CPU",	    [SOURCE_OFFCPU] = "Waiting",
		[SOURCE_IO] = "Operations", [SOURCE_CEPH] = "CephFS",
		[SOURCE_MEM] = "Memory",    [SOURCE_ALLOC] = "Allocations",
	};

	return words[shown_source(query)];
}

static void add_row(struct grid *grid, struct tables *tables, const struct summary *summary,
		    const struct query *query, const struct query_row *row)
{
	add_key_cells(grid, tables, query, row);
	if (shows_details(query))
		add_detail_cells(grid, tables, query, row);
	else
		add_figure_cells(grid, tables, summary, query, row);
}

/* Names the shown classes of waits that only samples tell. */
static void print_estimated(FILE *stream, const struct tables *tables, const struct query *query,
			    size_t rows)
{
	const char *before = "Of samples, not counted: how much of the waiting is ";

	if (!rows || shown_source(query) != SOURCE_OFFCPU || query__estimated(query))
		return;
	for (size_t i = 0; i < tables->class_count; i++) {
		if (!tables->estimated_waits[i])
			continue;
		fprintf(stream, "%s%s", before, tables->waits_for[i]);
		before = ", ";
	}
	if (*before == ',')
		fputs(".\n", stream);
}

/* What stands for whom in a table of memory. */
static int print_memory(FILE *stream, const struct tables *tables, const struct query *query,
			bool errors)
{
	double live = 0, peak = 0;
	char texts[2][NUMBER_SIZE];

	if (query__estimated(query))
		fprintf(stream,
			"Memory: what came is shared out over samples%s; what was mapped is "
			"exact.\n",
			errors ? ", +- is one standard error" : "");
	for (size_t i = 0; i < tables->mem_count; i++) {
		if (strcmp(tables->mem_kinds[tables->mem[i].kind], "heap"))
			continue;
		live += tables->mem[i].shares[SHARE_LIVE];
		peak += tables->mem[i].shares[SHARE_PEAK];
	}
	if (live > 0 || peak > 0)
		fprintf(stream,
			"Of what was mapped in the whole recording, heaps (brk) are %s live, %s at "
			"peaks: they stand under who made them grow. glibc puts blocks below 128 "
			"KiB there, and once a larger one was freed, blocks up to its size (32 MiB "
			"at most).\n",
			number__bytes(texts[0], (int64_t)live),
			number__bytes(texts[1], (int64_t)peak));
	return mem_shortage__sentence(stream, tables);
}

/* What the figures of a table are. */
static int print_meaning(FILE *stream, const struct tables *tables, const struct query *query,
			 bool errors)
{
	if (shown_source(query) == SOURCE_MEM)
		return print_memory(stream, tables, query, errors);
	if (shown_source(query) == SOURCE_ALLOC)
		text_alloc__meaning(stream, query, errors);
	else if (query__request(query)->metric->value == METRIC_HELD)
		fputs("For how long others waited for what was let go here: estimated from "
		      "samples.\n",
		      stream);
	else if (query__estimated(query))
		fprintf(stream, "%s: exact totals shared out over samples%s.\n",
			what_is_shown(query), errors ? "; +- is one standard error" : "");
	return 0;
}

int text_report__query(FILE *stream, struct tables *tables, const struct summary *summary,
		       const struct query *query, size_t width, size_t limit)
{
	size_t count = query__row_count(query), all = 0, shown = 0;
	struct grid grid = {0};
	bool errors;
	int error;

	error = text_report__warnings(stream, summary, width);
	if (error)
		return error;
	if (!query__knows(query, shown_source(query))) {
		const char *remedy = "'pipescope record --sources cpu,offcpu,io' records all";

		if (shown_source(query) == SOURCE_CEPH)
			remedy = "no such file system was mounted, or 'record' was told so";
		else if (shown_source(query) == SOURCE_MEM)
			remedy = "'pipescope record --sources cpu,offcpu,io,mem' records all";
		else if (shown_source(query) == SOURCE_ALLOC)
			remedy = "'pipescope record -p PID --sources cpu,alloc' records them";
		fprintf(stream, "%s: not recorded; %s.\n", what_is_shown(query), remedy);
		return ferror(stream) ? -EIO : 0;
	}
	add_columns(&grid, query);
	for (size_t i = 0; i < count && !grid.error; i++) {
		const struct query_row *row = query__row(query, i);

		if (!is_shown(query, row))
			continue;
		all++;
		if (!limit || shown < limit) {
			add_row(&grid, tables, summary, query, row);
			shown++;
		}
	}
	error = grid__print(&grid, stream, width);
	errors = grid__has_printed(&grid, "+-");
	grid__clear(&grid);
	if (!error && shows_details(query) && text_report__has_key(query, "task") &&
	    !text_report__has_key(query, "quantum"))
		error = text_quanta__spreads(stream, tables, query, width, limit);
	if (error)
		return error;
	if (!all)
		fputs("Nothing in this recording fits.\n", stream);
	if (shown < all)
		fprintf(stream, "... and %zu more rows; --limit 0 shows all.\n", all - shown);
	print_estimated(stream, tables, query, all);
	if (all)
		error = print_meaning(stream, tables, query, errors);
	return error ? error : ferror(stream) ? -EIO : 0;
}
