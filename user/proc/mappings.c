// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/mappings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"
#include "base/strings.h"

#define MAPS_LIMIT (64u * 1024 * 1024) /* bytes of one maps file: about 500,000 mappings */

struct mapping_set {
	size_t references;
	size_t count, capacity;
	struct mapping *mappings; /* sorted, disjoint */
};

struct mapping_set *mapping_set__new(void)
{
	struct mapping_set *set = calloc(1, sizeof(*set));

	if (set)
		set->references = 1;
	return set;
}

struct mapping_set *mapping_set__ref(struct mapping_set *set)
{
	if (set)
		set->references++;
	return set;
}

void mapping_set__unref(struct mapping_set *set)
{
	if (!set || --set->references)
		return;
	free(set->mappings);
	free(set);
}

/* Index of the first mapping that ends behind address. */
static size_t lower_bound(const struct mapping_set *set, uint64_t address)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct mapping *mapping_set__find(const struct mapping_set *set, uint64_t address)
{
	size_t index = lower_bound(set, address);

	if (index == set->count || set->mappings[index].start > address)
		return NULL;
	return &set->mappings[index];
}

size_t mapping_set__count(const struct mapping_set *set)
{
	return set->count;
}

const struct mapping *mapping_set__at(const struct mapping_set *set, size_t index)
{
	return &set->mappings[index];
}

/* Makes *set one that nobody else refers to, with room for `extra` more. */
static int make_own(struct mapping_set **set, size_t extra)
{
	struct mapping_set *old = *set, *own = old;
	int err;

	if (old->references > 1) {
		own = mapping_set__new();
		if (!own)
			return -ENOMEM;
	}
	err = array__reserve(&own->mappings, &own->capacity, sizeof(*own->mappings),
			     old->count + extra);
	if (err) {
		if (own != old)
			mapping_set__unref(own);
		return err;
	}
	if (own != old) {
		if (old->count)
			memcpy(own->mappings, old->mappings, old->count * sizeof(*own->mappings));
		own->count = old->count;
		mapping_set__unref(old);
		*set = own;
	}
	return 0;
}

static void insert_at(struct mapping_set *set, size_t index, const struct mapping *mapping)
{
	memmove(&set->mappings[index + 1], &set->mappings[index],
		(set->count - index) * sizeof(*mapping));
	set->mappings[index] = *mapping;
	set->count++;
}

int mapping_set__add(struct mapping_set **set, const struct mapping *mapping)
{
	struct mapping_set *own;
	size_t index, behind;
	int err;

	if (mapping->start >= mapping->end)
		return -EINVAL;
	err = make_own(set, 2); /* itself, and the rest of one that it splits */
	if (err)
		return err;
	own = *set;
	index = lower_bound(own, mapping->start);
	if (index < own->count && own->mappings[index].start < mapping->start) {
		struct mapping *before = &own->mappings[index];

		if (before->end > mapping->end) {
			struct mapping rest = *before;

			rest.offset += mapping->end - rest.start;
			rest.start = mapping->end;
			before->end = mapping->start;
			insert_at(own, index + 1, &rest);
		} else {
			before->end = mapping->start;
		}
		index++;
	}
	for (behind = index; behind < own->count && own->mappings[behind].end <= mapping->end;)
		behind++;
	if (behind < own->count && own->mappings[behind].start < mapping->end) {
		struct mapping *cut = &own->mappings[behind];

		cut->offset += mapping->end - cut->start;
		cut->start = mapping->end;
	}
	memmove(&own->mappings[index], &own->mappings[behind],
		(own->count - behind) * sizeof(*mapping));
	own->count -= behind - index;
	insert_at(own, index, mapping);
	return 0;
}

int mapping_set__drop_before(struct mapping_set **set, uint64_t since_ns)
{
	struct mapping_set *own;
	size_t kept = 0;
	int err = make_own(set, 0);

	if (err)
		return err;
	own = *set;
	for (size_t i = 0; i < own->count; i++)
		if (own->mappings[i].since_ns >= since_ns)
			own->mappings[kept++] = own->mappings[i];
	own->count = kept;
	return 0;
}

/* One line: start-end perms offset major:minor inode   path */
static int parse_line(const char *line, struct string_pool *pool, struct mapping_set **set)
{
	unsigned int device_major, device_minor;
	char permissions[5];
	struct mapping mapping = {};
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &mapping.start, &mapping.end, permissions, &mapping.offset, &device_major,
		   &device_minor, &mapping.file.inode, &path_at) < 7 ||
	    !path_at || mapping.start >= mapping.end)
		return -EBADMSG;
	if (!strchr(permissions, 'x'))
		return 0;
	mapping.file.device = makedev(device_major, device_minor);
	mapping.file.path = string_pool__intern(pool, line + path_at);
	if (!mapping.file.path)
		return -ENOMEM;
	return mapping_set__add(set, &mapping);
}

int mapping_set__parse(const char *text, struct string_pool *pool, struct mapping_set **ret_set)
{
	struct mapping_set *set = mapping_set__new();
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *line;
	int err = set && copy ? 0 : -ENOMEM;

	while (!err && (line = strsep(&rest, "\n")))
		if (*line)
			err = parse_line(line, pool, &set);
	if (err) {
		mapping_set__unref(set);
		return err;
	}
	*ret_set = set;
	return 0;
}

int mapping_set__read(pid_t pid, struct string_pool *pool, struct mapping_set **ret_set)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	err = file__read(path, MAPS_LIMIT, &text, NULL);
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	return mapping_set__parse(text, pool, ret_set);
}
