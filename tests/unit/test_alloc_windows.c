// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture model store symbols python unwind proc base
/* Allocators: how much counting them may cost, which breakpoints are single-stepped, and where they
 * are in a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/alloc_budget.h"
#include "capture/alloc_targets.h"

static void test_budget(void **state)
{
	struct alloc_budget budget = {.limit = 0.2, .cpu_ns = 600, .spent_ns = 90, .most_ns = 100};

	(void)state;
	assert_float_equal(alloc_budget__left(&budget), 0, 1e-9);
	budget.cpu_ns = 1100;
	assert_float_equal(alloc_budget__left(&budget), 100, 1e-9);
	/* More spent than there was: the cost is known less well than that. */
	budget.cpu_ns = 90;
	assert_float_equal(alloc_budget__left(&budget), 0.2 - 100, 1e-9);
	budget.limit = 1000;
	assert_true(alloc_budget__left(&budget) > 0);
}

/* What was not spent in a long time is lost but for the credit. */
static void test_credit(void **state)
{
	struct alloc_budget budget = {.limit = 0.2, .cpu_ns = 1000};

	(void)state;
	alloc_budget__forgo(&budget, 300);
	assert_float_equal(alloc_budget__left(&budget), 200, 1e-9);
	budget.cpu_ns = 3600000;
	alloc_budget__forgo(&budget, 300);
	assert_float_equal(alloc_budget__left(&budget), 300, 1e-9);
	budget.cpu_ns += 500;
	budget.most_ns += 250;
	assert_float_equal(alloc_budget__left(&budget), 100, 1e-9);
	alloc_budget__forgo(&budget, 300);
	assert_float_equal(alloc_budget__left(&budget), 100, 1e-9);
}

/* A window costs own time times slow_down; so much of the time it may be open. */
static void test_share(void **state)
{
	(void)state;
	assert_float_equal(alloc_budget__share(0.1, 0.2), 1, 1e-9);
	assert_float_equal(alloc_budget__share(0.2, 0.2), 1, 1e-9);
	/* 90 % of an open window is cost: 0.185 * 0.9 / (1 - 0.185 * 0.9) = 0.2 */
	assert_float_equal(alloc_budget__share(9, 0.2), 0.2 / 1.2 / 0.9, 1e-9);
	for (double slow_down = 0.3; slow_down < 1000; slow_down *= 3) {
		double share = alloc_budget__share(slow_down, 0.2);
		double cost = share * slow_down / (1 + slow_down);

		assert_float_equal(cost / (1 - cost), 0.2, 1e-9);
	}
}

static void test_stepped(void **state)
{
	static const struct {
		uint8_t code[4];
		bool stepped;
	} cases[] = {
		{{0x55, 0x48, 0x89, 0xe5}, false}, /* push %rbp */
		{{0x41, 0x54, 0x55, 0x53}, false}, /* push %r12 */
		{{0x90, 0xc3}, false}, /* nop */
		{{0xf3, 0x0f, 0x1e, 0xfa}, true}, /* endbr64 */
		{{0x48, 0x85, 0xff}, true}, /* test %rdi,%rdi */
		{{0x41, 0x89, 0xf8}, true}, /* mov %edi,%r8d */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(alloc_targets__is_stepped(cases[i].code, 4), cases[i].stepped);
	assert_true(alloc_targets__is_stepped(cases[0].code, 0));
	assert_true(alloc_targets__is_stepped(cases[1].code, 1));
}

static void test_own_process(void **state)
{
	struct alloc_targets *targets = alloc_targets__new(false);
	struct alloc_point_list list = {0};
	bool has_malloc = false, has_free = false;
	size_t count;

	(void)state;
	assert_non_null(targets);
	assert_int_equal(alloc_targets__find(targets, getpid(), &list), 0);
	assert_true(list.count > 0);
	for (size_t i = 0; i < list.count; i++) {
		const struct alloc_point *point = &list.items[i];
		const struct alloc_function *function =
			alloc_targets__function(targets, point->target.allocator);

		assert_non_null(function);
		assert_int_equal(point->pid, getpid());
		assert_int_equal(function->frees, point->target.kind == PS_ALLOC_FREE ||
							  point->target.kind == PS_ALLOC_DELETE);
		has_malloc |= !strcmp(function->name, "malloc");
		has_free |= !strcmp(function->name, "free");
	}
	assert_true(has_malloc && has_free);
	/* Nothing is new. */
	count = list.count;
	assert_int_equal(alloc_targets__find(targets, getpid(), &list), 0);
	assert_int_equal(list.count, count);
	alloc_point_list__clear(&list);
	assert_int_equal(alloc_targets__find(targets, -1, &list), -ESRCH);
	assert_null(alloc_targets__function(targets, ALLOC_TARGETS_FUNCTIONS));
	alloc_targets__free(targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),	    cmocka_unit_test(test_credit),
		cmocka_unit_test(test_share),	    cmocka_unit_test(test_stepped),
		cmocka_unit_test(test_own_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
