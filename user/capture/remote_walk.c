// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/remote_walk.h"

#include "base/memory.h"

static __thread struct process_memory walked;

static long ps_read_user(void *destination, __u32 size, __u64 address);

#include "python.bpf.h"

static long ps_read_user(void *destination, __u32 size, __u64 address)
{
	return memory__read(&walked.memory, address, destination, size);
}

uint32_t remote_walk(pid_t pid, uint64_t tcb, const struct ps_py_offsets *layout, uint64_t runtime,
		     struct ps_frame *frames, size_t *ret_count)
{
	struct python_walk walk;
	uint32_t ending;

	*ret_count = 0;
	walked = process_memory__of(pid);
	ending = python__begin(&walk, layout, runtime, tcb);
	if (ending)
		return ending;
	for (size_t step = 0; walk.frame && step < 2 * PS_MAX_PYTHON; step++) {
		int status;

		if (*ret_count == PS_MAX_PYTHON)
			return PS_END_PY_TOO_DEEP;
		status = python__step(&walk, layout, &frames[*ret_count]);
		if (status < 0)
			return PS_END_PY_UNREADABLE;
		if (status != PY_NO_FRAME)
			(*ret_count)++;
	}
	if (walk.frame)
		return PS_END_PY_TOO_DEEP;
	return *ret_count ? PS_END_PYTHON : PS_END_PY_IDLE;
}
