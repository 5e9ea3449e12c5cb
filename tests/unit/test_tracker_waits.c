// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture model store symbols python unwind proc base
/* Waits of threads, charged to the epoch and slice that they were in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/syscall.h>

#include "unit/tracker_fixture.h"

#define AT(ns) (MONO + (ns)) /* a moment of the recording */

static int64_t waited(int64_t epoch, int64_t slice, const char *class)
{
	return number(
		"SELECT ifnull(sum(ns), 0) FROM wait WHERE epoch = %lld AND slice = %lld AND "
		"class = '%s'",
		(long long)epoch, (long long)slice, class);
}

static int64_t thread_waited(int64_t epoch, uint32_t tid, const char *class)
{
	return number(
		"SELECT ifnull(sum(w.ns), 0) FROM thread_wait w JOIN thread t ON "
		"t.id = w.thread WHERE w.epoch = %lld AND t.tid = %u AND w.class = '%s'",
		(long long)epoch, tid, class);
}

/* Both tables hold the same, epoch by epoch and class by class, and no row without meaning. */
static void check_sums(void)
{
	assert_int_equal(number("SELECT count(*) FROM "
				"(SELECT epoch, class, sum(ns), sum(count) FROM wait GROUP BY 1, 2 "
				"EXCEPT SELECT epoch, class, sum(ns), sum(count) FROM thread_wait "
				"GROUP BY 1, 2)"),
			 0);
	assert_int_equal(number("SELECT count(*) FROM wait WHERE ns <= 0 AND count <= 0"), 0);
	assert_int_equal(number("SELECT count(*) FROM thread_wait WHERE ns <= 0 AND count <= 0"),
			 0);
	assert_int_equal(number("SELECT count(*) - count(DISTINCT epoch || ' ' || thread || class) "
				"FROM thread_wait"),
			 0);
}

/* --- events */

struct seen {
	uint32_t tid;
	struct ps_waits waits;
};

static struct ps_waits slept(uint64_t ns, uint64_t count)
{
	return (struct ps_waits){.ns[PS_WAIT_SLEEP] = ns, .count[PS_WAIT_SLEEP] = count};
}

/* One pass at that moment over JOB's threads. */
static void look(uint64_t now_ns, const struct seen *threads, size_t count, int64_t next_slice)
{
	tracker__snapshot_begin(tracker, false);
	for (size_t i = 0; i < count; i++) {
		struct ps_task_event task = {
			.event = {.time_ns = now_ns, .tgid = JOB, .tid = threads[i].tid},
			.start_boot_ns = born(1),
			.cpu_ns = 1,
			.comm = "task",
			.waits = threads[i].waits,
		};

		assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
	}
	assert_int_equal(tracker__snapshot_end(tracker), 0);
	tracker__set_slice(tracker, next_slice);
}

#define LOOK(now_ns, next_slice, ...)                                                              \
	look(now_ns, (const struct seen[]){__VA_ARGS__},                                           \
	     sizeof((const struct seen[]){__VA_ARGS__}) / sizeof(struct seen), next_slice)

static void executed(uint64_t now_ns, uint64_t epoch, struct ps_waits waits)
{
	struct ps_exec_event event = {
		.event = {.time_ns = now_ns, .tgid = JOB, .tid = JOB},
		.epoch = epoch,
		.start_boot_ns = born(1),
		.parent_tgid = SHELL,
		.comm = "program",
		.waits = waits,
	};
	struct process *process;

	assert_int_equal(tracker__on_exec(tracker, &event, &process), 0);
}

static void ended(uint64_t now_ns, uint32_t tid, int last, struct ps_waits waits)
{
	struct ps_exit_event event = {
		.event = {.time_ns = now_ns, .tgid = JOB, .tid = tid},
		.start_boot_ns = born(1),
		.last = (uint32_t)last,
		.comm = "ended",
		.waits = waits,
	};

	assert_int_equal(tracker__on_exit(tracker, &event), 0);
}

static int with_job(void **state)
{
	int err = start_recording(state);

	if (err)
		return err;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	return 0;
}

/* --- tests */

