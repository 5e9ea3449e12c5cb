// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture base
/* Sums of waits as BPF would have them, and what is charged of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "capture/wait_kinds.h"
#include "capture/wait_sums.h"

/* --- the sums of a thread */

static struct wait_sums of(const struct ps_waits *waits, uint64_t now_ns)
{
	struct wait_sums sums;

	memset(&sums, 0xa5, sizeof(sums));
	wait_sums__of(waits, now_ns, &sums);
	return sums;
}

#define CALL(number) PS_WAIT_KEY(PS_WAIT_OTHER, 1 + (number))

static struct wait_sum of_call(const struct wait_sums *sums, uint32_t syscall)
{
	for (size_t i = 0; i < sums->detail_count; i++)
		if (sums->details[i].key == CALL(syscall))
			return sums->details[i].sum;
	return (struct wait_sum){};
}

static uint64_t all_ns(const struct wait_sums *sums)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < PS_WAIT_COUNT; i++)
		ns += sums->classes[i].ns;
	for (size_t i = 0; i < sums->detail_count; i++)
		ns += sums->details[i].sum.ns;
	return ns;
}

static void ended_waits(void **state)
{
	struct ps_waits waits = {};
	struct wait_sums sums;

	(void)state;
	sums = of(&waits, 1000);
	assert_int_equal(all_ns(&sums), 0);
	assert_int_equal(sums.detail_count, 0);
	for (uint64_t i = 0; i < PS_WAIT_COUNT; i++) {
		waits.ns[i] = 100 + i;
		waits.count[i] = 1 + i;
	}
	sums = of(&waits, 1000);
	for (uint64_t i = 0; i < PS_WAIT_COUNT; i++) {
		assert_int_equal(sums.classes[i].ns, 100 + i);
		assert_int_equal(sums.classes[i].count, 1 + i);
	}
	waits.details[0] = (struct ps_wait_detail){CALL(SYS_ioctl), .ns = 60, .count = 3};
	waits.details[1] = (struct ps_wait_detail){PS_WAIT_KEY(PS_WAIT_SOCKET, 77), 40, 2};
	waits.details[2] = (struct ps_wait_detail){PS_WAIT_KEY(PS_WAIT_COUNT, 5), 9, 1};
	sums = of(&waits, 1000);
	assert_int_equal(sums.detail_count, 2);
	assert_int_equal(of_call(&sums, SYS_ioctl).ns, 60);
	assert_int_equal(of_call(&sums, SYS_ioctl).count, 3);
	assert_int_equal(sums.details[1].key, PS_WAIT_KEY(PS_WAIT_SOCKET, 77));
	assert_int_equal(sums.details[1].sum.ns, 40);
	/* Apart from their classes. */
	assert_int_equal(sums.classes[PS_WAIT_OTHER].ns, 100 + PS_WAIT_OTHER);
	assert_int_equal(sums.classes[PS_WAIT_SOCKET].ns, 100 + PS_WAIT_SOCKET);
}

static void waits_that_go_on(void **state)
{
	struct ps_waits waits = {.out_ns = 1000, .class = PS_WAIT_LOCK, .ns[PS_WAIT_LOCK] = 7};
	struct wait_sums sums;

	(void)state;
	sums = of(&waits, 1500);
	assert_int_equal(sums.classes[PS_WAIT_LOCK].ns, 507);
	assert_int_equal(sums.classes[PS_WAIT_LOCK].count, 0); /* it has not ended */
	assert_int_equal(all_ns(&sums), 507);

	/* Woken, but no CPU is free. */
	waits.wake_ns = 1400;
	sums = of(&waits, 1500);
	assert_int_equal(sums.classes[PS_WAIT_LOCK].ns, 407);
	assert_int_equal(sums.classes[PS_WAIT_RUN_QUEUE].ns, 100);
	assert_int_equal(all_ns(&sums), 507);

	/* Woken after the look had begun; or the moment is that of an earlier wait. */
	waits.wake_ns = 1501;
	sums = of(&waits, 1500);
	assert_int_equal(sums.classes[PS_WAIT_LOCK].ns, 507);
	assert_int_equal(sums.classes[PS_WAIT_RUN_QUEUE].ns, 0);
	waits.wake_ns = 999;
	sums = of(&waits, 1500);
	assert_int_equal(sums.classes[PS_WAIT_LOCK].ns, 507);

	/* It began after the look. */
	waits.out_ns = 1501;
	sums = of(&waits, 1500);
	assert_int_equal(all_ns(&sums), 7);

	waits = (struct ps_waits){.out_ns = 10, .class = PS_WAIT_RUN_QUEUE};
	sums = of(&waits, 15);
	assert_int_equal(sums.classes[PS_WAIT_RUN_QUEUE].ns, 5);
	waits.class = PS_WAIT_THROTTLED;
	sums = of(&waits, 15);
	assert_int_equal(sums.classes[PS_WAIT_THROTTLED].ns, 5);
	waits.class = PS_WAIT_COUNT + 3;
	sums = of(&waits, 15);
	assert_int_equal(all_ns(&sums), 0);
	waits = (struct ps_waits){.out_ns = 10, .class = PS_WAIT_OTHER, .detail = 1 + SYS_ioctl};
	sums = of(&waits, 15);
	assert_int_equal(of_call(&sums, SYS_ioctl).ns, 5);
}

