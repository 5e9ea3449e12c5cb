// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture model store symbols python proc base
#include "unit/tracker_fixture.h"

#include "capture/resources.h"

enum { PID = 100 };

#define MS   1000000ULL
#define PAGE 4096

static struct resources *resources;

static int start(void **state)
{
	const struct perf_choice choice = {.counters = {PS_PERF_PAGE_FAULTS}, .count = 1};

	return start_recording(state) || resources__new(tracker, writer, &choice, &resources);
}

static int end(void **state)
{
	struct process *process = tracker__find(tracker, PID);

	if (process)
		resources__forget(process);
	resources__free(resources);
	return end_recording(state);
}

static struct epoch *begin_epoch(uint64_t ms, uint64_t epoch, uint64_t before, const char *task)
{
	struct ps_quantum_event event = {
		.event = {.type = PS_EVENT_QUANTUM,
			  .time_ns = MONO + ms * MS,
			  .tgid = PID,
			  .tid = PID},
		.epoch = epoch,
		.previous_epoch = before,
		.start_boot_ns = born(0),
	};
	struct identity identity = {.task = task, .rule = "frame"};
	struct epoch *begun = NULL;

	assert_int_equal(tracker__on_quantum(tracker, &event, task ? &identity : NULL, &begun), 0);
	assert_non_null(begun);
	return begun;
}

static struct ps_resource_event event_at(enum ps_resource_moment moment, uint64_t epoch,
					 uint64_t faults)
{
	struct ps_resource_event event = {
		.event = {.type = PS_EVENT_RESOURCES, .tgid = PID, .tid = PID},
		.epoch = epoch,
		.start_boot_ns = born(0),
		.moment = moment,
		.in_quantum = 1,
		.known = PS_KNOWS_ASKED | PS_KNOWS_RSS | PS_KNOWS_PEAKS,
		.threads = 1,
		.rss_pages = 10,
		.rss_peak_pages = 10,
	};

	event.sums[PS_RESOURCE_MINOR_FAULTS] = faults;
	event.counters[0] = (struct ps_perf_sum){faults * 2, 8 * faults, 4 * faults};
	return event;
}

static void tell(const struct ps_resource_event *event)
{
	assert_int_equal(resources__on_event(resources, event), 0);
}

static int64_t column(const char *name, int64_t epoch)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT coalesce(%s, -1) FROM resource WHERE epoch = %lld", name,
		 (long long)epoch);
	return number("%s", sql);
}

/* The second quantum of a process is not charged the first one's, nor its peak of memory. */
static void one_after_the_other(void **state)
{
	struct ps_resource_event event;
	int64_t first, second;

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	first = begin_epoch(100, 3, 2, "isr")->id;
	event = event_at(PS_MOMENT_SWITCH, 3, 1000); /* before: nobody knows since when */
	tell(&event);
	event = event_at(PS_MOMENT_SLICE, 3, 1200);
	event.rss_peak_pages = 500;
	tell(&event);
	second = begin_epoch(200, 4, 3, "isr")->id;
	event = event_at(PS_MOMENT_SWITCH, 4, 1300);
	event.rss_peak_pages = 500;
	event.threads = 3;
	tell(&event);
	begin_epoch(300, 5, 4, NULL);
	event = event_at(PS_MOMENT_SWITCH, 5, 1350);
	event.rss_peak_pages = 40;
	event.rss_pages = 30;
	event.in_quantum = 0;
	tell(&event);
	event = event_at(PS_MOMENT_SLICE, 5, 2000);
	tell(&event);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM resource"), 2);
	assert_int_equal(column("minor_faults", first), 300);
	assert_int_equal(column("rss_peak_bytes", first), 500 * PAGE);
	assert_int_equal(column("threads", first), 3);
	assert_int_equal(column("minor_faults", second), 50);
	assert_int_equal(column("rss_start_bytes", second), 10 * PAGE);
	assert_int_equal(column("rss_peak_bytes", second), 40 * PAGE);
	assert_int_equal(column("rss_end_bytes", second), 30 * PAGE);
	/* What the kernel does not count is not 0. */
	assert_int_equal(column("run_queue_ns", second), -1);
	assert_int_equal(column("asked_read_bytes", second), 0);
	assert_int_equal(column("device_read_bytes", second), -1);
	assert_int_equal(column("children_rss_peak_bytes", second), -1);
	assert_int_equal(number("SELECT value FROM counter WHERE epoch = %lld AND name = "
				"'page_faults' AND enabled_ns = 400 AND running_ns = 200",
				(long long)second),
			 100);
}

