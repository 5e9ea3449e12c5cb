// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* The native walker compiled for the host, on stacks made by hand: each kind of rule by itself, and
 * whole walks as the recorder does them. */
#include "host/native_world.h"

#include <stdio.h>
#include <ucontext.h>

#define RULE(cfa, cfa_offset, rbp, rbp_offset)                                                     \
	PS_UNWIND_RULE(PS_CFA_##cfa, cfa_offset, PS_RBP_##rbp, rbp_offset)
#define FRAME_AT (STACK + 256)
#define RETURN	 0x401234ULL

/* --- one step */

struct step {
	struct native_walk walk;
	int ending;
};

static struct step step(uint64_t rip, uint64_t rsp, uint64_t rbp, uint32_t rule)
{
	struct step step;

	memset(&step, 0xa5, sizeof(step));
	native__begin(&step.walk, rip, rsp, rbp);
	step.ending = native__step(&step.walk, rule);
	return step;
}

static void expect_caller(const struct step *step, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	assert_int_equal(step->ending, 0);
	assert_int_equal(step->walk.rip, rip);
	assert_int_equal(step->walk.rsp, rsp);
	assert_int_equal(step->walk.rbp, rbp);
	assert_int_equal(step->walk.is_caller, 1);
	assert_int_equal(step->walk.rbp_lost, 0);
}

/* By the stack pointer, at every offset that a row can hold. */
static void by_stack_pointer(void **state)
{
	static const int32_t offsets[] = {8, 16, 1024, 4096};
	struct native_world world;
	struct step one;

	(void)state;
	make_native(&world);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		uint64_t frame = FRAME_AT + (uint64_t)offsets[i];

		put_word(&world, frame - 8, RETURN + i);
		one = step(CODE_AT, FRAME_AT, 0x77, RULE(RSP, offsets[i], SAME, 0));
		expect_caller(&one, RETURN + i, frame, 0x77);
	}
	/* The widest, from so far away that they end in this stack. */
	put_word(&world, FRAME_AT - 8, RETURN);
	one = step(CODE_AT, FRAME_AT - 262136, 1, RULE(RSP, 262136, SAME, 0));
	expect_caller(&one, RETURN, FRAME_AT, 1);
	one = step(CODE_AT, STACK, FRAME_AT + 262144, RULE(RBP, -262144, SAME, 0));
	expect_caller(&one, RETURN, FRAME_AT, FRAME_AT + 262144);
	free_native(&world);
}

static void by_rbp(void **state)
{
	struct native_world world;
	struct step one;

	(void)state;
	make_native(&world);
	put_word(&world, FRAME_AT, 0x1111);
	put_word(&world, FRAME_AT + 8, RETURN);
	one = step(CODE_AT, STACK, FRAME_AT, RULE(RBP, 16, AT_CFA, -16));
	expect_caller(&one, RETURN, FRAME_AT + 16, 0x1111);
	one = step(CODE_AT, STACK, FRAME_AT, RULE(RBP, 16, SAME, 0));
	expect_caller(&one, RETURN, FRAME_AT + 16, FRAME_AT);
	/* An epilogue: rbp is the caller's already. */
	one = step(CODE_AT, FRAME_AT + 8, 0x2222, RULE(RSP, 8, SAME, 0));
	expect_caller(&one, RETURN, FRAME_AT + 16, 0x2222);
	free_native(&world);
}

