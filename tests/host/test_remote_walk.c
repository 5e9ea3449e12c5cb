// SPDX-License-Identifier: GPL-2.0-or-later
// Links: capture python base
/* The recorder's walk from outside, of threads that sleep: the same frames as BPF's walker finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/remote_walk.h"
#include "host/python_process.h"
#include "host/python_walk.h"

static void compare_remote(const struct python_process *process)
{
	struct ps_py_offsets layout = python_layout__for_walker(&process->layout);
	struct ps_frame frames[PS_MAX_PYTHON];
	struct walk walk;
	size_t count;

	for (size_t i = 0; i < process->thread_count; i++) {
		walk_thread(&walk, &process->live.memory, &layout, process->runtime,
			    process->threads[i].tcb);
		memset(frames, 0, sizeof(frames));
		assert_int_equal(remote_walk__python(&process->live.memory, process->threads[i].tcb,
						     &layout, process->runtime, frames, &count),
				 PS_END_PYTHON);
		assert_int_equal(count, walk.frame_count);
		assert_memory_equal(frames, walk.frames, count * sizeof(frames[0]));
	}
	count = 7;
	assert_int_equal(remote_walk__python(&process->live.memory, NOWHERE, &layout,
					     process->runtime, frames, &count),
			 PS_END_PY_NO_THREAD);
	assert_int_equal(count, 0);
	assert_int_equal(remote_walk__python(&process->live.memory, process->threads[0].tcb,
					     &layout, NOWHERE, frames, &count),
			 PS_END_PY_STARTING);
}

/* More frames than there is room for, and a ring of them: of this process's own memory. */
static void remote_limits(void **state)
{
	static struct world world;
	struct ps_frame frames[PS_MAX_PYTHON];
	const uint8_t shim = 3;
	uint64_t at = (uint64_t)(uintptr_t)world.bytes - WORLD; /* wraps, and back again */
	struct process_memory self = process_memory__of(getpid());
	size_t count;

	(void)state;
	make_world(&world, 3);
	put64(&world, TCB + GLIBC_FIRST_KEYS + 16 * 3 + 8, STATE + at);
	put64(&world, STATE + world.layout.tstate_thread_id, TCB + at);
	put64(&world, STATE + world.layout.tstate_frame, frame_at(0) + at);
	for (int i = 0; i < 3; i++)
		put64(&world, frame_at(i) + 8, i < 2 ? frame_at(i + 1) + at : 0);
	assert_int_equal(remote_walk__python(&self.memory, TCB + at, &world.layout, RUNTIME + at,
					     frames, &count),
			 PS_END_PYTHON);
	assert_int_equal(count, 3);
	assert_int_equal(frames[2].address, code_at(2));

	put64(&world, frame_at(2) + 8, NOWHERE);
	assert_int_equal(remote_walk__python(&self.memory, TCB + at, &world.layout, RUNTIME + at,
					     frames, &count),
			 PS_END_PY_UNREADABLE);
	assert_int_equal(count, 3);
	put64(&world, frame_at(2) + 8, frame_at(0) + at);
	assert_int_equal(remote_walk__python(&self.memory, TCB + at, &world.layout, RUNTIME + at,
					     frames, &count),
			 PS_END_PY_TOO_DEEP);
	assert_int_equal(count, PS_MAX_PYTHON);
	for (int i = 0; i < 3; i++)
		put(&world, frame_at(i) + 70, &shim, 1);
	assert_int_equal(remote_walk__python(&self.memory, TCB + at, &world.layout, RUNTIME + at,
					     frames, &count),
			 PS_END_PY_TOO_DEEP);
	assert_int_equal(count, PS_MAX_PYTHON); /* each a group without a frame */
	for (int i = 0; i < PS_MAX_PYTHON; i++)
		assert_int_equal(frames[i].kind, PS_FRAME_NONE | PS_FRAME_LAST);
	put64(&world, STATE + world.layout.tstate_frame, 0);
	assert_int_equal(remote_walk__python(&self.memory, TCB + at, &world.layout, RUNTIME + at,
					     frames, &count),
			 PS_END_PY_IDLE);
}

static void live_interpreters(void **state)
{
	int minor = *(int *)*state, i = next_interpreter(minor, -1);
	char script[PATH_MAX];

	if (i < 0) {
		print_message("SKIP: no CPython 3.%d here\n", minor);
		skip();
	}
	script_path(__FILE__, "walked.py", script, sizeof(script));
	for (; i >= 0; i = next_interpreter(minor, i)) {
		static struct python_process process;

		print_message("%s\n", interpreters[i].identity);
		assert_true(python_process__start(&process, interpreters[i].command, script));
		assert_int_equal(process.thread_count, 2);
		compare_remote(&process);
		python_process__end(&process);
	}
}

int main(void)
{
	static int minors[] = {8, 9, 10, 11, 12, 13, 14};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_limits),
		cmocka_unit_test_prestate(live_interpreters, &minors[0]),
		cmocka_unit_test_prestate(live_interpreters, &minors[1]),
		cmocka_unit_test_prestate(live_interpreters, &minors[2]),
		cmocka_unit_test_prestate(live_interpreters, &minors[3]),
		cmocka_unit_test_prestate(live_interpreters, &minors[4]),
		cmocka_unit_test_prestate(live_interpreters, &minors[5]),
		cmocka_unit_test_prestate(live_interpreters, &minors[6]),
	};

	find_interpreters();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
