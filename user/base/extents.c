// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/extents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int extents__init(struct extents *extents, uint32_t places)
{
	*extents = (struct extents){};
	return extents__give(extents, 0, places);
}

void extents__clear(struct extents *extents)
{
	free(extents->free);
	*extents = (struct extents){};
}

static void remove_at(struct extents *extents, size_t at)
{
	extents->count--;
	memmove(&extents->free[at], &extents->free[at + 1],
		(extents->count - at) * sizeof(extents->free[0]));
}

int extents__take(struct extents *extents, uint32_t count, uint32_t *ret_start)
{
	for (size_t i = 0; i < extents->count; i++) {
		struct extent *extent = &extents->free[i];

		if (extent->count < count)
			continue;
		*ret_start = extent->start;
		extent->start += count;
		extent->count -= count;
		if (!extent->count)
			remove_at(extents, i);
		return 0;
	}
	return -ENOSPC;
}

int extents__give(struct extents *extents, uint32_t start, uint32_t count)
{
	struct extent *before, *behind;
	size_t at = 0;
	int err;

	while (at < extents->count && extents->free[at].start < start)
		at++;
	before = at ? &extents->free[at - 1] : NULL;
	behind = at < extents->count ? &extents->free[at] : NULL;
	if (before && before->start + before->count == start) {
		before->count += count;
		if (behind && start + count == behind->start) {
			before->count += behind->count;
			remove_at(extents, at);
		}
		return 0;
	}
	if (behind && start + count == behind->start) {
		behind->start = start;
		behind->count += count;
		return 0;
	}
	err = array__reserve(&extents->free, &extents->capacity, sizeof(extents->free[0]),
			     extents->count + 1);
	if (err)
		return err;
	memmove(&extents->free[at + 1], &extents->free[at],
		(extents->count - at) * sizeof(extents->free[0]));
	extents->free[at] = (struct extent){start, count};
	extents->count++;
	return 0;
}

uint32_t extents__largest(const struct extents *extents)
{
	uint32_t largest = 0;

	for (size_t i = 0; i < extents->count; i++)
		if (extents->free[i].count > largest)
			largest = extents->free[i].count;
	return largest;
}
