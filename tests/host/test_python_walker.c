// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python base
/* The Python walker compiled for the host: on memory made by hand, on live interpreters, and on
 * the processes saved in saved/. `test_python_walker --save` saves them anew, one of each version
 * that is here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "host/python_saved.h"
#include "host/python_walk.h"
#include "python/code.h"

#define SAVED_LIMIT 65536 /* bytes of a file in saved/ */

static void expect(struct world *world, struct walk *walk, __u32 ending, size_t frames)
{
	walk_thread(walk, &world->memory.memory, &world->layout, RUNTIME, TCB);
	assert_int_equal(walk->ending, ending);
	assert_int_equal(walk->frame_count, frames);
}

static void frames_in_order(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 8);
	expect(&world, &walk, PS_END_PYTHON, 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(walk.frames[i].address, code_at(i));
		assert_int_equal(walk.frames[i].position, 2 * i);
	}
	make_world(&world, 0);
	expect(&world, &walk, PS_END_PY_IDLE, 0);
}

static void runtime_not_ready(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 2);
	put_key(&world, 0, 3);
	expect(&world, &walk, PS_END_PY_STARTING, 0);
	put_key(&world, 2, 3); /* it is a flag: something else lies there */
	expect(&world, &walk, PS_END_PY_STARTING, 0);
	/* Its page has not been touched yet. */
	walk_thread(&walk, &world.memory.memory, &world.layout, NOWHERE, TCB);
	assert_int_equal(walk.ending, PS_END_PY_STARTING);
	/* The flag can be read, the key behind it not. */
	put32(&world, WORLD + WORLD_SIZE - 4, 1);
	walk_thread(&walk, &world.memory.memory, &world.layout, WORLD + WORLD_SIZE - TSS_KEY, TCB);
	assert_int_equal(walk.ending, PS_END_PY_STARTING);
}

/* Moves the thread's value to another key, by hand as glibc lays it out. */
static void use_key(struct world *world, uint32_t key, uint64_t block, uint64_t value)
{
	make_world(world, 1);
	put64(world, TCB + GLIBC_FIRST_KEYS + 16 * 3 + 8, 0);
	put_key(world, 1, key);
	if (key < 32) {
		put64(world, TCB + 0x310 + 16 * (uint64_t)key + 8, value);
		return;
	}
	put64(world, TCB + 0x510 + 8 * (uint64_t)(key / 32), block);
	if (block == BLOCK)
		put64(world, BLOCK + 16 * (uint64_t)(key % 32) + 8, value);
}

static void keys_of_threads(void **state)
{
	static const uint32_t keys[] = {0, 1, 31, 32, 33, 63, 64, 1023};
	static struct world world;
	struct walk walk;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		use_key(&world, keys[i], BLOCK, STATE);
		expect(&world, &walk, PS_END_PYTHON, 1);
		use_key(&world, keys[i], BLOCK, 0);
		expect(&world, &walk, PS_END_PY_NO_THREAD, 0);
		if (keys[i] < 32)
			continue;
		use_key(&world, keys[i], 0, 0); /* no such block in this thread */
		expect(&world, &walk, PS_END_PY_NO_THREAD, 0);
		use_key(&world, keys[i], NOWHERE, 0);
		expect(&world, &walk, PS_END_PY_NO_THREAD, 0);
	}
	/* glibc has no more than 1024: nothing behind its table may be taken for a block. */
	use_key(&world, 1024, BLOCK, STATE);
	expect(&world, &walk, PS_END_PY_NO_THREAD, 0);
	put_key(&world, 1, UINT32_MAX);
	expect(&world, &walk, PS_END_PY_NO_THREAD, 0);

	make_world(&world, 1);
	walk_thread(&walk, &world.memory.memory, &world.layout, RUNTIME, NOWHERE);
	assert_int_equal(walk.ending, PS_END_PY_NO_THREAD);
	put_key(&world, 1, 40);
	walk_thread(&walk, &world.memory.memory, &world.layout, RUNTIME, NOWHERE);
	assert_int_equal(walk.ending, PS_END_PY_NO_THREAD);
}

