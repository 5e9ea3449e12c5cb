/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of a recording is hostile: names come from any process of the node. Nothing of it reaches a
 * terminal or a parser but through here. All results are malloc'ed; NULL: no memory. */
#ifndef REPORT_PRINTABLE_H
#define REPORT_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/* Control characters (C0, C1, DEL), line and paragraph separators, characters that change the
 * direction of writing, and bytes that are not UTF-8 become \xNN or \u{NNNN}. */
char *printable__of(const char *text);

/* Only bytes that are not UTF-8 become \xNN: for formats with an escape of their own. */
char *printable__utf8(const char *text);

/* Columns on a terminal; of printable text. */
size_t printable__width(const char *text);

/* At most `width` columns (at least 5), with ".." in the place of what is left out in the middle.
 */
char *printable__shorten(const char *text, size_t width);

/* "ENOENT", or the number where there is no name; in buffer or static. */
#define ERROR_NAME_SIZE 16
const char *error__name(uint32_t number, char buffer[ERROR_NAME_SIZE]);

#endif
