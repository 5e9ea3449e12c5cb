// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture model store symbols python unwind proc base
/* Who is who, and exact CPU time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>

#include "unit/tracker_fixture.h"

static int64_t cpu_of(uint32_t pid)
{
	return number("SELECT cpu_ns FROM process WHERE pid = %u", pid);
}

/* Sums of the two tables; they are told apart by what they are made of. */
static int64_t usage_of(uint32_t pid)
{
	return number(
		"SELECT ifnull(sum(u.cpu_ns), 0) FROM usage u JOIN epoch e ON e.id = u.epoch "
		"JOIN process p ON p.id = e.process WHERE p.pid = %u",
		pid);
}

static int64_t thread_usage_of(uint32_t pid, uint32_t tid)
{
	return number(
		"SELECT ifnull(sum(u.cpu_ns), 0) FROM thread_usage u "
		"JOIN thread t ON t.id = u.thread JOIN process p ON p.id = t.process "
		"WHERE p.pid = %u AND t.tid = %u",
		pid, tid);
}

static int64_t in_epoch(const char *table, uint64_t key, int64_t slice)
{
	return number("SELECT ifnull(sum(cpu_ns), 0) FROM %s WHERE epoch = %llu AND slice = %lld",
		      table, (unsigned long long)key, (long long)slice);
}

static struct process *executed(uint32_t pid, uint64_t start_boot_ns, uint64_t second,
				uint64_t epoch, uint64_t cpu_ns)
{
	static const char arguments[] = "program\0--fast";
	static const char environment[] = "FIRST=1\0SECOND=a=b\0NOTHING\0CUT=of";
	struct {
		struct ps_exec_event event;
		char text[sizeof(arguments) + sizeof(environment) - 1];
	} exec = {
		.event =
			{
				.event = {.time_ns = MONO + second * SECOND,
					  .tgid = pid,
					  .tid = pid},
				.epoch = epoch,
				.start_boot_ns = start_boot_ns,
				.cpu_ns = cpu_ns,
				.user_ns = cpu_ns,
				.parent_tgid = SHELL,
				.args_size = sizeof(arguments),
				.env_size = sizeof(environment) - 1,
				.comm = "program",
			},
	};
	struct process *process = NULL;

	memcpy(exec.text, arguments, sizeof(arguments));
	memcpy(exec.text + sizeof(arguments), environment, sizeof(environment) - 1);
	assert_int_equal(tracker__on_exec(tracker, &exec.event, &process), 0);
	assert_non_null(process);
	return process;
}

static void thread_ended(uint32_t pid, uint32_t tid, uint64_t start_boot_ns, uint64_t second,
			 uint64_t cpu_ns)
{
	struct ps_exit_event event = {
		.event = {.time_ns = MONO + second * SECOND, .tgid = pid, .tid = tid},
		.start_boot_ns = start_boot_ns,
		.thread_cpu_ns = cpu_ns,
		.comm = "ended",
	};

	assert_int_equal(tracker__on_exit(tracker, &event), 0);
}

static void process_ended(uint32_t pid, uint64_t start_boot_ns, uint64_t second, uint64_t cpu_ns,
			  uint32_t status)
{
	struct ps_exit_event event = {
		.event = {.time_ns = MONO + second * SECOND, .tgid = pid, .tid = pid},
		.start_boot_ns = start_boot_ns,
		.thread_cpu_ns = cpu_ns,
		.max_rss_pages = 10,
		.last = 1,
		.status = status,
		.comm = "ended",
	};

	assert_int_equal(tracker__on_exit(tracker, &event), 0);
}

static void reaped(uint32_t pid, uint64_t start_boot_ns, uint64_t second, uint64_t cpu_ns,
		   uint32_t status)
{
	struct ps_gone_event event = {
		.event = {.time_ns = MONO + second * SECOND, .tgid = pid, .tid = pid},
		.start_boot_ns = start_boot_ns,
		.cpu_ns = cpu_ns,
		.user_ns = cpu_ns,
		.status = status,
	};

	assert_int_equal(tracker__on_gone(tracker, &event), 0);
}

struct task {
	uint32_t pid, tid;
	uint64_t start_boot_ns, cpu_ns, ended_cpu_ns;
};

