// SPDX-License-Identifier: GPL-2.0-or-later
// Links: unwind base
/* Any bytes as an ELF file, or, when they do not begin like one, as the .eh_frame of a small one:
 * an error or rows that a binary search can trust. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/elf_image.h"
#include "unwind/functions.h"
#include "unwind/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct unwind_rows *rows)
{
	if (!rows->count || rows->rows[0].address)
		abort();
	for (size_t i = 1; i < rows->count; i++)
		if (rows->rows[i].address <= rows->rows[i - 1].address ||
		    rows->rows[i].rule == rows->rows[i - 1].rule)
			abort();
	if (PS_UNWIND_CFA(rows->rows[rows->count - 1].rule) != PS_CFA_NONE)
		abort();
}

static void check_functions(const void *image, size_t size)
{
	int fd = memfd_create("fuzz_eh_frame", MFD_CLOEXEC);
	struct unwind_functions *functions;
	struct unwind_function found;

	if (fd < 0 || write(fd, image, size) != (ssize_t)size)
		abort();
	if (!unwind_functions__open(fd, &functions)) {
		for (size_t i = 0; i < unwind_functions__count(functions); i++) {
			struct unwind_function function = unwind_functions__at(functions, i);
			uint64_t last = function.start + function.size - 1;

			if (unwind_functions__find(functions, last, &found) ||
			    found.start != function.start)
				abort();
		}
		unwind_functions__free(functions);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct bytes frames;
	const struct image_parts parts = {.eh_frame = &frames};
	struct unwind_rows rows;
	uint8_t *image = NULL;

	if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG)) {
		frames.size = 0;
		put(&frames, bytes, size < sizeof(frames.data) ? size : sizeof(frames.data));
		image = make_image(&parts, &size);
		bytes = image;
	}
	if (!unwind_rows__compile_memory(bytes, size, &rows)) {
		check(&rows);
		if (unwind_rows__mark(&rows, rows.base + size, rows.base + size * 2))
			abort();
		unwind_rows__clear(&rows);
	}
	check_functions(bytes, size);
	free(image);
	return 0;
}
