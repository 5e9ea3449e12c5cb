// SPDX-License-Identifier: GPL-2.0-or-later
// Links: base
// Sources: capture/stacks.c capture/interleave.c capture/remote_walk.c
// Input: rows and ranges (fuzz_input.h), then events: a kind, the hash of a stack, and what the
// kind wants. What names frames and keeps the tree is played here, and refuses frames that are
// none.
#include <stdbool.h>
#include <stdlib.h>

#include "capture/stacks.h"
#include "fuzz_input.h"
#include "model/stack_tree.h"
#include "store/writer.h"

static struct remote_rows rows;
static int64_t nodes;

int64_t stack_tree__push(struct stack_tree *tree, int64_t parent, int64_t frame)
{
	(void)tree;
	if (parent < 0 || parent > nodes || frame <= 0)
		abort();
	return ++nodes;
}

void stack_tree__use(struct stack_tree *tree, int64_t node)
{
	(void)tree;
	if (node > nodes)
		abort();
}

int64_t names__kernel(struct names *names, uint64_t address)
{
	(void)names;
	return 1 + (int64_t)(address % 7);
}

int64_t names__native(struct names *names, struct process *process, uint64_t address,
		      uint64_t now_ns)
{
	(void)names;
	(void)process;
	(void)now_ns;
	if (address & PS_NATIVE_EVAL)
		abort();
	return 10 + (int64_t)(address % 7);
}

int64_t names__python(struct names *names, struct process *process, const struct ps_frame *frame,
		      bool *ret_named)
{
	(void)names;
	(void)process;
	if (PS_FRAME_FLAGS(frame) & PS_FRAME_NONE)
		abort();
	if (frame->address % 5 == 0)
		*ret_named = false;
	return 20 + (int64_t)(frame->address % 7);
}

int64_t names__part(struct names *names, struct process *process, uint64_t epoch,
		    const struct ps_frame *part)
{
	(void)names;
	(void)process;
	(void)epoch;
	if (!(PS_FRAME_FLAGS(part) & PS_FRAME_PART))
		abort();
	return part->address % 5 ? 30 + (int64_t)(part->address % 7) : 0;
}

int64_t names__untold_part(struct names *names, const struct process *process,
			   const struct ps_frame *frame)
{
	(void)names;
	(void)process;
	if (PS_FRAME_FLAGS(frame) & (PS_FRAME_PART | PS_FRAME_NONE))
		abort();
	return frame->address % 3 ? 0 : 40 + (int64_t)(frame->address % 7);
}

bool names__layout(const struct process *process, struct ps_py_offsets *ret_layout)
{
	(void)process;
	(void)ret_layout;
	return false;
}

struct remote_rows unwinder__rows(const struct unwinder *unwinder, const struct unwind_space *space)
{
	(void)unwinder;
	(void)space;
	return rows;
}

/* As many words as there are are checked by whoever takes the event from the ring. */
static void take_stack(struct stacks *stacks, struct process *process, struct fuzz_input *input,
		       uint64_t hash, uint64_t now_ns)
{
	static uint64_t words[PS_MAX_KERNEL + PS_MAX_NATIVE + 2 * PS_MAX_PYTHON + 8];
	uint8_t flags = fuzz_input__byte(input);
	struct ps_stack_event event = {
		.event.time_ns = now_ns,
		.hash = hash,
		.kernel_frames = fuzz_input__byte(input),
		.native_frames = fuzz_input__short(input),
		.python_frames = fuzz_input__short(input),
		.native_ending = fuzz_input__byte(input) % (PS_END_COUNT + 1),
		.python_ending = fuzz_input__byte(input) % (PS_END_COUNT + 1),
		.leaf_kernel = flags & 1,
		.leaf_eval = flags >> 1 & 1,
		.copied = flags >> 2 & 1,
	};
	size_t count = event.kernel_frames + event.native_frames + 2 * event.python_frames;

	if (count > sizeof(words) / sizeof(words[0]))
		return;
	/* Small numbers will do for addresses; the upper half holds the flags. */
	for (size_t i = 0; i < count; i++) {
		uint8_t byte = fuzz_input__byte(input);

		words[i] = (byte & 0x3f) | (uint64_t)(byte >> 6 & 1) << 63 |
			   (uint64_t)(byte >> 5) << 32;
	}
	if (stacks__on_stack(stacks, process, &event, words))
		abort();
}

static void take_copy(struct stacks *stacks, struct fuzz_input *input, uint64_t hash)
{
	static uint8_t bytes[PS_STACK_COPY + 64];
	struct ps_stack_copy_event event = {
		.hash = hash,
		.rip = CODE_AT + fuzz_input__short(input),
		.rsp = fuzz_input__address(input),
		.rbp = fuzz_input__address(input),
		.is_caller = fuzz_input__byte(input) & 1,
		.bytes = fuzz_input__short(input),
	};
	size_t there = event.bytes % 512;

	if (event.bytes > sizeof(bytes))
		return;
	memset(bytes, 0, sizeof(bytes));
	fuzz_input__take(input, bytes, there);
	if (stacks__on_copy(stacks, &event, bytes))
		abort();
}

static void take_leaf(struct stacks *stacks, struct process *process, struct fuzz_input *input,
		      uint64_t hash, uint64_t now_ns)
{
	const struct known_stack *stack = stacks__find(stacks, hash);
	int64_t node;

	if (!stack)
		return;
	node = stacks__leaf(stacks, process, stack, fuzz_input__byte(input), now_ns);
	if (stack->ending > PS_END_UNKNOWN || (node < 1 && node != ROW_NULL) || node > nodes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {{fuzz_input__read}, data, size, 0};
	struct stacks *stacks = stacks__new(NULL, NULL, NULL);
	struct process processes[2] = {};
	uint64_t now_ns = 1;

	nodes = 0;
	rows = fuzz_input__rows(&input);
	while (stacks && input.size) {
		uint8_t kind = fuzz_input__byte(&input), hash = fuzz_input__byte(&input);
		struct process *process = &processes[hash & 1];

		if (kind % 8 < 3)
			take_stack(stacks, process, &input, hash, now_ns);
		else if (kind % 8 < 5)
			take_copy(stacks, &input, hash);
		else if (kind % 8 == 5)
			take_leaf(stacks, process, &input, hash, now_ns);
		else if (kind % 8 == 6)
			stacks__forget(stacks, process);
		else if (stacks__retry(stacks, now_ns))
			abort();
		now_ns += (uint64_t)kind * 10000000;
	}
	stacks__free(stacks);
	return 0;
}