static void states_of_threads(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 2);
	put64(&world, STATE + world.layout.tstate_thread_id, TCB + 64);
	expect(&world, &walk, PS_END_PY_BAD_THREAD, 0);
	put64(&world, STATE + world.layout.tstate_thread_id, 0);
	expect(&world, &walk, PS_END_PY_BAD_THREAD, 0);

	put64(&world, TCB + GLIBC_FIRST_KEYS + 16 * 3 + 8, NOWHERE);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 0);

	/* Its owner can be read, its frame not. */
	make_world(&world, 2);
	world.layout.tstate_thread_id = 0;
	put64(&world, TCB + GLIBC_FIRST_KEYS + 16 * 3 + 8, WORLD + WORLD_SIZE - 16);
	put64(&world, WORLD + WORLD_SIZE - 16, TCB);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 0);
}

static void frames_behind_a_cframe(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 3);
	world.layout.cframe_frame = 8;
	put64(&world, STATE + world.layout.tstate_frame, CFRAME);
	put64(&world, CFRAME + 8, frame_at(0));
	expect(&world, &walk, PS_END_PYTHON, 3);
	put64(&world, CFRAME + 8, 0);
	expect(&world, &walk, PS_END_PY_IDLE, 0);
	put64(&world, STATE + world.layout.tstate_frame, NOWHERE);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 0);
	put64(&world, STATE + world.layout.tstate_frame, 0);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 0);
	world.layout.cframe_frame = 0; /* 3.12 */
	put64(&world, STATE + world.layout.tstate_frame, CFRAME);
	put64(&world, CFRAME, frame_at(1));
	expect(&world, &walk, PS_END_PYTHON, 2);
}

/* Flags of the frames of a walk, innermost first: l LAST, n NONE and LAST, - none. */
static void expect_groups(const struct walk *walk, const char *flags)
{
	assert_int_equal(walk->frame_count, strlen(flags));
	for (size_t i = 0; flags[i]; i++)
		assert_int_equal(PS_FRAME_FLAGS(&walk->frames[i]),
				 flags[i] == 'l'   ? PS_FRAME_LAST
				 : flags[i] == 'n' ? (PS_FRAME_NONE | PS_FRAME_LAST)
						   : 0);
}

/* 3.12+: behind the last frame that a native frame runs lies its shim. */
static void groups_with_shims(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 7);
	put_owner(&world, 2, 3);
	put_owner(&world, 3, 1); /* a generator */
	put_owner(&world, 4, 3);
	put_owner(&world, 6, 3);
	expect(&world, &walk, PS_END_PYTHON, 4);
	expect_groups(&walk, "-lll");
	assert_int_equal(walk.shims, 3);
	assert_int_equal(walk.frames[0].address, code_at(0));
	assert_int_equal(walk.frames[2].address, code_at(3));
	assert_int_equal(walk.frames[3].address, code_at(5));

	/* The outermost has none: its group ends with the frames. */
	put_owner(&world, 6, 0);
	expect(&world, &walk, PS_END_PYTHON, 5);
	expect_groups(&walk, "-ll--");

	/* One bit of the owner is not the shim's. */
	put_owner(&world, 2, 2);
	expect(&world, &walk, PS_END_PYTHON, 6);
	expect_groups(&walk, "---l--");
}

/* A native frame that has no Python frame yet, or no longer, has its shim already. */
static void groups_without_frames(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 3);
	put_owner(&world, 0, 3);
	put_owner(&world, 2, 3);
	expect(&world, &walk, PS_END_PYTHON, 2);
	expect_groups(&walk, "nl");
	assert_int_equal(walk.frames[0].address, 0);
	assert_int_equal(walk.frames[0].position, 0);
	assert_int_equal(walk.frames[1].address, code_at(1));

	make_world(&world, 5);
	for (int i = 1; i < 4; i++)
		put_owner(&world, i, 3);
	expect(&world, &walk, PS_END_PYTHON, 4);
	expect_groups(&walk, "lnn-");

	make_world(&world, 1);
	put_owner(&world, 0, 3);
	expect(&world, &walk, PS_END_PY_IDLE, 1);
	expect_groups(&walk, "n");
}

/* 3.11: no shims, but the first frame of each native one says so. */
static void groups_by_entry(void **state)
{
	static const uint8_t entries[] = {0, 1, 3, 0, 0, 0xff};
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 6);
	world.layout.shim_owner = 0xff;
	world.layout.frame_owner = 68;
	world.layout.frame_size = 69;
	for (int i = 0; i < 6; i++) {
		put(&world, frame_at(i) + 68, &entries[i], 1);
		put_owner(&world, i, 3); /* not looked at */
	}
	expect(&world, &walk, PS_END_PYTHON, 6);
	expect_groups(&walk, "-ll--l");
	assert_int_equal(walk.shims, 0);

	/* 3.8-3.10: each call has a native frame of its own, whatever lies there. */
	world.layout.frame_owner = PS_PY_NO_FIELD;
	expect(&world, &walk, PS_END_PYTHON, 6);
	expect_groups(&walk, "llllll");
}

