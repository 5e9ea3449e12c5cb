// SPDX-License-Identifier: GPL-2.0-or-later
#define NCURSES_WIDECHAR 1
#include "top/screen.h"

#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "report/printable.h"

#define MOST_CELLS 1024 /* of a line */

enum { PAIR_ALARM = 1 };

int screen__start(void)
{
	/* In a locale without UTF-8, what is no ASCII becomes "?". */
	setlocale(LC_CTYPE, "");
	if (!newterm(NULL, stdout, stdin))
		return -ENOTTY;
	raw(); /* Ctrl-C is a key: the display ends as it does by others */
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_ALARM, COLOR_RED, -1);
	}
	return 0;
}

attr_t screen__alarm(void)
{
	return A_BOLD | (has_colors() ? COLOR_PAIR(PAIR_ALARM) : A_REVERSE);
}

/* The next character of text as a cell of the terminal; '?' when it has none. */
static wchar_t next_cell(const char **text, mbstate_t *state)
{
	wchar_t character;
	size_t size = mbrtowc(&character, *text, MB_CUR_MAX, state);

	if (size == (size_t)-1 || size == (size_t)-2) {
		memset(state, 0, sizeof(*state));
		/* All bytes of one character are one "?". */
		(*text)++;
		while ((**text & 0xc0) == 0x80)
			(*text)++;
		return L'?';
	}
	*text += size;
	return wcwidth(character) < 1 ? L'?' : character;
}

void screen__put(int y, int x, int width, attr_t attributes, const char *text)
{
	_cleanup_free_ char *printable = printable__of(text);
	wchar_t cells[MOST_CELLS + 1];
	const char *at = printable ? printable : "?";
	mbstate_t state = {0};
	int used = 0, count = 0;

	if (width > COLS - x)
		width = COLS - x;
	if (width > MOST_CELLS)
		width = MOST_CELLS;
	if (y < 0 || y >= LINES || width <= 0)
		return;
	while (*at && used < width) {
		wchar_t cell = next_cell(&at, &state);

		if (used + wcwidth(cell) > width)
			break;
		used += wcwidth(cell);
		cells[count++] = cell;
	}
	for (; used < width; used++)
		cells[count++] = L' ';
	attrset(attributes);
	mvaddnwstr(y, x, cells, count);
	attrset(A_NORMAL);
}

void screen__grid(struct grid *grid, int y, int x, int width, int height, size_t first,
		  long selected, const char *empty)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, number = 0;
	FILE *stream = open_memstream(&text, &size);
	char *rest, *line;
	int drawn = 0, err;

	if (!stream)
		return;
	err = grid__print(grid, stream, (size_t)width);
	if (fclose(stream) || err || !text)
		return;
	rest = text;
	while (drawn < height && (line = strsep(&rest, "\n")) && (rest || *line)) {
		/* Number 0 is the titles. */
		if (number && number - 1 < first) {
			number++;
			continue;
		}
		screen__put(y + drawn, x, width,
			    !number			     ? A_BOLD | A_UNDERLINE
			    : (long)(number - 1) == selected ? A_REVERSE
							     : A_NORMAL,
			    line);
		number++;
		drawn++;
	}
	if (!drawn && height > 0)
		screen__put(y + drawn++, x, width, A_DIM, empty);
	while (drawn < height)
		screen__put(y + drawn++, x, width, A_NORMAL, "");
}
