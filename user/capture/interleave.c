// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/interleave.h"

struct mixing {
	const struct walked_stack *stack;
	struct mixed_frame *frames;
	size_t count;
	size_t next; /* Python frame */
};

static bool ends_group(const struct ps_frame *frame)
{
	return PS_FRAME_FLAGS(frame) & PS_FRAME_LAST;
}

static size_t count_loops(const struct walked_stack *stack)
{
	size_t loops = stack->leaf_eval;

	for (size_t i = 0; i < stack->native_count; i++)
		loops += !!(stack->native[i] & PS_NATIVE_EVAL);
	return loops;
}

static size_t count_groups(const struct walked_stack *stack)
{
	size_t groups = 0;

	for (size_t i = 0; i < stack->python_count; i++)
		groups += ends_group(&stack->python[i]) || i + 1 == stack->python_count;
	return groups;
}

static void push(struct mixing *mixing, bool python, size_t index)
{
	mixing->frames[mixing->count++] = (struct mixed_frame){python, (uint32_t)index};
}

/* Pushes the next group; false: there was no frame in it. */
static bool push_group(struct mixing *mixing)
{
	bool any = false;

	while (mixing->next < mixing->stack->python_count) {
		const struct ps_frame *frame = &mixing->stack->python[mixing->next];

		if (!(PS_FRAME_FLAGS(frame) & PS_FRAME_NONE)) {
			push(mixing, true, mixing->next);
			any = true;
		}
		mixing->next++;
		if (ends_group(frame))
			break;
	}
	return any;
}

size_t interleave(const struct walked_stack *stack, struct mixed_frame *frames, bool *ret_mismatch)
{
	struct mixing mixing = {.stack = stack, .frames = frames};
	size_t loops = count_loops(stack), groups = count_groups(stack), unlinked = 0;

	*ret_mismatch = false;
	if (stack->native_whole && stack->python_whole) {
		unlinked = loops > groups ? loops - groups : 0;
		*ret_mismatch = unlinked > 1 || groups > loops;
	}
	if (stack->leaf_eval) {
		if (unlinked)
			unlinked--;
		else
			push_group(&mixing);
	}
	for (size_t i = 0; i < stack->native_count; i++) {
		if (!(stack->native[i] & PS_NATIVE_EVAL)) {
			push(&mixing, false, i);
		} else if (unlinked) {
			unlinked--;
			push(&mixing, false, i);
		} else if (!push_group(&mixing)) {
			push(&mixing, false, i);
		}
	}
	while (mixing.next < stack->python_count)
		push_group(&mixing);
	return mixing.count;
}
