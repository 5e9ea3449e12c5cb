// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/alloc_report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/alloc_figures.h"
#include "model/fields.h"
#include "report/csv.h"
#include "report/grid.h"
#include "report/json.h"

#define BAR	   40 /* columns of the histogram's longest bar */
#define EMPTY_ROWS 4 /* of the histogram, and more: left out */

const char *alloc_report__refusal(const struct query_request *request)
{
	for (size_t i = 0; i < request->filter_count; i++)
		if (request->filters[i].key->scope != SCOPE_EPOCH)
			return "allocations can be chosen by task, process, job and quantum";
	if (request->key_count || request->metric)
		return "'--by alloc' stands alone, without other keys and without --metric";
	return NULL;
}

/* --- text */

static int64_t whole_number(double value)
{
	return (int64_t)fmax(fmin(value, 9e18), -9e18);
}

static void add_number(struct grid *grid, double value, bool bytes)
{
	if (isnan(value))
		grid__text(grid, "not known");
	else if (bytes)
		grid__bytes(grid, whole_number(value));
	else
		grid__integer(grid, whole_number(round(value)));
}

/* "1.3 MB +- 2 %"; ">= 1.3 MB if steady": no bound where it was not */
static void add_estimate(struct grid *grid, const struct alloc_estimate *estimate, bool bytes)
{
	double value = isnan(estimate->value) ? estimate->least : estimate->value;
	char number[NUMBER_SIZE], error[NUMBER_SIZE], *text = NULL;
	int size;

	if (isnan(value)) {
		grid__text(grid, "not known");
		return;
	}
	if (bytes) {
		number__bytes(number, whole_number(value));
		number__bytes(error, whole_number(estimate->error));
	} else {
		snprintf(number, sizeof(number), "%.0f", value);
		snprintf(error, sizeof(error), "%.2g", estimate->error);
	}
	if (isnan(estimate->value))
		size = asprintf(&text, ">= %s if steady", number);
	else if (isnan(estimate->error))
		size = asprintf(&text, "%s +- ?", number);
	else if (estimate->error > 0)
		size = asprintf(&text, "%s +- %s", number, error);
	else
		size = asprintf(&text, "%s", number);
	grid__own(grid, size < 0 ? NULL : text);
}

static void add_total(struct grid *grid, const char *title, const struct alloc_estimate *estimate,
		      bool bytes)
{
	grid__text(grid, title);
	add_number(grid, estimate->counted, bytes);
	add_estimate(grid, estimate, bytes);
}

static void print_head(FILE *stream, const struct tables *tables,
		       const struct alloc_figures *figures)
{
	double own = figures->own_s, expected;
	const char *text = recording__meta(tables->recording, "alloc_predicted_percent");

	fprintf(stream,
		"Allocations: counted in %zu windows, %.1f s of %.1f s; %.0f %% of the CPU time "
		"that "
		"%zu\nprocess%s used for %s.\n",
		figures->windows, figures->open_s, figures->elapsed_s,
		own > 0 ? 100 * figures->counted_own_s / own : 0, figures->processes,
		figures->processes == 1 ? "" : "es",
		figures->processes == 1 ? "itself" : "themselves");
	fprintf(stream, "Counting cost about %.3f s of CPU time: %.1f %% of their own",
		figures->cost_s, own > 0 ? 100 * figures->cost_s / own : 0);
	expected = text ? strtod(text, NULL) : NAN;
	if (isfinite(expected))
		fprintf(stream, " (%.3g %% was expected)", expected);
	fputs(".\n\n", stream);
}

static void add_share(struct grid *grid, const char *title, const struct alloc_estimate *share)
{
	char *text = NULL;
	int size;

	grid__text(grid, title);
	grid__text(grid, "");
	if (isnan(share->value))
		size = asprintf(&text, "not known");
	else if (isnan(share->error))
		size = asprintf(&text, "%.1f %% +- ?", share->value * 100);
	else
		size = asprintf(&text, "%.1f %% +- %.1f %%", share->value * 100,
				share->error * 100);
	grid__own(grid, size < 0 ? NULL : text);
}

