/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An input, or the rest of it, as a process's memory. */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

#define MEMORY_AT 0x10000ULL /* the addresses of the memory */

struct fuzz_input {
	struct memory memory; /* first: a struct memory * is this object */
	const uint8_t *bytes;
	size_t size;
	size_t reads; /* so far */
};

static int fuzz_input__read(const struct memory *memory, uint64_t address, void *destination,
			    size_t size)
{
	struct fuzz_input *input = (struct fuzz_input *)(uintptr_t)memory;

	input->reads++;
	if (address < MEMORY_AT || address - MEMORY_AT > input->size ||
	    size > input->size - (address - MEMORY_AT))
		return -EFAULT;
	memcpy(destination, input->bytes + (address - MEMORY_AT), size);
	return 0;
}

#endif
