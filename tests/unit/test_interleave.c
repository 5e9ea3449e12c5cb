// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Native and Python frames in one order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "capture/interleave.h"

#define MAX_FRAMES 600

/* Stacks are drawn innermost first. native: E is an interpreter loop. python: letters; | says that
 * the one before it was the last of its native frame, * is a native frame without any. Frames come
 * out as their letter, or as the digit of their place in native. */
struct drawn {
	const char *native, *python;
	bool leaf_eval, native_cut, python_cut;
	const char *expected;
	bool mismatch;
};

static void check(const struct drawn *drawn)
{
	uint64_t native[MAX_FRAMES];
	struct ps_frame python[MAX_FRAMES];
	struct mixed_frame frames[MAX_FRAMES];
	struct walked_stack stack = {
		.native = native,
		.python = python,
		.leaf_eval = drawn->leaf_eval,
		.native_whole = !drawn->native_cut,
		.python_whole = !drawn->python_cut,
	};
	char letters[MAX_FRAMES], result[MAX_FRAMES] = "";
	bool mismatch = !drawn->mismatch;
	size_t count;

	for (const char *at = drawn->native; *at; at++)
		native[stack.native_count++] = 0x7f0000001000 | (*at == 'E' ? PS_NATIVE_EVAL : 0);
	for (const char *at = drawn->python; *at; at++) {
		if (*at == '|') {
			python[stack.python_count - 1].kind |= PS_FRAME_LAST;
			continue;
		}
		letters[stack.python_count] = *at;
		/* A check value stands above the flags. */
		python[stack.python_count++] = (struct ps_frame){
			.address = 0x7f0000002000,
			.kind = 0xffffff00 | (*at == '*' ? PS_FRAME_NONE | PS_FRAME_LAST : 0),
		};
	}
	count = interleave(&stack, frames, &mismatch);
	assert_true(count <= stack.native_count + stack.python_count);
	for (size_t i = 0; i < count; i++)
		result[i] =
			frames[i].python ? letters[frames[i].index] : (char)('0' + frames[i].index);
	if (strcmp(result, drawn->expected) || mismatch != drawn->mismatch)
		print_error("native %s python %s leaf %d: %s, mismatch %d\n", drawn->native,
			    drawn->python, drawn->leaf_eval, result, mismatch);
	assert_string_equal(result, drawn->expected);
	assert_int_equal(mismatch, drawn->mismatch);
}

static void check_all(const struct drawn *drawn, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&drawn[i]);
}
#define CHECK(...)                                                                                 \
	do {                                                                                       \
		static const struct drawn drawn[] = {__VA_ARGS__};                                 \
		check_all(drawn, sizeof(drawn) / sizeof(drawn[0]));                                \
	} while (0)

/* 3.8-3.10: each frame has a loop of its own. */
static void a_loop_per_frame(void **state)
{
	(void)state;
	CHECK({"E", "a|", .expected = "a"}, {"E1E3E5", "a|b|c|", .expected = "a1b3c5"},
	      {"0EEE4", "a|b|c|", .expected = "0abc4"});
}

/* 3.11+: a loop runs all the calls that do not go through C. */
static void groups_of_frames(void **state)
{
	(void)state;
	CHECK({"0E2E4", "abc|de|", .expected = "0abc2de4"},
	      {"E1E3", "a|bcd|", .expected = "a1bcd3"},
	      /* the outermost group needs no end */
	      {"0E2", "ab", .expected = "0ab2"}, {"0E2E", "a|bc", .expected = "0a2bc"});
}

static void leaf_in_the_loop(void **state)
{
	(void)state;
	CHECK({"0", "ab|", .leaf_eval = true, .expected = "ab0"},
	      {"0E2", "a|b|", .leaf_eval = true, .expected = "a0b2"},
	      {"", "ab", .leaf_eval = true, .expected = "ab"},
	      {"EE", "a|b|c|", .leaf_eval = true, .expected = "abc"});
}

/* The innermost loop has not linked its first frame yet, or its last one no longer. */
static void loop_without_a_frame(void **state)
{
	(void)state;
	CHECK({"0E2E4", "ab|", .expected = "012ab4"}, {"0E2", "", .expected = "012"},
	      {"E", "", .expected = "0"},
	      /* the leaf is that loop */
	      {"0E2", "ab|", .leaf_eval = true, .expected = "0ab2"},
	      {"01", "", .leaf_eval = true, .expected = "01"},
	      {"", "", .leaf_eval = true, .expected = ""});
}