/* As BPF does it. */
static void add_other(struct ps_waits *waits, uint32_t syscall, uint64_t ns)
{
	for (size_t i = 0; i < PS_WAIT_DETAILS; i++) {
		struct ps_wait_detail *detail = &waits->details[i];

		if (detail->count && detail->key != CALL(syscall))
			continue;
		detail->key = CALL(syscall);
		detail->count++;
		detail->ns += ns;
		return;
	}
	waits->count[PS_WAIT_OTHER]++;
	waits->ns[PS_WAIT_OTHER] += ns;
}

/* The part of a wait that goes on must be counted where the whole wait will be: else it would be
 * charged under two names. */
static void other_calls_beyond_the_limit(void **state)
{
	struct ps_waits waits = {};
	struct wait_sums charged = {}, sums = {}, now;
	uint64_t clock = 0, waited = 0;

	(void)state;
	for (uint32_t turn = 0; turn < 3; turn++) {
		for (uint32_t call = 300; call < 300 + 2 * PS_WAIT_DETAILS; call++) {
			waits.out_ns = ++clock;
			waits.class = PS_WAIT_OTHER;
			waits.detail = 1 + call;
			clock += 10;
			now = of(&waits, clock);
			wait_sums__charge(&sums, &charged, &now, NULL, NULL);
			clock += 10;
			waits.out_ns = 0;
			add_other(&waits, call, 20);
			waited += 20;
			now = of(&waits, clock);
			wait_sums__charge(&sums, &charged, &now, NULL, NULL);
			assert_int_equal(all_ns(&sums), waited);
		}
	}
	assert_int_equal(sums.detail_count, PS_WAIT_DETAILS);
	assert_int_equal(of_call(&sums, 300).ns, 60);
	assert_int_equal(of_call(&sums, 300).count, 3);
	assert_int_equal(sums.classes[PS_WAIT_OTHER].count, 3 * PS_WAIT_DETAILS);
}

/* --- what is charged */

static void differences(void **state)
{
	struct wait_sums charged = {}, sums = {}, now = {};

	(void)state;
	now.classes[PS_WAIT_PIPE] = (struct wait_sum){.ns = 10, .count = 1};
	wait_sums__charge(&sums, &charged, &now, NULL, NULL);
	wait_sums__charge(&sums, &charged, &now, NULL, NULL);
	assert_int_equal(sums.classes[PS_WAIT_PIPE].ns, 10);
	assert_int_equal(sums.classes[PS_WAIT_PIPE].count, 1);
	memset(&sums, 0, sizeof(sums)); /* in rows by now */
	now.classes[PS_WAIT_PIPE].ns = 25;
	wait_sums__charge(&sums, &charged, &now, NULL, NULL);
	assert_int_equal(sums.classes[PS_WAIT_PIPE].ns, 15);
	assert_int_equal(sums.classes[PS_WAIT_PIPE].count, 0);
}

static void readings_that_go_back(void **state)
{
	struct wait_sums charged = {}, sums = {}, now = {};
	static const uint64_t readings[] = {0, 500, 100, 101, 499, 20, 502, 501, 0, 503};

	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		now.classes[PS_WAIT_LOCK] =
			(struct wait_sum){.ns = readings[i], .count = readings[i]};
		now.detail_count = i % 3 ? 1 : 0;
		now.details[0].key = CALL(SYS_ioctl);
		now.details[0].sum = now.classes[PS_WAIT_LOCK];
		wait_sums__charge(&sums, &charged, &now, NULL, NULL);
	}
	assert_int_equal(sums.classes[PS_WAIT_LOCK].ns, 503);
	assert_int_equal(sums.classes[PS_WAIT_LOCK].count, 503);
	assert_int_equal(of_call(&sums, SYS_ioctl).ns, 501);
}

/* Random lives of a thread, looked at at random moments, some of them while a wait is added up: it
 * is then seen neither as going on nor as ended. */