/* Functions that align their stack keep the CFA in it. */
static void by_reference(void **state)
{
	struct native_world world;
	struct step one;
	uint64_t frame = FRAME_AT + 512;

	(void)state;
	make_native(&world);
	put_word(&world, FRAME_AT + 24, frame);
	put_word(&world, FRAME_AT - 32, frame);
	put_word(&world, frame - 8, RETURN);
	put_word(&world, frame, RETURN + 1);
	one = step(CODE_AT, FRAME_AT, 9, RULE(RSP_DEREF, 24, SAME, 0));
	expect_caller(&one, RETURN, frame, 9);
	one = step(CODE_AT, FRAME_AT, 9, RULE(RSP_DEREF, 24, SAME, 0) | PS_UNWIND_PLUS_8);
	expect_caller(&one, RETURN + 1, frame + 8, 9);
	one = step(CODE_AT, STACK, FRAME_AT, RULE(RBP_DEREF, -32, SAME, 0));
	expect_caller(&one, RETURN, frame, FRAME_AT);
	one = step(CODE_AT, STACK, FRAME_AT, RULE(RBP_DEREF, -32, SAME, 0) | PS_UNWIND_PLUS_8);
	expect_caller(&one, RETURN + 1, frame + 8, FRAME_AT);
	/* What it refers to is not a frame above. */
	put_word(&world, FRAME_AT + 24, FRAME_AT - 8);
	one = step(CODE_AT, FRAME_AT, 9, RULE(RSP_DEREF, 24, SAME, 0));
	assert_int_equal(one.ending, PS_END_STACK_DAMAGED);
	one = step(CODE_AT, STACK_END, 9, RULE(RSP_DEREF, 24, SAME, 0));
	assert_int_equal(one.ending, PS_END_STACK_UNREADABLE);
	one = step(CODE_AT, STACK, NOWHERE, RULE(RBP_DEREF, 0, SAME, 0));
	assert_int_equal(one.ending, PS_END_STACK_UNREADABLE);
	free_native(&world);
}

/* Code that keeps its frame in a register that calls destroy: known in the innermost frame only. */
static void by_other_registers(void **state)
{
	struct {
		uint64_t rax, rbx, rsi, r9, r10, r11, r13;
	} registers;
	uint64_t *const values = &registers.rax;
	struct native_world world;
	struct native_walk walk;

	(void)state;
	make_native(&world);
	assert_int_equal(sizeof(registers) / sizeof(uint64_t), PS_CFA_OTHERS);
	put_word(&world, FRAME_AT + 64 - 8, RETURN);
	put_word(&world, FRAME_AT + 64 - 16, 0x1111);
	for (uint32_t i = 0; i < PS_CFA_OTHERS; i++) {
		uint32_t rule = PS_UNWIND_RULE(PS_CFA_RAX + i, 24, PS_RBP_AT_CFA, -16);

		for (uint32_t j = 0; j < PS_CFA_OTHERS; j++)
			values[j] = i == j ? FRAME_AT + 40 : NOWHERE;
		native__begin(&walk, CODE_AT, FRAME_AT, 7);
		NATIVE_KNOW(&walk, &registers);
		assert_int_equal(native__step(&walk, rule), 0);
		assert_int_equal(walk.rip, RETURN);
		assert_int_equal(walk.rsp, FRAME_AT + 64);
		assert_int_equal(walk.rbp, 0x1111);
		assert_int_equal(native__step(&walk, rule), PS_END_RULE_UNSUPPORTED);
		/* From a copy of the stack: its registers are not there. */
		native__begin(&walk, CODE_AT, FRAME_AT, 7);
		assert_int_equal(native__step(&walk, rule), PS_END_RULE_UNSUPPORTED);
		values[i] = FRAME_AT - 24;
		native__begin(&walk, CODE_AT, FRAME_AT, 7);
		NATIVE_KNOW(&walk, &registers);
		assert_int_equal(native__step(&walk, rule), PS_END_STACK_DAMAGED);
	}
	free_native(&world);
}

/* An entry of the PLT has pushed a word from its instruction `threshold` bytes in on. */
static void in_the_plt(void **state)
{
	struct native_world world;
	struct step one;

	(void)state;
	make_native(&world);
	put_word(&world, FRAME_AT, RETURN);
	put_word(&world, FRAME_AT + 8, RETURN + 1);
	for (unsigned int threshold = 0; threshold <= 16; threshold++) {
		for (unsigned int at = 0; at < 16; at++) {
			bool pushed = at >= threshold;

			one = step(CODE_AT + 0x70 + at, FRAME_AT, 5,
				   RULE(PLT, 8 * (int)threshold, SAME, 0));
			expect_caller(&one, RETURN + pushed, FRAME_AT + 8 + 8 * pushed, 5);
		}
	}
	free_native(&world);
}

