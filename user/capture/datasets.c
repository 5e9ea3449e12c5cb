// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/datasets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "proc/rules.h"
#include "store/writer.h"

/* Renames of files that have no row yet. What is beyond these is not known by its old name. */
#define RENAMED_MOST 20000

/* A file of a type that was seen under another name. */
struct renamed {
	UT_hash_handle hh;
	const char *type, *rule; /* the rules' */
	unsigned int slices; /* that it has seen */
	char path[];
};

struct datasets {
	struct recording_writer *writer;
	struct rules *rules;
	struct renamed *renamed;
};

int datasets__new(struct recording_writer *writer, struct rules *rules,
		  struct datasets **ret_datasets)
{
	struct datasets *datasets = calloc(1, sizeof(*datasets));

	if (!datasets)
		return -ENOMEM;
	datasets->writer = writer;
	datasets->rules = rules;
	*ret_datasets = datasets;
	return 0;
}

void datasets__free(struct datasets *datasets)
{
	struct renamed *one, *next;

	if (!datasets)
		return;
	HASH_ITER (hh, datasets->renamed, one, next) {
		HASH_DEL(datasets->renamed, one);
		free(one);
	}
	free(datasets);
}

static struct renamed *find(struct datasets *datasets, const char *path)
{
	struct renamed *one;

	HASH_FIND(hh, datasets->renamed, path, strlen(path), one);
	return one;
}

static int remember(struct datasets *datasets, const char *path, const char *type, const char *rule)
{
	struct renamed *one = find(datasets, path);
	size_t length = strlen(path);

	if (!one) {
		if (HASH_COUNT(datasets->renamed) == RENAMED_MOST)
			return 0;
		one = calloc(1, sizeof(*one) + length + 1);
		if (!one)
			return -ENOMEM;
		memcpy(one->path, path, length);
		HASH_ADD_KEYPTR(hh, datasets->renamed, one->path, length, one);
		if (!one->hh.tbl) {
			free(one);
			return -ENOMEM;
		}
	}
	one->type = type;
	one->rule = rule;
	one->slices = 0;
	return 0;
}

int datasets__on_row(struct datasets *datasets, int64_t row, const char *path)
{
	const char *type, *rule;
	struct renamed *one;
	int found;

	if (!datasets->rules)
		return 0;
	found = rules__dataset(datasets->rules, path, &type, &rule);
	if (found < 0)
		return found;
	one = found ? NULL : find(datasets, path);
	if (one) {
		type = one->type;
		rule = one->rule;
	}
	return found || one ? recording_writer__dataset(datasets->writer, row, type, rule) : 0;
}

int datasets__on_renamed(struct datasets *datasets, const char *from, const char *to, int64_t row)
{
	const char *type, *rule, *own;
	int found;

	if (!datasets->rules)
		return 0;
	found = rules__dataset(datasets->rules, to, &type, &rule);
	if (found <= 0)
		return found;
	if (!row)
		return remember(datasets, from, type, rule);
	found = rules__dataset(datasets->rules, from, &own, &rule);
	return found ? (found < 0 ? found : 0)
		     : recording_writer__dataset(datasets->writer, row, type, rule);
}

void datasets__on_slice(struct datasets *datasets)
{
	struct renamed *one, *next;

	HASH_ITER (hh, datasets->renamed, one, next) {
		if (one->slices++ < 2)
			continue;
		HASH_DEL(datasets->renamed, one);
		free(one);
	}
}