static int print_totals(FILE *stream, const struct alloc_figures *figures, size_t width)
{
	struct alloc_estimate peak = figures->net;
	struct grid grid = {0};
	int error;

	grid__column(&grid, "", false, false, 0);
	grid__column(&grid, "in windows", true, false, 0);
	grid__column(&grid, figures->whole ? "in all" : "in all, estimated", true, false, 0);
	add_total(&grid, "allocations", &figures->count, false);
	add_total(&grid, "bytes allocated", &figures->bytes, true);
	add_total(&grid, "allocated less freed", &figures->net, true);
	/* Most held at a time is at least what a window has seen, and what is left at the end. */
	grid__text(&grid, figures->whole ? "most held at a time" : "most held at a time, at least");
	add_number(&grid, figures->held_peak, true);
	if (figures->whole || isnan(peak.value) || peak.value < figures->held_peak)
		peak = (struct alloc_estimate){.value = figures->held_peak};
	add_estimate(&grid, &peak, true);
	grid__text(&grid, figures->whole ? "never freed" : "not freed in their window");
	add_number(&grid, figures->kept, false);
	grid__text(&grid, "");
	grid__text(&grid,
		   figures->whole ? "never freed, bytes" : "not freed in their window, bytes");
	add_number(&grid, figures->kept_bytes, true);
	grid__text(&grid, "");
	add_share(&grid, "freed within 10 ms, of allocations", &figures->soon);
	add_share(&grid, "freed within 10 ms, of bytes", &figures->soon_bytes);
	error = grid__print(&grid, stream, width);
	grid__clear(&grid);
	return error;
}

static void print_sizes(FILE *stream, const struct alloc_figures *figures)
{
	size_t first = ALLOC_BUCKETS, last = 0;
	double most = 0;

	for (size_t i = 0; i < ALLOC_BUCKETS; i++) {
		if (figures->sizes[i] <= 0)
			continue;
		first = first < i ? first : i;
		last = i;
		most = fmax(most, figures->sizes[i]);
	}
	if (most <= 0)
		return;
	fputs("\nSizes, in windows:\n", stream);
	for (size_t i = first; i <= last; i++) {
		char text[NUMBER_SIZE];
		size_t next = i;
		int bar;

		/* As when a single call has asked for more than there is. */
		while (figures->sizes[next] <= 0)
			next++;
		if (next - i >= EMPTY_ROWS) {
			fputs("  ...\n", stream);
			i = next;
		}
		bar = (int)lround(figures->sizes[i] / most * BAR);
		fprintf(stream, "  from %9s %14.0f  ",
			i ? number__bytes(text, whole_number(ldexp(1, (int)i))) : "0 B",
			figures->sizes[i]);
		for (int k = 0; k < bar; k++)
			fputc('#', stream);
		fputc('\n', stream);
	}
}

static int print_functions(FILE *stream, const struct alloc_figures *figures, size_t width)
{
	struct grid grid = {0};
	int error;

	grid__column(&grid, "allocator", false, false, 0);
	grid__column(&grid, "in", false, true, 3);
	grid__column(&grid, "calls", true, false, 0);
	grid__column(&grid, "bytes", true, false, 0);
	grid__column(&grid, "freed", true, false, 4);
	grid__column(&grid, "kept", true, false, 5);
	grid__column(&grid, "calls in all", true, false, 2);
	for (size_t i = 0; i < figures->function_count; i++) {
		const struct alloc_function_figures *one = &figures->functions[i];
		bool gives = !one->function->frees;

		grid__text(&grid, one->function->name);
		grid__text(&grid, one->function->module);
		add_number(&grid, one->count.counted, false);
		if (gives)
			grid__bytes(&grid, whole_number(one->bytes.counted));
		else
			grid__text(&grid, "-");
		if (gives && !one->function->layered) {
			add_number(&grid, one->freed, false);
			add_number(&grid, one->kept, false);
		} else {
			grid__text(&grid, "-");
			grid__text(&grid, "-");
		}
		add_estimate(&grid, &one->count, false);
	}
	fputc('\n', stream);
	error = grid__print(&grid, stream, width);
	grid__clear(&grid);
	return error;
}

static int print_places(FILE *stream, const char *title, const struct alloc_place *places,
			size_t count, bool bytes, size_t width, size_t limit)
{
	struct grid grid = {0};
	double all = 0;
	int error;

	if (!count)
		return 0;
	fprintf(stream, "\n%s\n", title);
	grid__column(&grid, bytes ? "bytes" : "calls", true, false, 0);
	grid__column(&grid, "%", true, false, 0);
	grid__column(&grid, "+-", true, false, 4);
	grid__column(&grid, "samples", true, false, 5);
	grid__column(&grid, "function", false, true, 0);
	grid__column(&grid, "file", false, true, 0);
	for (size_t i = 0; i < count; i++)
		all += places[i].value;
	for (size_t i = 0; i < count && (!limit || i < limit); i++) {
		const struct alloc_place *place = &places[i];
		char *text = NULL;

		add_number(&grid, place->value, bytes);
		grid__percent(&grid, place->value, all);
		add_number(&grid, place->error, bytes);
		grid__integer(&grid, whole_number(place->samples));
		grid__text(&grid, place->name);
		if (place->line <= 0)
			grid__text(&grid, place->file);
		else
			grid__own(&grid, asprintf(&text, "%s:%lld", place->file,
						  (long long)place->line) < 0
						 ? NULL
						 : text);
	}
	error = grid__print(&grid, stream, width);
	grid__clear(&grid);
	if (!error && limit && count > limit)
		fprintf(stream, "... and %zu more; --limit 0 shows all.\n", count - limit);
	return error;
}

