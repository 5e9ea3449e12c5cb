/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings that were cut off in the middle of a write: their journal must be rolled back. */
#ifndef STORE_RESCUE_H
#define STORE_RESCUE_H

#include <limits.h>

/* Rolls the file at the absolute path back in place. -EPERM: file or journal are not the caller's
 * own; or any error of writing. */
int rescue__in_place(const char *path);

struct rescue_copy {
	char directory[PATH_MAX]; /* mode 0700; empty: none */
	char path[PATH_MAX]; /* of the copy */
};

/* Copies the recording into a new private directory below TMPDIR and rolls the copy back. A journal
 * that belongs neither to the recording's owner nor to the caller is not believed: left out. */
int rescue__copy(const char *path, struct rescue_copy *ret_copy);

/* Deletes the copy's name; what is open stays readable. */
void rescue__remove(struct rescue_copy *copy);

#endif
