/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where commands that read a recording write to. */
#ifndef CLI_WRITING_H
#define CLI_WRITING_H

#include <stdbool.h>
#include <stdio.h>

/* Runs print on the file of this name, which appears whole or not at all, or on standard output
 * (NULL, "-"). Speaks on failure: of the recording when it cannot be read, of the file when it
 * cannot be written; but not of standard output, of which main speaks. Returns what print gave, or
 * a negative errno of the file. */
int writing__file(const char *output, const char *recording,
		  int (*print)(FILE *stream, void *context), void *context);

/* Whether the file could be written now, for what takes long before it is: says why not. 0, or a
 * negative errno of the file. */
int writing__try(const char *output);

/* Whether the HTML report was built in; says what to do when it was not. */
bool writing__has_page(void);

#endif
