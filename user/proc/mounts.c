// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/mounts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"

#define MOUNTINFO_LIMIT (16u * 1024 * 1024)

struct mounts {
	char *text; /* what the mounts' strings point into */
	struct mount *mounts;
	uint32_t *parents; /* ids, while parsing */
	size_t count, capacity, parents_capacity;
};

void mounts__free(struct mounts *mounts)
{
	if (!mounts)
		return;
	free(mounts->text);
	free(mounts->mounts);
	free(mounts->parents);
	free(mounts);
}

/* The kernel writes blanks and the like as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (*at == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
		    at[3] >= '0' && at[3] <= '7') {
			*to++ = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

/* id parent major:minor root point options [tags…] - filesystem source options */
static int parse_line(struct mounts *mounts, char *line)
{
	unsigned int device_major, device_minor;
	struct mount mount = {};
	uint32_t parent;
	char *end = strstr(line, " - "), *word, *rest = line;
	int err;

	if (!end || sscanf(line, "%" SCNu32 " %" SCNu32 " %u:%u", &mount.id, &parent, &device_major,
			   &device_minor) != 4)
		return -EBADMSG;
	*end = '\0';
	mount.device = makedev(device_major, device_minor);
	for (int i = 0; i < 4; i++) /* id, parent, device, root */
		if (!strsep(&rest, " "))
			return -EBADMSG;
	word = strsep(&rest, " ");
	if (!word || *word != '/')
		return -EBADMSG;
	unescape(word);
	mount.point = word;
	rest = end + 3;
	mount.filesystem = strsep(&rest, " ");
	err = array__reserve(&mounts->mounts, &mounts->capacity, sizeof(mount), mounts->count + 1);
	err = err
		      ?: array__reserve(&mounts->parents, &mounts->parents_capacity, sizeof(parent),
					mounts->count + 1);
	if (err)
		return err;
	mounts->parents[mounts->count] = parent;
	mounts->mounts[mounts->count++] = mount;
	return 0;
}

static int by_their_id(const void *left, const void *right)
{
	const struct mount *const *a = left, *const *b = right;

	return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

static int link_parents(struct mounts *mounts)
{
	_cleanup_free_ const struct mount **sorted = calloc(mounts->count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < mounts->count; i++)
		sorted[i] = &mounts->mounts[i];
	qsort(sorted, mounts->count, sizeof(*sorted), by_their_id);
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount wanted = {.id = mounts->parents[i]}, *key = &wanted;
		const struct mount **found =
			bsearch(&key, sorted, mounts->count, sizeof(*sorted), by_their_id);

		if (found && *found != &mounts->mounts[i])
			mounts->mounts[i].parent = *found;
	}
	return 0;
}

int mounts__parse(const char *text, struct mounts **ret_mounts)
{
	struct mounts *mounts = calloc(1, sizeof(*mounts));
	char *rest, *line;
	int err = 0;

	if (!mounts)
		return -ENOMEM;
	rest = mounts->text = strdup(text);
	if (!rest)
		err = -ENOMEM;
	while (!err && (line = strsep(&rest, "\n")))
		if (*line)
			err = parse_line(mounts, line);
	err = err ?: link_parents(mounts);
	if (err) {
		mounts__free(mounts);
		return err;
	}
	*ret_mounts = mounts;
	return 0;
}

int mounts__read(pid_t pid, struct mounts **ret_mounts)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	err = file__read(path, MOUNTINFO_LIMIT, &text, NULL);
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	return mounts__parse(text, ret_mounts);
}

const struct mount *mounts__by_id(const struct mounts *mounts, uint32_t id)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->mounts[i].id == id)
			return &mounts->mounts[i];
	return NULL;
}

/* The mount on `below` that the way along path meets first. Of several on one point the last one
 * hides the others. */
static const struct mount *next_on_path(const struct mounts *mounts, const struct mount *below,
					const char *path)
{
	const struct mount *first = NULL;
	size_t first_length = SIZE_MAX;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *one = &mounts->mounts[i];
		size_t length;

		if (one->parent != below)
			continue;
		length = strcmp(one->point, "/") ? strlen(one->point) : 0;
		if (length <= first_length && !strncmp(path, one->point, length) &&
		    (path[length] == '/' || !path[length])) {
			first = one;
			first_length = length;
		}
	}
	return first;
}

const struct mount *mounts__by_path(const struct mounts *mounts, const char *path)
{
	const struct mount *mount = NULL, *next;

	/* Each has one parent, so the way down ends. */
	while (*path == '/' && (next = next_on_path(mounts, mount, path)))
		mount = next;
	return mount;
}

size_t mounts__count(const struct mounts *mounts)
{
	return mounts->count;
}

const struct mount *mounts__at(const struct mounts *mounts, size_t index)
{
	return &mounts->mounts[index];
}
