/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned columns of text that fit a width. */
#ifndef REPORT_GRID_H
#define REPORT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GRID_MAX_COLUMNS 32

struct grid_column {
	const char *title; /* static, or printable and longer alive than the grid */
	bool right; /* numbers */
	bool shrinks; /* long texts are shortened in the middle */
	int spare; /* the highest go first where the width does not suffice; 1: goes only when
		    * nothing else helps; 0: stays */
};

/* Filled from left to right, row by row. Starts zeroed. */
struct grid {
	struct grid_column columns[GRID_MAX_COLUMNS];
	size_t column_count;
	char **cells;
	size_t cell_count, cell_capacity;
	int error; /* the first failure of a cell */
	bool printed[GRID_MAX_COLUMNS]; /* columns for which the width sufficed */
};

void grid__column(struct grid *grid, const char *title, bool right, bool shrinks, int spare);
void grid__text(struct grid *grid, const char *text); /* is made printable */
void grid__own(struct grid *grid, char *text); /* the same, frees text; NULL: no memory */
void grid__seconds(struct grid *grid, double seconds);
void grid__bytes(struct grid *grid, int64_t bytes); /* INT64_MIN: not known */
void grid__percent(struct grid *grid, double part, double whole);
void grid__integer(struct grid *grid, int64_t value);

/* Title line and rows, no line longer than `width` unless even the shortest form is. A grid
 * without rows prints nothing. */
int grid__print(struct grid *grid, FILE *stream, size_t width);
/* Whether a column of that title was printed. */
bool grid__has_printed(const struct grid *grid, const char *title);
void grid__clear(struct grid *grid);

/* "12.3 MB"; "1.250 s"; "340 us": what the columns hold. */
#define NUMBER_SIZE 32
const char *number__bytes(char text[NUMBER_SIZE], int64_t bytes);
const char *number__seconds(char text[NUMBER_SIZE], double seconds);
const char *number__duration(char text[NUMBER_SIZE], double ns);

#endif
