/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tracker fed with events made by hand; the recording is read back. Process ids are beyond the
 * kernel's highest, so that /proc knows nothing of them. Included by one .c per binary. */
#ifndef UNIT_TRACKER_FIXTURE_H
#define UNIT_TRACKER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/tracker.h"
#include "unit/store_fixture.h"

#define MONO   1000000000000ULL /* the clocks at the recording's start */
#define BOOT   5000000000000ULL
#define SECOND 1000000000ULL

#define SHELL 5000001u
#define JOB   5000002u
#define OTHER 5000003u

static struct recording_writer *writer;
static struct rules *rules;
static struct tracker *tracker;
static struct recording *recording;
static int freed;

static void count_freed(void *context, struct process *process)
{
	(void)context;
	assert_non_null(process);
	freed++;
}

static int start_recording(void **state)
{
	struct tracker_clock clock = {.mono_ns = MONO, .boot_ns = BOOT};

	freed = 0;
	recording = NULL;
	return make_folder(state) || recording_writer__create(path, &writer) ||
	       rules__new(&rules) ||
	       tracker__new(writer, rules, clock, count_freed, NULL, &tracker);
}

/* What has been told so far, to be read; nothing may be told afterwards. */
static void read_back(void)
{
	assert_int_equal(tracker__write_processes(tracker, true), 0);
	assert_int_equal(recording_writer__close(writer), 0);
	writer = NULL;
	assert_int_equal(recording__open(path, &recording), 0);
}

static int end_recording(void **state)
{
	recording__close(recording);
	tracker__free(tracker);
	recording_writer__close(writer);
	rules__free(rules);
	return remove_folder(state);
}

static int64_t number(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int64_t number(const char *format, ...)
{
	char sql[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	return number_in(recording, sql);
}

/* --- events: an epoch's key is its row's id, as the tests name them in the order of birth */

static void run_before(uint32_t pid, uint64_t epoch)
{
	struct ps_task_event task = {
		.event = {.type = PS_EVENT_TASK, .tgid = pid, .tid = pid},
		.start_boot_ns = BOOT - 100 * SECOND + pid,
		.comm = "before",
	};
	struct process *process = NULL;

	assert_int_equal(tracker__add_running(tracker, &task, epoch, &process), 0);
	assert_non_null(process);
	assert_ptr_equal(tracker__find(tracker, pid), process);
}

static uint64_t born(uint64_t second)
{
	return BOOT + second * SECOND;
}

static void forked(uint32_t parent, uint32_t pid, uint64_t second, uint64_t epoch)
{
	struct ps_fork_event event = {
		.event = {.time_ns = MONO + second * SECOND, .tgid = pid, .tid = pid},
		.epoch = epoch,
		.start_boot_ns = born(second),
		.parent_tgid = parent,
		.comm = "forked",
	};

	assert_int_equal(tracker__on_fork(tracker, &event), 0);
}

static inline uint64_t before(uint32_t pid)
{
	return BOOT - 100 * SECOND + pid;
}

#endif
