// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/functions.h"

#include <errno.h>
#include <stdlib.h>

#include "unwind/frames.h"

struct function {
	uint32_t start; /* from base */
	uint32_t size;
};

struct unwind_functions {
	uint64_t base;
	size_t count;
	struct function functions[];
};

static int collect(const struct frames *frames, struct unwind_functions **ret)
{
	struct unwind_functions *functions;

	functions = malloc(sizeof(*functions) + frames->piece_count * sizeof(struct function));
	if (!functions)
		return -ENOMEM;
	functions->base = frames->base;
	functions->count = frames->piece_count;
	for (size_t i = 0; i < frames->piece_count; i++)
		functions->functions[i] = (struct function){
			.start = frames->pieces[i].start,
			.size = frames->pieces[i].end - frames->pieces[i].start,
		};
	*ret = functions;
	return 0;
}

int unwind_functions__open(int fd, struct unwind_functions **ret)
{
	struct elf_input input;
	struct frames frames;
	int err = elf_input__open(fd, &input);

	if (err)
		return err;
	err = frames__read(&input, &frames);
	if (!err) {
		err = collect(&frames, ret);
		frames__clear(&frames);
	}
	elf_input__close(&input);
	return err;
}

void unwind_functions__free(struct unwind_functions *functions)
{
	free(functions);
}

struct unwind_function unwind_functions__at(const struct unwind_functions *functions, size_t index)
{
	const struct function *function = &functions->functions[index];

	return (struct unwind_function){
		.start = functions->base + function->start,
		.size = function->size,
	};
}

size_t unwind_functions__count(const struct unwind_functions *functions)
{
	return functions->count;
}

int unwind_functions__find(const struct unwind_functions *functions, uint64_t address,
			   struct unwind_function *ret)
{
	uint64_t inside = address - functions->base;
	size_t low = 0, high = functions->count;

	if (address < functions->base)
		return -ENOENT;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions->functions[middle].start <= inside)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low ||
	    inside - functions->functions[low - 1].start >= functions->functions[low - 1].size)
		return -ENOENT;
	*ret = unwind_functions__at(functions, low - 1);
	return 0;
}
