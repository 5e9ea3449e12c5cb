// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "report/printable.h"
#include "top/display_private.h"
#include "top/screen.h"

#define HEAD_LINES  3
#define TWO_COLUMNS 140 /* columns of a terminal that are enough for two sections side by side */

static const char *const sort_names[SORT_COUNT] = {
	[SORT_CPU] = "CPU",	  [SORT_WAIT] = "waiting", [SORT_IO] = "bytes read and written",
	[SORT_MEMORY] = "memory", [SORT_NAME] = "name",
};

static const char *const section_names[LOOK_SECTIONS] = {
	[LOOK_FUNCTIONS] = "functions",
	[LOOK_LINES] = "lines",
	[LOOK_WAITS] = "waits",
	[LOOK_FILES] = "files",
};

static const char *const section_empty[LOOK_SECTIONS] = {
	[LOOK_FUNCTIONS] = "no CPU time in these seconds",
	[LOOK_LINES] = "no CPU time in these seconds",
	[LOOK_WAITS] = "no waiting in these seconds",
	[LOOK_FILES] = "no operations on files in these seconds",
};

static const char help_text[] =
	"Keys of the list\n"
	"  Up Down PgUp PgDn Home End    move; the cursor stays on what it is on, but for the "
	"first\n"
	"                                line\n"
	"  Enter                         open: functions, lines, waits and files of one\n"
	"  t                             tasks or processes\n"
	"  c w i m n                     sort by CPU, waiting, bytes, memory, name; once more:\n"
	"                                the other way round\n"
	"  /                             filter by a part of name, command line, or by pid; Enter\n"
	"                                keeps it, Escape ends it\n"
	"Keys of what was opened\n"
	"  1 2 3 4  0                    functions, lines, waits, files alone; all of them\n"
	"  Tab                           the next of these\n"
	"  Escape Left                   back\n"
	"Everywhere\n"
	"  Space                         pause the picture (recording goes on)\n"
	"  + -                           figures of more or fewer seconds\n"
	"  l                             all that was lost or cut short\n"
	"  q Ctrl-C                      end\n"
	"\n"
	"CPU %, wait %: 100 is one thread all the time. wait %: for a free CPU, locks, disks and\n"
	"file systems, pipes, sockets, page faults; sleeping, poll, waiting for children and idle\n"
	"threads of pools do not count. for: what for, mostly. memory: resident now; what "
	"processes\n"
	"share counts in each. own %, all %: estimated share of the CPU time in the function or "
	"line\n"
	"itself, and with what it calls.\n";

static char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *text, ...)
{
	char *result = NULL;
	va_list args;

	va_start(args, text);
	if (vasprintf(&result, text, args) < 0)
		result = NULL;
	va_end(args);
	return result;
}

static void put(int y, int x, int width, attr_t attributes, char *text)
{
	screen__put(y, x, width, attributes, text ? text : "?");
	free(text);
}

/* --- head and foot */

/* What the figures are of: less than was asked for while it begins, and where so much happens that
 * the window has no room for more. */
static long long span_of(const struct display *display)
{
	double span_s = display->opened ? display->detail.span_s : display->list.span_s;

	return span_s > 0 && span_s < (double)display->span_s - 0.5 ? llround(span_s)
								    : (long long)display->span_s;
}

static void draw_title(const struct display *display)
{
	time_t now = time(NULL);
	struct tm local;
	char clock[16];

	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	if (display->opened)
		put(0, 0, COLS, A_REVERSE | A_BOLD,
		    display->opened_pid ? format("%s  process %lld, last %lld s  %s  %s", clock,
						 (long long)display->opened_pid, span_of(display),
						 display->opened, display->opened_command)
					: format("%s  task %s, last %lld s", clock, display->opened,
						 span_of(display)));
	else
		put(0, 0, COLS, A_REVERSE | A_BOLD,
		    format("pipescope top  %s  %s  %s by %s%s, last %lld s", display->list.node,
			   clock, display->by == TOP_TASKS ? "tasks" : "processes",
			   sort_names[display->sort], display->reverse ? ", least first" : "",
			   span_of(display)));
	if (display->paused)
		screen__put(0, COLS > 8 ? COLS - 8 : 0, 8, A_REVERSE | A_BOLD | A_BLINK,
			    " PAUSED ");
}

