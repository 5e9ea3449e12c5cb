// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/strings.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct pooled {
	UT_hash_handle hh;
	uint32_t used; /* number of the sweep before its last use */
	char text[];
};

struct string_pool {
	struct pooled *strings;
	uint32_t sweeps;
};

struct string_pool *string_pool__new(void)
{
	return calloc(1, sizeof(struct string_pool));
}

void string_pool__free(struct string_pool *pool)
{
	struct pooled *one, *next;

	if (!pool)
		return;
	HASH_ITER (hh, pool->strings, one, next) {
		HASH_DEL(pool->strings, one);
		free(one);
	}
	free(pool);
}

const char *string_pool__intern_bytes(struct string_pool *pool, const char *text, size_t size)
{
	struct pooled *found;

	size = strnlen(text, size);
	HASH_FIND(hh, pool->strings, text, size, found);
	if (found) {
		found->used = pool->sweeps;
		return found->text;
	}
	found = calloc(1, sizeof(*found) + size + 1);
	if (!found)
		return NULL;
	found->used = pool->sweeps;
	memcpy(found->text, text, size);
	HASH_ADD_KEYPTR(hh, pool->strings, found->text, size, found);
	if (!found->hh.tbl) {
		free(found);
		return NULL;
	}
	return found->text;
}

const char *string_pool__intern(struct string_pool *pool, const char *text)
{
	return string_pool__intern_bytes(pool, text, strlen(text));
}

void string_pool__use(struct string_pool *pool, const char *text)
{
	struct pooled *pooled;

	if (!text)
		return;
	pooled = (struct pooled *)(text - offsetof(struct pooled, text));
	pooled->used = pool->sweeps;
}

void string_pool__sweep(struct string_pool *pool)
{
	struct pooled *one, *next;

	HASH_ITER (hh, pool->strings, one, next) {
		if (pool->sweeps - one->used < 2)
			continue;
		HASH_DEL(pool->strings, one);
		free(one);
	}
	pool->sweeps++;
}
