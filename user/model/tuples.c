// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/tuples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"

struct tuple {
	UT_hash_handle hh;
	uint32_t index;
	uint64_t values[];
};

struct tuple_set {
	size_t width;
	struct tuple *hash;
	struct tuple **tuples;
	size_t count, capacity;
};

struct tuple_set *tuple_set__new(size_t width)
{
	struct tuple_set *set = calloc(1, sizeof(*set));

	if (set)
		set->width = width;
	return set;
}

void tuple_set__free(struct tuple_set *set)
{
	if (!set)
		return;
	HASH_CLEAR(hh, set->hash);
	for (size_t i = 0; i < set->count; i++)
		free(set->tuples[i]);
	free(set->tuples);
	free(set);
}

int tuple_set__add(struct tuple_set *set, const uint64_t *values, uint32_t *ret_index)
{
	size_t size = set->width * sizeof(*values);
	struct tuple *tuple;
	int error;

	HASH_FIND(hh, set->hash, values, size, tuple);
	if (tuple) {
		*ret_index = tuple->index;
		return 0;
	}
	if (set->count >= UINT32_MAX - 1)
		return -EOVERFLOW;
	error = array__reserve(&set->tuples, &set->capacity, sizeof(*set->tuples), set->count + 1);
	if (error)
		return error;
	tuple = malloc(sizeof(*tuple) + size);
	if (!tuple)
		return -ENOMEM;
	memset(&tuple->hh, 0, sizeof(tuple->hh));
	memcpy(tuple->values, values, size);
	tuple->index = (uint32_t)set->count;
	HASH_ADD_KEYPTR(hh, set->hash, tuple->values, size, tuple);
	if (!tuple->hh.tbl) {
		free(tuple);
		return -ENOMEM;
	}
	set->tuples[set->count++] = tuple;
	*ret_index = tuple->index;
	return 0;
}

size_t tuple_set__count(const struct tuple_set *set)
{
	return set->count;
}

const uint64_t *tuple_set__at(const struct tuple_set *set, uint32_t index)
{
	return set->tuples[index]->values;
}
