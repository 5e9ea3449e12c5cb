/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Room in the BPF maps of the native walker: runs of equal items that lie side by side in one inner
 * map of an ARRAY_OF_MAPS. Inner maps are made as they are needed, given back when they are not,
 * and written through memory that is shared with BPF. A run that is given back is used again only
 * after a time of grace, when no program can still be reading it. */
#ifndef CAPTURE_RUN_POOL_H
#define CAPTURE_RUN_POOL_H

#include <stddef.h>
#include <stdint.h>

#define RUN_POOL_GRACE_NS 3000000000ULL
#define RUN_POOL_EMPTY_NS 20000000000ULL

struct run_pool;

struct run {
	uint32_t map; /* index of the inner map */
	uint32_t start, count; /* items; count 0: no run */
};

struct run_pool_sizes {
	const char *name; /* of the inner maps */
	uint32_t maps; /* at most */
	uint32_t items; /* of a map */
	uint32_t item_size; /* bytes */
};

/* outer: descriptor of the outer map, borrowed. -ENOMEM. */
int run_pool__new(int outer, const struct run_pool_sizes *sizes, struct run_pool **ret_pool);
void run_pool__free(struct run_pool *pool);

/* Room for `count` items (at most those of a map). -ENOSPC: all maps are full; or why a map could
 * not be made. */
int run_pool__take(struct run_pool *pool, uint32_t count, struct run *ret_run);
void run_pool__give(struct run_pool *pool, const struct run *run, uint64_t now_ns);

/* Makes what was given back long enough ago free again, and gives back maps of which nothing has
 * been taken for RUN_POOL_EMPTY_NS. */
void run_pool__sweep(struct run_pool *pool, uint64_t now_ns);

/* The most items that lie side by side in the maps there are. */
uint32_t run_pool__largest(const struct run_pool *pool);

/* The items of a run, and the inner maps' memory by index (NULL: not made). */
void *run_pool__items(const struct run_pool *pool, const struct run *run);
void *const *run_pool__maps(const struct run_pool *pool);

/* Bytes of all inner maps. */
uint64_t run_pool__bytes(const struct run_pool *pool);

#endif
