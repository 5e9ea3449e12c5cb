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

enum { WORKER = 150 };

/* A quantum of the thread WORKER's own begins or (task NULL) ends. */
static struct epoch *own_quantum(uint64_t ms, uint64_t epoch, uint64_t before, uint64_t cpu_ms,
				 const char *task)
{
	struct ps_quantum_event event = event_at(ms, epoch, before, cpu_ms);
	struct identity identity = {.task = task, .rule = "frame"};
	struct epoch *begun = NULL;

	event.event.tid = WORKER;
	event.of_thread = 1;
	event.rank = task ? 0 : PS_NO_QUANTUM;
	event.waits.ns[PS_WAIT_SLEEP] = (ms - cpu_ms) * MS;
	event.waits.count[PS_WAIT_SLEEP] = ms;
	assert_int_equal(tracker__on_thread_quantum(tracker, &event, &identity, &begun), 0);
	return begun;
}

/* Leader and worker, each with its CPU time so far. */
static void snapshot_both(uint64_t ms, uint64_t epoch, uint64_t own, uint64_t leader_ms,
			  uint64_t worker_ms)
{
	struct ps_task_event leader = {
		.event = {.type = PS_EVENT_TASK, .time_ns = at(ms), .tgid = PID, .tid = PID},
		.epoch = epoch,
		.start_boot_ns = born(0),
		.cpu_ns = leader_ms * MS,
		.user_ns = leader_ms * MS,
	};
	struct ps_task_event worker = leader;

	worker.event.tid = WORKER;
	worker.thread_epoch = own;
	worker.cpu_ns = worker_ms * MS;
	worker.user_ns = 0;
	worker.system_ns = worker.cpu_ns;
	worker.waits.ns[PS_WAIT_SLEEP] = (ms - worker_ms) * MS;
	tracker__snapshot_begin(tracker, false);
	assert_int_equal(tracker__snapshot_task(tracker, &leader), 0);
	assert_int_equal(tracker__snapshot_task(tracker, &worker), 0);
	assert_int_equal(tracker__snapshot_end(tracker), 0);
}

static int64_t slept_ms(int64_t epoch)
{
	return number(
		"SELECT coalesce(sum(ns), 0) / 1000000 FROM wait WHERE class = 'sleep' AND "
		"epoch = %lld",
		(long long)epoch);
}

/* A thread's quanta lie beside its process's epoch: each has its own, the process the rest, and
 * nothing is in both. */
static void quanta_of_a_thread(void **state)
{
	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	snapshot_both(50, 2, 0, 10, 5);
	assert_int_equal(own_quantum(100, 3, 2, 20, "square")->id, 3);
	snapshot_both(150, 2, 3, 30, 50);
	assert_null(own_quantum(200, 2, 3, 90, NULL));
	snapshot_both(250, 2, 0, 40, 100);
	/* One right behind the other. */
	assert_int_equal(own_quantum(300, 4, 2, 110, "cube")->id, 4);
	assert_int_equal(own_quantum(400, 5, 4, 170, "square")->id, 5);
	assert_int_equal(tracker__find(tracker, PID)->own_count, 1);
	snapshot_both(450, 2, 5, 60, 200);
	read_back();
	assert_int_equal(cpu_ms(3), 70);
	assert_int_equal(cpu_ms(4), 60);
	assert_int_equal(cpu_ms(5), 30);
	assert_int_equal(cpu_ms(2), 60 + 20 + 20); /* the leader's; the worker's in between */
	assert_int_equal(number("SELECT sum(cpu_ns) / 1000000 FROM thread_usage WHERE epoch = 3"),
			 70);
	assert_int_equal(number("SELECT cpu_ns / 1000000 FROM process WHERE pid = %d", PID), 260);
	assert_int_equal(number("SELECT sum(cpu_ns - user_ns - system_ns) FROM usage"), 0);
	assert_int_equal(slept_ms(3), 30);
	assert_int_equal(slept_ms(4), 40);
	assert_int_equal(slept_ms(5), 20);
	assert_int_equal(slept_ms(2), 80 + 80);
	assert_int_equal(number("SELECT sum(ns) / 1000000 FROM thread_wait WHERE epoch = 3"), 30);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 3"), 200 * (int64_t)MS);
	assert_int_equal(number("SELECT count(*) FROM epoch WHERE id IN (2, 5) AND end_ns IS NULL"),
			 2);
	assert_int_equal(
		number("SELECT count(*) FROM thread_epoch JOIN thread ON id = thread WHERE "
		       "tid = %d AND epoch IN (3, 4, 5)",
		       WORKER),
		3);
}

/* What BPF could not tell: the thread ends in its quantum, or its snapshot is of another one. */
static void ends_of_a_thread(void **state)
{
	struct ps_exit_event event = {
		.event = {.time_ns = at(300), .tgid = PID, .tid = WORKER},
		.start_boot_ns = born(0),
		.thread_cpu_ns = 80 * MS,
		.comm = "worker",
	};

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	own_quantum(100, 3, 2, 20, "square");
	snapshot_both(200, 2, 0, 30, 60); /* of a time when it was in none */
	assert_int_equal(tracker__on_exit(tracker, &event), 0);
	assert_int_equal(tracker__find(tracker, PID)->own_count, 0);
	snapshot(400, 2, 120);
	read_back();
	assert_int_equal(cpu_ms(3), 0);
	assert_int_equal(cpu_ms(2), 120);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 3"), 300 * (int64_t)MS);
	assert_int_equal(number("SELECT count(*) FROM epoch WHERE id = 2 AND end_ns IS NULL"), 1);
}

/* A child has the task of the quantum that its parent's thread was in. */
static void child_of_a_thread(void **state)
{
	struct ps_fork_event event = {
		.event = {.time_ns = at(150), .tgid = OTHER, .tid = OTHER},
		.epoch = 4,
		.parent_epoch = 3,
		.start_boot_ns = born(1),
		.parent_tgid = PID,
		.comm = "child",
	};

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	own_quantum(100, 3, 2, 20, "square");
	assert_int_equal(tracker__on_fork(tracker, &event), 0);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM epoch WHERE id = 4 AND task = 'square'"), 1);
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
		TEST(split_at_boundaries), TEST(late_snapshot),	    TEST(snapshot_of_the_past),
		TEST(named_later),	   TEST(unknown_process),   TEST(quanta_of_a_thread),
		TEST(ends_of_a_thread),	   TEST(child_of_a_thread),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
