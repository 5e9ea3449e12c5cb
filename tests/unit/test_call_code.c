// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture python base
/* Instructions that return or jump, one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "capture/call_code.h"

#define START 0x1000
#define NONE  -1

struct coded {
	const char *name;
	const char *bytes;
	size_t size;
	int way; /* NONE: it goes on with the next */
	uint64_t target;
};

#define CODE(text) text, sizeof(text) - 1

static const struct coded coded[] = {
	{"nop", CODE("\x90"), NONE, 0},
	{"ret", CODE("\xc3"), CALL_WAY_RETURN, 0},
	{"rep ret", CODE("\xf3\xc3"), CALL_WAY_RETURN, 0},
	{"ret imm16", CODE("\xc2\x08\x00"), CALL_WAY_RETURN, 0},
	{"jmp of 8 bits, back to itself", CODE("\xeb\xfe"), CALL_WAY_JUMP, START},
	{"jmp", CODE("\xe9\x10\x00\x00\x00"), CALL_WAY_JUMP, START + 0x15},
	{"bnd jmp", CODE("\xf2\xe9\x10\x00\x00\x00"), CALL_WAY_JUMP, START + 0x16},
	{"jne of 8 bits", CODE("\x75\xf0"), CALL_WAY_BRANCH, START - 14},
	{"ja", CODE("\x0f\x87\x00\x01\x00\x00"), CALL_WAY_BRANCH, START + 0x106},
	{"loop", CODE("\xe2\x02"), CALL_WAY_BRANCH, START + 4},
	{"jrcxz", CODE("\xe3\x02"), CALL_WAY_BRANCH, START + 4},
	{"jmp *[rip + disp32]", CODE("\xff\x25\1\2\3\4"), CALL_WAY_LOADED, 0},
	{"bnd jmp *[rip + disp32]", CODE("\xf2\xff\x25\1\2\3\4"), CALL_WAY_LOADED, 0},
	{"jmp *rax", CODE("\xff\xe0"), CALL_WAY_COMPUTED, 0},
	{"jmp *r11", CODE("\x41\xff\xe3"), CALL_WAY_COMPUTED, 0},
	{"jmp *rax, no tracking", CODE("\x3e\xff\xe0"), CALL_WAY_COMPUTED, 0},
	{"jmp *[rdi + 8]", CODE("\xff\x67\x08"), CALL_WAY_COMPUTED, 0},
	{"jmp *[rax * 8 + disp32]", CODE("\xff\x24\xc5\1\2\3\4"), CALL_WAY_COMPUTED, 0},
	{"call", CODE("\xe8\1\2\3\4"), NONE, 0},
	{"call *rax", CODE("\xff\xd0"), NONE, 0},
	{"inc dword [rax]", CODE("\xff\x00"), NONE, 0},
	{"push [rax]", CODE("\xff\x30"), NONE, 0},
	{"endbr64", CODE("\xf3\x0f\x1e\xfa"), NONE, 0},
	{"movups xmm0, [rax]", CODE("\x0f\x10\x00"), NONE, 0},
	{"sete al", CODE("\x0f\x94\xc0"), NONE, 0},
	{"mov eax, 0xc3", CODE("\xb8\xc3\x00\x00\x00"), NONE, 0},
};

struct taken {
	struct call_step steps[4];
	size_t count;
	int result;
};

static int take(void *context, const struct call_step *step)
{
	struct taken *taken = context;

	assert_true(taken->count < 4);
	taken->steps[taken->count++] = *step;
	return taken->result;
}

static void test_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(coded) / sizeof(coded[0]); i++) {
		const struct coded *one = &coded[i];
		struct taken taken = {0};

		print_message("%s\n", one->name);
		assert_int_equal(call_code__each((const uint8_t *)one->bytes, one->size, START,
						 take, &taken),
				 0);
		assert_int_equal(taken.count, one->way != NONE);
		if (!taken.count)
			continue;
		assert_int_equal(taken.steps[0].way, one->way);
		assert_int_equal(taken.steps[0].at, START);
		if (one->way == CALL_WAY_JUMP || one->way == CALL_WAY_BRANCH)
			assert_int_equal(taken.steps[0].target, one->target);
	}
}

/* A loop that is the whole function; what looks like a return inside of another instruction. */
static void test_function(void **state)
{
	static const uint8_t code[] = {0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0x83,
				       0x2f, 0x01, 0x75, 0xf6, 0xc3};
	struct taken taken = {0};

	(void)state;
	assert_int_equal(call_code__each(code, sizeof(code), START, take, &taken), 0);
	assert_int_equal(taken.count, 2);
	assert_int_equal(taken.steps[0].way, CALL_WAY_BRANCH);
	assert_int_equal(taken.steps[0].target, START);
	assert_int_equal(taken.steps[1].way, CALL_WAY_RETURN);
	assert_int_equal(taken.steps[1].at, START + 10);
}

static void test_failures(void **state)
{
	static const uint8_t cut[] = {0xc3, 0xe9, 0x01}, invalid[] = {0x06};
	struct taken taken = {0};

	(void)state;
	assert_int_equal(call_code__each(cut, sizeof(cut), START, take, &taken), -EBADMSG);
	assert_int_equal(call_code__each(invalid, sizeof(invalid), START, take, &taken), -EBADMSG);
	taken = (struct taken){.result = -E2BIG};
	assert_int_equal(call_code__each(cut, sizeof(cut), START, take, &taken), -E2BIG);
	assert_int_equal(taken.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_function),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