/* The C library's picture of what the kernel leaves on the stack for a handler. */
static void out_of_signal_handlers(void **state)
{
	static const int others[PS_CFA_OTHERS] = {REG_RAX, REG_RBX, REG_RSI, REG_R9,
						  REG_R10, REG_R11, REG_R13};
	struct native_world world;
	struct native_walk walk;
	ucontext_t *context = (ucontext_t *)&world.words[32];

	(void)state;
	make_native(&world);
	assert_int_equal(sizeof(world.words[0]) * 32, FRAME_AT - STACK);
	for (int i = 0; i < 23; i++)
		context->uc_mcontext.gregs[i] = 0x1000 + i;
	context->uc_mcontext.gregs[REG_RBP] = 0x5555;
	for (int i = 0; i < PS_CFA_OTHERS; i++)
		context->uc_mcontext.gregs[others[i]] = 0x6000 + i;
	context->uc_mcontext.gregs[REG_RSP] = (long long)STACK; /* from a stack of its own */
	context->uc_mcontext.gregs[REG_RIP] = (long long)RETURN;
	for (int lost = 0; lost < 2; lost++) {
		native__begin(&walk, CODE_AT, FRAME_AT, 1);
		walk.is_caller = 1;
		walk.rbp_lost = (__u32)lost;
		assert_int_equal(native__step(&walk, RULE(SIGNAL, 0, SAME, 0)), 0);
		assert_int_equal(walk.rip, RETURN);
		assert_int_equal(walk.rsp, STACK);
		assert_int_equal(walk.rbp, 0x5555);
		/* The instruction there has not run yet: it is no call. */
		assert_int_equal(walk.is_caller, 0);
		assert_int_equal(native__address(&walk), RETURN);
		assert_int_equal(walk.rbp_lost, 0);
		assert_int_equal(walk.others_known, 1);
		for (int i = 0; i < PS_CFA_OTHERS; i++)
			assert_int_equal(walk.others[i], 0x6000 + i);
		/* The window was used for it. */
		put_word(&world, STACK, RETURN + 7);
		assert_int_equal(native__step(&walk, RULE(RSP, 8, SAME, 0)), 0);
		assert_int_equal(walk.rip, RETURN + 7);
		assert_int_equal(native__address(&walk), RETURN + 6);
	}
	world.hidden =
		(uint64_t)((char *)&context->uc_mcontext.gregs[REG_RIP] - (char *)world.words) +
		STACK;
	world.hidden_size = 1;
	native__begin(&walk, CODE_AT, FRAME_AT, 1);
	assert_int_equal(native__step(&walk, RULE(SIGNAL, 0, SAME, 0)), PS_END_STACK_UNREADABLE);
	free_native(&world);
}

static void ends_of_walks(void **state)
{
	struct native_world world;

	(void)state;
	make_native(&world);
	assert_int_equal(step(1, FRAME_AT, 0, 0).ending, PS_END_NO_RULE);
	assert_int_equal(step(1, FRAME_AT, 0, RULE(BOTTOM, 0, SAME, 0)).ending, PS_END_NATIVE);
	assert_int_equal(step(1, FRAME_AT, 0, RULE(UNSUPPORTED, 0, SAME, 0)).ending,
			 PS_END_RULE_UNSUPPORTED);
	/* A return address of 0 is how some libraries mark the bottom. */
	assert_int_equal(step(1, FRAME_AT, 0, RULE(RSP, 8, SAME, 0)).ending, PS_END_NATIVE);
	assert_int_equal(world.reads, 1);
	free_native(&world);
}

/* rbp of the frame two callers up, by how two functions treat it. */
static void expect_rbp(struct native_world *world, uint32_t first, uint32_t second, int lost,
		       uint64_t rbp)
{
	struct native_walk walk;

	native__begin(&walk, CODE_AT, FRAME_AT, FRAME_AT + 128);
	assert_int_equal(native__step(&walk, first), 0);
	assert_int_equal(walk.rsp, FRAME_AT + 32);
	assert_int_equal(native__step(&walk, second), 0);
	assert_int_equal(walk.rsp, FRAME_AT + 64);
	assert_int_equal(walk.rbp_lost, lost);
	if (!lost)
		assert_int_equal(walk.rbp, rbp);
	/* Whoever needs it now. */
	assert_int_equal(native__step(&walk, RULE(RBP, 16, SAME, 0)),
			 lost ? PS_END_RULE_UNSUPPORTED : PS_END_STACK_DAMAGED);
	assert_int_equal(native__step(&walk, RULE(RBP_DEREF, 16, SAME, 0)),
			 lost ? PS_END_RULE_UNSUPPORTED : PS_END_STACK_UNREADABLE);
	assert_true(world->reads > 0);
}