/* No frame lies at such an address: whoever says so is wrong. */
static void frames_unaligned(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	for (int i = 0; i < 2; i++) {
		make_world(&world, 3);
		if (i)
			world.layout.position = PS_PY_LASTI_UNITS;
		put64(&world, frame_at(1) + 8, frame_at(2) + 4);
		expect(&world, &walk, PS_END_PY_UNREADABLE, 2);
		put64(&world, STATE + world.layout.tstate_frame, frame_at(1) + 1);
		expect(&world, &walk, PS_END_PY_UNREADABLE, 0);
	}
}

static void tagged_code(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 4);
	for (int i = 0; i < 4; i++)
		put64(&world, frame_at(i), code_at(i) | (unsigned int)i);
	world.layout.code_tag_bits = 3; /* 3.14 */
	expect(&world, &walk, PS_END_PYTHON, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(walk.frames[i].address, code_at(i));
		assert_int_equal(walk.frames[i].position, 2 * i);
	}
	world.layout.code_tag_bits = 0;
	expect(&world, &walk, PS_END_PYTHON, 4);
	assert_int_equal(walk.frames[3].address, code_at(3) | 3);
}

static void positions_by_pointer(void **state)
{
	static const struct {
		uint64_t pointer;
		int32_t position;
	} cases[] = {
		{CODE + BYTECODE, 0},
		{CODE + BYTECODE + 1000, 1000},
		{CODE + BYTECODE + 0x7ffffffe, 0x7ffffffe},
		{CODE + BYTECODE + 0x7fffffff, -1},
		{CODE + BYTECODE + 0x100000000, -1},
		{CODE + BYTECODE - 2, -1}, /* 3.11, 3.12: not started */
		{CODE, -1},
		{0, -1},
		{UINT64_MAX, -1},
		{0x8000000000000000, -1},
	};
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put64(&world, frame_at(0) + 56, cases[i].pointer);
		expect(&world, &walk, PS_END_PYTHON, 1);
		assert_int_equal(walk.frames[0].position, cases[i].position);
	}
}

static void positions_by_number(void **state)
{
	static const int32_t numbers[] = {-1, 0, 2, 254, 0x7fffffff, INT32_MIN};
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 1);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* On 4 and on 8 bytes, in units of any size: handed on as it is. */
		world.layout.position = i % 2 ? PS_PY_LASTI_UNITS : PS_PY_LASTI_BYTES;
		for (uint16_t at = 56; at <= 60; at += 4) {
			world.layout.frame_position = at;
			put64(&world, frame_at(0) + 56, 0x7777777777777777);
			put32(&world, frame_at(0) + at, (uint32_t)numbers[i]);
			expect(&world, &walk, PS_END_PYTHON, 1);
			assert_int_equal(walk.frames[0].position, numbers[i]);
			assert_int_equal(walk.frames[0].address, code_at(0));
		}
	}
}

static void unreadable_frames(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 3);
	put64(&world, STATE + world.layout.tstate_frame, NOWHERE);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 0);

	make_world(&world, 3);
	put64(&world, frame_at(1) + 8, NOWHERE);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 2);
	put64(&world, frame_at(1) + 8, UINT64_MAX - 8);
	expect(&world, &walk, PS_END_PY_UNREADABLE, 2);
	/* All but its last byte is there. */
	put64(&world, frame_at(1) + 8, WORLD + WORLD_SIZE - 72);
	world.layout.frame_size = 73;
	expect(&world, &walk, PS_END_PY_UNREADABLE, 2);
	world.layout.frame_size = 72;
	expect(&world, &walk, PS_END_PYTHON, 3);

	/* A layout that asks for more than the walker has room for. */
	world.layout.frame_size = 4096;
	put64(&world, frame_at(1) + 8, WORLD + WORLD_SIZE - PY_FRAME_BYTES);
	expect(&world, &walk, PS_END_PYTHON, 3);
}

