// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Sums of file operations in slots and map, moved between them at any moment of a look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/io_calls.h"
#include "capture/io_sums.h"

#define KEYS 24

static struct io_sums *sums;
static struct ps_io_sum charged[KEYS]; /* by key.file */
static int heavy[KEYS], charges, fail_at;

static struct ps_io_key key_of(uint64_t file)
{
	return (struct ps_io_key){
		.epoch = 7, .file = file, .device = 3, .op = PS_IO_READ, .kind = PS_IO_FILE};
}

static void add(struct ps_io_sum *to, const struct ps_io_sum *more)
{
	to->count += more->count;
	to->bytes += more->bytes;
	to->ns += more->ns;
}

static int charge(void *context, const struct ps_io_key *key, const struct ps_io_sum *growth,
		  int is_heavy)
{
	assert_ptr_equal(context, &charges);
	assert_true(key->file < KEYS);
	assert_true(growth->count || growth->bytes || growth->ns);
	if (charges++ == fail_at)
		return -EIO;
	add(&charged[key->file], growth);
	heavy[key->file] = is_heavy;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(charged, 0, sizeof(charged));
	memset(heavy, 0, sizeof(heavy));
	charges = 0;
	fail_at = -1;
	sums = io_sums__new();
	return !sums;
}

static int teardown(void **state)
{
	(void)state;
	io_sums__free(sums);
	return 0;
}

static void moved(uint64_t file, uint64_t count, uint64_t bytes)
{
	struct ps_io_key key = key_of(file);
	struct ps_io_sum sum = {.count = count, .bytes = bytes, .ns = 10 * count};

	assert_int_equal(io_sums__add_moved(sums, &key, &sum), 0);
}

static void in_slot(uint64_t file, uint64_t count, uint64_t bytes)
{
	struct ps_io_key key = key_of(file);
	struct ps_io_sum sum = {.count = count, .bytes = bytes, .ns = 10 * count};

	assert_int_equal(io_sums__add_slot(sums, &key, &sum), 0);
}

static void end_look(void)
{
	assert_int_equal(io_sums__each(sums, charge, &charges), 0);
}

static void expect(uint64_t file, uint64_t count, uint64_t bytes)
{
	assert_int_equal(charged[file].count, count);
	assert_int_equal(charged[file].bytes, bytes);
	assert_int_equal(charged[file].ns, 10 * count);
}

/* --- one key, by hand */

static void in_the_map(void **state)
{
	(void)state;
	io_sums__begin(sums);
	moved(1, 2, 100);
	end_look();
	expect(1, 2, 100);
	io_sums__begin(sums);
	end_look();
	expect(1, 2, 100);
	assert_int_equal(charges, 1);
	io_sums__begin(sums);
	moved(1, 3, 7);
	end_look();
	expect(1, 5, 107);
}

static void in_slots(void **state)
{
	(void)state;
	for (uint64_t look = 1; look <= 10; look++) {
		io_sums__begin(sums);
		in_slot(1, look, 10 * look); /* of two threads */
		in_slot(1, 2 * look, 0);
		end_look();
		expect(1, 3 * look, 10 * look);
	}
}

/* A slot's sum was seen; then it is moved: before the next look takes the map, or after that but
 * before it comes to the slot; or while the look goes on, so that it is in both. */
static void from_slot_to_map(void **state)
{
	(void)state;
	io_sums__begin(sums);
	in_slot(1, 5, 50);
	in_slot(2, 5, 50);
	in_slot(3, 5, 50);
	end_look();

	io_sums__begin(sums);
	moved(1, 5, 50); /* before */
	in_slot(3, 5, 50); /* not yet; 2: after the map was taken */
	end_look();
	for (uint64_t file = 1; file <= 3; file++)
		expect(file, 5, 50);

	io_sums__begin(sums);
	moved(2, 5, 50);
	moved(3, 5, 50);
	in_slot(1, 1, 1);
	in_slot(2, 2, 2);
	end_look();
	expect(1, 6, 51);
	expect(2, 7, 52);
	expect(3, 5, 50);
}