static void rbp_of_callers(void **state)
{
	struct native_world world;

	(void)state;
	make_native(&world);
	put_word(&world, FRAME_AT + 24, RETURN);
	put_word(&world, FRAME_AT + 56, RETURN);
	put_word(&world, FRAME_AT + 16, 0x1111); /* at the first CFA - 16 */
	put_word(&world, FRAME_AT + 48, 0x2222); /* at the second CFA - 16 */
	put_word(&world, FRAME_AT + 120, 0x3333); /* at the first rbp - 8 */
	put_word(&world, FRAME_AT + 72, 0x4444); /* at the second CFA + 8 */
#define FIRST(rbp, offset)  RULE(RSP, 32, rbp, offset)
#define SECOND(rbp, offset) RULE(RSP, 32, rbp, offset)
	expect_rbp(&world, FIRST(AT_CFA, -16), SECOND(SAME, 0), 0, 0x1111);
	expect_rbp(&world, FIRST(AT_CFA, -16), SECOND(AT_CFA, -16), 0, 0x2222);
	expect_rbp(&world, FIRST(SAME, 0), SECOND(AT_CFA, -16), 0, 0x2222);
	expect_rbp(&world, FIRST(SAME, 0), SECOND(AT_CFA, 8), 0, 0x4444);
	expect_rbp(&world, FIRST(AT_RBP, -8), SECOND(SAME, 0), 0, 0x3333);
	expect_rbp(&world, FIRST(SAME, 0), SECOND(AT_RBP, -8), 0, 0x3333);
	expect_rbp(&world, FIRST(LOST, 0), SECOND(SAME, 0), 1, 0);
	expect_rbp(&world, FIRST(SAME, 0), SECOND(LOST, 0), 1, 0);
	/* A lost one is found again where the caller has saved it… */
	expect_rbp(&world, FIRST(LOST, 0), SECOND(AT_CFA, -16), 0, 0x2222);
	/* … but not at an address that is made of it. */
	expect_rbp(&world, FIRST(LOST, 0), SECOND(AT_RBP, -8), 1, 0);
	/* The ends of what a row can say of it. */
	put_word(&world, FRAME_AT + 64 + 1016, 0x5555);
	expect_rbp(&world, FIRST(SAME, 0), SECOND(AT_CFA, 1016), 0, 0x5555);
	free_native(&world);
	/* -1024 from a frame far enough above. */
	make_native(&world);
	put_word(&world, STACK + 2048 - 8, RETURN);
	put_word(&world, STACK + 1024, 0x6666);
	assert_int_equal(step(1, STACK + 8, 0, RULE(RSP, 2040, AT_CFA, -1024)).walk.rbp, 0x6666);
	free_native(&world);
}

static void stacks_not_in_memory(void **state)
{
	struct native_world world;

	(void)state;
	make_native(&world);
	put_word(&world, FRAME_AT + 8, RETURN);
	/* The return address, the saved rbp, each not there. */
	assert_int_equal(step(1, STACK_END, 0, RULE(RSP, 16, SAME, 0)).ending,
			 PS_END_STACK_UNREADABLE);
	assert_int_equal(step(1, NOWHERE, 0, RULE(RSP, 16, SAME, 0)).ending,
			 PS_END_STACK_UNREADABLE);
	assert_int_equal(step(1, FRAME_AT, 0, RULE(RSP, 16, AT_CFA, -1024)).ending,
			 PS_END_STACK_UNREADABLE);
	assert_int_equal(step(1, FRAME_AT, NOWHERE, RULE(RSP, 16, AT_RBP, -8)).ending,
			 PS_END_STACK_UNREADABLE);
	assert_int_equal(step(1, FRAME_AT, NOWHERE, RULE(RSP, 16, SAME, 0)).ending, 0);
	/* At the very end of all addresses. */
	assert_int_equal(step(1, FRAME_AT, UINT64_MAX - 7, RULE(RBP, 0, SAME, 0)).ending,
			 PS_END_STACK_UNREADABLE);
	/* No word of a stack lies there. */
	for (uint64_t off = 1; off < 8; off++)
		assert_int_equal(step(1, FRAME_AT + off, 0, RULE(RSP, 16, SAME, 0)).ending,
				 PS_END_STACK_UNREADABLE);
	free_native(&world);
}

