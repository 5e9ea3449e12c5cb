/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a number of equal places are free. */
#ifndef BASE_EXTENTS_H
#define BASE_EXTENTS_H

#include <stddef.h>
#include <stdint.h>

struct extent {
	uint32_t start, count;
};

struct extents {
	struct extent *free; /* sorted, never touching each other */
	size_t count, capacity;
};

/* All of `places` are free: -ENOMEM. Of zeros, none is. */
int extents__init(struct extents *extents, uint32_t places);
void extents__clear(struct extents *extents);

/* Takes the first `count` places that lie side by side: -ENOSPC. */
int extents__take(struct extents *extents, uint32_t count, uint32_t *ret_start);

/* Gives back what was taken, whole or in parts: -ENOMEM, they then stay taken. */
int extents__give(struct extents *extents, uint32_t start, uint32_t count);

/* The most places that lie side by side. */
uint32_t extents__largest(const struct extents *extents);

#endif