/* One pass over these tasks, all of their time in user space; then the next slice. */
static void snapshot(const struct task *tasks, size_t count, int64_t next_slice)
{
	tracker__snapshot_begin(tracker, false);
	for (size_t i = 0; i < count; i++) {
		struct ps_task_event task = {
			.event = {.tgid = tasks[i].pid, .tid = tasks[i].tid},
			.start_boot_ns = tasks[i].start_boot_ns,
			.cpu_ns = tasks[i].cpu_ns,
			.user_ns = tasks[i].cpu_ns,
			.ended_cpu_ns = tasks[i].ended_cpu_ns,
			.ended_user_ns = tasks[i].ended_cpu_ns,
			.comm = "task",
		};

		assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
	}
	assert_int_equal(tracker__snapshot_end(tracker), 0);
	tracker__set_slice(tracker, next_slice);
}

#define SNAPSHOT(next_slice, ...)                                                                  \
	snapshot((const struct task[]){__VA_ARGS__},                                               \
		 sizeof((const struct task[]){__VA_ARGS__}) / sizeof(struct task), next_slice)

/* --- tests */

static void charged_per_epoch_and_slice(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	SNAPSHOT(1, {JOB, JOB, born(1), 100, 0});
	executed(JOB, born(1), 2, 3, 130);
	SNAPSHOT(2, {JOB, JOB, born(1), 200, 0});
	SNAPSHOT(3, {JOB, JOB, born(1), 200, 0}); /* slept */
	process_ended(JOB, born(1), 4, 245, 0);
	reaped(JOB, born(1), 4, 250, 0);
	read_back();

	assert_int_equal(in_epoch("usage", 2, 0), 100);
	assert_int_equal(in_epoch("usage", 2, 1), 30); /* until the exec */
	assert_int_equal(in_epoch("usage", 3, 1), 70);
	assert_int_equal(in_epoch("usage", 3, 2), 0);
	assert_int_equal(in_epoch("usage", 3, 3), 50);
	assert_int_equal(number("SELECT count(*) FROM usage"), 4);
	assert_int_equal(number("SELECT sum(user_ns) FROM usage"), 250);
	assert_int_equal(cpu_of(JOB), 250);
	assert_int_equal(cpu_of(SHELL), 0);
	/* Of its only thread the same, but for what it used on its way out. */
	assert_int_equal(in_epoch("thread_usage", 2, 0), 100);
	assert_int_equal(in_epoch("thread_usage", 2, 1), 30);
	assert_int_equal(in_epoch("thread_usage", 3, 1), 70);
	assert_int_equal(in_epoch("thread_usage", 3, 3), 45);
	assert_int_equal(number("SELECT count(*) FROM thread"), 1);
}

static void before_the_recording(void **state)
{
	(void)state;
	run_before(JOB, 1);
	SNAPSHOT(1, {JOB, JOB, before(JOB), 5000, 700}, {JOB, 71, before(JOB), 300, 0});
	SNAPSHOT(2, {JOB, JOB, before(JOB), 5200, 700}, {JOB, 71, before(JOB), 300, 0},
		 {JOB, 72, before(JOB), 40, 0});
	reaped(JOB, before(JOB), 3, 6250, 0); /* 6000 at the baseline */
	read_back();
	assert_int_equal(cpu_of(JOB), 250);
	assert_int_equal(usage_of(JOB), 250);
	assert_int_equal(in_epoch("usage", 1, 0), 0);
	assert_int_equal(in_epoch("usage", 1, 1), 240);
	assert_int_equal(thread_usage_of(JOB, JOB), 200);
	assert_int_equal(thread_usage_of(JOB, 71), 0);
	assert_int_equal(thread_usage_of(JOB, 72), 40);
}

