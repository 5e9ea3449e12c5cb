// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/calls_print.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "cli/printing.h"
#include "export/marshal.h"
#include "model/tables.h"
#include "report/grid.h"
#include "report/printable.h"

/* The middle of the bucket that holds this share of the calls. */
static double quantile(const __u64 *buckets, uint64_t count, double share)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < PS_CALLS_BUCKETS; i++) {
		seen += buckets[i];
		if ((double)seen >= share * (double)count)
			return ldexp(1.5, (int)i);
	}
	return 0;
}

/* Of samples in a function, the share whose frame the interpreter's loop had begun itself; and its
 * standard error, as in model/query.c. */
static double inlined_share(const struct ps_calls_sum *sum, double *ret_error)
{
	double samples = (double)sum->sampled, part = (double)sum->inlined;
	double smooth = (part + 1) / (samples + 2);

	*ret_error = sqrt(smooth * (1 - smooth) / samples);
	return part / samples;
}

/* Below it a time is what the breakpoints took more or less than usual. */
static double least_ns(const struct calls_figures *figures)
{
	return 2 * figures->breakpoint_ns;
}

/* Calls that total_ns is of, at least one. */
static uint64_t outermost(const struct ps_calls_sum *sum)
{
	return sum->ended > sum->recursive ? sum->ended - sum->recursive : sum->ended > 0;
}

/* Of so many calls. */
static void add_time(struct grid *grid, const struct calls_figures *figures, uint64_t calls,
		     double ns)
{
	double least = least_ns(figures) * (double)calls;
	char text[NUMBER_SIZE], below[NUMBER_SIZE + 2];

	if (!calls) {
		grid__text(grid, "-");
	} else if (ns < least) {
		snprintf(below, sizeof(below), "< %s", number__duration(text, least));
		grid__text(grid, below);
	} else {
		grid__text(grid, number__duration(text, ns));
	}
}

static void add_inlined(struct grid *grid, const struct calls_row *one)
{
	char text[64] = "-";
	double share, error;

	if (one->sum.sampled) {
		share = inlined_share(&one->sum, &error);
		snprintf(text, sizeof(text), "%.0f %% +- %.0f", share * 100, error * 100);
	}
	grid__text(grid, text);
}

static bool any_left(const struct calls_figures *figures)
{
	for (size_t i = 0; i < figures->count; i++)
		if (figures->rows[i].sum.left)
			return true;
	return false;
}

int calls_print__text(FILE *stream, const struct calls_figures *figures)
{
	bool left = any_left(figures);
	struct grid grid = {0};
	int err;

	grid__column(&grid, "calls", true, false, 0);
	grid__column(&grid, "function", false, true, 0);
	grid__column(&grid, "pid", true, false, 4);
	grid__column(&grid, "where", false, true, 5);
	grid__column(&grid, "total", true, false, 1);
	grid__column(&grid, "own", true, false, 1);
	grid__column(&grid, "each", true, false, 2);
	grid__column(&grid, "median", true, false, 2);
	grid__column(&grid, "p99", true, false, 3);
	grid__column(&grid, "timed", true, false, 3);
	if (left)
		grid__column(&grid, "left", true, false, 3);
	if (figures->sampled)
		grid__column(&grid, "not seen", true, false, 1);
	for (size_t i = 0; i < figures->count; i++) {
		const struct calls_row *one = &figures->rows[i];
		uint64_t ended = one->sum.ended;

		grid__integer(&grid, (int64_t)one->sum.count);
		grid__text(&grid, one->name);
		grid__integer(&grid, one->pid);
		grid__text(&grid, path__base(one->module));
		add_time(&grid, figures, outermost(&one->sum), (double)one->sum.total_ns);
		add_time(&grid, figures, ended, (double)one->sum.own_ns);
		add_time(&grid, figures, ended > 0,
			 ended ? (double)one->sum.total_ns / (double)ended : 0);
		add_time(&grid, figures, ended > 0, quantile(one->sum.total, ended, 0.5));
		add_time(&grid, figures, ended > 0, quantile(one->sum.total, ended, 0.99));
		grid__integer(&grid, (int64_t)one->sum.ended);
		if (left)
			grid__integer(&grid, (int64_t)one->sum.left);
		if (figures->sampled)
			add_inlined(&grid, one);
	}
	err = grid__print(&grid, stream, printing__width());
	if (!figures->count)
		fputs("No call of these functions was seen.\n", stream);
	grid__clear(&grid);
	return err;
}

static json_t *buckets_of(const __u64 *buckets)
{
	json_t *array = json_array();

	for (size_t i = 0; i < PS_CALLS_BUCKETS; i++)
		json_array_append_new(array, json_integer((json_int_t)buckets[i]));
	return array;
}

/* null: too short to be told. */
static json_t *seconds_of(const struct calls_figures *figures, uint64_t calls, uint64_t ns)
{
	if (calls && (double)ns < least_ns(figures) * (double)calls)
		return json_null();
	return json_real((double)ns / 1e9);
}