static void seen_in_neither(void **state)
{
	(void)state;
	io_sums__begin(sums);
	in_slot(1, 5, 50);
	end_look();
	io_sums__begin(sums); /* moved between map and slots, and the slot has grown before */
	end_look();
	expect(1, 5, 50);
	io_sums__begin(sums);
	moved(1, 8, 90);
	end_look();
	expect(1, 8, 90);
}

static void keys_are_whole(void **state)
{
	struct ps_io_sum one = {.count = 1};
	struct ps_io_key key;

	(void)state;
	io_sums__begin(sums);
	for (int i = 0; i < 7; i++) {
		key = key_of(1);
		key.epoch += i == 1;
		key.file += i == 2;
		key.device += i == 3;
		key.error += i == 4;
		key.op += i == 5;
		key.kind += i == 6;
		assert_int_equal(io_sums__add_moved(sums, &key, &one), 0);
	}
	assert_int_equal(io_sums__count(sums), 7);
	end_look();
	assert_int_equal(charges, 7);
}

/* --- errors and memory */

/* What was not charged when an error ended a look is charged at the next one. */
static void errors_lose_nothing(void **state)
{
	(void)state;
	for (fail_at = 0; fail_at < 5; fail_at++) {
		io_sums__begin(sums);
		for (uint64_t file = 0; file < 5; file++)
			moved(file, 1, 10);
		charges = 0;
		assert_int_equal(io_sums__each(sums, charge, &charges), -EIO);
	}
	fail_at = -1;
	io_sums__begin(sums);
	end_look();
	for (uint64_t file = 0; file < 5; file++)
		expect(file, 5, 50);
}

static void idle_keys_are_forgotten(void **state)
{
	(void)state;
	io_sums__begin(sums);
	for (uint64_t file = 0; file < 10; file++)
		moved(file, 1, 10);
	in_slot(10, 1, 10);
	in_slot(11, 1, 10);
	assert_int_equal(io_sums__count(sums), 12);
	end_look();
	/* What a slot holds, and what was seen in one and has not arrived in the map, stays. */
	assert_int_equal(io_sums__count(sums), 2);
	for (int look = 0; look < 5; look++) {
		io_sums__begin(sums);
		in_slot(10, 1, 10);
		end_look();
	}
	assert_int_equal(io_sums__count(sums), 2);
	io_sums__begin(sums);
	moved(11, 1, 10);
	moved(0, 4, 40); /* again */
	end_look();
	expect(11, 1, 10);
	expect(0, 5, 50);
	for (int look = 0; look < 5; look++) {
		io_sums__begin(sums);
		end_look();
	}
	assert_int_equal(io_sums__count(sums), 1);
	expect(10, 1, 10);
}

/* A node that opens new files all the time: what is remembered does not grow. */
static void many_keys(void **state)
{
	static struct ps_io_sum one = {.count = 1};
	size_t most = 0;

	(void)state;
	for (uint64_t look = 0; look < 50; look++) {
		io_sums__begin(sums);
		for (uint64_t i = 0; i < 1000; i++) {
			struct ps_io_key key = key_of(i % KEYS);

			key.epoch = look * 1000 + i;
			assert_int_equal(io_sums__add_moved(sums, &key, &one), 0);
		}
		end_look();
		if (io_sums__count(sums) > most)
			most = io_sums__count(sums);
	}
	assert_int_equal(most, 0);
	assert_int_equal(charges, 50000);
}

/* --- heavy ones */