/* Between the first look at all processes and the first snapshot. */
static void events_before_the_baseline(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	run_before(JOB, 2);
	run_before(OTHER, 3);
	thread_ended(SHELL, 71, before(SHELL), 1, 4000);
	executed(JOB, before(JOB), 1, 4, 3000);
	process_ended(OTHER, before(OTHER), 1, 2000, 0);
	reaped(OTHER, before(OTHER), 1, 2100, 0);
	SNAPSHOT(1, {SHELL, SHELL, before(SHELL), 1000, 4000}, {JOB, JOB, before(JOB), 3010, 0});
	SNAPSHOT(2, {SHELL, SHELL, before(SHELL), 1007, 4000}, {JOB, JOB, before(JOB), 3030, 0});
	read_back();
	assert_int_equal(usage_of(SHELL), 7);
	assert_int_equal(usage_of(JOB), 30);
	assert_int_equal(usage_of(OTHER), 0);
	assert_int_equal(thread_usage_of(SHELL, SHELL), 7);
	assert_int_equal(thread_usage_of(SHELL, 71), 0);
	assert_int_equal(thread_usage_of(JOB, JOB), 30);
	assert_int_equal(thread_usage_of(OTHER, OTHER), 0);
}

static void exec_of_an_unknown_process(void **state)
{
	struct process *process;

	(void)state;
	process = executed(JOB, born(1), 2, 1, 500);
	assert_ptr_equal(process, tracker__find(tracker, JOB));
	SNAPSHOT(1, {JOB, JOB, born(1), 800, 0});
	read_back();
	assert_int_equal(usage_of(JOB), 300);
	assert_int_equal(thread_usage_of(JOB, JOB), 300);
	assert_int_equal(number("SELECT count(*) FROM epoch"), 1);
}

static void threads_charged_once(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	SNAPSHOT(1, {JOB, JOB, born(1), 10, 0}, {JOB, 71, born(1), 100, 0},
		 {JOB, 72, born(1), 5, 0});
	/* One ends between two snapshots; another is seen once more on its way out. */
	thread_ended(JOB, 71, born(1), 2, 150);
	thread_ended(JOB, 72, born(1), 2, 20);
	thread_ended(JOB, 73, born(1), 2, 7); /* never seen by a snapshot */
	SNAPSHOT(2, {JOB, JOB, born(1), 12, 157}, {JOB, 72, born(1), 22, 0});
	SNAPSHOT(3, {JOB, JOB, born(1), 15, 179});
	reaped(JOB, born(1), 5, 200, 0);
	read_back();
	assert_int_equal(cpu_of(JOB), 200);
	assert_int_equal(usage_of(JOB), 200);
	assert_int_equal(in_epoch("usage", 2, 0), 115);
	assert_int_equal(in_epoch("usage", 2, 1), 76);
	assert_int_equal(in_epoch("usage", 2, 2), 3);
	assert_int_equal(in_epoch("usage", 2, 3), 6);
	assert_int_equal(thread_usage_of(JOB, JOB), 15);
	assert_int_equal(thread_usage_of(JOB, 71), 150);
	assert_int_equal(thread_usage_of(JOB, 72), 20);
	assert_int_equal(thread_usage_of(JOB, 73), 7);
	assert_int_equal(number("SELECT count(*) FROM thread WHERE end_ns = 2000000000"), 3);
	assert_int_equal(number("SELECT count(*) FROM thread WHERE end_ns IS NULL"), 1);
}

/* A thread under ptrace stays in the snapshots until its tracer waits for it; so does an ended
 * leader whose threads go on. */
static void ended_threads_that_stay(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	thread_ended(JOB, 71, born(1), 2, 50);
	thread_ended(JOB, JOB, born(1), 2, 30);
	for (int64_t slice = 1; slice < 10; slice++)
		SNAPSHOT(slice, {JOB, JOB, born(1), 30, 0}, {JOB, 71, born(1), 50, 0},
			 {JOB, 72, born(1), 5 * (uint64_t)slice, 0});
	read_back();
	assert_int_equal(usage_of(JOB), 125);
	assert_int_equal(thread_usage_of(JOB, 71), 50);
	assert_int_equal(thread_usage_of(JOB, JOB), 30);
	assert_int_equal(thread_usage_of(JOB, 72), 45);
	assert_int_equal(number("SELECT count(*) FROM thread"), 3);
	assert_int_equal(number("SELECT count(*) FROM thread WHERE end_ns = 2000000000"), 2);
}

