/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawing: texts into cells of the terminal, never anything that a terminal could take for a
 * command. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stddef.h>
#include <curses.h>

#include "report/grid.h"

/* Starts curses on the standard streams. -ENOTTY: the terminal is not known. Ended by endwin(). */
int screen__start(void);

/* Fills exactly `width` cells of a line: text, made printable, then blanks. What is beyond the
 * terminal is left out. */
void screen__put(int y, int x, int width, attr_t attributes, const char *text);

/* The grid from row number `first` on, in `height` lines: its titles, then rows, blank lines
 * behind. selected: the row's number, or -1. An empty grid is the words `empty`. */
void screen__grid(struct grid *grid, int y, int x, int width, int height, size_t first,
		  long selected, const char *empty);

/* Bold, reversed, and red where the terminal has colours. */
attr_t screen__alarm(void);

#endif