static void draw_sums(const struct display *display)
{
	const struct look_row *row = display->opened ? &display->detail.row : &display->list.all;
	char read[NUMBER_SIZE], written[NUMBER_SIZE], rss[NUMBER_SIZE];

	number__bytes(read, (int64_t)row->read);
	number__bytes(written, (int64_t)row->written);
	if (!display->opened) {
		put(1, 0, COLS, A_NORMAL,
		    format("CPU %.2f of %lld  waiting for one %.2f  read %s/s  written %s/s  %.0f "
			   "ops/s  %lld processes",
			   row->cpu, (long long)display->list.cpus, row->run_queue, read, written,
			   row->ops, (long long)row->processes));
		return;
	}
	if (!row->processes && row->cpu <= 0) {
		screen__put(1, 0, COLS, A_BOLD, "It has ended.");
		return;
	}
	number__bytes(rss, row->rss_bytes);
	put(1, 0, COLS, A_NORMAL,
	    format("CPU %.1f %%  waiting %.1f %%%s%s  read %s/s  written %s/s  %.0f ops/s  %s  "
		   "%lld "
		   "process%s",
		   row->cpu * 100, row->wait * 100, *row->mostly ? " mostly for " : "", row->mostly,
		   read, written, row->ops, rss, (long long)row->processes,
		   row->processes == 1 ? "" : "es"));
}

/* What is lost, and what looking costs. */
static void draw_costs(const struct display *display)
{
	_cleanup_free_ char *lost = losses__line(&display->losses);
	double elapsed_ns = (double)(clock__ns(CLOCK_MONOTONIC) - display->start_ns);
	double own = (double)clock__ns(CLOCK_PROCESS_CPUTIME_ID) / elapsed_ns;
	char recorder[NUMBER_SIZE], memory[NUMBER_SIZE];

	number__bytes(recorder, display->list.recorder_rss_bytes);
	number__bytes(memory, process_memory__resident_bytes(getpid()));
	put(2, 0, COLS, losses__any(&display->losses) ? screen__alarm() : A_DIM,
	    format("%s; recorder %.1f %% of a CPU, %s; display %.1f %%, %s", lost ? lost : "?",
		   display->list.recorder_cpu * 100, recorder, own * 100, memory));
}

static void draw_foot(const struct display *display)
{
	if (display->typing || (*display->filter && !display->opened))
		put(LINES - 1, 0, COLS, A_BOLD,
		    format("filter: %s%s", display->filter,
			   display->typing ? "_  (Enter keeps it, Escape ends it)"
					   : "  (/ changes it, Escape ends it)"));
	else if (display->page != PAGE_FIGURES)
		screen__put(LINES - 1, 0, COLS, A_DIM, "any key: back   q end");
	else if (display->opened)
		screen__put(LINES - 1, 0, COLS, A_DIM,
			    "Esc back  1 functions  2 lines  3 waits  4 files  0 all  Space pause  "
			    "+ - seconds  ? help  q end");
	else
		screen__put(
			LINES - 1, 0, COLS, A_DIM,
			"Enter open  t tasks/processes  sort: c w i m n  / filter  Space pause  "
			"+ - seconds  ? help  q end");
}

/* --- the list */

static void add_percent(struct grid *grid, double value)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%6.1f", value * 100);
	grid__text(grid, value > 0.0004 ? text : "-");
}

static void add_bytes(struct grid *grid, double bytes)
{
	char text[NUMBER_SIZE];

	grid__text(grid, bytes < 0.5 ? "-" : number__bytes(text, (int64_t)bytes));
}

static void add_number(struct grid *grid, double number)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), number < 9.95 ? "%.1f" : "%.0f", number);
	grid__text(grid, number > 0.04 ? text : "-");
}

static void add_columns(struct grid *grid, enum top_by by)
{
	if (by == TOP_PROCESSES)
		grid__column(grid, "pid", true, false, 0);
	grid__column(grid, "task", false, true, 0);
	if (by == TOP_PROCESSES)
		grid__column(grid, "command", false, true, 3);
	else
		grid__column(grid, "procs", true, false, 4);
	grid__column(grid, "CPU %", true, false, 0);
	grid__column(grid, "wait %", true, false, 0);
	grid__column(grid, "for", false, false, 2);
	grid__column(grid, "runq %", true, false, 8);
	grid__column(grid, "storage %", true, false, 8);
	grid__column(grid, "lock %", true, false, 8);
	grid__column(grid, "read/s", true, false, 0);
	grid__column(grid, "write/s", true, false, 0);
	grid__column(grid, "ops/s", true, false, 5);
	grid__column(grid, "err/s", true, false, 7);
	grid__column(grid, "memory", true, false, 0);
}

