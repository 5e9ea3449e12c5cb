// SPDX-License-Identifier: GPL-2.0-or-later
// Links: proc base
/* Any bytes as /proc/PID/mountinfo; each mount is then looked for by its id and its point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proc/mounts.h"

#define MOST_LOOKED_FOR 64

static void require(int condition)
{
	if (!condition)
		abort();
}

/* It lies at or above the path, and so do all below it. */
static void check_way(const struct mounts *mounts, const struct mount *found, const char *path)
{
	size_t steps = 0;

	for (; found; found = found->parent) {
		size_t length = strcmp(found->point, "/") ? strlen(found->point) : 0;

		require(!strncmp(path, found->point, length));
		require(path[length] == '/' || !path[length]);
		require(++steps <= mounts__count(mounts));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct mounts *mounts;

	require(text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (!mounts__parse(text, &mounts)) {
		size_t count = mounts__count(mounts);

		for (size_t i = 0; i < count && i < MOST_LOOKED_FOR; i++) {
			const struct mount *mount = mounts__at(mounts, i);
			const struct mount *same = mounts__by_id(mounts, mount->id);

			require(mount->point[0] == '/' && mount->filesystem);
			require(same && same->id == mount->id);
			check_way(mounts, mounts__by_path(mounts, mount->point), mount->point);
		}
		mounts__by_path(mounts, text);
		mounts__free(mounts);
	}
	free(text);
	return 0;
}