/* Whatever tells code objects apart is read, and only that. */
static void codes_told_apart(void **state)
{
	/* name, file, lines, first line, and more */
	static const uint16_t places[] = {0, 16, 120, 60, 96};
	static struct world world;
	uint32_t before, check;
	struct walk walk;

	(void)state;
	make_world(&world, 1);
	expect(&world, &walk, PS_END_PYTHON, 1);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[0]), 0); /* a layout that has none */
	world.layout.check_start = 64;
	world.layout.check_size = 128;
	world.layout.check_file = places[1];
	world.layout.check_lines = places[2];
	world.layout.check_first_line = places[3];
	world.layout.check_more = (uint8_t)places[4];
	expect(&world, &walk, PS_END_PYTHON, 1);
	before = PS_FRAME_CHECK(&walk.frames[0]);
	assert_int_not_equal(before, 0);
	for (uint32_t i = 0; i < 5; i++) {
		put32(&world, code_at(0) + 64 + places[i], 1000 + i);
		expect(&world, &walk, PS_END_PYTHON, 1);
		check = PS_FRAME_CHECK(&walk.frames[0]);
		assert_int_not_equal(check, before);
		before = check;
	}
	assert_int_equal(before, ps_py_code_check(1000, 1001, 1002, 1003, 1004));
	for (uint64_t at = 0; at < 128; at += 8) {
		if (at == 0 || at == 16 || at == 120 || at == 56 || at == 96)
			continue;
		put64(&world, code_at(0) + 64 + at, 0x7777777777777777);
	}
	expect(&world, &walk, PS_END_PYTHON, 1);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[0]), before);
	world.layout.check_size = 4096; /* more than there is room for */
	expect(&world, &walk, PS_END_PYTHON, 1);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[0]), before);

	/* A code object that is not in memory is shown all the same, but not vouched for. */
	put64(&world, frame_at(0), WORLD + WORLD_SIZE - 64 - 127);
	expect(&world, &walk, PS_END_PYTHON, 1);
	assert_int_equal(PS_FRAME_CHECK(&walk.frames[0]), 0);
	put64(&world, frame_at(0), WORLD + WORLD_SIZE - 64 - 128);
	expect(&world, &walk, PS_END_PYTHON, 1);
	assert_int_not_equal(PS_FRAME_CHECK(&walk.frames[0]), 0);
}

static void endless_chains(void **state)
{
	static struct world world;
	struct walk walk;

	(void)state;
	make_world(&world, 3);
	put64(&world, frame_at(2) + 8, frame_at(0));
	expect(&world, &walk, PS_END_PY_TOO_DEEP, PS_MAX_PYTHON);
	assert_int_equal(walk.frames[PS_MAX_PYTHON - 1].address, code_at((PS_MAX_PYTHON - 1) % 3));
	/* Entry frames count as steps: a loop of nothing else ends too. */
	for (int i = 0; i < 3; i++)
		put_owner(&world, i, 3);
	expect(&world, &walk, PS_END_PY_TOO_DEEP, PS_MAX_PYTHON);
	assert_int_equal(walk.shims, PS_MAX_PYTHON);
}

/* --- the C library's own thread control block */

static void *compare_keys(void *keys)
{
	struct process_memory self = process_memory__of(getpid());
	const pthread_key_t *key = keys;
	uintptr_t wrong = 0;

	walked = &self.memory;
	for (uintptr_t i = 0; key[i] != UINT32_MAX; i++)
		if (pthread_setspecific(key[i], (void *)(0x1000 + i)))
			wrong++;
	for (uintptr_t i = 0; key[i] != UINT32_MAX; i++) {
		if (python__thread_specific((uint64_t)pthread_self(), key[i]) != 0x1000 + i)
			wrong++;
		pthread_setspecific(key[i], NULL);
	}
	return (void *)wrong;
}

static void keys_of_this_libc(void **state)
{
	static pthread_key_t keys[2048];
	size_t count = 0, blocks = 0;
	pthread_t thread;
	void *wrong;

	(void)state;
#ifndef __x86_64__
	print_message("SKIP: places of keys are known for x86-64 only\n");
	skip();
#endif
	while (count < 2047 && !pthread_key_create(&keys[count], NULL))
		blocks += keys[count++] >= 32;
	keys[count] = UINT32_MAX;
	assert_true(count > 900 && blocks > 900);
	assert_null(compare_keys(keys));
	assert_int_equal(pthread_create(&thread, NULL, compare_keys, keys), 0);
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
	while (count)
		pthread_key_delete(keys[--count]);
}