static void heavy_ones(void **state)
{
	struct ps_io_key key = key_of(3);
	struct ps_io_sum slow = {.count = 1, .ns = 5000000};

	(void)state;
	io_sums__begin(sums);
	moved(0, 100000, 1000000);
	moved(1, 10, 10);
	moved(2, 1, 2000); /* many bytes */
	assert_int_equal(io_sums__add_moved(sums, &key, &slow), 0); /* much time */
	moved(4, 2000, 0); /* many operations */
	end_look();
	assert_true(heavy[0] && heavy[2] && heavy[3] && heavy[4]);
	assert_false(heavy[1]);
	/* It is the share of this look. */
	io_sums__begin(sums);
	moved(0, 1, 1);
	moved(1, 1, 1);
	end_look();
	assert_true(heavy[0] && heavy[1]);
}

/* --- closes: their bytes are a time */

static struct ps_io_sum last;

static int keep_last(void *context, const struct ps_io_key *key, const struct ps_io_sum *growth,
		     int is_heavy)
{
	(void)context;
	assert_false(key->op == PS_IO_CLOSE && is_heavy);
	if (key->op == PS_IO_CLOSE)
		last = *growth;
	return 0;
}

static void open_times(void **state)
{
	struct ps_io_key key = key_of(1);
	struct ps_io_sum in_map = {.closed = 2, .open_ns = 1000000000, .longest_ns = 900000000};
	struct ps_io_sum slot = {.count = 1, .closed = 1, .open_ns = 50, .longest_ns = 50};

	(void)state;
	key.op = PS_IO_CLOSE;
	io_sums__begin(sums);
	moved(0, 100000, 1000000);
	assert_int_equal(io_sums__add_moved(sums, &key, &in_map), 0);
	assert_int_equal(io_sums__each(sums, keep_last, NULL), 0);
	assert_int_equal(last.closed, 2); /* though no close() was made */
	assert_int_equal(last.open_ns, 1000000000);
	assert_int_equal(last.longest_ns, 900000000);
	io_sums__begin(sums);
	assert_int_equal(io_sums__add_slot(sums, &key, &slot), 0);
	moved(0, 100000, 1000000);
	assert_int_equal(io_sums__each(sums, keep_last, NULL), 0);
	assert_int_equal(last.closed, 1);
	assert_int_equal(last.open_ns, 50);
	assert_int_equal(last.longest_ns, 50);
}

/* --- random lives against a naive model */

#define THREADS 6

struct slot {
	int used;
	uint64_t file;
	struct ps_io_sum sum;
};

static struct model {
	struct ps_io_sum done[KEYS]; /* the truth */
	struct ps_io_sum map[2][KEYS]; /* the one that is filled, and the one that is taken */
	int current;
	struct slot slots[THREADS][PS_IO_SLOTS];
} model;

static void flush(struct slot *slot)
{
	if (slot->used)
		add(&model.map[model.current][slot->file], &slot->sum);
	memset(slot, 0, sizeof(*slot));
}

/* One thing that a thread does. */
static void act(void)
{
	struct slot *slot = &model.slots[random() % THREADS][random() % PS_IO_SLOTS];
	struct ps_io_sum more = {.count = 1, .ns = (uint64_t)random() % 100};
	uint64_t file = (uint64_t)random() % KEYS;

	if (random() % 10 == 0) {
		flush(slot); /* the thread's end */
		return;
	}
	more.bytes = random() % 2 ? (uint64_t)random() % 1000 : 0;
	if (random() % 3 && slot->used)
		file = slot->file;
	if (random() % 20 == 0) { /* a failed call goes to the map */
		add(&model.map[model.current][file], &more);
	} else {
		if (!slot->used || slot->file != file)
			flush(slot);
		slot->used = 1;
		slot->file = file;
		add(&slot->sum, &more);
	}
	add(&model.done[file], &more);
}

static void act_some(int most)
{
	for (long i = random() % (most + 1); i > 0; i--)
		act();
}

