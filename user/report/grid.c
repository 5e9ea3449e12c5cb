// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "report/printable.h"

#define LEAST_SHRUNK 8 /* columns; less says nothing */
#define GOOD_SHRUNK  16 /* below, spare columns go first */

struct layout {
	bool shown[GRID_MAX_COLUMNS];
	size_t width[GRID_MAX_COLUMNS];
	size_t gap;
};

void grid__column(struct grid *grid, const char *title, bool right, bool shrinks, int spare)
{
	if (grid->column_count == GRID_MAX_COLUMNS) {
		grid->error = -E2BIG;
		return;
	}
	grid->columns[grid->column_count++] = (struct grid_column){
		.title = title, .right = right, .shrinks = shrinks, .spare = spare};
}

void grid__own(struct grid *grid, char *text)
{
	char *cell = text ? printable__of(text) : NULL;

	free(text);
	if (!grid->error)
		grid->error = cell ? array__reserve(&grid->cells, &grid->cell_capacity,
						    sizeof(*grid->cells), grid->cell_count + 1)
				   : -ENOMEM;
	if (grid->error)
		free(cell);
	else
		grid->cells[grid->cell_count++] = cell;
}

void grid__text(struct grid *grid, const char *text)
{
	grid__own(grid, strdup(text));
}

const char *number__seconds(char text[NUMBER_SIZE], double seconds)
{
	int digits = seconds < 9.9995 ? 3 : seconds < 99.995 ? 2 : seconds < 9999.95 ? 1 : 0;

	if (seconds > 0 && seconds < 0.0005)
		snprintf(text, NUMBER_SIZE, "<0.001 s");
	else
		snprintf(text, NUMBER_SIZE, "%.*f s", seconds < 0 ? 1 : digits, seconds);
	return text;
}

const char *number__bytes(char text[NUMBER_SIZE], int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1000;
	snprintf(text, NUMBER_SIZE, "%.*f %s", unit ? 1 : 0, value, units[unit]);
	return text;
}

const char *number__duration(char text[NUMBER_SIZE], double ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	size_t unit = 0;

	for (; ns >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		ns /= 1000;
	snprintf(text, NUMBER_SIZE, "%.*f %s", unit && ns < 9.95 ? 1 : 0, ns, units[unit]);
	return text;
}

void grid__seconds(struct grid *grid, double seconds)
{
	char text[NUMBER_SIZE];

	grid__text(grid, number__seconds(text, seconds));
}

void grid__bytes(struct grid *grid, int64_t bytes)
{
	char text[NUMBER_SIZE];

	grid__text(grid, bytes == INT64_MIN ? "?" : number__bytes(text, bytes));
}

void grid__percent(struct grid *grid, double part, double whole)
{
	char text[NUMBER_SIZE];

	if (whole > 0)
		snprintf(text, sizeof(text), "%.1f %%", part / whole * 100);
	grid__text(grid, whole > 0 ? text : "-");
}

void grid__integer(struct grid *grid, int64_t value)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	grid__text(grid, text);
}

static size_t line_width(const struct grid *grid, const struct layout *layout)
{
	size_t width = 0, shown = 0;

	for (size_t i = 0; i < grid->column_count; i++) {
		if (!layout->shown[i])
			continue;
		width += layout->width[i];
		shown++;
	}
	return shown ? width + (shown - 1) * layout->gap : 0;
}

static size_t shrunk_width(const struct grid *grid, const struct layout *layout, size_t least_cell)
{
	struct layout least = *layout;

	for (size_t i = 0; i < grid->column_count; i++)
		if (grid->columns[i].shrinks && least.width[i] > least_cell)
			least.width[i] = least_cell;
	return line_width(grid, &least);
}

/* The column to go first, of those that may; -1: there is none. */
static int most_spare(const struct grid *grid, const struct layout *layout, int least_spare)
{
	int found = -1;

	for (size_t i = 0; i < grid->column_count; i++)
		if (layout->shown[i] && grid->columns[i].spare >= least_spare &&
		    (found < 0 || grid->columns[i].spare >= grid->columns[found].spare))
			found = (int)i;
	return found;
}

static int widest(const struct grid *grid, const struct layout *layout)
{
	int found = -1;

	for (size_t i = 0; i < grid->column_count; i++)
		if (layout->shown[i] && grid->columns[i].shrinks &&
		    layout->width[i] > LEAST_SHRUNK &&
		    (found < 0 || layout->width[i] > layout->width[found]))
			found = (int)i;
	return found;
}

static void fit(const struct grid *grid, struct layout *layout, size_t width)
{
	size_t rows = grid->cell_count / grid->column_count;
	int column;

	layout->gap = 2;
	for (size_t i = 0; i < grid->column_count; i++) {
		layout->shown[i] = true;
		layout->width[i] = printable__width(grid->columns[i].title);
		for (size_t row = 0; row < rows; row++) {
			size_t cell = printable__width(grid->cells[row * grid->column_count + i]);

			if (cell > layout->width[i])
				layout->width[i] = cell;
		}
	}
	while (shrunk_width(grid, layout, GOOD_SHRUNK) > width &&
	       (column = most_spare(grid, layout, 2)) >= 0)
		layout->shown[column] = false;
	if (shrunk_width(grid, layout, LEAST_SHRUNK) > width)
		layout->gap = 1;
	while (shrunk_width(grid, layout, LEAST_SHRUNK) > width &&
	       (column = most_spare(grid, layout, 1)) >= 0)
		layout->shown[column] = false;
	while (line_width(grid, layout) > width && (column = widest(grid, layout)) >= 0)
		layout->width[column]--;
}

static int print_cell(const struct grid *grid, const struct layout *layout, size_t column,
		      const char *text, FILE *stream)
{
	_cleanup_free_ char *shortened = printable__shorten(text, layout->width[column]);
	bool last = true;
	size_t padding;

	if (!shortened)
		return -ENOMEM;
	for (size_t i = column + 1; i < grid->column_count; i++)
		last = last && !layout->shown[i];
	padding = printable__width(shortened);
	padding = padding < layout->width[column] ? layout->width[column] - padding : 0;
	if (grid->columns[column].right)
		fprintf(stream, "%*s%s", (int)padding, "", shortened);
	else
		fprintf(stream, "%s%*s", shortened, last ? 0 : (int)padding, "");
	if (!last)
		fprintf(stream, "%*s", (int)layout->gap, "");
	return 0;
}

int grid__print(struct grid *grid, FILE *stream, size_t width)
{
	struct layout layout;
	size_t rows;
	int error = grid->error;

	if (error || !grid->cell_count)
		return error;
	rows = grid->cell_count / grid->column_count;
	fit(grid, &layout, width);
	memcpy(grid->printed, layout.shown, grid->column_count * sizeof(*grid->printed));
	for (size_t row = 0; row <= rows && !error; row++) {
		for (size_t i = 0; i < grid->column_count && !error; i++) {
			if (!layout.shown[i])
				continue;
			error = print_cell(grid, &layout, i,
					   row ? grid->cells[(row - 1) * grid->column_count + i]
					       : grid->columns[i].title,
					   stream);
		}
		fputc('\n', stream);
	}
	return error;
}

bool grid__has_printed(const struct grid *grid, const char *title)
{
	for (size_t i = 0; i < grid->column_count; i++)
		if (grid->printed[i] && !strcmp(grid->columns[i].title, title))
			return true;
	return false;
}

void grid__clear(struct grid *grid)
{
	for (size_t i = 0; i < grid->cell_count; i++)
		free(grid->cells[i]);
	free(grid->cells);
	*grid = (struct grid){0};
}