/* The thread that does an exec becomes the leader, whose id it takes; all others end. */
static void exec_by_another_thread(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	SNAPSHOT(1, {JOB, JOB, born(1), 1000, 0}, {JOB, 71, born(1), 40, 0},
		 {JOB, 72, born(1), 300, 0});
	thread_ended(JOB, 72, born(1), 2, 310);
	thread_ended(JOB, JOB, born(1), 2, 1001);
	executed(JOB, born(1), 2, 3, 1361); /* 1001 + 310 + 50 */
	SNAPSHOT(2, {JOB, JOB, born(1), 80, 1311});
	process_ended(JOB, born(1), 4, 95, 0);
	reaped(JOB, born(1), 4, 1406, 0);
	read_back();
	assert_int_equal(usage_of(JOB), 1406);
	assert_int_equal(thread_usage_of(JOB, 71), 40);
	assert_int_equal(thread_usage_of(JOB, 72), 310);
	assert_int_equal(thread_usage_of(JOB, JOB), 1001 + 55);
	assert_int_equal(in_epoch("usage", 2, 1), 21);
	assert_int_equal(in_epoch("thread_usage", 2, 1), 21);
	assert_int_equal(in_epoch("thread_usage", 3, 1), 30);
	assert_int_equal(in_epoch("thread_usage", 3, 2), 15);
	assert_int_equal(number("SELECT count(*) FROM thread WHERE end_ns IS NULL"), 0);
	assert_int_equal(number("SELECT end_ns FROM thread WHERE tid = %u", JOB), 4 * SECOND);
}

static void process_ids_given_again(void **state)
{
	struct process *first, *second;

	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	first = tracker__find(tracker, JOB);
	SNAPSHOT(1, {JOB, JOB, born(1), 100, 0});
	process_ended(JOB, born(1), 2, 110, 0x0300);
	/* Its last figures come when the pid has another owner. */
	forked(SHELL, JOB, 3, 3);
	second = tracker__find(tracker, JOB);
	assert_ptr_not_equal(first, second);
	SNAPSHOT(2, {JOB, JOB, born(3), 7, 0});
	reaped(JOB, born(1), 4, 120, 0x0300);
	assert_ptr_equal(tracker__find(tracker, JOB), second);
	assert_int_equal(tracker__process_count(tracker), 2);
	for (int64_t slice = 3; slice < 9; slice++)
		SNAPSHOT(slice, {JOB, JOB, born(3), 7 + (uint64_t)slice, 0});
	assert_int_equal(freed, 1);
	assert_ptr_equal(tracker__find(tracker, JOB), second);
	assert_null(tracker__epoch(tracker, 2));
	assert_ptr_equal(tracker__epoch(tracker, 3)->process, second);
	process_ended(JOB, born(3), 9, 16, 9);
	reaped(JOB, born(3), 9, 20, 9);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM process WHERE pid = %u", JOB), 2);
	assert_int_equal(number("SELECT cpu_ns FROM process WHERE exit_code = 3"), 120);
	assert_int_equal(number("SELECT cpu_ns FROM process WHERE exit_signal = 9"), 20);
	assert_int_equal(number("SELECT end_ns FROM process WHERE exit_code = 3"), 2 * SECOND);
	assert_int_equal(number("SELECT count(DISTINCT process) FROM epoch"), 3);
}

static void exec_begins_an_epoch(void **state)
{
	struct process *process;

	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	process = tracker__find(tracker, JOB);
	assert_string_equal(process->epoch->identity.task, "before");
	assert_ptr_equal(executed(JOB, born(1), 2, 3, 0), process);
	assert_string_equal(process->epoch->identity.task, "program");
	assert_ptr_equal(tracker__epoch(tracker, 2), process->epoch->next);
	executed(JOB, born(1), 3, 4, 0);
	process_ended(JOB, born(1), 5, 0, 0);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM epoch"), 4);
	assert_int_equal(number("SELECT start_ns FROM epoch WHERE id = 2"), 1 * SECOND);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 2"), 2 * SECOND);
	assert_int_equal(number("SELECT start_ns FROM epoch WHERE id = 3"), 2 * SECOND);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 3"), 3 * SECOND);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 4"), 5 * SECOND);
	assert_int_equal(number("SELECT count(*) FROM epoch WHERE end_ns IS NULL AND id = 1"), 1);
	/* A forked child has its parent's image, a new program one of its own. */
	assert_int_equal(number("SELECT count(DISTINCT image) FROM epoch"), 3);
	assert_int_equal(number("SELECT a.image = b.image FROM epoch a, epoch b "
				"WHERE a.id = 1 AND b.id = 2"),
			 1);
	assert_int_equal(number("SELECT count(*) FROM image WHERE comm = 'program' AND arguments = "
				"'[\"program\",\"--fast\"]'"),
			 2);
	assert_int_equal(number("SELECT parent = (SELECT id FROM process WHERE pid = %u) "
				"FROM process WHERE pid = %u",
				SHELL, JOB),
			 1);
	/* What is no NAME=value, and what was cut off, is left out. */
	assert_int_equal(number("SELECT count(*) FROM environment"), 4);
	assert_int_equal(number("SELECT count(*) FROM environment WHERE name = 'FIRST' AND "
				"value = '1' OR name = 'SECOND' AND value = 'a=b'"),
			 4);
}

