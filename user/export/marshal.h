/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values in the form of Python's module marshal, version 2, which every Python 3 reads. Errors are
 * the stream's: ferror(). */
#ifndef EXPORT_MARSHAL_H
#define EXPORT_MARSHAL_H

#include <stdint.h>
#include <stdio.h>

void marshal__integer(FILE *stream, int64_t value); /* one below 0 becomes 0 */
void marshal__real(FILE *stream, double value);
void marshal__text(FILE *stream, const char *text); /* valid UTF-8 */
void marshal__tuple(FILE *stream, uint32_t count); /* so many values follow */
/* Keys and values in turn follow, then the end. */
void marshal__dict(FILE *stream);
void marshal__end(FILE *stream);

#endif
