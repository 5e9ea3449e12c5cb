/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the variables of a rule's function hold. For quanta.bpf.c alone. */
#ifndef QUANTUM_VALUES_BPF_H
#define QUANTUM_VALUES_BPF_H

#include "quantum_frames.bpf.h"

#define CODE_IS_STR (1UL << 28) /* tp_flags */
#define CODE_IS_INT (1UL << 24)
#define INT_DIGITS  5

/* What tells an object from others: a hash of a str's or int's value, an address else. */
__noinline __u64 quantum_value(__u32 slot, __u64 object)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;
	__u64 type = 0, flags = 0, size = 0, hash = 0, from;
	__u32 state = 0;

	if (!scratch || !object)
		return 0;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout || ps_read_user(&type, sizeof(type), object + 8) ||
	    ps_read_user(&flags, sizeof(flags), type + layout->type_flags))
		return object;
	if (!(flags & (CODE_IS_STR | CODE_IS_INT)) ||
	    ps_read_user(&size, sizeof(size), object + STR_LENGTH))
		return object;
	if (flags & CODE_IS_STR) {
		if (ps_read_user(&state, sizeof(state), object + STR_STATE) || !(state & STR_ASCII))
			return object;
		hash = size;
		from = object + layout->text_data;
	} else {
		hash = size;
		if (layout->int_tag_shift)
			size >>= layout->int_tag_shift & 7;
		else if ((__s64)size < 0)
			size = -size;
		if (size > INT_DIGITS)
			size = INT_DIGITS;
		size *= 4;
		from = object + layout->int_size + 8;
	}
	if (size > VALUE_BYTES)
		size = VALUE_BYTES;
	__builtin_memset(scratch->words, 0, sizeof(scratch->words));
	HIDE_RANGE(size);
	if (size > VALUE_BYTES)
		return object;
	if (size && ps_read_user(scratch->words, size, from))
		return object;
	for (int i = 0; i < VALUE_BYTES / 8; i++)
		hash = ps_mix(hash, scratch->words[i]);
	return hash | 1; /* objects are aligned: never an address */
}

/* Reads one local variable of the frame found. */
__noinline int quantum_local(__u32 slot, __u32 index)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;
	__u64 object = 0, tags;
	__u32 local;

	if (!scratch || index >= PS_QUANTUM_LOCALS)
		return 0;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	if (!layout)
		return 0;
	local = scratch->rule.slots[index];
	tags = layout->code_tag_bits;
	if (local == PS_LOCAL_NONE || ps_read_user(&object, sizeof(object),
						   scratch->frame + layout->frame_locals +
							   8 * (__u64)(local & ~PS_LOCAL_CELL)))
		object = 0;
	object &= ~tags;
	/* PyCellObject.ob_ref, the same in all versions */
	if (object && local & PS_LOCAL_CELL && ps_read_user(&object, sizeof(object), object + 16))
		object = 0;
	scratch->event.locals[index] = object;
	scratch->now.values[index] =
		index < scratch->rule.identity_count ? quantum_value(slot, object) : 0;
	return 0;
}

/* scratch->words: the objects in the first variables of a frame, as they lie there. 1: they are not
 * readable. */
__noinline int quantum_objects(__u32 slot, __u64 frame)
{
	struct quantum_scratch *scratch = scratch_of(slot);
	const struct ps_py_offsets *layout;

	if (!scratch)
		return 1;
	layout = bpf_map_lookup_elem(&py_layouts, &scratch->layout);
	__builtin_memset(scratch->words, 0, sizeof(scratch->words));
	if (!layout ||
	    ps_read_user(scratch->words, 8 * PS_QUANTUM_LOCALS, frame + layout->frame_locals))
		return 1;
	for (int i = 0; i < PS_QUANTUM_LOCALS; i++)
		scratch->words[i] &= ~(__u64)layout->code_tag_bits;
	return 0;
}

/* Whether the variables that tell quanta apart hold what they held when the pending call was seen.
 * Of those behind the first ones nobody knows. */
static __always_inline bool has_same_objects(struct quantum_scratch *scratch, __u32 slot)
{
	if (quantum_objects(slot, scratch->frame))
		return true;
	for (int i = 0; i < PS_QUANTUM_LOCALS; i++) {
		__u32 local = scratch->rule.slots[i] & ~PS_LOCAL_CELL;

		if (i >= scratch->rule.identity_count || local >= PS_QUANTUM_LOCALS)
			continue;
		if (scratch->words[local] != scratch->before.values[local])
			return false;
	}
	return true;
}

#endif