/* Callers lie above: so no walk can go round in circles. */
static void stacks_damaged(void **state)
{
	static const uint64_t below[] = {FRAME_AT, FRAME_AT - 8, STACK, 0};
	struct native_world world;

	(void)state;
	make_native(&world);
	for (int i = 0; i < STACK_WORDS; i++)
		world.words[i] = RETURN;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		assert_int_equal(step(1, FRAME_AT, below[i], RULE(RBP, 0, SAME, 0)).ending,
				 PS_END_STACK_DAMAGED);
	assert_int_equal(step(1, FRAME_AT, FRAME_AT + 8, RULE(RBP, 0, SAME, 0)).ending, 0);
	assert_int_equal(step(1, FRAME_AT, 0, RULE(RSP, 0, SAME, 0)).ending, PS_END_STACK_DAMAGED);
	assert_int_equal(step(1, FRAME_AT, 0, RULE(RSP, -8, SAME, 0)).ending, PS_END_STACK_DAMAGED);
	/* An offset that goes past the end of all addresses. */
	assert_int_equal(step(1, FRAME_AT, UINT64_MAX - 7, RULE(RBP, 16, SAME, 0)).ending,
			 PS_END_STACK_DAMAGED);
	free_native(&world);
}

/* --- words of the stack */

static void windows_of_words(void **state)
{
	struct native_world world;
	struct native_walk walk;
	__u64 word;

	(void)state;
	make_native(&world);
	for (uint64_t i = 0; i < STACK_WORDS; i++)
		world.words[i] = 0x1000 + i;
	native__begin(&walk, 0, 0, 0);
#define EXPECT_WORD(index, count)                                                                  \
	do {                                                                                       \
		word = 0;                                                                          \
		assert_int_equal(native__word(&walk, STACK + 8 * (uint64_t)(index), &word), 0);    \
		assert_int_equal(word, 0x1000 + (uint64_t)(index));                                \
		assert_int_equal(world.reads, count);                                              \
	} while (0)
	EXPECT_WORD(100, 1);
	EXPECT_WORD(101, 1);
	EXPECT_WORD(100 + NATIVE_WINDOW / 8 - 1, 1); /* its last */
	EXPECT_WORD(100, 1);
	EXPECT_WORD(100 + NATIVE_WINDOW / 8, 2);
	EXPECT_WORD(99, 3); /* below it */
	EXPECT_WORD(99 + NATIVE_WINDOW / 8 - 1, 3);
	/* The last whole window, then word by word: the stack ends. */
	EXPECT_WORD(STACK_WORDS - NATIVE_WINDOW / 8, 4);
	EXPECT_WORD(STACK_WORDS - 1, 4);
	walk.window_start = 0;
	EXPECT_WORD(STACK_WORDS - NATIVE_WINDOW / 8 + 1, 6);
	EXPECT_WORD(STACK_WORDS - 1, 8);
	assert_int_equal(native__word(&walk, STACK_END, &word), -1);
	assert_int_equal(native__word(&walk, STACK - 8, &word), -1);
	/* A failed read leaves nothing behind. */
	EXPECT_WORD(10, 13);
	assert_int_equal(native__word(&walk, NOWHERE, &word), -1);
	EXPECT_WORD(10, 16);
	/* Address 0 is no window. */
	walk.window_start = 0;
	assert_int_equal(native__word(&walk, 0, &word), -1);
	assert_int_equal(native__word(&walk, STACK + 4, &word), -1);
	free_native(&world);
}

/* --- searches */

static void searches_of_ranges(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 4, 5, 31, 32, 33, 1000, 4095, 4096};
	struct native_world world;

	(void)state;
	make_native(&world);
	for (uint32_t i = 0; i < PS_UNWIND_TABLE_RANGES; i++)
		world.table->ranges[i] =
			(struct ps_unwind_range){.start = 1000 + 100 * (uint64_t)i};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint32_t count = counts[i], least[] = {0, 7, PS_UNWIND_TABLE_RANGES - count};

		for (int j = 0; j < 3; j++) {
			uint32_t first = least[j];

			if (first + count > PS_UNWIND_TABLE_RANGES)
				continue;
			/* Before the first: the caller sees that it is not in there. */
			assert_int_equal(native__search_ranges(world.table, first, count, 0),
					 first);
			assert_int_equal(
				native__search_ranges(world.table, first, count, UINT64_MAX),
				first + count - 1);
			for (uint32_t k = 0; k < count; k++) {
				uint64_t start = world.table->ranges[first + k].start;

				assert_int_equal(
					native__search_ranges(world.table, first, count, start),
					first + k);
				assert_int_equal(native__search_ranges(world.table, first, count,
								       start + 99),
						 first + k);
			}
		}
	}
	free_native(&world);
}