static int print_all(FILE *stream, const struct tables *tables, const struct alloc_figures *figures,
		     size_t width, size_t limit)
{
	int error;

	print_head(stream, tables, figures);
	error = print_totals(stream, figures, width);
	print_sizes(stream, figures);
	error = error ?: print_functions(stream, figures, width);
	error = error
			?: print_places(stream, "Most bytes, in windows", figures->by_size,
					figures->by_size_count, true, width, limit);
	error = error
			?: print_places(stream, "Most allocations, in windows", figures->by_count,
					figures->by_count_count, false, width, limit);
	error = error
			?: print_places(stream,
					figures->whole ? "Never freed, by samples"
						       : "Not freed in their window, by samples",
					figures->by_kept, figures->by_kept_count, true, width,
					limit);
	if (!error)
		fputs("\nIn windows every call is counted; places are shared out over samples. +- "
		      "is "
		      "one standard error.\n",
		      stream);
	return error;
}

static void print_nothing(FILE *stream, const struct tables *tables)
{
	if (!tables->recorded[SOURCE_ALLOC])
		fputs("Allocations: not recorded; 'pipescope record -p PID --sources cpu,alloc' "
		      "records them.\n",
		      stream);
	else if (!tables->alloc.window_count)
		fputs("Allocations: no window was opened. The processes used too little CPU time, "
		      "or ended\nbefore it, or have no allocator with a symbol ('pipescope doctor' "
		      "tells of Python's).\n",
		      stream);
	else
		fputs("Allocations: no call was counted in windows. The processes used too little "
		      "CPU time in\nthem, or had ended.\n",
		      stream);
}

int alloc_report__text(FILE *stream, struct tables *tables, const struct query_request *request,
		       size_t width, size_t limit)
{
	struct alloc_figures *figures;
	int error = alloc_figures__new(tables, request, &figures);

	if (error == -ENOENT) {
		print_nothing(stream, tables);
		return ferror(stream) ? -EIO : 0;
	}
	if (error)
		return error;
	error = print_all(stream, tables, figures, width, limit);
	alloc_figures__free(figures);
	return error ? error : ferror(stream) ? -EIO : 0;
}

/* --- JSON and CSV */

static void describe_number(struct field_list *list, const char *name, double value)
{
	if (isnan(value))
		field_list__null(list, name);
	else
		field_list__real(list, name, value);
}

#define DESCRIBE(list, name, estimate)                                                             \
	do {                                                                                       \
		describe_number(list, name "_in_windows", (estimate)->counted);                    \
		describe_number(list, name, (estimate)->value);                                    \
		describe_number(list, name "_error", (estimate)->error);                           \
		describe_number(list, name "_at_least", (estimate)->least);                        \
	} while (0)

static void describe_totals(const struct alloc_figures *figures, struct field_list *list)
{
	field_list__integer(list, "windows", (int64_t)figures->windows);
	field_list__integer(list, "processes", (int64_t)figures->processes);
	field_list__integer(list, "whole", figures->whole);
	field_list__real(list, "open_s", figures->open_s);
	field_list__real(list, "elapsed_s", figures->elapsed_s);
	field_list__real(list, "own_cpu_s", figures->own_s);
	field_list__real(list, "own_cpu_in_windows_s", figures->counted_own_s);
	field_list__real(list, "cost_cpu_s", figures->cost_s);
	DESCRIBE(list, "allocations", &figures->count);
	DESCRIBE(list, "bytes", &figures->bytes);
	DESCRIBE(list, "net_bytes", &figures->net);
	field_list__real(list, "held_peak_bytes", figures->held_peak);
	field_list__real(list, "kept", figures->kept);
	field_list__real(list, "kept_bytes", figures->kept_bytes);
	describe_number(list, "freed_soon_share", figures->soon.value);
	describe_number(list, "freed_soon_share_error", figures->soon.error);
	describe_number(list, "freed_soon_bytes_share", figures->soon_bytes.value);
	describe_number(list, "freed_soon_bytes_share_error", figures->soon_bytes.error);
}

