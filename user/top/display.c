// SPDX-License-Identifier: GPL-2.0-or-later
#include "top/display.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "store/live_window.h"
#include "top/display_private.h"
#include "top/screen.h"

#define PIECE	   65536
#define PIECES	   64 /* taken before keys are looked at again */
#define KEY_ESCAPE 27
#define KEY_CTRL_C 3
#define KEY_CTRL_L 12
#define KEY_CTRL_U 21

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

/* --- looking */

/* The cursor stays on what it was on, but for the first line. */
static void follow_selected(struct display *display)
{
	const struct look_list *list = &display->list;

	for (size_t i = 0; display->followed && i < list->shown; i++) {
		const struct look_row *row = &list->rows[i];

		if (row->pid == display->followed_pid && !strcmp(row->name, display->followed)) {
			display->selected = i;
			return;
		}
	}
	if (display->selected >= list->shown)
		display->selected = list->shown ? list->shown - 1 : 0;
}

static void follow(struct display *display, size_t selected)
{
	const struct look_list *list = &display->list;

	free(display->followed);
	display->followed = NULL;
	display->selected = selected;
	if (!selected || selected >= list->shown)
		return;
	display->followed = strdup(list->rows[selected].name);
	display->followed_pid = list->rows[selected].pid;
}

static void sort_list(struct display *display)
{
	look_list__sort(&display->list, display->sort, display->reverse, display->filter);
	follow_selected(display);
}

static int look(struct display *display)
{
	int err;

	if (display->opened) {
		const struct live_choice choice = {
			.slices = display->span_s,
			.task = display->opened_pid ? NULL : display->opened,
			.pid = display->opened_pid,
			.start_ns = display->opened_start_ns,
		};

		err = look__detail(display->window, &choice, &display->detail, &display->losses);
	} else {
		err = look__list(display->window, display->by, display->span_s, &display->list,
				 &display->losses);
		if (!err)
			sort_list(display);
	}
	if (err == -EAGAIN)
		return 0;
	display->changed = true;
	display->looked = live_window__slices(display->window);
	display->looked_generation = live_window__generation(display->window);
	return err;
}

/* Whether there is something new to see. */
static bool is_due(const struct display *display)
{
	int64_t slices = live_window__slices(display->window);

	if (display->paused || !slices)
		return false;
	return live_window__generation(display->window) != display->looked_generation ||
	       slices >= display->looked + display->interval_s;
}

/* --- keys */

static void close_detail(struct display *display)
{
	free(display->opened);
	display->opened = NULL;
	free(display->opened_command);
	display->opened_command = NULL;
	look_detail__clear(&display->detail);
	display->section = SECTION_ALL;
	display->first = 0;
}

static void open_selected(struct display *display)
{
	const struct look_row *row = &display->list.rows[display->selected];

	if (display->selected >= display->list.shown)
		return;
	display->opened = strdup(row->name);
	display->opened_command = row->command ? strdup(row->command) : NULL;
	display->opened_pid = row->pid;
	display->opened_start_ns = row->start_ns;
	display->section = SECTION_ALL;
	display->first = 0;
}

/* A key while the filter is typed. */
static void type_filter(struct display *display, int key)
{
	size_t size = strlen(display->filter);

	if (key == KEY_ESCAPE || key == KEY_CTRL_U)
		display->filter[0] = '\0';
	if (key == KEY_ESCAPE || key == '\r' || key == '\n' || key == KEY_ENTER)
		display->typing = false;
	else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && size)
		display->filter[size - 1] = '\0';
	else if (key >= ' ' && key < 127 && size + 1 < sizeof(display->filter))
		display->filter[size] = (char)key;
	else
		return;
	if (key >= ' ' && key < 127 && size + 1 < sizeof(display->filter))
		display->filter[size + 1] = '\0';
}

