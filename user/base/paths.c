// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_part(const char *part, size_t size, const char *wanted)
{
	return size == strlen(wanted) && !memcmp(part, wanted, size);
}

char *path__clean(const char *path)
{
	bool absolute = *path == '/';
	char *clean = malloc(strlen(path) + 2), *to = clean, *kept = clean;

	if (!clean)
		return NULL;
	for (;;) {
		size_t size;

		path += strspn(path, "/");
		size = strcspn(path, "/");
		if (!size)
			break;
		if (is_part(path, size, "..") && to > kept) {
			while (to > kept && *--to != '/')
				;
		} else if (!is_part(path, size, ".") &&
			   (!is_part(path, size, "..") || !absolute || kept > clean)) {
			bool is_first = to == clean;

			if (absolute || !is_first)
				*to++ = '/';
			memcpy(to, path, size);
			to += size;
			if ((is_first && is_part(path, size, "...")) || is_part(path, size, ".."))
				kept = to;
		}
		path += size;
	}
	if (to == clean)
		*to++ = absolute ? '/' : '.';
	*to = '\0';
	return clean;
}