static void take_look(int busy)
{
	struct ps_io_sum *taken = model.map[model.current];

	model.current = !model.current;
	act_some(busy);
	io_sums__begin(sums);
	for (uint64_t file = 0; file < KEYS; file++) {
		struct ps_io_key key = key_of(file);

		if (taken[file].count)
			assert_int_equal(io_sums__add_moved(sums, &key, &taken[file]), 0);
	}
	memset(taken, 0, sizeof(model.map[0]));
	for (int thread = 0; thread < THREADS; thread++) {
		act_some(busy);
		for (int i = 0; i < PS_IO_SLOTS; i++) {
			const struct slot *slot = &model.slots[thread][i];
			struct ps_io_key key = key_of(slot->file);

			if (slot->used)
				assert_int_equal(io_sums__add_slot(sums, &key, &slot->sum), 0);
		}
	}
	act_some(busy);
	end_look();
	for (uint64_t file = 0; file < KEYS; file++) {
		assert_true(charged[file].count <= model.done[file].count);
		assert_true(charged[file].bytes <= model.done[file].bytes);
		assert_true(charged[file].ns <= model.done[file].ns);
	}
}

static void random_lives(void **state)
{
	static const int how_busy[] = {0, 1, 3, 30, 300};

	for (unsigned int seed = 0; seed < 100; seed++) {
		srandom(seed);
		memset(&model, 0, sizeof(model));
		assert_int_equal(setup(state), 0);
		for (int look = 0; look < 60; look++) {
			act_some(how_busy[seed % 5] * 3);
			take_look(look % 20 < 15 ? how_busy[seed % 5] : 0); /* quiet for a while */
		}
		take_look(0);
		take_look(0);
		assert_memory_equal(charged, model.done, sizeof(charged));
		/* All threads end. */
		for (int thread = 0; thread < THREADS; thread++)
			for (int i = 0; i < PS_IO_SLOTS; i++)
				flush(&model.slots[thread][i]);
		for (int look = 0; look < 6; look++)
			take_look(0);
		assert_memory_equal(charged, model.done, sizeof(charged));
		assert_int_equal(io_sums__count(sums), 0);
		if (seed < 99)
			io_sums__free(sums);
	}
}

/* --- which calls */

static void calls(void **state)
{
	uint16_t filled[PS_SYSCALL_LIMIT] = {};
	uint32_t ops = 1U << PS_IO_NONE | 1U << PS_IO_COPY_TO | 1U << PS_IO_FAULT |
		       1U << PS_IO_MAJOR_FAULT;
	int count = 0;

	(void)state;
	io_calls__fill(filled);
	for (int i = 0; i < PS_SYSCALL_LIMIT; i++) {
		if (!filled[i])
			continue;
		assert_true(PS_IO_CALL_OP(filled[i]) < PS_IO_OP_COUNT);
		/* Copies of descriptors are no operations. */
		assert_int_equal(PS_IO_CALL_HOW(filled[i]) >= PS_IO_BY_DUP,
				 PS_IO_CALL_OP(filled[i]) == PS_IO_NONE);
		assert_true(PS_IO_CALL_HOW(filled[i]) <= PS_IO_BY_DUP_TO);
		assert_int_equal(PS_IO_CALL(PS_IO_CALL_OP(filled[i]), PS_IO_CALL_HOW(filled[i])),
				 filled[i]);
		ops |= 1U << PS_IO_CALL_OP(filled[i]);
		count++;
	}
	assert_true(count > 20);
	assert_int_equal(ops, (1U << PS_IO_OP_COUNT) - 1); /* each has a call, but these */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_the_map),
		TEST(in_slots),
		TEST(from_slot_to_map),
		TEST(seen_in_neither),
		TEST(keys_are_whole),
		TEST(errors_lose_nothing),
		TEST(idle_keys_are_forgotten),
		TEST(many_keys),
		TEST(open_times),
		TEST(heavy_ones),
		cmocka_unit_test_teardown(random_lives, teardown),
		cmocka_unit_test(calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