static size_t last_row(const struct display *display)
{
	size_t count = display->list.shown;

	if (display->opened && display->section != SECTION_ALL) {
		const struct grid *grid = &display->detail.sections[display->section];

		count = grid->column_count ? grid->cell_count / grid->column_count : 0;
	}
	return count ? count - 1 : 0;
}

static void move_by(struct display *display, long rows)
{
	size_t last = last_row(display);
	size_t now = display->opened ? display->first : display->selected;

	if (rows < 0)
		now = now < (size_t)-rows ? 0 : now - (size_t)-rows;
	else
		now = last - (now < last ? now : last) < (size_t)rows ? last : now + (size_t)rows;
	if (display->opened)
		display->first = now;
	else
		follow(display, now);
}

/* Whether the key moved the cursor. */
static bool moves(struct display *display, int key)
{
	long page = LINES > 8 ? LINES - 7 : 1;

	switch (key) {
	case KEY_UP:
	case 'k':
		move_by(display, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		move_by(display, 1);
		return true;
	case KEY_PPAGE:
		move_by(display, -page);
		return true;
	case KEY_NPAGE:
		move_by(display, page);
		return true;
	case KEY_HOME:
	case 'g':
		move_by(display, -(long)last_row(display));
		return true;
	case KEY_END:
	case 'G':
		move_by(display, (long)last_row(display));
		return true;
	default:
		return false;
	}
}

static void choose_sort(struct display *display, enum top_sort sort)
{
	display->reverse = display->sort == sort && !display->reverse;
	display->sort = sort;
	follow(display, 0);
	sort_list(display);
}

static void change_span(struct display *display, int direction)
{
	static const int64_t spans[] = {1, 2, 5, 10, 30, TOP_LONGEST_SPAN_S};
	size_t count = sizeof(spans) / sizeof(spans[0]);

	for (size_t i = 0; i < count; i++) {
		size_t at = direction > 0 ? i : count - 1 - i;

		if (direction > 0 ? spans[at] > display->span_s : spans[at] < display->span_s) {
			display->span_s = spans[at];
			return;
		}
	}
}

/* Keys of the list. Whether it must be looked at anew. */
static bool on_list_key(struct display *display, int key)
{
	switch (key) {
	case 'c':
		choose_sort(display, SORT_CPU);
		return false;
	case 'w':
		choose_sort(display, SORT_WAIT);
		return false;
	case 'i':
		choose_sort(display, SORT_IO);
		return false;
	case 'm':
		choose_sort(display, SORT_MEMORY);
		return false;
	case 'n':
		choose_sort(display, SORT_NAME);
		return false;
	case 't':
		display->by = display->by == TOP_TASKS ? TOP_PROCESSES : TOP_TASKS;
		follow(display, 0);
		return true;
	case '/':
		display->typing = true;
		return false;
	case KEY_ESCAPE:
		display->filter[0] = '\0';
		sort_list(display);
		return false;
	case '\r':
	case '\n':
	case KEY_ENTER:
	case KEY_RIGHT:
		open_selected(display);
		return display->opened != NULL;
	default:
		return false;
	}
}

/* Keys of what was opened. */
static bool on_detail_key(struct display *display, int key)
{
	switch (key) {
	case KEY_ESCAPE:
	case KEY_BACKSPACE:
	case 127:
	case KEY_LEFT:
		if (display->section == SECTION_ALL || key == KEY_LEFT)
			close_detail(display);
		display->section = SECTION_ALL;
		display->first = 0;
		return !display->opened;
	case '0':
		display->section = SECTION_ALL;
		break;
	case '1':
	case '2':
	case '3':
	case '4':
		display->section = key - '1';
		break;
	case '\t':
		display->section =
			display->section == LOOK_SECTIONS - 1 ? SECTION_ALL : display->section + 1;
		break;
	default:
		return false;
	}
	display->first = 0;
	return false;
}

static int on_key(struct display *display, int key)
{
	if (display->typing) {
		if (key == KEY_CTRL_C)
			display->quit = true;
		type_filter(display, key);
		sort_list(display);
		return 0;
	}
	if (key == 'q' || key == KEY_CTRL_C) {
		display->quit = true;
		return 0;
	}
	if (display->page != PAGE_FIGURES) { /* any key leaves help and losses */
		display->page = PAGE_FIGURES;
		return 0;
	}
	if (moves(display, key))
		return 0;
	switch (key) {
	case '?':
	case 'h':
		display->page = PAGE_HELP;
		return 0;
	case 'l':
		display->page = PAGE_LOSSES;
		return 0;
	case ' ':
		display->paused = !display->paused;
		return display->paused ? 0 : look(display);
	case '+':
	case '-':
		change_span(display, key == '+' ? 1 : -1);
		return look(display);
	case KEY_CTRL_L:
		clearok(stdscr, TRUE);
		return 0;
	}
	if (display->opened ? on_detail_key(display, key) : on_list_key(display, key))
		return look(display);
	return 0;
}

/* --- the loop */

static int take_keys(struct display *display)
{
	int key, err = 0;

	while (!err && !display->quit && (key = getch()) != ERR) {
		display->changed = true;
		err = on_key(display, key);
	}
	return err;
}

/* Time without a recorder is not seen. */
static void measure_gap(struct display *display, uint64_t generation, int64_t slices)
{
	uint64_t now_ns = clock__ns(CLOCK_MONOTONIC);

	if (generation != display->slice_generation && display->slice_ns && slices)
		display->losses.unseen_s +=
			(double)(now_ns - display->slice_ns) / 1e9 - (double)slices;
	if (slices != display->slice_count && slices) {
		display->slice_ns = now_ns;
		display->slice_generation = generation;
		display->slice_count = slices;
	}
}

/* *ret_more: there may be more. -EPIPE: the last writer is gone. */
static int take_rows(struct display *display, int rows)
{
	static char piece[PIECE];
	int err = 0;

	for (int i = 0; i < PIECES && !err; i++) {
		ssize_t size = read(rows, piece, sizeof(piece));

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (size <= 0)
			return size ? -errno : -EPIPE;
		err = live_window__take(display->window, piece, (size_t)size);
	}
	measure_gap(display, live_window__generation(display->window),
		    live_window__slices(display->window));
	return err;
}

static int loop(struct display *display, int rows)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = rows, .events = POLLIN}};
	sigset_t none;
	int err = 0;

	sigemptyset(&none);
	while (!err && !display->quit && !ended) {
		if (display->changed)
			display__draw(display);
		display->changed = false;
		if (ppoll(fds, 2, NULL, &none) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents & (POLLHUP | POLLERR)) /* the terminal is gone */
			return 0;
		if (fds[1].revents)
			err = take_rows(display, rows);
		err = err ?: take_keys(display);
		if (!err && is_due(display))
			err = look(display);
	}
	return err == -EPIPE ? 0 : err;
}

static int prepare_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	return sigaction(SIGTERM, &action, NULL) || sigaction(SIGINT, &action, NULL) ||
			       sigaction(SIGHUP, &action, NULL)
		       ? -errno
		       : 0;
}

int display__run(const struct top_options *options, int rows)
{
	struct display display = {
		.by = options->by,
		.sort = options->sort,
		.interval_s = options->interval_s,
		.span_s = options->span_s,
		.section = SECTION_ALL,
		.changed = true,
		.start_ns = clock__ns(CLOCK_MONOTONIC),
	};
	int err = live_window__new(TOP_LONGEST_SPAN_S, &display.window);

	err = err ?: prepare_signals();
	err = err ?: screen__start();
	if (!err) {
		err = loop(&display, rows);
		endwin();
	}
	close_detail(&display);
	look_list__clear(&display.list);
	losses__clear(&display.losses);
	free(display.followed);
	live_window__free(display.window);
	return err;
}