static void add_row(struct grid *grid, enum top_by by, const struct look_row *row)
{
	if (by == TOP_PROCESSES)
		grid__integer(grid, row->pid);
	grid__text(grid, row->name);
	if (by == TOP_PROCESSES)
		grid__text(grid, row->command ? row->command : "?");
	else
		grid__integer(grid, row->processes);
	add_percent(grid, row->cpu);
	add_percent(grid, row->wait);
	grid__text(grid, row->wait > 0.0004 ? row->mostly : "");
	add_percent(grid, row->run_queue);
	add_percent(grid, row->storage);
	add_percent(grid, row->lock);
	add_bytes(grid, row->read);
	add_bytes(grid, row->written);
	add_number(grid, row->ops);
	add_number(grid, row->errors);
	add_bytes(grid, (double)row->rss_bytes);
}

static void draw_list(struct display *display)
{
	const struct look_list *list = &display->list;
	int height = LINES - HEAD_LINES - 1;
	size_t rows = height > 1 ? (size_t)height - 1 : 0;
	struct grid grid = {0};

	if (display->selected < display->top)
		display->top = display->selected;
	if (rows && display->selected >= display->top + rows)
		display->top = display->selected - rows + 1;
	if (list->shown <= rows)
		display->top = 0;
	add_columns(&grid, display->by);
	for (size_t i = display->top; i < list->shown && i < display->top + rows; i++)
		add_row(&grid, display->by, &list->rows[i]);
	screen__grid(&grid, HEAD_LINES, 0, COLS, height, 0,
		     (long)(display->selected - display->top),
		     display->looked ? "nothing that fits the filter"
				     : "waiting for the first seconds ...");
	grid__clear(&grid);
}

/* --- what was opened */

static void draw_section(struct display *display, int section, int y, int x, int width, int height,
			 size_t first)
{
	const struct look_detail *detail = &display->detail;
	char *title;

	if (height < 2)
		return;
	if (section == LOOK_FUNCTIONS && detail->samples)
		title = format("1 functions: of %lld samples, %.1f %% of them whole and named",
			       (long long)detail->samples,
			       100.0 * (double)detail->samples_complete / (double)detail->samples);
	else
		title = format("%d %s", section + 1, section_names[section]);
	put(y, x, width, A_BOLD, title);
	screen__grid(&display->detail.sections[section], y + 1, x, width, height - 1, first, -1,
		     section_empty[section]);
}

static void draw_detail(struct display *display)
{
	int height = LINES - HEAD_LINES - 1, y = HEAD_LINES, half = height / 2;

	if (display->section != SECTION_ALL) {
		draw_section(display, display->section, y, 0, COLS, height, display->first);
		return;
	}
	if (COLS >= TWO_COLUMNS) {
		int left = COLS / 2 - 1, right = COLS - left - 2;

		for (int line = y; line < y + height; line++)
			screen__put(line, left, 2, A_NORMAL, "");
		draw_section(display, LOOK_FUNCTIONS, y, 0, left, half, 0);
		draw_section(display, LOOK_LINES, y + half, 0, left, height - half, 0);
		draw_section(display, LOOK_WAITS, y, left + 2, right, half, 0);
		draw_section(display, LOOK_FILES, y + half, left + 2, right, height - half, 0);
		return;
	}
	for (int section = 0; section < LOOK_SECTIONS; section++) {
		int left = LOOK_SECTIONS - section;
		int lines = (LINES - 1 - y) / left;

		/* Functions get what is left over. */
		if (section == LOOK_FUNCTIONS)
			lines = height - 3 * (height / LOOK_SECTIONS);
		draw_section(display, section, y, 0, COLS, lines, 0);
		y += lines;
	}
}

/* --- pages */

static void draw_text(const char *text)
{
	const char *at = text;
	int y = HEAD_LINES;

	while (y < LINES - 1) {
		size_t size = strcspn(at, "\n");

		put(y++, 0, COLS, A_NORMAL, format("%.*s", (int)size, at));
		at += size;
		if (*at)
			at++;
	}
}

static void draw_losses(const struct display *display)
{
	struct grid grid = {0};

	losses__table(&display->losses, &grid);
	screen__grid(&grid, HEAD_LINES, 0, COLS, LINES - HEAD_LINES - 1, 0, -1,
		     "nothing has been counted yet");
	grid__clear(&grid);
}

void display__draw(struct display *display)
{
	draw_title(display);
	draw_sums(display);
	draw_costs(display);
	if (display->page == PAGE_HELP)
		draw_text(help_text);
	else if (display->page == PAGE_LOSSES)
		draw_losses(display);
	else if (display->opened)
		draw_detail(display);
	else
		draw_list(display);
	draw_foot(display);
	refresh();
}
