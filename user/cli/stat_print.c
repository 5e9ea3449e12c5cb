// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/stat_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/perf_figures.h"

#define ALL_SHARE 0.9995 /* of the time: what is above counted all of it */

/* What an interval comes to. */
struct shown {
	const char *what;
	double start_s, end_s, user_s, system_s, cpus; /* cpus: NAN: not known */
	bool supported[PS_PERF_COUNT];
	struct perf_values values;
};

void stat_printer__init(struct stat_printer *printer, FILE *out, enum stat_format format,
			bool intervals, bool alone)
{
	bool live = alone && format == STAT_TEXT && isatty(fileno(out));

	*printer = (struct stat_printer){
		.out = out,
		.format = format,
		.intervals = intervals || format != STAT_TEXT || live,
		.redraws = live,
	};
}

static struct shown difference(const char *what, const struct stat_reading *from,
			       const struct stat_reading *to)
{
	struct shown shown = {
		.what = what,
		.start_s = from->time_s,
		.end_s = to->time_s,
		.user_s = to->user_s - from->user_s,
		.system_s = to->system_s - from->system_s,
		.cpus = NAN,
	};
	double clock;

	perf_values__clear(&shown.values);
	for (int i = 0; i < PS_PERF_COUNT; i++) {
		const struct live_sum *a = &from->sums[i], *b = &to->sums[i];

		shown.supported[i] = b->supported;
		if (b->supported)
			perf_values__take(&shown.values, (enum ps_perf_counter)i,
					  b->value - a->value, b->enabled_ns - a->enabled_ns,
					  b->running_ns - a->running_ns);
	}
	clock = shown.values.value[PS_PERF_TASK_CLOCK];
	if (to->time_s > from->time_s)
		shown.cpus = clock / 1e9 / (to->time_s - from->time_s);
	return shown;
}

/* --- text */

