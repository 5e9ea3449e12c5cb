// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python base
/* What the Python walker reads of a process's memory, and what it leaves alone: the walker compiled
 * for the host, on memory made by hand. */
#include "host/python_walk.h"

#include <errno.h>

/* Counts reads, and refuses those that touch a forbidden range. */
struct watched_memory {
	struct memory memory; /* first: a struct memory * is this object */
	const struct memory *source;
	uint64_t from, to; /* what is counted */
	uint64_t forbidden, forbidden_size;
	size_t reads, largest;
};

static int watched_memory__read(const struct memory *memory, uint64_t address, void *destination,
				size_t size)
{
	struct watched_memory *watched = (struct watched_memory *)(uintptr_t)memory;

	if (address < watched->to && address + size > watched->from) {
		watched->reads++;
		if (size > watched->largest)
			watched->largest = size;
	}
	if (address < watched->forbidden + watched->forbidden_size &&
	    address + size > watched->forbidden)
		return -EFAULT;
	return memory__read(watched->source, address, destination, size);
}

static struct watched_memory watch(const struct world *world, uint64_t from, uint64_t to)
{
	return (struct watched_memory){.memory = {.read = watched_memory__read},
				       .source = &world->memory.memory,
				       .from = from,
				       .to = to};
}

static void expect_reads(struct watched_memory *watched, const struct world *world,
			 struct walk *walk, size_t frames, size_t reads)
{
	watched->reads = watched->largest = 0;
	walk_thread(walk, &watched->memory, &world->layout, RUNTIME, TCB);
	assert_int_equal(walk->ending, PS_END_PYTHON);
	assert_int_equal(walk->frame_count, frames);
	assert_int_equal(watched->reads, reads);
}

/* The callers lie below, within what was read with the frame. */
static void windows_of_frames(void **state)
{
	static struct world world;
	struct watched_memory watched;
	struct walk walk;

	(void)state;
	make_world(&world, 16);
	stack_downwards(&world, 16);
	watched = watch(&world, FRAME, CODE);
	/* 4 + 1 frames of 256 bytes are a window: 15-11, 10-6, 5-1, and 0 alone. */
	expect_reads(&watched, &world, &walk, 16, 4);
	assert_true(watched.largest <= PY_WINDOW + PY_FRAME_BYTES);
	for (int i = 0; i < 16; i++)
		assert_int_equal(walk.frames[i].address, code_at(15 - i));

	/* The page before the first frame's is not there: a window that begins in its middle stops
	 * at its start. */
	for (int frames = 11; frames <= 16; frames++) {
		make_world(&world, frames);
		stack_downwards(&world, frames);
		watched.forbidden = FRAME - PY_PAGE;
		watched.forbidden_size = PY_PAGE;
		expect_reads(&watched, &world, &walk, (size_t)frames, (size_t)(frames + 4) / 5);
		/* Nor is the one behind the last frame. */
		watched.forbidden = frame_at(frames - 1) + world.layout.frame_size;
		expect_reads(&watched, &world, &walk, (size_t)frames, (size_t)(frames + 4) / 5);
	}

	/* A frame across two pages, and the next one at its page's start. */
	put64(&world, STATE + world.layout.tstate_frame, FRAME + PY_PAGE - 16);
	for (int i = 0; i < 16; i++)
		put64(&world, frame_at(i) + 8, 0);
	put64(&world, FRAME + PY_PAGE - 16, code_at(1));
	put64(&world, FRAME + PY_PAGE - 8, FRAME);
	put_owner(&world, 0, 0);
	watched.forbidden = FRAME - PY_PAGE;
	expect_reads(&watched, &world, &walk, 2, 2);
	assert_int_equal(walk.frames[0].address, code_at(1));
	assert_int_equal(walk.frames[1].address, code_at(0));
}

/* A frame that begins just below what was read. */
static void frames_below_the_window(void **state)
{
	static struct world world;
	struct watched_memory watched;
	struct walk walk;

	(void)state;
	make_world(&world, 2);
	watched = watch(&world, FRAME, CODE);
	for (uint64_t below = 8; below <= 128; below += 8) {
		uint64_t first = FRAME + 3 * PY_WINDOW, second = first - PY_WINDOW - below;

		make_world(&world, 2);
		put64(&world, STATE + world.layout.tstate_frame, first);
		put64(&world, first, code_at(5));
		put64(&world, first + 8, second);
		put64(&world, second, code_at(6));
		put64(&world, second + 8, frame_at(0));
		put64(&world, frame_at(0) + 8, 0);
		expect_reads(&watched, &world, &walk, 3, 3);
		assert_int_equal(walk.frames[0].address, code_at(5));
		assert_int_equal(walk.frames[1].address, code_at(6));
		assert_int_equal(walk.frames[2].address, code_at(0));
	}
}