/* --- interpreters */

/* Names and lines of a walk against what the thread said of itself. */
static void compare_with_told(const struct memory *memory, const struct python_process *process,
			      const struct told_thread *told)
{
	struct ps_py_offsets layout = python_layout__for_walker(&process->layout);
	size_t groups = 0;
	struct walk walk;

	walk_thread(&walk, memory, &layout, process->runtime, told->tcb);
	assert_true(layout.check_size > 0);
	assert_int_equal(walk.ending, PS_END_PYTHON);
	for (size_t i = 0; i < walk.frame_count; i++) {
		const char *name;
		struct python_code code;

		assert_int_equal(python_code__read(memory, &process->layout, walk.frames[i].address,
						   process->code_type, &code),
				 0);
		assert_int_equal(PS_FRAME_CHECK(&walk.frames[i]), code.check);
		/* The names are qualified since 3.11, those of tracebacks are not. */
		name = strrchr(code.name, '.');
		name = name ? name + 1 : code.name;
		assert_true(i < told->frame_count);
		assert_string_equal(name, told->frames[i].name);
		assert_string_equal(code.file, told->frames[i].file);
		assert_int_equal(python_code__line(&code, walk.frames[i].position),
				 told->frames[i].line);
		python_code__clear(&code);
	}
	assert_int_equal(walk.frame_count, told->frame_count);
	assert_true(walk.frame_count > 12);
	assert_string_equal(told->frames[0].name, "asleep");
	/* The loop was entered from C for each thread's start, and for the generators; since 3.11
	 * not for each call. */
	for (size_t i = 0; i < walk.frame_count; i++)
		groups += !!(PS_FRAME_FLAGS(&walk.frames[i]) & PS_FRAME_LAST);
	assert_true(walk_is_closed(&walk));
	assert_true(groups > 2);
	if (process->version >= 0x030b)
		assert_true(groups < walk.frame_count - 5);
	else
		assert_int_equal(groups, walk.frame_count);
	assert_int_equal(walk.shims, process->version >= 0x030c ? groups : 0);
}

static void compare_process(const struct python_process *process, const struct memory *memory)
{
	struct walk walk;

	assert_int_equal(process->thread_count, 2);
	for (size_t i = 0; i < process->thread_count; i++)
		compare_with_told(memory, process, &process->threads[i]);
	/* Without a thread's control block nobody's frames are shown. */
	walk_thread(&walk, memory, &process->layout.walker, process->runtime, NOWHERE);
	assert_int_equal(walk.ending, PS_END_PY_NO_THREAD);
}

static void live_interpreters(void **state)
{
	int minor = *(int *)*state, i = next_interpreter(minor, -1);
	char script[PATH_MAX];

	if (i < 0) {
		print_message("SKIP: no CPython 3.%d here\n", minor);
		skip();
	}
	script_path(__FILE__, "walked.py", script, sizeof(script));
	for (; i >= 0; i = next_interpreter(minor, i)) {
		static struct python_process process;

		print_message("%s\n", interpreters[i].identity);
		assert_true(python_process__start(&process, interpreters[i].command, script));
		assert_int_equal(process.version, 0x0300 | minor);
		compare_process(&process, &process.live.memory);
		python_process__end(&process);
	}
}

static void saved_path(int minor, char *ret_path, size_t size)
{
	char name[32];

	snprintf(name, sizeof(name), "saved/python3.%d.bin", minor);
	script_path(__FILE__, name, ret_path, size);
}

static __u32 walk_without(const struct python_process *process, const struct told_thread *thread,
			  struct piece *piece)
{
	struct ps_py_offsets layout = python_layout__for_walker(&process->layout);
	const struct memory *memory = &process->saved.memory;
	uint64_t size = piece->size;
	struct walk whole, cut;

