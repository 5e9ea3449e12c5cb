/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the empty file of a new recording, safe for root in directories of others. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct place {
	int directory; /* O_PATH; what happens to its own name later does not matter */
	int fd; /* the new file; holds the recorder's lock until closed */
	char name[NAME_MAX + 1]; /* in directory */
};

/* Errors as recording_writer__create. On success place__close is due. */
int place__create(const char *path, struct place *ret_place);
void place__close(struct place *place);

/* Deletes the file, if it is still the one that was made. */
void place__remove(const struct place *place);

/* Whether this process holds SQLite's lock on the very file that was made: then what SQLite
 * opened by name is it. */
bool place__locked_by_us(const struct place *place);

#endif