static void by_slice_and_thread(void **state)
{
	(void)state;
	LOOK(AT(1000), 1, {JOB, slept(400, 2)}, {71, slept(100, 1)});
	LOOK(AT(2000), 2, {JOB, slept(400, 2)}, {71, slept(130, 4)});
	ended(AT(2500), 71, 0, slept(150, 5));
	LOOK(AT(3000), 3, {JOB, slept(900, 3)});
	ended(AT(3500), JOB, 1, slept(905, 4));
	read_back();
	assert_int_equal(waited(2, 0, "sleep"), 500);
	assert_int_equal(waited(2, 1, "sleep"), 30);
	assert_int_equal(waited(2, 2, "sleep"), 520);
	assert_int_equal(waited(2, 3, "sleep"), 5);
	assert_int_equal(number("SELECT sum(count) FROM wait"), 9);
	assert_int_equal(thread_waited(2, JOB, "sleep"), 905);
	assert_int_equal(thread_waited(2, 71, "sleep"), 150);
	assert_int_equal(number("SELECT count(*) FROM thread_wait"), 2);
	check_sums();
}

/* A wait that goes on counts for the slices that it covers, and once in all. */
static void over_slices(void **state)
{
	struct ps_waits waits = {.class = PS_WAIT_LOCK, .out_ns = AT(500)};

	(void)state;
	LOOK(AT(1000), 1, {JOB, waits});
	LOOK(AT(2000), 2, {JOB, waits});
	waits.wake_ns = AT(2200);
	LOOK(AT(3000), 3, {JOB, waits});
	waits.out_ns = 0;
	waits.ns[PS_WAIT_LOCK] = 1700;
	waits.count[PS_WAIT_LOCK] = 1;
	waits.ns[PS_WAIT_RUN_QUEUE] = 900;
	waits.count[PS_WAIT_RUN_QUEUE] = 1;
	LOOK(AT(4000), 4, {JOB, waits});
	LOOK(AT(5000), 5, {JOB, waits});
	read_back();
	assert_int_equal(waited(2, 0, "lock"), 500);
	assert_int_equal(waited(2, 1, "lock"), 1000);
	assert_int_equal(waited(2, 2, "lock"), 200);
	assert_int_equal(waited(2, 2, "run_queue"), 800);
	assert_int_equal(waited(2, 3, "run_queue"), 100);
	assert_int_equal(waited(2, 3, "lock"), 0);
	assert_int_equal(number("SELECT sum(count) FROM wait WHERE slice = 3"), 2);
	assert_int_equal(number("SELECT sum(count) FROM wait"), 2);
	assert_int_equal(thread_waited(2, JOB, "lock"), 1700);
	check_sums();
}

static void exec_ends_an_epoch(void **state)
{
	(void)state;
	LOOK(AT(1000), 1, {JOB, slept(100, 1)});
	executed(AT(1500), 3, slept(160, 2));
	LOOK(AT(2000), 2, {JOB, slept(200, 3)});
	LOOK(AT(3000), 3, {JOB, slept(700, 4)});
	ended(AT(3100), JOB, 1, slept(800, 5));
	read_back();
	assert_int_equal(waited(2, 0, "sleep"), 100);
	assert_int_equal(waited(2, 1, "sleep"), 60);
	assert_int_equal(waited(3, 1, "sleep"), 40);
	assert_int_equal(waited(3, 2, "sleep"), 500);
	assert_int_equal(waited(3, 3, "sleep"), 100);
	assert_int_equal(thread_waited(2, JOB, "sleep"), 160);
	assert_int_equal(thread_waited(3, JOB, "sleep"), 640);
	check_sums();
}

/* A pass can see a thread after the exec, or the end, whose event is still in the ring. */
static void events_later_than_the_look(void **state)
{
	(void)state;
	LOOK(AT(1000), 1, {JOB, slept(100, 1)}, {71, slept(50, 1)});
	LOOK(AT(2000), 2, {JOB, slept(200, 2)}, {71, slept(90, 2)});
	ended(AT(1850), 71, 0, slept(80, 2));
	executed(AT(1900), 3, slept(150, 2));
	LOOK(AT(3000), 3, {JOB, slept(230, 3)});
	LOOK(AT(4000), 4, {JOB, slept(300, 4)});
	read_back();
	assert_int_equal(number("SELECT sum(ns) FROM wait"), 300 + 90);
	assert_int_equal(number("SELECT sum(count) FROM wait"), 4 + 2);
	assert_int_equal(waited(3, 2, "sleep"), 30);
	assert_int_equal(waited(3, 3, "sleep"), 70);
	check_sums();
}