static void searches_of_rows(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 255, 256, 257, 40000, 65535, 65536};
	struct native_world world;

	(void)state;
	make_native(&world);
	for (uint32_t i = 0; i < PS_UNWIND_CHUNK_ROWS; i++)
		world.chunks[1]->rows[i] = (struct ps_unwind_row){10 * i, i + 1};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint32_t count = counts[i], least[] = {0, 9, PS_UNWIND_CHUNK_ROWS - count};

		for (int j = 0; j < 3; j++) {
			uint32_t first = least[j], last = first + count - 1;

			if (last >= PS_UNWIND_CHUNK_ROWS)
				continue;
			for (uint32_t k = first; k <= last; k += k < last - 1 ? 1 + k % 3 : 1) {
				assert_int_equal(
					native__search_rows(world.chunks[1], first, last, 10 * k),
					k + 1);
				assert_int_equal(native__search_rows(world.chunks[1], first, last,
								     10 * k + 9),
						 k + 1);
			}
			assert_int_equal(
				native__search_rows(world.chunks[1], first, last, UINT32_MAX),
				last + 1);
			assert_int_equal(native__search_rows(world.chunks[1], first, last, 0),
					 first + 1);
		}
	}
	free_native(&world);
}

/* --- whole walks */

struct walk {
	uint64_t words[PS_MAX_NATIVE];
	size_t count;
	uint32_t ending;
};

static void walk_from(struct walk *walk, const struct native_world *world, uint64_t rip,
		      uint64_t rsp, uint64_t rbp, bool is_caller)
{
	const struct remote_place place = {rip, rsp, rbp, is_caller, false};

	memset(walk, 0, sizeof(*walk));
	walk->ending = remote_walk__native(&world->memory, &world->rows, &place, walk->words,
					   PS_MAX_NATIVE, &walk->count);
}

