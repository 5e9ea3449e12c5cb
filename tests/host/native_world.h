/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The native walker compiled for the host, a stack made by hand, and rows to walk it by. Included
 * by one .c per binary. */
#ifndef HOST_NATIVE_WORLD_H
#define HOST_NATIVE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "capture/remote_walk.h"
#include "user_memory.bpf.h"

static const struct memory *walked;

/* As the kernel's helper: what cannot be read whole is zeroed. */
static long ps_read_user(void *destination, __u32 size, __u64 address)
{
	int err = memory__read(walked, address, destination, size);

	if (err)
		memset(destination, 0, size);
	return err;
}

#include "native.bpf.h"

#define STACK	    0x7ffd00000000ULL
#define STACK_WORDS 1024
#define STACK_END   (STACK + 8 * STACK_WORDS)
#define CODE_AT	    0x400000ULL /* of the first range */
#define NOWHERE	    0x10000ULL

struct native_world {
	struct memory memory; /* first: a struct memory * is this object */
	uint64_t words[STACK_WORDS]; /* at STACK */
	uint64_t hidden, hidden_size; /* cannot be read */
	size_t reads; /* so far */
	struct ps_unwind_chunk *chunks[PS_UNWIND_CHUNKS]; /* two are there */
	struct ps_unwind_table *table;
	struct remote_rows rows;
};

static int native_world__read(const struct memory *memory, uint64_t address, void *destination,
			      size_t size)
{
	struct native_world *world = (struct native_world *)(uintptr_t)memory;

	world->reads++;
	if (address < STACK || address > STACK_END || size > STACK_END - address)
		return -EFAULT;
	if (address < world->hidden + world->hidden_size && address + size > world->hidden)
		return -EFAULT;
	memcpy(destination, (const char *)world->words + (address - STACK), size);
	return 0;
}

/* One range of 4096 bytes at CODE_AT, whose row address 0 is there, with one row: nothing. */
static void make_native(struct native_world *world)
{
	memset(world, 0, sizeof(*world));
	world->memory.read = native_world__read;
	for (int i = 0; i < 2; i++)
		world->chunks[i] = calloc(1, sizeof(*world->chunks[i]));
	world->table = calloc(1, sizeof(*world->table));
	assert_non_null(world->chunks[0]);
	assert_non_null(world->chunks[1]);
	assert_non_null(world->table);
	world->table->ranges[0] = (struct ps_unwind_range){.start = CODE_AT, .size = 4096};
	world->rows.chunks = (const struct ps_unwind_chunk *const *)world->chunks;
	world->rows.table = world->table;
	world->rows.ranges.count = 1;
	walked = &world->memory;
}

static void free_native(struct native_world *world)
{
	free(world->chunks[0]);
	free(world->chunks[1]);
	free(world->table);
}

/* The next row of the first range. */
static void put_row(struct native_world *world, uint32_t address, uint32_t rule)
{
	struct ps_unwind_range *range = &world->table->ranges[0];

	if (address)
		range->last++;
	world->chunks[0]->rows[range->last] = (struct ps_unwind_row){address, rule};
}

static void put_word(struct native_world *world, uint64_t address, uint64_t value)
{
	assert_true(address >= STACK && address <= STACK_END - 8 && !(address & 7));
	world->words[(address - STACK) / 8] = value;
}

#endif
