/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that appears whole or not at all, for output written as root into anyone's directory. */
#ifndef EXPORT_OUTPUT_H
#define EXPORT_OUTPUT_H

#include <stdio.h>

struct output;

/* Writes go to a new file beside path. An earlier regular file at path is replaced at the end;
 * -ELOOP: path is a link, -EEXIST: it is anything else (a directory, a device); other errors of
 * open(2). */
int output__open(const char *path, struct output **ret_output);

FILE *output__stream(struct output *output); /* borrowed */

/* What the first failed write gave, a negative errno; 0: none has failed so far. */
int output__error(const struct output *output);

/* Puts the file in place and frees. On failure nothing is left behind. */
int output__finish(struct output *output);

/* Gives up: removes what was written, frees. NULL is accepted. */
void output__abandon(struct output *output);

#endif