static void expect_walk(const struct walk *walk, uint32_t ending, const uint64_t *words,
			size_t count)
{
	assert_int_equal(walk->ending, ending);
	assert_int_equal(walk->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(walk->words[i], words[i]);
}
#define EXPECT_WALK(walk, ending, ...)                                                             \
	expect_walk(walk, ending, (const uint64_t[]){__VA_ARGS__},                                 \
		    sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* A function with rbp, one without, the interpreter's loop, and where the thread began. */
static void a_whole_stack(void **state)
{
	struct native_world world;
	struct walk walk;

	(void)state;
	make_native(&world);
	put_row(&world, 0, 0);
	put_row(&world, 0x100, RULE(RSP, 8, SAME, 0)); /* leaf */
	put_row(&world, 0x200, RULE(RBP, 16, AT_CFA, -16));
	put_row(&world, 0x300, RULE(RSP, 48, AT_CFA, -24) | PS_UNWIND_EVAL);
	put_row(&world, 0x400, RULE(BOTTOM, 0, SAME, 0));
	put_row(&world, 0x500, 0);
	put_word(&world, FRAME_AT, CODE_AT + 0x210); /* the leaf's return address */
	put_word(&world, FRAME_AT + 64, 0x1234); /* rbp of the second function */
	put_word(&world, FRAME_AT + 72, CODE_AT + 0x310);
	put_word(&world, FRAME_AT + 80 + 24, 0x5678);
	put_word(&world, FRAME_AT + 80 + 40, CODE_AT + 0x410);
	walk_from(&walk, &world, CODE_AT + 0x1ff, FRAME_AT, FRAME_AT + 64, false);
	EXPECT_WALK(&walk, PS_END_NATIVE, CODE_AT + 0x1ff, CODE_AT + 0x210,
		    (CODE_AT + 0x310) | PS_NATIVE_EVAL, CODE_AT + 0x410);
	assert_int_equal(world.reads, 1);

	/* The second function calls as its last instruction: its return address is the next one's
	 * first byte. */
	put_word(&world, FRAME_AT, CODE_AT + 0x300);
	walk_from(&walk, &world, CODE_AT + 0x100, FRAME_AT, FRAME_AT + 64, false);
	EXPECT_WALK(&walk, PS_END_NATIVE, CODE_AT + 0x100, CODE_AT + 0x300,
		    (CODE_AT + 0x310) | PS_NATIVE_EVAL, CODE_AT + 0x410);
	/* As a leaf the same address is in the next one. */
	walk_from(&walk, &world, CODE_AT + 0x300, FRAME_AT + 80, 0, false);
	EXPECT_WALK(&walk, PS_END_NATIVE, (CODE_AT + 0x300) | PS_NATIVE_EVAL, CODE_AT + 0x410);
	walk_from(&walk, &world, CODE_AT + 0x300, FRAME_AT + 80, FRAME_AT + 64, true);
	assert_int_equal(walk.words[0], CODE_AT + 0x300);
	/* One byte above, it is a return address of its own. */
	walk_from(&walk, &world, CODE_AT + 0x301, FRAME_AT + 80, FRAME_AT + 64, true);
	assert_int_equal(walk.words[0], (CODE_AT + 0x301) | PS_NATIVE_EVAL);
	/* The caller's call may be the last instruction of the whole range. */
	put_row(&world, 0xff0, RULE(BOTTOM, 0, SAME, 0));
	walk_from(&walk, &world, CODE_AT + 4096, FRAME_AT, 0, true);
	EXPECT_WALK(&walk, PS_END_NATIVE, CODE_AT + 4096);
	walk_from(&walk, &world, CODE_AT + 4096, FRAME_AT, 0, false);
	EXPECT_WALK(&walk, PS_END_UNMAPPED, CODE_AT + 4096);
	free_native(&world);
}

/* The frame that cannot be left is still shown. */
static void ends_in_the_middle(void **state)
{
	static const struct {
		uint32_t rule;
		uint32_t ending;
	} cases[] = {
		{0, PS_END_NO_RULE},
		{RULE(UNSUPPORTED, 0, SAME, 0), PS_END_RULE_UNSUPPORTED},
		{RULE(RSP, 8, LOST, 0), PS_END_UNMAPPED},
		{RULE(RSP, 0, SAME, 0), PS_END_STACK_DAMAGED},
		{RULE(RSP, 65536, SAME, 0), PS_END_STACK_UNREADABLE},
	};
	struct native_world world;
	struct walk walk;

	(void)state;
	make_native(&world);
	put_row(&world, 0, RULE(RSP, 8, SAME, 0));
	put_row(&world, 0x100, 0);
	put_word(&world, FRAME_AT, CODE_AT + 0x110);
	put_word(&world, FRAME_AT + 8, 0x77777777);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world.chunks[0]->rows[1].rule = cases[i].rule;
		walk_from(&walk, &world, CODE_AT, FRAME_AT, 0, false);
		if (cases[i].ending == PS_END_UNMAPPED)
			EXPECT_WALK(&walk, cases[i].ending, CODE_AT, CODE_AT + 0x110, 0x77777777);
		else
			EXPECT_WALK(&walk, cases[i].ending, CODE_AT, CODE_AT + 0x110);
	}
	/* rbp is lost in the first function, and the second one needs it. */
	world.chunks[0]->rows[0].rule = RULE(RSP, 8, LOST, 0);
	world.chunks[0]->rows[1].rule = RULE(RBP, 16, SAME, 0);
	walk_from(&walk, &world, CODE_AT, FRAME_AT, FRAME_AT + 64, false);
	EXPECT_WALK(&walk, PS_END_RULE_UNSUPPORTED, CODE_AT, CODE_AT + 0x110);
	free_native(&world);
}

static void ranges_of_a_process(void **state)
{
	static const uint64_t gaps[] = {0,	  0x100800, 0x4fffff,	0x502000,	   0x6fffff,
					0x701000, 0x800000, UINT64_MAX, 0x8000000000700001};
	struct native_world world;
	struct walk walk;

	(void)state;
	make_native(&world);
	/* The process's are the 4th to 6th of the table. A file mapped in two parts: its rows are
	 * in the second chunk, its second part begins at row address 0x3000. */
	world.rows.ranges.first = 3;
	world.rows.ranges.count = 3;
	world.table->ranges[2] = (struct ps_unwind_range){.start = 0x100000, .size = 0x1000};
	world.table->ranges[3] = (struct ps_unwind_range){.start = 0x500000,
							  .size = 0x1000,
							  .delta = 0x1000,
							  .chunk = 1,
							  .first = 5,
							  .last = 7};
	world.table->ranges[4] = (struct ps_unwind_range){.start = 0x501000,
							  .size = 0x1000,
							  .delta = 0x3000,
							  .chunk = 1,
							  .first = 5,
							  .last = 7};
	world.table->ranges[5] = (struct ps_unwind_range){
		.start = 0x700000, .size = 0x1000, .chunk = PS_UNWIND_NO_ROWS};
	world.table->ranges[6] = (struct ps_unwind_range){.start = 0x800000, .size = 0x1000};
	world.chunks[0]->rows[0].rule = RULE(BOTTOM, 0, SAME, 0); /* of other processes */
	world.chunks[1]->rows[4] = world.chunks[1]->rows[8] = world.chunks[0]->rows[0];
	world.chunks[1]->rows[5] = (struct ps_unwind_row){0, 0};
	world.chunks[1]->rows[6] = (struct ps_unwind_row){0x1800, RULE(RSP, 8, SAME, 0)};
	world.chunks[1]->rows[7] = (struct ps_unwind_row){0x3400, RULE(RSP, 16, SAME, 0)};
	put_word(&world, FRAME_AT, 0x501500);
	put_word(&world, FRAME_AT + 16, 0x501001); /* the call before it: row address 0x3000 */
	put_word(&world, FRAME_AT + 24, 0x700001);
	walk_from(&walk, &world, 0x500800, FRAME_AT, 0, false);
	EXPECT_WALK(&walk, PS_END_NO_ROWS, 0x500800, 0x501500, 0x501001, 0x700001);
	walk_from(&walk, &world, 0x5007ff, FRAME_AT, 0, false);
	EXPECT_WALK(&walk, PS_END_NO_RULE, 0x5007ff);

	/* Before, between and behind them; those of other processes are none of its own. */
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		walk_from(&walk, &world, gaps[i], FRAME_AT, 0, false);
		assert_int_equal(walk.ending, PS_END_UNMAPPED);
		assert_int_equal(walk.count, 1);
	}
	world.rows.ranges.count = 0;
	walk_from(&walk, &world, 0x500800, FRAME_AT, 0, false);
	EXPECT_WALK(&walk, PS_END_NATIVE_NOT_YET, 0x500800);
	free_native(&world);
}