static void describe_function(const struct alloc_function_figures *one, struct field_list *list)
{
	field_list__text(list, "name", one->function->name);
	field_list__text(list, "module", one->function->module);
	field_list__integer(list, "frees", one->function->frees);
	field_list__integer(list, "layered", one->function->layered);
	DESCRIBE(list, "calls", &one->count);
	DESCRIBE(list, "bytes", &one->bytes);
	field_list__real(list, "nested", one->nested);
	field_list__real(list, "freed", one->freed);
	field_list__real(list, "kept", one->kept);
	field_list__real(list, "kept_bytes", one->kept_bytes);
}

static void describe_place(const struct alloc_place *place, const char *figure,
			   struct field_list *list)
{
	field_list__text(list, "function", place->name);
	field_list__text(list, "file", place->file);
	if (place->line > 0)
		field_list__integer(list, "line", place->line);
	else
		field_list__null(list, "line");
	field_list__real(list, figure, place->value);
	describe_number(list, "error", isfinite(place->error) ? place->error : NAN);
	field_list__real(list, "samples", place->samples);
}

static int print_object(FILE *stream, const struct tables *tables, struct field_list *list,
			size_t position)
{
	int error = list->error;

	fputs(position ? ",\n" : "\n", stream);
	error = error ?: json_report__fields(stream, tables, list);
	field_list__clear(list);
	return error;
}

static int print_place_list(FILE *stream, const struct tables *tables, const char *name,
			    const char *figure, const struct alloc_place *places, size_t count,
			    size_t limit)
{
	struct field_list list = {0};
	int error = 0;

	fprintf(stream, "],\n\"%s\":[", name);
	for (size_t i = 0; i < count && (!limit || i < limit) && !error; i++) {
		describe_place(&places[i], figure, &list);
		error = print_object(stream, tables, &list, i);
	}
	field_list__free(&list);
	return error;
}

static int print_json(FILE *stream, const struct tables *tables,
		      const struct alloc_figures *figures, size_t limit)
{
	struct field_list list = {0};
	size_t printed = 0;
	int error;

	fputs("{\"allocations\":", stream);
	describe_totals(figures, &list);
	error = print_object(stream, tables, &list, 0);
	fputs(",\n\"allocators\":[", stream);
	for (size_t i = 0; i < figures->function_count && !error; i++) {
		describe_function(&figures->functions[i], &list);
		error = print_object(stream, tables, &list, i);
	}
	fputs("],\n\"sizes\":[", stream);
	for (size_t i = 0; i < ALLOC_BUCKETS && !error; i++) {
		if (figures->sizes[i] <= 0)
			continue;
		field_list__real(&list, "from_bytes", i ? ldexp(1, (int)i) : 0);
		field_list__real(&list, "calls", figures->sizes[i]);
		error = print_object(stream, tables, &list, printed++);
	}
	field_list__free(&list);
	error = error
			?: print_place_list(stream, tables, "by_size", "bytes", figures->by_size,
					    figures->by_size_count, limit);
	error = error
			?: print_place_list(stream, tables, "by_count", "calls", figures->by_count,
					    figures->by_count_count, limit);
	error = error
			?: print_place_list(stream, tables, "kept", "bytes", figures->by_kept,
					    figures->by_kept_count, limit);
	fputs("]}\n", stream);
	return error;
}

int alloc_report__json(FILE *stream, struct tables *tables, const struct query_request *request,
		       size_t limit)
{
	struct alloc_figures *figures;
	int error = alloc_figures__new(tables, request, &figures);

	if (error == -ENOENT) {
		fputs("{\"allocations\":null}\n", stream);
		return ferror(stream) ? -EIO : 0;
	}
	if (error)
		return error;
	error = print_json(stream, tables, figures, limit);
	alloc_figures__free(figures);
	return error ? error : ferror(stream) ? -EIO : 0;
}

int alloc_report__csv(FILE *stream, struct tables *tables, const struct query_request *request,
		      size_t limit)
{
	struct field_list list = {0};
	struct alloc_figures *figures;
	int error = alloc_figures__new(tables, request, &figures);

	if (error == -ENOENT) {
		fputs("function\r\n", stream);
		return ferror(stream) ? -EIO : 0;
	}
	if (error)
		return error;
	for (size_t i = 0; i < figures->by_size_count && (!limit || i < limit) && !error; i++) {
		field_list__clear(&list);
		describe_place(&figures->by_size[i], "bytes", &list);
		if (!i && !list.error)
			csv_report__names(stream, &list);
		error = list.error ?: csv_report__fields(stream, tables, &list);
	}
	if (!error && !figures->by_size_count)
		fputs("function\r\n", stream);
	field_list__free(&list);
	alloc_figures__free(figures);
	return error ? error : ferror(stream) ? -EIO : 0;
}