/* A figure that is less for a moment, while a thread ends, is not charged twice. */
static void figures_that_go_back(void **state)
{
	struct ps_resource_event event;
	int64_t quantum;

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	quantum = begin_epoch(100, 3, 2, "isr")->id;
	event = event_at(PS_MOMENT_SWITCH, 3, 100);
	tell(&event);
	event = event_at(PS_MOMENT_SLICE, 3, 400);
	tell(&event);
	event = event_at(PS_MOMENT_SLICE, 3, 250);
	tell(&event);
	event = event_at(PS_MOMENT_SLICE, 3, 450);
	tell(&event);
	read_back();
	/* It goes on: so far. */
	assert_int_equal(column("minor_faults", quantum), 350);
}

/* BPF knows it no more: sums begin anew, and are nobody's. */
static void forgotten(void **state)
{
	struct ps_resource_event event;
	int64_t quantum;

	(void)state;
	run_before(1, 1);
	forked(1, PID, 0, 2);
	quantum = begin_epoch(60, 3, 2, "isr")->id;
	event = event_at(PS_MOMENT_SWITCH, 3, 200);
	tell(&event);
	event = event_at(PS_MOMENT_END, 3, 260);
	tell(&event);
	assert_null(tracker__find(tracker, PID)->resources);
	event = event_at(PS_MOMENT_SLICE, 3, 5);
	tell(&event);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM resource"), 1);
	assert_int_equal(column("minor_faults", quantum), 60);
}

/* Events of processes and epochs that nobody knows are let pass. */
static void strangers(void **state)
{
	struct ps_resource_event event = event_at(PS_MOMENT_SWITCH, 3, 100);

	(void)state;
	tell(&event);
	run_before(1, 1);
	forked(1, PID, 0, 2);
	event.start_boot_ns++;
	tell(&event);
	event.start_boot_ns--;
	tell(&event); /* its epoch was never told */
	event = event_at(PS_MOMENT_SLICE, 3, 200);
	tell(&event);
	read_back();
	assert_int_equal(number("SELECT count(*) FROM resource"), 0);
}

static void choices(void **state)
{
	struct perf_choice choice = {.count = 77};
	const char *at;
	size_t size;

	(void)state;
	assert_int_equal(perf_choice__parse(PERF_COUNTERS_DEFAULT, &choice, &at, &size), 0);
	assert_int_equal(choice.count, 7);
	assert_int_equal(choice.counters[0], PS_PERF_TASK_CLOCK);
	assert_int_equal(perf_choice__parse("cycles,nothing,cycles", &choice, &at, &size), -EINVAL);
	assert_int_equal(size, 7);
	assert_memory_equal(at, "nothing", 7);
	assert_int_equal(perf_choice__parse("cycles,cycles", &choice, &at, &size), -EINVAL);
	assert_int_equal(perf_choice__parse("", &choice, &at, &size), -EINVAL);
	assert_int_equal(perf_choice__parse("cycles,", &choice, &at, &size), -EINVAL);
	assert_int_equal(choice.count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_after_the_other, start, end),
		cmocka_unit_test_setup_teardown(figures_that_go_back, start, end),
		cmocka_unit_test_setup_teardown(forgotten, start, end),
		cmocka_unit_test_setup_teardown(strangers, start, end),
		cmocka_unit_test(choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