static void forks(void **state)
{
	struct process *parent, *child;

	(void)state;
	run_before(SHELL, 1);
	parent = tracker__find(tracker, SHELL);
	parent->python = "3.11";
	parent->cgroup = strdup("/jobs/one");
	parent->python_process.runtime = 0x1000;
	forked(SHELL, JOB, 1, 2);
	child = tracker__find(tracker, JOB);
	assert_ptr_equal(child->mappings, parent->mappings);
	assert_string_equal(child->cgroup, "/jobs/one");
	assert_ptr_not_equal(child->cgroup, parent->cgroup);
	assert_string_equal(child->python, "3.11");
	assert_int_equal(child->python_process.runtime, 0x1000);
	assert_string_equal(child->comm, "forked");
	/* A sample told of it before. */
	forked(SHELL, JOB, 1, 2);
	assert_ptr_equal(tracker__find(tracker, JOB), child);
	assert_int_equal(tracker__process_count(tracker), 2);
	/* The parent's birth was lost. */
	forked(4999999, OTHER, 2, 3);
	assert_non_null(tracker__find(tracker, OTHER));
	assert_ptr_equal(tracker__epoch(tracker, 3)->process, tracker__find(tracker, OTHER));
	read_back();
	assert_int_equal(number("SELECT count(*) FROM process"), 3);
	assert_int_equal(number("SELECT count(*) FROM process WHERE parent IS NULL"), 2);
	assert_int_equal(number("SELECT start_ns FROM process WHERE pid = %u", JOB), SECOND);
	assert_true(number("SELECT start_ns FROM process WHERE pid = %u", SHELL) < 0);
}

static void zombies_and_lost_events(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	/* Ended, not waited for: it stays in the snapshots, and is charged what it used last. */
	forked(SHELL, JOB, 1, 2);
	SNAPSHOT(1, {JOB, JOB, born(1), 100, 0});
	process_ended(JOB, born(1), 2, 110, 0x0200);
	for (int64_t slice = 2; slice < 8; slice++)
		SNAPSHOT(slice, {JOB, JOB, born(1), 112, 0});
	assert_non_null(tracker__find(tracker, JOB));
	/* The event of its end was lost. */
	forked(SHELL, OTHER, 3, 3);
	reaped(OTHER, born(3), 4, 33, 0x0500);
	assert_null(tracker__find(tracker, OTHER));
	read_back();
	assert_int_equal(cpu_of(JOB), 112);
	assert_int_equal(number("SELECT exit_code FROM process WHERE pid = %u", JOB), 2);
	assert_int_equal(number("SELECT end_ns FROM process WHERE pid = %u", JOB), 2 * SECOND);
	assert_int_equal(thread_usage_of(JOB, JOB), 110);
	assert_int_equal(cpu_of(OTHER), 33);
	assert_int_equal(number("SELECT exit_code FROM process WHERE pid = %u", OTHER), 5);
	assert_int_equal(number("SELECT end_ns FROM process WHERE pid = %u", OTHER), 4 * SECOND);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 3"), 4 * SECOND);
}