static void random_lives(void **state)
{
	static const uint32_t classes[] = {PS_WAIT_LOCK, PS_WAIT_SOCKET, PS_WAIT_OTHER};

	(void)state;
	srandom(3);
	for (int life = 0; life < 200; life++) {
		struct ps_waits waits = {};
		struct wait_sums charged = {}, sums = {}, now;
		uint64_t clock = 1000, waited = 0, last = 0;

		for (int i = 0; i < 200; i++) {
			uint32_t class = classes[random() % 3], call = 300 + random() % 8;
			uint64_t blocked = (uint64_t)random() % 1000;
			uint64_t queued = (uint64_t)random() % 100;
			uint64_t out_ns = clock += (uint64_t)random() % 50;

			waits.out_ns = out_ns;
			waits.wake_ns = 0;
			waits.class = class;
			waits.detail = class == PS_WAIT_OTHER ? 1 + call : 0;
			if (random() % 2) {
				now = of(&waits, clock + (uint64_t)random() % (blocked + 1));
				wait_sums__charge(&sums, &charged, &now, NULL, NULL);
			}
			waits.wake_ns = clock += blocked;
			if (random() % 2) {
				now = of(&waits, clock + (uint64_t)random() % (queued + 1));
				wait_sums__charge(&sums, &charged, &now, NULL, NULL);
			}
			clock += queued;
			waits.out_ns = 0;
			if (random() % 4 == 0) {
				now = of(&waits, clock);
				wait_sums__charge(&sums, &charged, &now, NULL, NULL);
			}
			waits.ns[PS_WAIT_RUN_QUEUE] += queued;
			if (class == PS_WAIT_OTHER) {
				add_other(&waits, call, blocked);
			} else {
				waits.ns[class] += blocked;
				waits.count[class]++;
			}
			waited += blocked + queued;
			assert_true(all_ns(&sums) >= last && all_ns(&sums) <= waited);
			last = all_ns(&sums);
		}
		now = of(&waits, clock);
		wait_sums__charge(&sums, &charged, &now, NULL, NULL);
		assert_int_equal(all_ns(&sums), waited);
	}
}

static void more_calls_than_one_set_keeps(void **state)
{
	struct wait_sums sums = {}, charged, now;
	uint64_t expected = 0;

	(void)state;
	for (uint32_t thread = 0; thread < 30; thread++) {
		struct ps_waits waits = {};

		memset(&charged, 0, sizeof(charged));
		add_other(&waits, 300 + thread, 10 + thread);
		now = of(&waits, 1);
		wait_sums__charge(&sums, &charged, &now, NULL, NULL);
		expected += 10 + thread;
	}
	assert_int_equal(all_ns(&sums), expected);
	assert_int_equal(sums.detail_count, WAIT_SUMS_DETAILS);
	assert_int_equal(sums.classes[PS_WAIT_OTHER].count, 30 - WAIT_SUMS_DETAILS);
}

/* --- names */

static void names(void **state)
{
	char buffer[WAIT_CLASS_NAME_SIZE];

	(void)state;
	assert_string_equal(wait_class__name(PS_WAIT_RUN_QUEUE, 0, buffer), "run_queue");
	assert_string_equal(wait_class__name(PS_WAIT_FILE, 3, buffer), "file_system");
	assert_string_equal(wait_class__name(PS_WAIT_SOCKET, 1 << 30, buffer), "socket");
	assert_string_equal(wait_class__name(PS_WAIT_OTHER, 1 + SYS_ioctl, buffer), "other:ioctl");
	assert_string_equal(wait_class__name(PS_WAIT_OTHER, 1 + 510, buffer), "other:510");
	assert_string_equal(wait_class__name(PS_WAIT_OTHER, 1 + PS_SYSCALL_LIMIT, buffer),
			    "other:512");
	assert_string_equal(wait_class__name(PS_WAIT_OTHER, PS_WAIT_DETAIL_MASK, buffer),
			    "other:72057594037927934");
	assert_string_equal(wait_class__name(PS_WAIT_OTHER, 0, buffer), "other");
	assert_string_equal(wait_class__name(PS_WAIT_COUNT, SYS_read, buffer), "other");
	assert_string_equal(wait_class__name(UINT32_MAX, SYS_read, buffer), "other");
	assert_string_equal(syscall__name(SYS_read), "read");
	assert_string_equal(syscall__name(SYS_newfstatat), "newfstatat");
	assert_null(syscall__name(PS_SYSCALL_LIMIT));
	assert_null(syscall__name(UINT32_MAX));
	for (uint32_t i = 0; i < PS_SYSCALL_LIMIT; i++) {
		const char *name = syscall__name(i);

		assert_true(strlen(wait_class__name(PS_WAIT_OTHER, 1 + i, buffer)) <
			    WAIT_CLASS_NAME_SIZE - 1);
		assert_true(!name ||
			    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name));
	}
}

