// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture model store symbols python proc base
#include "unit/tracker_fixture.h"

enum { PID = 100 };

#define MS 1000000ULL

static uint64_t at(uint64_t ms)
{
	return MONO + ms * MS;
}

static struct ps_quantum_event event_at(uint64_t ms, uint64_t epoch, uint64_t before,
					uint64_t cpu_ms)
{
	return (struct ps_quantum_event){
		.event = {.type = PS_EVENT_QUANTUM, .time_ns = at(ms), .tgid = PID, .tid = PID},
		.epoch = epoch,
		.previous_epoch = before,
		.start_boot_ns = born(0),
		.cpu_ns = cpu_ms * MS,
		.user_ns = cpu_ms * MS,
		.thread_cpu_ns = cpu_ms * MS,
		.has_waits = 1,
	};
}

static struct epoch *quantum(uint64_t ms, uint64_t epoch, uint64_t before, uint64_t cpu_ms,
			     const char *task)
{
	struct ps_quantum_event event = event_at(ms, epoch, before, cpu_ms);
	struct identity identity = {.task = task, .rule = "frame"};
	struct epoch *begun = NULL;

	assert_int_equal(tracker__on_quantum(tracker, &event, task ? &identity : NULL, &begun), 0);
	return begun;
}

static void snapshot(uint64_t ms, uint64_t epoch, uint64_t cpu_ms)
{
	struct ps_task_event task = {
		.event = {.type = PS_EVENT_TASK, .time_ns = at(ms), .tgid = PID, .tid = PID},
		.epoch = epoch,
		.start_boot_ns = born(0),
		.cpu_ns = cpu_ms * MS,
		.user_ns = cpu_ms * MS,
	};

	tracker__snapshot_begin(tracker, false);
	assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
	assert_int_equal(tracker__snapshot_end(tracker), 0);
}

static int64_t cpu_ms(int64_t epoch)
{
	return number("SELECT coalesce(sum(cpu_ns), 0) / 1000000 FROM usage WHERE epoch = %lld",
		      (long long)epoch);
}

/* Two quanta, time of its own between, before and behind: each gets what was used in it. */
static void split_at_boundaries(void **state)
{
	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	assert_int_equal(quantum(100, 3, 2, 50, "isr")->id, 3);
	snapshot(150, 3, 70);
	assert_int_equal(quantum(200, 4, 3, 130, NULL)->id, 4);
	assert_int_equal(quantum(210, 5, 4, 135, "calibrate")->id, 5);
	assert_int_equal(quantum(300, 6, 5, 200, NULL)->id, 6);
	snapshot(400, 6, 220);
	assert_int_equal(tracker__find(tracker, PID)->quantum_count, 2);
	read_back();
	assert_int_equal(cpu_ms(2), 50);
	assert_int_equal(cpu_ms(3), 80);
	assert_int_equal(cpu_ms(4), 5);
	assert_int_equal(cpu_ms(5), 65);
	assert_int_equal(cpu_ms(6), 20);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 3"), 200 * (int64_t)MS);
	assert_int_equal(number("SELECT count(*) FROM epoch WHERE id = 3 AND task = 'isr' AND "
				"rule = 'frame'"),
			 1);
	/* Its own time has its own name again. */
	assert_int_equal(number("SELECT count(DISTINCT task) FROM epoch WHERE id IN (2, 4, 6)"), 1);
}

/* BPF was in another epoch when a snapshot was read: it says less than the event that comes. */
static void late_snapshot(void **state)
{
	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	snapshot(150, 3, 90);
	assert_int_equal(quantum(100, 3, 2, 50, "isr")->id, 3);
	assert_int_equal(quantum(200, 4, 3, 130, NULL)->id, 4);
	read_back();
	assert_int_equal(cpu_ms(2), 50);
	assert_int_equal(cpu_ms(3), 80);
}

/* A snapshot that was read before a boundary whose event came before it was charged. */
static void snapshot_of_the_past(void **state)
{
	struct ps_task_event task = {
		.event = {.type = PS_EVENT_TASK, .time_ns = at(90), .tgid = PID, .tid = PID},
		.epoch = 2,
		.start_boot_ns = born(0),
		.cpu_ns = 45 * MS,
		.user_ns = 45 * MS,
	};

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	tracker__snapshot_begin(tracker, false);
	assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
	quantum(100, 3, 2, 50, "isr");
	assert_int_equal(tracker__snapshot_end(tracker), 0);
	quantum(200, 4, 3, 130, NULL);
	read_back();
	assert_int_equal(cpu_ms(2), 50);
	assert_int_equal(cpu_ms(3), 80);
}

/* It was pending, as the process's own time; its name came later. */
static void named_later(void **state)
{
	struct identity identity = {.task = "isr", .rule = "frame"};
	struct epoch *epoch;

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	epoch = quantum(100, 3, 2, 50, NULL);
	assert_int_equal(epoch->quantum, 0);
	assert_int_equal(tracker__name_epoch(tracker, epoch, &identity), 0);
	/* Its event once more. */
	assert_null(quantum(110, 3, 2, 55, "isr"));
	quantum(200, 4, 3, 130, NULL);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM epoch WHERE id = 3 AND task = 'isr' AND "
				"end_ns = 200000000"),
			 1);
	assert_int_equal(cpu_ms(2), 50);
	assert_int_equal(cpu_ms(3), 80);
}

static void unknown_process(void **state)
{
	struct ps_quantum_event event = event_at(100, 3, 2, 50);
	struct identity identity = {.task = "isr"};
	struct epoch *epoch = (void *)&event;

	(void)state;
	run_before(1, 1);
	assert_int_equal(tracker__on_quantum(tracker, &event, &identity, &epoch), 0);
	assert_null(epoch);
	read_back();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_recording, end_recording)
	const struct CMUnitTest tests[] = {
		TEST(split_at_boundaries), TEST(late_snapshot),	  TEST(snapshot_of_the_past),
		TEST(named_later),	   TEST(unknown_process),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