static void reaped_before_its_end_is_told(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	SNAPSHOT(1, {JOB, JOB, born(1), 100, 0});
	reaped(JOB, born(1), 3, 150, 0x0100);
	process_ended(JOB, born(1), 2, 145, 0x0100);
	reaped(JOB, born(1), 4, 160, 0x0200); /* once is enough */
	SNAPSHOT(2, {JOB, JOB, born(1), 170, 0});
	read_back();
	assert_int_equal(cpu_of(JOB), 150);
	assert_int_equal(usage_of(JOB), 150);
	assert_int_equal(thread_usage_of(JOB, JOB), 145);
	assert_int_equal(number("SELECT end_ns FROM process WHERE pid = %u", JOB), 2 * SECOND);
	assert_int_equal(number("SELECT end_ns FROM epoch WHERE id = 2"), 2 * SECOND);
	assert_int_equal(number("SELECT count(*) FROM process WHERE exit_code = 1"), 1);
}

static void ways_to_end(void **state)
{
	static const struct {
		uint32_t status;
		int code, sig;
	} ends[] = {
		{0x0000, 0, -1},	{0x0100, 1, -1},
		{0xff00, 255, -1},	{SIGKILL, -1, SIGKILL},
		{SIGTERM, -1, SIGTERM}, {SIGSEGV | 0x80, -1, SIGSEGV}, /* with a core dump */
		{64, -1, 64},
	};

	(void)state;
	run_before(SHELL, 1);
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		forked(SHELL, JOB + i, 1, 2 + i);
		process_ended(JOB + i, born(1), 2, 0, ends[i].status);
		reaped(JOB + i, born(1), 2, 0, ends[i].status);
	}
	read_back();
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		assert_int_equal(
			number("SELECT ifnull(exit_code, -1) FROM process WHERE pid = %u", JOB + i),
			ends[i].code);
		assert_int_equal(
			number("SELECT ifnull(exit_signal, -1) FROM process WHERE pid = %u",
			       JOB + i),
			ends[i].sig);
		assert_int_equal(
			number("SELECT max_rss_bytes FROM process WHERE pid = %u", JOB + i),
			10 * sysconf(_SC_PAGESIZE));
	}
	assert_int_equal(number("SELECT count(*) FROM process WHERE pid = %u AND end_ns IS NULL "
				"AND exit_code IS NULL AND exit_signal IS NULL",
				SHELL),
			 1);
}

/* The kernel's raw figures, counted at ticks, whose ratio jumps about: what is charged adds up and
 * never goes back. */
static void user_and_system(void **state)
{
	uint64_t cpu_ns = 0, user_ns = 0, system_ns = 0, last_user = 0, last_system = 0;
	struct process *process;

	(void)state;
	srandom(7);
	run_before(SHELL, 1);
	forked(SHELL, JOB, 1, 2);
	process = tracker__find(tracker, JOB);
	for (int64_t slice = 0; slice < 2000; slice++) {
		struct ps_task_event task = {
			.event = {.tgid = JOB, .tid = JOB}, .start_boot_ns = born(1), .comm = "x"};

		cpu_ns += (uint64_t)random() % (slice % 10 ? 4000000 : 2000000000);
		if (random() % 3)
			user_ns += 4000000 * ((uint64_t)random() % 3);
		else
			system_ns += 4000000 * ((uint64_t)random() % (slice < 1000 ? 2 : 4));
		task.cpu_ns = cpu_ns;
		task.user_ns = user_ns;
		task.system_ns = system_ns;
		tracker__snapshot_begin(tracker, false);
		assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
		assert_int_equal(tracker__snapshot_end(tracker), 0);
		tracker__set_slice(tracker, slice + 1);
		assert_int_equal(process->cpu_ns, cpu_ns);
		assert_int_equal(process->user_ns + process->system_ns, cpu_ns);
		assert_true(process->user_ns >= last_user && process->system_ns >= last_system);
		last_user = process->user_ns;
		last_system = process->system_ns;
	}
	/* As the kernel tells getrusage(): in the ratio of the ticks. */
	assert_true((double)last_user / (double)cpu_ns >
		    0.99 * (double)user_ns / (double)(user_ns + system_ns));
	assert_true((double)last_user / (double)cpu_ns <
		    1.01 * (double)user_ns / (double)(user_ns + system_ns));
	read_back();
	assert_int_equal(number("SELECT count(*) FROM usage WHERE user_ns < 0 OR system_ns < 0 "
				"OR cpu_ns <= 0 OR user_ns + system_ns <> cpu_ns"),
			 0);
	assert_int_equal(number("SELECT sum(user_ns) FROM usage"), last_user);
	assert_int_equal(number("SELECT sum(system_ns) FROM usage"), last_system);
	assert_int_equal(number("SELECT sum(cpu_ns) FROM thread_usage"), cpu_ns);
}