/* The thread that does an exec becomes the leader, whose id it takes, with all that it waited. */
static void exec_by_another_thread(void **state)
{
	(void)state;
	LOOK(AT(1000), 1, {JOB, slept(1000, 1)}, {71, slept(40, 1)}, {72, slept(300, 1)});
	ended(AT(1500), 72, 0, slept(310, 2));
	ended(AT(1500), JOB, 0, slept(1001, 2));
	executed(AT(1500), 3, slept(55, 2));
	LOOK(AT(2000), 2, {JOB, slept(80, 3)});
	ended(AT(2500), JOB, 1, slept(95, 4));
	read_back();
	assert_int_equal(number("SELECT sum(ns) FROM wait"), 310 + 1001 + 95);
	assert_int_equal(number("SELECT sum(ns) FROM wait WHERE epoch = 3"), 40);
	assert_int_equal(thread_waited(2, 71, "sleep"), 40);
	assert_int_equal(thread_waited(2, 72, "sleep"), 310);
	assert_int_equal(thread_waited(2, JOB, "sleep"), 1001 + 15);
	assert_int_equal(thread_waited(3, JOB, "sleep"), 40);
	assert_int_equal(number("SELECT sum(ns) FROM thread_wait"), 310 + 1001 + 95);
}

/* The same for a thread that no look has met. */
static void exec_by_a_new_thread(void **state)
{
	(void)state;
	LOOK(AT(1000), 1, {JOB, slept(1000, 1)});
	ended(AT(1500), JOB, 0, slept(1001, 2));
	executed(AT(1500), 3, slept(55, 2));
	LOOK(AT(2000), 2, {JOB, slept(80, 3)});
	read_back();
	assert_int_equal(number("SELECT sum(ns) FROM wait"), 1001 + 80);
	assert_int_equal(number("SELECT sum(ns) FROM thread_wait"), 1001 + 80);
	assert_int_equal(thread_waited(3, JOB, "sleep"), 25);
}

static void ends_that_were_lost(void **state)
{
	struct ps_gone_event gone = {.event = {.time_ns = AT(2500), .tgid = JOB, .tid = JOB},
				     .start_boot_ns = born(1)};

	(void)state;
	LOOK(AT(1000), 1, {JOB, slept(100, 1)}, {71, slept(30, 1)});
	assert_int_equal(tracker__on_gone(tracker, &gone), 0);
	for (int64_t slice = 2; slice < 9; slice++)
		tracker__set_slice(tracker, slice);
	assert_int_equal(freed, 1);
	read_back();
	assert_int_equal(thread_waited(2, JOB, "sleep"), 100);
	assert_int_equal(thread_waited(2, 71, "sleep"), 30);
	check_sums();
}

/* A thread that never ran waits; one that has ended and is still seen does not. */
static void threads_at_their_ends(void **state)
{
	struct ps_task_event task = {
		.event = {.time_ns = AT(1000), .tgid = JOB, .tid = 71},
		.start_boot_ns = born(1),
		.comm = "new",
		.waits = {.class = PS_WAIT_RUN_QUEUE, .out_ns = AT(900)},
	};

	(void)state;
	tracker__snapshot_begin(tracker, false);
	assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
	assert_int_equal(tracker__snapshot_end(tracker), 0);
	tracker__set_slice(tracker, 1);
	ended(AT(1200), 71, 0, (struct ps_waits){.ns[PS_WAIT_RUN_QUEUE] = 150});
	LOOK(AT(2000), 2,
	     {71, {.ns[PS_WAIT_RUN_QUEUE] = 150, .class = PS_WAIT_OTHER, .out_ns = AT(1201)}});
	read_back();
	assert_int_equal(waited(2, 0, "run_queue"), 100);
	assert_int_equal(number("SELECT sum(ns) FROM wait"), 150);
	check_sums();
}

/* By the name of its call; the end of the recording is told once, however often it is asked. */
static void other_calls(void **state)
{
	struct ps_waits waits = {
		.details[0] = {PS_WAIT_KEY(PS_WAIT_OTHER, 1 + SYS_ioctl), .ns = 70, .count = 3}};

	(void)state;
	LOOK(AT(1000), 1, {JOB, waits});
	assert_int_equal(tracker__write_processes(tracker, false), 0);
	assert_int_equal(tracker__write_processes(tracker, true), 0);
	read_back();
	assert_int_equal(waited(2, 0, "other:ioctl"), 70);
	assert_int_equal(number("SELECT count(*) FROM wait"), 1);
	assert_int_equal(thread_waited(2, JOB, "other:ioctl"), 70);
	check_sums();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_job, end_recording)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_slice_and_thread),
		TEST(over_slices),
		TEST(exec_ends_an_epoch),
		TEST(events_later_than_the_look),
		TEST(exec_by_another_thread),
		TEST(exec_by_a_new_thread),
		TEST(ends_that_were_lost),
		TEST(threads_at_their_ends),
		TEST(other_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