/* A frame that begins in what was read, and ends behind it. */
static void frames_across_the_windows_end(void **state)
{
	static struct world world;
	struct watched_memory watched;
	struct walk walk;

	(void)state;
	make_world(&world, 1);
	put64(&world, frame_at(0) + 8, frame_at(0) + 64);
	put64(&world, frame_at(0) + 64, code_at(5));
	put64(&world, frame_at(0) + 64 + 8, frame_at(4));
	put64(&world, frame_at(4), code_at(6));
	watched = watch(&world, FRAME, CODE);
	expect_reads(&watched, &world, &walk, 3, 3);
	assert_int_equal(walk.frames[1].address, code_at(5));
	assert_int_equal(walk.frames[2].address, code_at(6));
}

/* Frames of generators lie in the heap, shims on the native stack: they leave the window alone. */
static void frames_far_away(void **state)
{
	static const uint64_t places[] = {WORLD + 0x3000, CODE + 0x2000};
	static struct world world;
	struct watched_memory watched;
	struct walk walk;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		make_world(&world, 5);
		stack_downwards(&world, 5);
		put64(&world, frame_at(3) + 8, places[i]);
		put64(&world, places[i], code_at(7));
		put64(&world, places[i] + 8, frame_at(2));
		watched = watch(&world, WORLD, WORLD + WORLD_SIZE);
		/* The key and its value, owner and frame of the state; the window, the far one. */
		expect_reads(&watched, &world, &walk, 6, 4 + 2);
		assert_int_equal(walk.frames[1].address, code_at(3));
		assert_int_equal(walk.frames[2].address, code_at(7));
		assert_int_equal(walk.frames[3].address, code_at(2));
		assert_int_equal(walk.frames[5].address, code_at(0));
	}
}

/* 3.8-3.10: frames are objects of their own, anywhere. */
static void frames_apart(void **state)
{
	static struct world world;
	struct watched_memory watched;
	struct walk walk;

	(void)state;
	make_world(&world, 4);
	stack_downwards(&world, 4);
	world.layout.position = PS_PY_LASTI_UNITS;
	world.layout.frame_owner = PS_PY_NO_FIELD;
	watched = watch(&world, FRAME, CODE);
	expect_reads(&watched, &world, &walk, 4, 4);
	assert_int_equal(watched.largest, world.layout.frame_size);
	for (int i = 0; i < 4; i++)
		assert_int_equal(walk.frames[i].address, code_at(3 - i));
}

/* Who calls itself is read once. */
static void codes_that_recurse(void **state)
{
	static const int codes[] = {4, 4, 4, 5, 4};
	static struct world world;
	struct watched_memory watched;
	struct walk walk;

	(void)state;
	make_world(&world, 5);
	world.layout.check_start = 64;
	world.layout.check_size = 128;
	world.layout.check_file = 16;
	world.layout.check_lines = 24;
	world.layout.check_first_line = 32;
	world.layout.check_more = 40;
	for (int i = 0; i < 5; i++)
		put64(&world, frame_at(i), code_at(codes[i]));
	put64(&world, code_at(5) + 64, 1);
	watched = watch(&world, CODE, WORLD + WORLD_SIZE);
	expect_reads(&watched, &world, &walk, 5, 3);
	for (int i = 0; i < 5; i++)
		assert_int_equal(PS_FRAME_CHECK(&walk.frames[i]),
				 ps_py_code_check(codes[i] == 5, 0, 0, 0, 0));
	/* One that is not there is not asked for again either. */
	watched.forbidden = code_at(4);
	watched.forbidden_size = 0x400;
	expect_reads(&watched, &world, &walk, 5, 3);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[2]), 0);
	assert_int_not_equal(PS_FRAME_CHECK(&walk.frames[3]), 0);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[4]), 0);
	/* A frame without a code object: nothing of an earlier walk shows. */
	put64(&world, frame_at(0), 0);
	expect_reads(&watched, &world, &walk, 5, 3);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_frames),
		cmocka_unit_test(frames_below_the_window),
		cmocka_unit_test(frames_far_away),
		cmocka_unit_test(frames_across_the_windows_end),
		cmocka_unit_test(frames_apart),
		cmocka_unit_test(codes_that_recurse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
