// SPDX-License-Identifier: GPL-2.0-or-later
/* Tuples lie in blocks, each twice as large as the one before, so that they never move; a table of
 * indices finds them by their hash. A malloc each would take three times the memory. */
#include "model/tuples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_LOG 4 /* tuples of the first block, as a power of 2 */
#define MOST_BLOCKS	(33 - FIRST_BLOCK_LOG)
#define FIRST_SLOTS	32

struct tuple_set {
	size_t width;
	size_t count;
	uint64_t *blocks[MOST_BLOCKS];
	uint32_t *slots; /* open addressing: an index + 1, or 0 */
	size_t slot_count; /* a power of 2, more than the tuples */
	uint64_t seed; /* nobody can choose values that collide in every run */
};

struct tuple_set *tuple_set__new(size_t width)
{
	struct tuple_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->width = width;
	set->seed = (uintptr_t)set;
	return set;
}

void tuple_set__free(struct tuple_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < MOST_BLOCKS; i++)
		free(set->blocks[i]);
	free(set->slots);
	free(set);
}

/* Block b begins with tuple 16 * (2^b - 1). */
static unsigned int block_of(uint32_t index)
{
	return 63U - (unsigned int)__builtin_clzll(((uint64_t)index >> FIRST_BLOCK_LOG) + 1);
}

static uint64_t *values_at(const struct tuple_set *set, uint32_t index)
{
	unsigned int block = block_of(index);
	size_t first = (((size_t)1 << block) - 1) << FIRST_BLOCK_LOG;

	return set->blocks[block] + (index - first) * set->width;
}

static uint64_t hash_of(const struct tuple_set *set, const uint64_t *values)
{
	uint64_t hash = set->seed;

	for (size_t i = 0; i < set->width; i++) {
		hash = (hash ^ values[i]) * 0x9e3779b97f4a7c15; /* 2^64 / golden ratio */
		hash ^= hash >> 29;
	}
	hash *= 0xbf58476d1ce4e5b9;
	return hash ^ hash >> 32;
}

/* The slot of the tuple, or the free one where it belongs. */
static uint32_t *slot_of(const struct tuple_set *set, const uint64_t *values)
{
	size_t size = set->width * sizeof(*values), mask = set->slot_count - 1;
	size_t at = hash_of(set, values) & mask;

	while (set->slots[at] && memcmp(values_at(set, set->slots[at] - 1), values, size))
		at = (at + 1) & mask;
	return &set->slots[at];
}

/* Keeps at least a quarter of the slots free. */
static int reserve_slot(struct tuple_set *set)
{
	struct tuple_set grown = *set;

	if (set->slot_count && set->count < set->slot_count / 4 * 3)
		return 0;
	grown.slot_count = set->slot_count ? set->slot_count * 2 : FIRST_SLOTS;
	grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->count; i++)
		*slot_of(&grown, values_at(set, i)) = i + 1;
	free(set->slots);
	*set = grown;
	return 0;
}

static int reserve_values(struct tuple_set *set, uint32_t index)
{
	unsigned int block = block_of(index);
	size_t bytes;

	if (set->blocks[block])
		return 0;
	if (__builtin_mul_overflow((size_t)1 << (block + FIRST_BLOCK_LOG),
				   set->width * sizeof(uint64_t), &bytes))
		return -ENOMEM;
	set->blocks[block] = malloc(bytes);
	return set->blocks[block] ? 0 : -ENOMEM;
}

int tuple_set__add(struct tuple_set *set, const uint64_t *values, uint32_t *ret_index)
{
	uint32_t *slot, index = (uint32_t)set->count;
	int error;

	if (set->slots) {
		slot = slot_of(set, values);
		if (*slot) {
			*ret_index = *slot - 1;
			return 0;
		}
	}
	if (set->count >= UINT32_MAX - 1)
		return -EOVERFLOW;
	error = reserve_slot(set);
	if (!error)
		error = reserve_values(set, index);
	if (error)
		return error;
	memcpy(values_at(set, index), values, set->width * sizeof(*values));
	*slot_of(set, values) = index + 1;
	set->count++;
	*ret_index = index;
	return 0;
}

size_t tuple_set__count(const struct tuple_set *set)
{
	return set->count;
}

const uint64_t *tuple_set__at(const struct tuple_set *set, uint32_t index)
{
	return values_at(set, index);
}
