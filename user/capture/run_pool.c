// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/run_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/extents.h"

struct given {
	struct run run;
	uint64_t time_ns;
};

struct run_pool {
	int outer;
	struct run_pool_sizes sizes;
	void **memory; /* by map */
	struct extents *free; /* by map */
	uint64_t *empty_ns; /* by map: since when nothing is taken; 0: something is */
	uint32_t count; /* the highest map made, and one */
	struct given *given; /* oldest first */
	size_t given_count, given_capacity;
};

static size_t map_size(const struct run_pool *pool)
{
	return (size_t)pool->sizes.items * pool->sizes.item_size;
}

/* As mmap() counts it. */
static size_t mapped_size(const struct run_pool *pool)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (map_size(pool) + page - 1) / page * page;
}

int run_pool__new(int outer, const struct run_pool_sizes *sizes, struct run_pool **ret_pool)
{
	struct run_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->outer = outer;
	pool->sizes = *sizes;
	pool->memory = calloc(sizes->maps, sizeof(*pool->memory));
	pool->free = calloc(sizes->maps, sizeof(*pool->free));
	pool->empty_ns = calloc(sizes->maps, sizeof(*pool->empty_ns));
	if (!pool->memory || !pool->free || !pool->empty_ns) {
		run_pool__free(pool);
		return -ENOMEM;
	}
	*ret_pool = pool;
	return 0;
}

static void unmap(struct run_pool *pool, uint32_t index)
{
	if (pool->memory[index])
		munmap(pool->memory[index], mapped_size(pool));
	pool->memory[index] = NULL;
	extents__clear(&pool->free[index]);
}

void run_pool__free(struct run_pool *pool)
{
	if (!pool)
		return;
	for (uint32_t i = 0; i < pool->count; i++)
		unmap(pool, i);
	free(pool->memory);
	free(pool->free);
	free(pool->empty_ns);
	free(pool->given);
	free(pool);
}

static int make_map(struct run_pool *pool)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd = -1;
	uint32_t index = 0;
	void *memory;
	int err;

	while (index < pool->count && pool->memory[index])
		index++;
	if (index == pool->sizes.maps)
		return -ENOSPC;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, pool->sizes.name, sizeof(uint32_t),
			    (uint32_t)map_size(pool), 1, &options);
	if (fd < 0)
		return fd;
	memory = mmap(NULL, mapped_size(pool), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	err = extents__init(&pool->free[index], pool->sizes.items);
	if (!err)
		err = bpf_map_update_elem(pool->outer, &index, &fd, BPF_ANY);
	if (err) {
		extents__clear(&pool->free[index]);
		munmap(memory, mapped_size(pool));
		return err;
	}
	pool->memory[index] = memory;
	pool->empty_ns[index] = 0;
	if (index == pool->count)
		pool->count++;
	return 0;
}

static int take_from(struct run_pool *pool, uint32_t count, struct run *run)
{
	for (run->map = 0; run->map < pool->count; run->map++)
		if (pool->memory[run->map] &&
		    !extents__take(&pool->free[run->map], count, &run->start))
			return 0;
	return -ENOSPC;
}

int run_pool__take(struct run_pool *pool, uint32_t count, struct run *ret_run)
{
	struct run run = {.count = count};
	int err;

	if (!count || count > pool->sizes.items)
		return -EINVAL;
	if (take_from(pool, count, &run)) {
		err = make_map(pool) ?: take_from(pool, count, &run);
		if (err)
			return err;
	}
	pool->empty_ns[run.map] = 0;
	*ret_run = run;
	return 0;
}

void run_pool__give(struct run_pool *pool, const struct run *run, uint64_t now_ns)
{
	/* Without memory to note it the run stays taken: nothing worse. */
	if (!run->count || array__reserve(&pool->given, &pool->given_capacity, sizeof(*pool->given),
					  pool->given_count + 1))
		return;
	pool->given[pool->given_count++] = (struct given){*run, now_ns};
}

/* What one burst of programs needed is not kept for days: BPF finds no map there any more, and
 * whoever looks into it right now keeps it until it is done. */
static void release_empty(struct run_pool *pool, uint64_t now_ns)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		if (!pool->memory[i] || extents__largest(&pool->free[i]) < pool->sizes.items)
			continue;
		if (!pool->empty_ns[i])
			pool->empty_ns[i] = now_ns;
		else if (now_ns - pool->empty_ns[i] >= RUN_POOL_EMPTY_NS &&
			 !bpf_map_delete_elem(pool->outer, &i))
			unmap(pool, i);
	}
	while (pool->count && !pool->memory[pool->count - 1])
		pool->count--;
}

void run_pool__sweep(struct run_pool *pool, uint64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < pool->given_count; i++) {
		const struct given *given = &pool->given[i];

		if (now_ns - given->time_ns < RUN_POOL_GRACE_NS ||
		    extents__give(&pool->free[given->run.map], given->run.start, given->run.count))
			pool->given[kept++] = *given;
	}
	pool->given_count = kept;
	release_empty(pool, now_ns);
}

uint32_t run_pool__largest(const struct run_pool *pool)
{
	uint32_t largest = 0;

	for (uint32_t i = 0; i < pool->count; i++) {
		uint32_t here = extents__largest(&pool->free[i]);

		if (here > largest)
			largest = here;
	}
	return largest;
}

void *run_pool__items(const struct run_pool *pool, const struct run *run)
{
	return (char *)pool->memory[run->map] + (size_t)run->start * pool->sizes.item_size;
}

void *const *run_pool__maps(const struct run_pool *pool)
{
	return pool->memory;
}

uint64_t run_pool__bytes(const struct run_pool *pool)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < pool->count; i++)
		bytes += pool->memory[i] ? mapped_size(pool) : 0;
	return bytes;
}
