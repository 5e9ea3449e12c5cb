/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One stack out of two: the native frames and the Python frames that the walker found apart.
 *
 * A native frame of CPython's interpreter loop stands for the Python frames that it runs: one up to
 * 3.10, one or more since. In a whole stack there are as many loops as there are groups of Python
 * frames, but for an innermost loop that has not linked its frame yet, or no longer. */
#ifndef CAPTURE_INTERLEAVE_H
#define CAPTURE_INTERLEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct walked_stack {
	const uint64_t *native; /* words, innermost first */
	size_t native_count;
	const struct ps_frame *python; /* innermost first */
	size_t python_count;
	bool leaf_eval; /* the leaf, which is no word, is in the interpreter loop */
	bool native_whole, python_whole; /* up to the outermost frame */
};

struct mixed_frame {
	bool python;
	uint32_t index; /* of python[] or native[] */
};

/* Fills frames (room for native_count + python_count), innermost first; returns how many.
 * *ret_mismatch: loops and Python frames do not fit each other; then no frame is left out, but
 * their order is a guess. */
size_t interleave(const struct walked_stack *stack, struct mixed_frame *frames, bool *ret_mismatch);

#endif
