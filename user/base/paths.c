// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_part(const char *part, size_t size, const char *wanted)
{
	return size == strlen(wanted) && !memcmp(part, wanted, size);
}

/* Without its last name. false: what it would be is not known. */
static bool go_up(const char *path, size_t *size)
{
	size_t end = *size;

	while (end > 0 && path[end - 1] != '/')
		end--;
	if (is_part(path + end, *size - end, "..."))
		return false;
	*size = end > 0 ? end - 1 : 0;
	return true;
}

char *path__join(const char *base, const char *told)
{
	size_t size = strlen(base), part;
	char *path = malloc(size + strlen(told) + 3);
	bool named = false;

	if (!path)
		return NULL;
	memcpy(path, base, size);
	while (size > 0 && path[size - 1] == '/')
		size--;
	for (told += strspn(told, "/"); *told; told += part, told += strspn(told, "/")) {
		part = strcspn(told, "/");
		if (is_part(told, part, "."))
			continue;
		if (is_part(told, part, "..") && !named && go_up(path, &size))
			continue;
		path[size++] = '/';
		memcpy(path + size, told, part);
		size += part;
		named = true;
	}
	if (!size)
		path[size++] = '/';
	path[size] = '\0';
	return path;
}