/* 1234567 as "1,234,567" */
static const char *grouped(double value, char text[40])
{
	char digits[40];
	size_t size, at = 0;

	snprintf(digits, sizeof(digits), "%.0f", fmin(value, 1e18));
	size = strlen(digits);
	for (size_t i = 0; i < size; i++) {
		if (i && (size - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

/* What stands behind a counter: figures that it is the last part of, else how often per second. */
static void print_remark(FILE *out, const struct shown *shown, enum ps_perf_counter counter)
{
	static const struct {
		enum ps_perf_counter counter;
		enum perf_figure figure;
		const char *words;
	} remarks[] = {
		{PS_PERF_CYCLES, PERF_FIGURE_GHZ, "%.3f GHz"},
		{PS_PERF_INSTRUCTIONS, PERF_FIGURE_IPC, "%.2f per cycle"},
		{PS_PERF_LLC_MISSES, PERF_FIGURE_LLC_MISS_SHARE, "%.2f %% of LLC loads"},
		{PS_PERF_LLC_MISSES, PERF_FIGURE_LLC_MISSES_PER_KI, "%.3f per 1,000 instructions"},
		{PS_PERF_BRANCH_MISSES, PERF_FIGURE_BRANCH_MISS_SHARE, "%.2f %% of branches"},
		{PS_PERF_L1D_MISSES, PERF_FIGURE_L1D_MISS_SHARE, "%.2f %% of L1 data loads"},
	};
	double seconds = shown->values.value[PS_PERF_TASK_CLOCK] / 1e9;
	const char *between = "";
	bool any = false;

	if (counter == PS_PERF_TASK_CLOCK) {
		if (!isnan(shown->cpus))
			fprintf(out, "%.3f CPUs used", shown->cpus);
		return;
	}
	for (size_t i = 0; i < sizeof(remarks) / sizeof(remarks[0]); i++) {
		double value = perf_figure__of(remarks[i].figure, &shown->values);

		if (remarks[i].counter != counter || isnan(value))
			continue;
		fputs(between, out);
		fprintf(out, remarks[i].words,
			*perf_figure__unit(remarks[i].figure) == '%' ? value * 100 : value);
		between = ", ";
		any = true;
	}
	if (!any && seconds > 0)
		fprintf(out, "%.1f per CPU second", shown->values.value[counter] / seconds);
}

static size_t print_text(FILE *out, const struct shown *shown)
{
	size_t lines = 2;
	char text[40];

	fprintf(out, "%s: %.3f s", shown->what, shown->end_s - shown->start_s);
	if (shown->user_s > 0 || shown->system_s > 0)
		fprintf(out, ", user %.2f s, system %.2f s", shown->user_s, shown->system_s);
	fputc('\n', out);
	for (int i = 0; i < PS_PERF_COUNT; i++, lines++) {
		enum ps_perf_counter counter = (enum ps_perf_counter)i;
		double value = shown->values.value[i];

		fprintf(out, "  %-17s", perf_values__name(counter));
		if (!shown->supported[i]) {
			fputs("     not supported by this CPU\n", out);
			continue;
		}
		if (isnan(value)) {
			fputs("     not counted: others had the counters all the time\n", out);
			continue;
		}
		if (counter == PS_PERF_TASK_CLOCK)
			fprintf(out, " %18.3f ms  ", value / 1e6);
		else
			fprintf(out, " %18s     ", grouped(value, text));
		print_remark(out, shown, counter);
		if (shown->values.share[i] < ALL_SHARE)
			fprintf(out, "  (counted %.1f %% of the time, scaled)",
				shown->values.share[i] * 100);
		fputc('\n', out);
	}
	fputc('\n', out);
	return lines;
}

/* --- lines for programs */

static void print_number(FILE *out, double value)
{
	if (isnan(value))
		return;
	fprintf(out, value == floor(value) && fabs(value) < 1e15 ? "%.0f" : "%.9g", value);
}

static void print_csv(struct stat_printer *printer, const struct shown *shown)
{
	FILE *out = printer->out;

	if (!printer->begun) {
		fputs("what,start_s,end_s,user_s,system_s,cpus", out);
		for (int i = 0; i < PS_PERF_COUNT; i++)
			fprintf(out, ",%s", perf_values__name((enum ps_perf_counter)i));
		for (int i = 0; i < PS_PERF_COUNT; i++)
			fprintf(out, ",%s_share", perf_values__name((enum ps_perf_counter)i));
		for (int i = 0; i < PERF_FIGURE_COUNT; i++)
			fprintf(out, ",%s", perf_figure__name((enum perf_figure)i));
		fputs("\r\n", out);
		printer->begun = true;
	}
	fprintf(out, "%s,%.6f,%.6f,%.6f,%.6f,", shown->what, shown->start_s, shown->end_s,
		shown->user_s, shown->system_s);
	print_number(out, shown->cpus);
	for (int i = 0; i < PS_PERF_COUNT; i++) {
		fputc(',', out);
		print_number(out, shown->values.value[i]);
	}
	for (int i = 0; i < PS_PERF_COUNT; i++) {
		fputc(',', out);
		print_number(out, shown->values.share[i]);
	}
	for (int i = 0; i < PERF_FIGURE_COUNT; i++) {
		fputc(',', out);
		print_number(out, perf_figure__of((enum perf_figure)i, &shown->values));
	}
	fputs("\r\n", out);
}

static void print_member(FILE *out, const char *name, const char *suffix, double value)
{
	fprintf(out, ",\"%s%s\":", name, suffix);
	if (isnan(value))
		fputs("null", out);
	else
		print_number(out, value);
}

static void print_json(FILE *out, const struct shown *shown)
{
	const char *between = "";

	fprintf(out,
		"{\"what\":\"%s\",\"start_s\":%.6f,\"end_s\":%.6f,\"user_s\":%.6f,\"system_s\":%."
		"6f",
		shown->what, shown->start_s, shown->end_s, shown->user_s, shown->system_s);
	print_member(out, "cpus", "", shown->cpus);
	for (int i = 0; i < PS_PERF_COUNT; i++) {
		const char *name = perf_values__name((enum ps_perf_counter)i);

		print_member(out, name, "", shown->values.value[i]);
		print_member(out, name, "_share", shown->values.share[i]);
	}
	for (int i = 0; i < PERF_FIGURE_COUNT; i++)
		print_member(out, perf_figure__name((enum perf_figure)i), "",
			     perf_figure__of((enum perf_figure)i, &shown->values));
	fputs(",\"unsupported\":[", out);
	for (int i = 0; i < PS_PERF_COUNT; i++) {
		if (shown->supported[i])
			continue;
		fprintf(out, "%s\"%s\"", between, perf_values__name((enum ps_perf_counter)i));
		between = ",";
	}
	fputs("]}\n", out);
}

static void print(struct stat_printer *printer, const struct shown *shown)
{
	size_t lines = 0;

	/* Up to the first line of the one before, and all below it away. */
	if (printer->redraws && printer->lines)
		fprintf(printer->out, "\033[%zuA\033[J", printer->lines);
	switch (printer->format) {
	case STAT_JSON:
		print_json(printer->out, shown);
		break;
	case STAT_CSV:
		print_csv(printer, shown);
		break;
	default:
		lines = print_text(printer->out, shown);
	}
	printer->lines = lines;
	fflush(printer->out);
}

void stat_printer__interval(struct stat_printer *printer, const struct stat_reading *from,
			    const struct stat_reading *to)
{
	struct shown shown = difference("interval", from, to);

	if (printer->intervals)
		print(printer, &shown);
}

void stat_printer__total(struct stat_printer *printer, const struct stat_reading *start,
			 const struct stat_reading *last, const struct stat_reading *end)
{
	struct shown shown = difference("total", start, end);

	if (last->time_s > start->time_s && !printer->redraws)
		stat_printer__interval(printer, last, end);
	print(printer, &shown);
}