static void deep_stacks(void **state)
{
	const struct remote_place place = {CODE_AT, STACK, 0, false, false};
	struct native_world world;
	uint64_t words[PS_MAX_NATIVE];
	size_t count;

	(void)state;
	make_native(&world);
	put_row(&world, 0, RULE(RSP, 8, SAME, 0));
	put_row(&world, 0x800, RULE(BOTTOM, 0, SAME, 0));
	for (int i = 0; i < STACK_WORDS; i++)
		world.words[i] = CODE_AT + 0x10;
	assert_int_equal(remote_walk__native(&world.memory, &world.rows, &place, words,
					     PS_MAX_NATIVE, &count),
			 PS_END_NATIVE_TOO_DEEP);
	assert_int_equal(count, PS_MAX_NATIVE);
	assert_true(world.reads <= PS_MAX_NATIVE * 8 / NATIVE_WINDOW + 1);
	/* Exactly as many as there is room for are all. */
	world.words[8] = CODE_AT + 0x900;
	assert_int_equal(remote_walk__native(&world.memory, &world.rows, &place, words, 10, &count),
			 PS_END_NATIVE);
	assert_int_equal(count, 10);
	assert_int_equal(remote_walk__native(&world.memory, &world.rows, &place, words, 9, &count),
			 PS_END_NATIVE_TOO_DEEP);
	assert_int_equal(count, 9);
	free_native(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_stack_pointer),	cmocka_unit_test(by_rbp),
		cmocka_unit_test(by_reference),		cmocka_unit_test(by_other_registers),
		cmocka_unit_test(in_the_plt),		cmocka_unit_test(out_of_signal_handlers),
		cmocka_unit_test(ends_of_walks),	cmocka_unit_test(rbp_of_callers),
		cmocka_unit_test(stacks_not_in_memory), cmocka_unit_test(stacks_damaged),
		cmocka_unit_test(windows_of_words),	cmocka_unit_test(searches_of_ranges),
		cmocka_unit_test(searches_of_rows),	cmocka_unit_test(a_whole_stack),
		cmocka_unit_test(ends_in_the_middle),	cmocka_unit_test(ranges_of_a_process),
		cmocka_unit_test(deep_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