static void set_counts(json_t *object, const struct calls_row *one)
{
	const struct ps_calls_sum *sum = &one->sum;
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{"pid", (uint64_t)one->pid},
		{"line", (uint64_t)one->line},
		{"calls", sum->count},
		{"recursive", sum->recursive},
		{"recursion_unknown", sum->unknown},
		{"timed", sum->ended},
		{"jumped", sum->jumped},
		{"left", sum->left},
		{"too_deep", sum->deep},
		{"samples", sum->sampled},
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_object_set_new(object, counts[i].name,
				    json_integer((json_int_t)counts[i].value));
}

/* NULL: no memory. */
static json_t *object_of(const struct calls_figures *figures, const struct calls_row *one)
{
	_cleanup_free_ char *name = printable__utf8(one->name);
	_cleanup_free_ char *module = printable__utf8(one->module);
	json_t *object;
	double share, error;

	if (!name || !module)
		return NULL;
	object = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "function", name, "file", module,
			   "total_s", seconds_of(figures, outermost(&one->sum), one->sum.total_ns),
			   "own_s", seconds_of(figures, one->sum.ended, one->sum.own_ns),
			   "total_histogram", buckets_of(one->sum.total), "own_histogram",
			   buckets_of(one->sum.own));
	set_counts(object, one);
	if (one->sum.sampled) {
		share = inlined_share(&one->sum, &error);
		json_object_set_new(object, "not_seen_share", json_real(share));
		json_object_set_new(object, "not_seen_error", json_real(error));
	}
	return object;
}

int calls_print__json(FILE *stream, const struct calls_figures *figures)
{
	json_t *rows = json_array(), *object;
	int err = 0;

	for (size_t i = 0; i < figures->count; i++)
		if (json_array_append_new(rows, object_of(figures, &figures->rows[i])))
			err = -ENOMEM;
	object = json_pack("{s:f, s:s, s:f, s:f, s:o}", "seconds", figures->seconds, "ended",
			   figures->ended, "breakpoint_ns", figures->breakpoint_ns, "least_ns",
			   least_ns(figures), "rows", rows);
	if (!err && (!object || json_dumpf(object, stream, JSON_INDENT(1))))
		err = -ENOMEM;
	fputc('\n', stream);
	json_decref(object);
	return ferror(stream) ? -EIO : err;
}

/* --- pstats */

static int by_place(const void *one, const void *other)
{
	const struct calls_row *a = one, *b = other;
	int order = strcmp(a->name, b->name) ?: strcmp(a->module, b->module);

	return order ?: (a->line > b->line) - (a->line < b->line);
}

static int put_text(FILE *stream, const char *text)
{
	_cleanup_free_ char *valid = printable__utf8(text);

	if (!valid)
		return -ENOMEM;
	marshal__text(stream, valid);
	return 0;
}

static int put_key(FILE *stream, const char *file, int64_t line, const char *name)
{
	int err;

	marshal__tuple(stream, 3);
	err = put_text(stream, file);
	marshal__integer(stream, line);
	return err ?: put_text(stream, name);
}

/* Nobody knows the callers. */
static void put_figures(FILE *stream, uint64_t once, uint64_t all, double own_ns, double total_ns)
{
	marshal__tuple(stream, 5);
	marshal__integer(stream, (int64_t)once);
	marshal__integer(stream, (int64_t)all);
	marshal__real(stream, own_ns / 1e9);
	marshal__real(stream, total_ns / 1e9);
	marshal__dict(stream);
	marshal__end(stream);
}

int calls_print__pstats(FILE *stream, const struct calls_figures *figures)
{
	_cleanup_free_ struct calls_row *rows = calloc(figures->count + 1, sizeof(*rows));
	int err = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < figures->count; i++)
		rows[i] = figures->rows[i];
	qsort(rows, figures->count, sizeof(*rows), by_place);
	marshal__dict(stream);
	err = put_key(stream, "~", 0,
		      "<counted by pipescope: ncalls are calls, times those of calls whose end was "
		      "seen>");
	put_figures(stream, 0, 0, 0, 0);
	for (size_t i = 0; i < figures->count && !err; i++) {
		struct ps_calls_sum sum = rows[i].sum;

		while (i + 1 < figures->count && !by_place(&rows[i], &rows[i + 1])) {
			i++;
			sum.count += rows[i].sum.count;
			sum.recursive += rows[i].sum.recursive;
			sum.own_ns += rows[i].sum.own_ns;
			sum.total_ns += rows[i].sum.total_ns;
		}
		err = put_key(stream, rows[i].module, rows[i].line, rows[i].name);
		put_figures(stream, sum.count - sum.recursive, sum.count, (double)sum.own_ns,
			    (double)sum.total_ns);
	}
	marshal__end(stream);
	return err ?: ferror(stream) ? -EIO : 0;
}
