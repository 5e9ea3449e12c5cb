/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the display knows, for those who draw it. */
#ifndef TOP_DISPLAY_PRIVATE_H
#define TOP_DISPLAY_PRIVATE_H

#include <stdbool.h>

#include "top/look.h"
#include "top/losses.h"

#define SECTION_ALL (-1) /* all sections of what was opened, a part of each */

enum display_page { PAGE_FIGURES, PAGE_HELP, PAGE_LOSSES };

struct display {
	struct live_window *window;
	enum top_by by;
	enum top_sort sort;
	bool reverse, paused, typing, quit;
	bool changed; /* the screen is out of date */
	char filter[64];
	int64_t interval_s, span_s;
	enum display_page page;
	struct losses losses;
	uint64_t start_ns;
	int64_t looked; /* slices that had ended at the last look */
	uint64_t looked_generation;
	uint64_t slice_ns, slice_generation; /* when the last slice came, and whose it was */
	int64_t slice_count;

	struct look_list list;
	size_t selected, top; /* row of the cursor, first row on the screen */
	char *followed; /* name of what the cursor stays on; NULL: on the line it is in */
	int64_t followed_pid;

	char *opened, *opened_command; /* NULL: the list is shown */
	int64_t opened_pid, opened_start_ns; /* 0: it is a task */
	struct look_detail detail;
	int section; /* enum look_section or SECTION_ALL */
	size_t first; /* of its rows on the screen */
};

void display__draw(struct display *display);

#endif
