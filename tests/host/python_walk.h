/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Python walker compiled for the host, and memory made by hand for it. Included by one .c per
 * binary. */
#ifndef HOST_PYTHON_WALK_H
#define HOST_PYTHON_WALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "host/saved_memory.h"
#include "python.bpf.h"

static const struct memory *walked;

/* As the kernel's helper: what cannot be read whole is zeroed. */
static long ps_read_user(void *destination, __u32 size, __u64 address)
{
	int err = memory__read(walked, address, destination, size);

	if (err)
		memset(destination, 0, size);
	return err;
}

struct walk {
	struct ps_frame frames[PS_MAX_PYTHON];
	size_t frame_count; /* with those that are none, of empty groups */
	size_t shims;
	__u32 ending;
};

static bool walk_is_closed(const struct walk *walk)
{
	return walk->frame_count &&
	       PS_FRAME_FLAGS(&walk->frames[walk->frame_count - 1]) & PS_FRAME_LAST;
}

/* The caller's part, as bpf/walker.bpf.c does it. */
static void walk_thread(struct walk *walk, const struct memory *memory,
			const struct ps_py_offsets *layout, uint64_t runtime, uint64_t tcb)
{
	struct python_walk python;
	bool any = false;

	memset(walk, 0, sizeof(*walk));
	memset(&python, 0xa5, sizeof(python));
	walked = memory;
	walk->ending = python__begin(&python, layout, runtime, tcb);
	for (int i = 0; i < PS_MAX_PYTHON && !walk->ending; i++) {
		struct ps_frame *frame = &walk->frames[walk->frame_count];
		int status;

		if (!python.frame) {
			walk->ending = PS_END_PYTHON;
			break;
		}
		status = python__step(&python, layout, frame);
		if (status < 0) {
			walk->ending = PS_END_PY_UNREADABLE;
			break;
		}
		if (status == PY_NO_FRAME) {
			walk->shims++;
			if (walk->frame_count && !walk_is_closed(walk)) {
				frame[-1].kind |= PS_FRAME_LAST;
				continue;
			}
			*frame = (struct ps_frame){.kind = PS_FRAME_NONE | PS_FRAME_LAST};
		} else if (frame->address) {
			any = true;
		}
		walk->frame_count++;
	}
	if (!walk->ending)
		walk->ending = python.frame ? PS_END_PY_TOO_DEEP : PS_END_PYTHON;
	if (walk->ending == PS_END_PYTHON && !any)
		walk->ending = PS_END_PY_IDLE;
}

/* --- memory made by hand */

#define WORLD	0x7f5500000000ULL
#define RUNTIME (WORLD + 0x0000)
#define TCB	(WORLD + 0x4000)
#define BLOCK	(WORLD + 0x5000) /* of keys */
#define STATE	(WORLD + 0x6000)
#define CFRAME	(WORLD + 0x7000)
#define FRAME	(WORLD + 0x8000)
#define CODE	(WORLD + 0xc000)
#define NOWHERE 0x10000ULL

#define WORLD_SIZE 0x10000
#define TSS_KEY	   1000
#define BYTECODE   200

struct world {
	struct saved_memory memory;
	struct piece piece;
	struct ps_py_offsets layout;
	uint8_t bytes[WORLD_SIZE];
};

static void put(struct world *world, uint64_t address, const void *bytes, size_t size)
{
	assert_true(address >= WORLD && address - WORLD <= WORLD_SIZE - size);
	memcpy(world->bytes + (address - WORLD), bytes, size);
}

static void put64(struct world *world, uint64_t address, uint64_t value)
{
	put(world, address, &value, sizeof(value));
}

static void put32(struct world *world, uint64_t address, uint32_t value)
{
	put(world, address, &value, sizeof(value));
}

static void put_key(struct world *world, uint32_t initialized, uint32_t key)
{
	put32(world, RUNTIME + TSS_KEY - 4, initialized);
	put32(world, RUNTIME + TSS_KEY, key);
}

static uint64_t frame_at(int number)
{
	return FRAME + 0x100 * (uint64_t)number;
}

static uint64_t code_at(int number)
{
	return CODE + 0x400 * (uint64_t)number;
}

/* A thread with key 3, whose state says so, and `frames` frames like those of 3.13. */
static void make_world(struct world *world, int frames)
{
	memset(world, 0, sizeof(*world));
	world->layout = (struct ps_py_offsets){
		.version = 0x030d,
		.position = PS_PY_INSTR_POINTER,
		.shim_owner = 3,
		.runtime_tss_key = TSS_KEY,
		.tstate_thread_id = 152,
		.tstate_frame = 72,
		.cframe_frame = PS_PY_NO_FIELD,
		.frame_code = 0,
		.frame_previous = 8,
		.frame_position = 56,
		.frame_owner = 70,
		.frame_size = 71,
		.code_bytecode = BYTECODE,
	};
	world->memory = saved_memory__of(NULL);
	world->piece = (struct piece){.address = WORLD, .size = WORLD_SIZE, .bytes = world->bytes};
	world->memory.pieces = &world->piece;
	world->memory.count = 1;
	put_key(world, 1, 3);
	put64(world, TCB + GLIBC_FIRST_KEYS + 16 * 3 + 8, STATE);
	put64(world, STATE + world->layout.tstate_thread_id, TCB);
	put64(world, STATE + world->layout.tstate_frame, frames ? frame_at(0) : 0);
	for (int i = 0; i < frames; i++) {
		put64(world, frame_at(i), code_at(i));
		put64(world, frame_at(i) + 8, i + 1 < frames ? frame_at(i + 1) : 0);
		put64(world, frame_at(i) + 56, code_at(i) + BYTECODE + 2 * (uint64_t)i);
	}
}

/* As in 3.11+, where the callers lie below: frame_at(frames - 1) is the innermost. */
static inline void stack_downwards(struct world *world, int frames)
{
	put64(world, STATE + world->layout.tstate_frame, frame_at(frames - 1));
	for (int i = 0; i < frames; i++)
		put64(world, frame_at(i) + 8, i ? frame_at(i - 1) : 0);
}

static inline void put_owner(struct world *world, int frame, uint8_t owner)
{
	put(world, frame_at(frame) + 70, &owner, 1);
}

#endif