/* 3.12+: its shim is there already. */
static void groups_without_frames(void **state)
{
	(void)state;
	CHECK({"0E2E4", "*ab|", .expected = "012ab4"}, {"0E2E4", "ab|*", .expected = "0ab234"},
	      {"0E2E4E6", "a|*b|", .expected = "0a234b6"},
	      {"0E2", "*a|", .leaf_eval = true, .expected = "0a2"},
	      {"0E2", "a|*", .leaf_eval = true, .expected = "a012"},
	      /* and one more that has not even that */
	      {"E1E3E5", "*a|", .expected = "0123a5"});
}

/* Nothing is left out, and the order is a guess. */
static void mismatches(void **state)
{
	(void)state;
	CHECK({"E1E3E5", "a|", .expected = "0123a5", .mismatch = true},
	      {"0E2E", "", .expected = "0123", .mismatch = true},
	      {"0E2E4", "a", .leaf_eval = true, .expected = "012a4", .mismatch = true},
	      {"0E2", "a|b|c|", .expected = "0a2bc", .mismatch = true},
	      {"012", "ab|", .expected = "012ab", .mismatch = true},
	      {"", "a|b|", .leaf_eval = true, .expected = "ab", .mismatch = true},
	      {"0E2", "a|*b|", .expected = "0a2b", .mismatch = true},
	      {"0E2", "a|*", .expected = "0a2", .mismatch = true});
}

/* A walk that did not reach the outermost frame: what there is fits from the innermost on. */
static void incomplete_walks(void **state)
{
	(void)state;
	CHECK({"0E2", "a|bc|d|", .native_cut = true, .expected = "0a2bcd"},
	      {"01", "ab|c", .native_cut = true, .expected = "01abc"},
	      {"0", "a|b|", true, .native_cut = true, .expected = "a0b"},
	      {"0E2E4", "ab", .python_cut = true, .expected = "0ab234"},
	      {"0E2E4", "ab|", .python_cut = true, .expected = "0ab234"},
	      {"0E2E4E", "", .python_cut = true, .expected = "012345"},
	      {"0E2E4E", "a|b", .native_cut = true, .python_cut = true, .expected = "0a2b45"});
}

static void only_one_kind(void **state)
{
	(void)state;
	CHECK({"", "", .expected = ""}, {"0123", "", .expected = "0123"},
	      {"0123", "", .native_cut = true, .expected = "0123"},
	      {"0E23", "", .python_cut = true, .expected = "0123"},
	      {"", "a|b|c", .native_cut = true, .expected = "abc"},
	      {"", "*a|*", .native_cut = true, .expected = "a"},
	      {"", "a", .expected = "a", .mismatch = true});
}

/* As many frames as the walkers find at most. */
static void largest_stacks(void **state)
{
	static uint64_t native[PS_MAX_NATIVE];
	static struct ps_frame python[PS_MAX_PYTHON];
	static struct mixed_frame frames[PS_MAX_NATIVE + PS_MAX_PYTHON];
	const struct walked_stack stack = {.native = native,
					   .native_count = PS_MAX_NATIVE,
					   .python = python,
					   .python_count = PS_MAX_PYTHON};
	bool mismatch;

	(void)state;
	for (int loops = 0; loops < 2; loops++) {
		for (int i = 0; i < PS_MAX_NATIVE; i++)
			native[i] = loops ? PS_NATIVE_EVAL : 0;
		for (int i = 0; i < PS_MAX_PYTHON; i++)
			python[i].kind = PS_FRAME_LAST;
		assert_int_equal(interleave(&stack, frames, &mismatch),
				 loops ? PS_MAX_PYTHON : PS_MAX_NATIVE + PS_MAX_PYTHON);
		assert_false(mismatch);
		for (uint32_t i = 0; i < PS_MAX_NATIVE; i++) {
			assert_int_equal(frames[i].python, loops);
			assert_int_equal(frames[i].index, i);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_per_frame),	 cmocka_unit_test(groups_of_frames),
		cmocka_unit_test(leaf_in_the_loop),	 cmocka_unit_test(loop_without_a_frame),
		cmocka_unit_test(groups_without_frames), cmocka_unit_test(mismatches),
		cmocka_unit_test(incomplete_walks),	 cmocka_unit_test(only_one_kind),
		cmocka_unit_test(largest_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