	walk_thread(&whole, memory, &layout, process->runtime, thread->tcb);
	piece->size = 0;
	walk_thread(&cut, memory, &layout, process->runtime, thread->tcb);
	piece->size = size;
	assert_true(cut.ending == PS_END_PYTHON || cut.ending == PS_END_PY_STARTING ||
		    cut.ending == PS_END_PY_UNREADABLE || cut.ending == PS_END_PY_NO_THREAD);
	assert_true(cut.frame_count <= whole.frame_count);
	for (size_t i = 0; i < cut.frame_count; i++) {
		uint32_t check = PS_FRAME_CHECK(&cut.frames[i]);

		assert_int_equal(cut.frames[i].address, whole.frames[i].address);
		assert_int_equal(cut.frames[i].position, whole.frames[i].position);
		assert_true(!check || check == PS_FRAME_CHECK(&whole.frames[i]));
	}
	return cut.ending;
}

static void saved_interpreters(void **state)
{
	static struct python_process process;
	int minor = *(int *)*state;
	char path[PATH_MAX];
	struct stat status;
	size_t ended = 0;

#ifndef __x86_64__
	print_message("SKIP: saved on x86-64\n");
	skip();
#endif
	saved_path(minor, path, sizeof(path));
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size <= SAVED_LIMIT);
	assert_true(python_process__load(&process, path));
	assert_int_equal(process.version, 0x0300 | minor);
	compare_process(&process, &process.saved.memory);

	/* Each piece taken away by itself: the walk ends in an orderly way, and shows no frame
	 * but those that are there. */
	for (size_t i = 0; i < process.saved.count; i++)
		for (size_t j = 0; j < process.thread_count; j++)
			ended += walk_without(&process, &process.threads[j],
					      &process.saved.pieces[i]) != PS_END_PYTHON;
	assert_true(ended > 6); /* the runtime, and of each thread: key, state, frames */
	python_process__end(&process);
}

/* --- saving */

static bool save_one(const char *command, const char *script, const char *path)
{
	static struct python_process process;
	uint8_t published[PYTHON_DEBUG_OFFSETS_SIZE];
	bool good;

	if (!python_process__start(&process, command, script))
		return false;
	process.saved = saved_memory__of(&process.live.memory);
	if (!python_layout__of(process.version))
		memory__read(&process.saved.memory, process.runtime, published, sizeof(published));
	compare_process(&process, &process.saved.memory);
	good = python_process__store(&process, path);
	python_process__end(&process);
	return good;
}

static void save_all(void **state)
{
	char script[PATH_MAX], path[PATH_MAX];

	(void)state;
	script_path(__FILE__, "walked.py", script, sizeof(script));
	for (int minor = FIRST_MINOR; minor <= LAST_MINOR; minor++) {
		int i = next_interpreter(minor, -1);

		if (i < 0)
			continue;
		saved_path(minor, path, sizeof(path));
		print_message("%s of %s\n", path, interpreters[i].identity);
		assert_true(save_one(interpreters[i].command, script, path));
	}
}

int main(int argc, char **argv)
{
	static int minors[] = {8, 9, 10, 11, 12, 13, 14};
	const struct CMUnitTest saving[] = {cmocka_unit_test(save_all)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_in_order),
		cmocka_unit_test(runtime_not_ready),
		cmocka_unit_test(keys_of_threads),
		cmocka_unit_test(states_of_threads),
		cmocka_unit_test(frames_behind_a_cframe),
		cmocka_unit_test(groups_with_shims),
		cmocka_unit_test(groups_without_frames),
		cmocka_unit_test(groups_by_entry),
		cmocka_unit_test(frames_unaligned),
		cmocka_unit_test(tagged_code),
		cmocka_unit_test(positions_by_pointer),
		cmocka_unit_test(positions_by_number),
		cmocka_unit_test(unreadable_frames),
		cmocka_unit_test(codes_told_apart),
		cmocka_unit_test(endless_chains),
		cmocka_unit_test(keys_of_this_libc),
		cmocka_unit_test_prestate(live_interpreters, &minors[0]),
		cmocka_unit_test_prestate(live_interpreters, &minors[1]),
		cmocka_unit_test_prestate(live_interpreters, &minors[2]),
		cmocka_unit_test_prestate(live_interpreters, &minors[3]),
		cmocka_unit_test_prestate(live_interpreters, &minors[4]),
		cmocka_unit_test_prestate(live_interpreters, &minors[5]),
		cmocka_unit_test_prestate(live_interpreters, &minors[6]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[0]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[1]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[2]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[3]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[4]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[5]),
		cmocka_unit_test_prestate(saved_interpreters, &minors[6]),
	};

	find_interpreters();
	if (argc > 1 && !strcmp(argv[1], "--save"))
		return cmocka_run_group_tests(saving, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
