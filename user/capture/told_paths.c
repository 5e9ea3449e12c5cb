// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/told_paths.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "io.h"
#include "wire.h"

/* Names from the innermost to the outermost, NUL behind each → "/a/b/c". */
static char *join_names(const char *text, size_t size, bool cut)
{
	char *path = malloc(size + 8), *to = path;
	size_t end = size;

	if (!path)
		return NULL;
	if (cut)
		to += sprintf(to, "/...");
	while (end > 0) {
		size_t start = end - 1; /* of the last name, which ends with the NUL at end - 1 */

		while (start > 0 && text[start - 1])
			start--;
		*to++ = '/';
		memcpy(to, text + start, end - 1 - start);
		to += end - 1 - start;
		end = start;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
	return path;
}

char *told_path__of_file(const struct ps_file_event *event, const char *text)
{
	return join_names(text, event->text_size, event->cut);
}

/* "directory/path", or "/path" below the root. */
static char *join_path(const char *directory, const char *path)
{
	char *joined;

	if (asprintf(&joined, "%s/%s", strcmp(directory, "/") ? directory : "", path) < 0)
		return NULL;
	return joined;
}

/* Whether the path begins at the root that the process's mounts have, too. */
static bool is_absolute(const struct ps_file_event *event, const char *text)
{
	return text[0] == '/' && !event->mount;
}

/* What a path is relative to: the directory whose names came with it, as an absolute one is to the
 * root of who has another than its mounts; without names what the process says its directory is,
 * now. */
static char *base_of(const struct ps_file_event *event, const char *text)
{
	size_t size = event->text_size;
	char link[64], directory[4096];
	ssize_t got;

	if (is_absolute(event, text))
		return strdup("/");
	if (event->mount && event->path_size && event->path_size <= size)
		return join_names(text + event->path_size, size - event->path_size, event->cut);
	if (event->at == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%u/cwd", event->event.tgid);
	else
		snprintf(link, sizeof(link), "/proc/%u/fd/%d", event->event.tgid, event->at);
	got = readlink(link, directory, sizeof(directory) - 1);
	if (got < 0)
		got = snprintf(directory, sizeof(directory), "...");
	directory[got] = '\0';
	return strdup(directory);
}

/* told: the path that text has, or the beginning of it. */
static char *resolve(const struct ps_file_event *event, const char *text, const char *told)
{
	_cleanup_free_ char *base = base_of(event, text), *inside = NULL;

	if (!base)
		return NULL;
	if (told[0] != '/')
		return path__join(base, told);
	/* ".." does not lead out of a root, also where that is a directory of its mounts. */
	inside = path__join("/", told);
	return inside ? path__join(base, inside) : NULL;
}

char *told_path__resolve(const struct ps_file_event *event, const char *text)
{
	_cleanup_free_ char *told = strndup(text, event->text_size);

	return told ? resolve(event, text, told) : NULL;
}

/* What BPF calls the directory with this name. */
static uint64_t hash_of(const char *text, size_t length)
{
	uint64_t hash = 0;

	for (size_t at = 0; at < length; at += sizeof(uint64_t)) {
		size_t left = length - at;
		uint64_t word = 0;

		memcpy(&word, text + at, left < sizeof(word) ? left : sizeof(word));
		hash = ps_mix(hash, word);
	}
	return PS_PATH_HASH(hash);
}

char *told_path__directory(const struct ps_file_event *event, const char *text, uint64_t *ret_hash)
{
	_cleanup_free_ char *told = NULL, *directory = NULL;
	size_t length = strnlen(text, event->text_size);
	uint64_t hash = event->directory;

	if (text[0] == '/') {
		while (text[length - 1] != '/')
			length--;
		hash = ps_mix(hash_of(text, length - 1), hash);
		told = strndup(text, length);
		directory = told ? resolve(event, text, told) : NULL;
	} else {
		directory = base_of(event, text);
	}
	if (!directory)
		return NULL;
	*ret_hash = hash;
	return join_path(directory, "");
}