static void kinds(void **state)
{
	uint8_t filled[PS_SYSCALL_LIMIT] = {};

	(void)state;
	wait_kinds__fill(filled);
	assert_int_equal(filled[SYS_futex], PS_KIND_LOCK);
	assert_int_equal(filled[SYS_read], PS_KIND_DESCRIPTOR);
	assert_int_equal(filled[SYS_pselect6], PS_KIND_SELECT);
	assert_int_equal(filled[SYS_ppoll], PS_KIND_POLL_COUNT);
	assert_int_equal(filled[SYS_clock_nanosleep], PS_KIND_SLEEP);
	assert_int_equal(filled[SYS_ioctl], PS_KIND_OTHER);
	/* What can wait and has a name here must be a call of this machine. */
	for (uint32_t i = 0; i < PS_SYSCALL_LIMIT; i++)
		assert_true(filled[i] == PS_KIND_OTHER || syscall__name(i));
}

struct told {
	char text[512];
	int calls, fail_at;
};

static int tell(void *context, uint32_t class, uint64_t detail, const struct wait_sum *sum)
{
	struct told *told = context;
	size_t used = strlen(told->text);
	char buffer[WAIT_CLASS_NAME_SIZE];

	if (told->calls++ == told->fail_at)
		return -EIO;
	snprintf(told->text + used, sizeof(told->text) - used, "%s %llu/%llu;",
		 wait_class__name(class, detail, buffer), (unsigned long long)sum->ns,
		 (unsigned long long)sum->count);
	return 0;
}

static int take_detail(void *context, uint64_t key, const struct wait_sum *more)
{
	struct wait_sum *taken = context;

	if (PS_WAIT_KEY_DETAIL(key) == 2)
		return -ENOMEM;
	taken->ns += more->ns;
	taken->count += more->count;
	return 0;
}

/* Details go to who wants them; what is not taken stays. */
static void details_that_are_taken(void **state)
{
	struct wait_sums charged = {}, sums = {}, now = {.detail_count = 2};
	struct wait_sum taken = {};

	(void)state;
	now.details[0].key = PS_WAIT_KEY(PS_WAIT_SOCKET, 1);
	now.details[1].key = PS_WAIT_KEY(PS_WAIT_SOCKET, 2);
	for (uint64_t i = 1; i <= 3; i++) {
		now.details[0].sum = (struct wait_sum){.ns = 10 * i, .count = i};
		now.details[1].sum = (struct wait_sum){.ns = 100 * i, .count = i};
		wait_sums__charge(&sums, &charged, &now, take_detail, &taken);
		wait_sums__charge(&sums, &charged, &now, take_detail, &taken);
	}
	assert_int_equal(taken.ns, 30);
	assert_int_equal(taken.count, 3);
	assert_int_equal(sums.detail_count, 1);
	assert_int_equal(sums.details[0].sum.ns, 300);
	assert_int_equal(all_ns(&sums), 300);
}

static void each(void **state)
{
	struct wait_sums sums = {.detail_count = 2,
				 .details = {{.key = CALL(SYS_ioctl), .sum = {.ns = 4}},
					     {.key = CALL(SYS_bpf), .sum = {}}}};
	struct told told = {.fail_at = -1};

	(void)state;
	assert_int_equal(wait_sums__each(&(struct wait_sums){}, tell, &told), 0);
	assert_int_equal(told.calls, 0);
	sums.classes[PS_WAIT_LOCK].ns = 3;
	sums.classes[PS_WAIT_CHILD].count = 2;
	sums.classes[PS_WAIT_OTHER] = (struct wait_sum){.ns = 9, .count = 1};
	assert_int_equal(wait_sums__each(&sums, tell, &told), 0);
	assert_string_equal(told.text, "lock 3/0;child 0/2;other 9/1;other:ioctl 4/0;");
	for (int at = 0; at < 4; at++) {
		told = (struct told){.fail_at = at};
		assert_int_equal(wait_sums__each(&sums, tell, &told), -EIO);
		assert_int_equal(told.calls, at + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ended_waits),
		cmocka_unit_test(waits_that_go_on),
		cmocka_unit_test(other_calls_beyond_the_limit),
		cmocka_unit_test(differences),
		cmocka_unit_test(readings_that_go_back),
		cmocka_unit_test(random_lives),
		cmocka_unit_test(more_calls_than_one_set_keeps),
		cmocka_unit_test(names),
		cmocka_unit_test(kinds),
		cmocka_unit_test(each),
		cmocka_unit_test(details_that_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
