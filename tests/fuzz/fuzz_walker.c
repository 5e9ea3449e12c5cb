// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python unwind base
// Sources: capture/interleave.c capture/remote_walk.c
// Input: minor version, flags, registers, thread and runtime, rows and ranges (fuzz_input.h), then
// a memory that lies at MEMORY_AT. From 3.13 on it begins with what the runtime publishes.
#include <stdbool.h>
#include <stdlib.h>

#include "capture/interleave.h"
#include "counters.h"
#include "fuzz_input.h"
#include "python/layout.h"

/* Most reads of a frame: its window, or word by word what the rule names. */
#define NATIVE_READS 8
#define PYTHON_READS 3

struct walks {
	uint64_t words[PS_MAX_NATIVE];
	struct ps_frame python[PS_MAX_PYTHON];
	size_t word_count, python_count;
	uint32_t native_ending, python_ending;
};

static struct ps_py_offsets layout;

static bool find_layout(const struct fuzz_input *input, uint8_t minor)
{
	const struct python_layout *known = python_layout__of(0x0300 | minor);
	struct python_layout published;
	uint16_t version;

	if (!known &&
	    !python_layout__from_debug_offsets(input->bytes, input->size, &version, &published))
		known = &published;
	if (known)
		layout = python_layout__for_walker(known);
	return known;
}

/* Whatever a walk does not write itself shows in the second walk. */
static __attribute__((noinline)) void soil_stack(uint8_t byte)
{
	volatile uint8_t dirt[16384];

	for (size_t i = 0; i < sizeof(dirt); i++)
		dirt[i] = byte;
}

static void walk_both(struct walks *walks, struct fuzz_input *input, const struct remote_rows *rows,
		      const struct remote_place *place, uint64_t tcb, uint64_t runtime,
		      uint8_t dirt)
{
	memset(walks, 0, sizeof(*walks));
	soil_stack(dirt);
	input->reads = 0;
	walks->native_ending = remote_walk__native(&input->memory, rows, place, walks->words,
						   PS_MAX_NATIVE, &walks->word_count);
	if (walks->native_ending >= PS_END_COUNT || !walks->word_count ||
	    walks->word_count > PS_MAX_NATIVE || input->reads > PS_MAX_NATIVE * NATIVE_READS)
		abort();
	soil_stack(dirt);
	input->reads = 0;
	walks->python_ending = remote_walk__python(&input->memory, tcb, &layout, runtime,
						   walks->python, &walks->python_count);
	if (walks->python_ending >= PS_END_COUNT || walks->python_count > PS_MAX_PYTHON ||
	    input->reads > 2 * PS_MAX_PYTHON * PYTHON_READS)
		abort();
}

/* Every frame once, those of a kind in their order. */
static void check_mixed(const struct walks *walks, bool leaf_eval)
{
	struct mixed_frame frames[PS_MAX_NATIVE + PS_MAX_PYTHON];
	const struct walked_stack stack = {
		.native = walks->words,
		.native_count = walks->word_count,
		.python = walks->python,
		.python_count = walks->python_count,
		.leaf_eval = leaf_eval,
		.native_whole = walks->native_ending == PS_END_NATIVE,
		.python_whole = walks->python_ending == PS_END_PYTHON,
	};
	size_t native = 0, python = 0, count;
	bool mismatch;

	count = interleave(&stack, frames, &mismatch);
	for (size_t i = 0; i < count; i++) {
		if (frames[i].python) {
			while (python < frames[i].index &&
			       PS_FRAME_FLAGS(&walks->python[python]) & PS_FRAME_NONE)
				python++;
			if (frames[i].index != python++)
				abort();
			continue;
		}
		while (native < frames[i].index && walks->words[native] & PS_NATIVE_EVAL)
			native++;
		if (frames[i].index != native++)
			abort();
	}
	for (; native < walks->word_count; native++)
		if (!(walks->words[native] & PS_NATIVE_EVAL))
			abort();
	for (; python < walks->python_count; python++)
		if (!(PS_FRAME_FLAGS(&walks->python[python]) & PS_FRAME_NONE))
			abort();
	if (mismatch && !(stack.native_whole && stack.python_whole))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct walks once, again;
	struct fuzz_input input = {{fuzz_input__read}, data, size, 0};
	uint8_t minor = fuzz_input__byte(&input), flags = fuzz_input__byte(&input);
	struct remote_place place = {
		.rip = CODE_AT + fuzz_input__short(&input),
		.rsp = fuzz_input__address(&input),
		.rbp = fuzz_input__address(&input),
		.is_caller = flags & 1,
		.rbp_lost = flags & 2,
	};
	uint64_t tcb = fuzz_input__address(&input), runtime = fuzz_input__address(&input);
	struct remote_rows rows = fuzz_input__rows(&input);

	if (!find_layout(&input, minor))
		return 0;
	walk_both(&once, &input, &rows, &place, tcb, runtime, 0x00);
	walk_both(&again, &input, &rows, &place, tcb, runtime, 0xa5);
	if (memcmp(&once, &again, sizeof(once)))
		abort();
	check_mixed(&once, flags & 4);
	return 0;
}
