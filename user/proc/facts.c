// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files.h"

#define ENVIRONMENT_LIMIT (1024 * 1024)
#define SMALL_FILE_LIMIT  (64 * 1024)

static int read_of(pid_t pid, const char *name, size_t limit, char **ret_text, size_t *ret_size)
{
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	err = file__read_start(path, limit, ret_text, ret_size);
	return err == -ENOENT ? -ESRCH : err;
}

int facts__arguments(pid_t pid, size_t limit, char **ret_arguments, size_t *ret_size)
{
	return read_of(pid, "cmdline", limit, ret_arguments, ret_size);
}

static int is_wanted(const char *string, const char *const *names, size_t name_count)
{
	const char *equals = strchr(string, '=');
	size_t size = equals ? (size_t)(equals - string) : 0;

	for (size_t i = 0; equals && i < name_count; i++)
		if (strlen(names[i]) == size && !memcmp(names[i], string, size))
			return 1;
	return 0;
}

int facts__environment(pid_t pid, const char *const *names, size_t name_count, char **ret_text,
		       size_t *ret_size)
{
	size_t size = 0, kept = 0;
	char *text = NULL;
	int err = read_of(pid, "environ", ENVIRONMENT_LIMIT, &text, &size);

	if (err)
		return err;
	/* The wanted strings move to the front, the rest is wiped. */
	for (size_t at = 0; at < size;) {
		size_t length = strnlen(text + at, size - at) + 1;

		if (at + length <= size && is_wanted(text + at, names, name_count)) {
			memmove(text + kept, text + at, length);
			kept += length;
		}
		at += length;
	}
	explicit_bzero(text + kept, size - kept);
	*ret_text = text;
	*ret_size = kept;
	return 0;
}

int facts__cgroup(pid_t pid, char **ret_path)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line, *best = NULL;
	int err = read_of(pid, "cgroup", SMALL_FILE_LIMIT, &text, NULL);

	if (err)
		return err;
	/* hierarchy:controllers:path; the unified hierarchy is number 0 */
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		path++;
		if (!best || !strcmp(best, "/") || (!strncmp(line, "0:", 2) && strcmp(path, "/")))
			best = path;
	}
	if (!best)
		return -ENODATA;
	best = strdup(best);
	if (!best)
		return -ENOMEM;
	*ret_path = best;
	return 0;
}

int facts__start_code(pid_t pid, uint64_t *ret_address)
{
	_cleanup_free_ char *text = NULL;
	const char *at;
	int err = read_of(pid, "stat", SMALL_FILE_LIMIT, &text, NULL);

	if (err)
		return err;
	/* Field 26; the second one, in parentheses, may hold anything. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 26; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -ENODATA;
	*ret_address = strtoull(at, NULL, 10);
	return *ret_address > 1 ? 0 : -EACCES;
}

void facts__comm(pid_t pid, char *ret_comm, size_t size)
{
	_cleanup_free_ char *text = NULL;

	if (read_of(pid, "comm", SMALL_FILE_LIMIT, &text, NULL)) {
		snprintf(ret_comm, size, "[unknown]");
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	snprintf(ret_comm, size, "%s", text);
}

int facts__max_rss(pid_t pid, uint64_t *ret_bytes)
{
	_cleanup_free_ char *text = NULL;
	uint64_t kilobytes;
	const char *line;
	int err = read_of(pid, "status", SMALL_FILE_LIMIT, &text, NULL);

	if (err)
		return err;
	line = strstr(text, "\nVmHWM:");
	if (!line || sscanf(line, "\nVmHWM: %" SCNu64 " kB", &kilobytes) != 1)
		return -ENODATA;
	*ret_bytes = kilobytes * 1024;
	return 0;
}