/* All in the kernel, all in user space, no tick so far; and years of it before the recording. */
static void user_and_system_at_the_ends(void **state)
{
	static const struct {
		uint64_t user_ns, system_ns;
		int64_t user_share; /* of 1000 ns */
	} cases[] = {{0, 0, 1000}, {4000000, 0, 1000}, {0, 4000000, 0}, {4000000, 4000000, 500}};

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t start = i < 4 ? 0 : 10000000000000001ULL; /* 115 days */
		struct ps_gone_event gone = {
			.event = {.time_ns = MONO, .tgid = JOB + i},
			.start_boot_ns = i < 4 ? born(1) : before(JOB + i),
			.cpu_ns = start + 1000,
			.user_ns = cases[i % 4].user_ns * (i < 4 ? 1 : 2500000000ULL),
			.system_ns = cases[i % 4].system_ns * (i < 4 ? 1 : 2500000000ULL),
		};

		if (i < 4) {
			forked(SHELL, JOB + i, 1, 1 + i);
		} else {
			struct ps_task_event task = {
				.event = {.tgid = JOB + i, .tid = JOB + i},
				.start_boot_ns = gone.start_boot_ns,
				.cpu_ns = start,
				.user_ns = gone.user_ns,
				.system_ns = gone.system_ns,
				.comm = "old",
			};

			run_before(JOB + i, 1 + i);
			tracker__snapshot_begin(tracker, false);
			assert_int_equal(tracker__snapshot_task(tracker, &task), 0);
			assert_int_equal(tracker__snapshot_end(tracker), 0);
		}
		assert_int_equal(tracker__on_gone(tracker, &gone), 0);
	}
	read_back();
	for (unsigned int i = 0; i < 8; i++) {
		int64_t user = number("SELECT user_ns FROM process WHERE pid = %u", JOB + i);

		assert_int_equal(cpu_of(JOB + i), 1000);
		assert_int_equal(number("SELECT system_ns FROM process WHERE pid = %u", JOB + i),
				 1000 - user);
		/* A double holds 115 days to 2 ns. */
		assert_true(user >= cases[i % 4].user_share - 2 &&
			    user <= cases[i % 4].user_share + 2);
	}
}

static void ended_ones_are_forgotten(void **state)
{
	(void)state;
	run_before(SHELL, 1);
	for (unsigned int i = 0; i < 100; i++) {
		forked(SHELL, JOB + i, 1, 2 + i);
		process_ended(JOB + i, born(1), 2, 5, 0);
		if (i % 2)
			reaped(JOB + i, born(1), 2, 5, 0);
	}
	assert_int_equal(tracker__process_count(tracker), 51);
	/* Samples of this slice are still to be told, with their epoch. */
	tracker__set_slice(tracker, 1);
	tracker__set_slice(tracker, 2);
	assert_int_equal(freed, 0);
	assert_non_null(tracker__epoch(tracker, 3));
	tracker__set_slice(tracker, 3);
	assert_int_equal(freed, 50);
	assert_null(tracker__epoch(tracker, 3));
	assert_non_null(tracker__epoch(tracker, 2)); /* a zombie */
	tracker__set_slice(tracker, 30);
	assert_int_equal(freed, 50);
	assert_int_equal(tracker__process_count(tracker), 51);
	read_back();
	assert_int_equal(number("SELECT sum(cpu_ns) FROM process"), 250);
	tracker__free(tracker);
	tracker = NULL;
	assert_int_equal(freed, 101);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_recording, end_recording)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(charged_per_epoch_and_slice),
		TEST(before_the_recording),
		TEST(events_before_the_baseline),
		TEST(exec_of_an_unknown_process),
		TEST(threads_charged_once),
		TEST(ended_threads_that_stay),
		TEST(exec_by_another_thread),
		TEST(process_ids_given_again),
		TEST(exec_begins_an_epoch),
		TEST(forks),
		TEST(zombies_and_lost_events),
		TEST(reaped_before_its_end_is_told),
		TEST(ways_to_end),
		TEST(user_and_system),
		TEST(user_and_system_at_the_ends),
		TEST(ended_ones_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
