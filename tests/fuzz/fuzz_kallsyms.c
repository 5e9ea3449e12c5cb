// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols unwind base
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct kernel_symbols *symbols;
	int fd = memfd_create("fuzz_kallsyms", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!kernel_symbols__new_from(path, 0, &symbols)) {
		struct kernel_symbol found;

		for (unsigned int bit = 0; bit < 64; bit++)
			if (!kernel_symbols__find(symbols, ~0ull << bit, &found) &&
			    (found.start > ~0ull << bit || !found.name[0] ||
			     (found.module && !found.module[0])))
				abort();
		kernel_symbols__free(symbols);
	}
	close(fd);
	return 0;
}
