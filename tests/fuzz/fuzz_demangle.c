// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols unwind base
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *raw = malloc(size + 1), *demangled, *shortened;

	if (!raw)
		return 0;
	memcpy(raw, bytes, size);
	raw[size] = '\0';
	demangled = symbol__demangle(raw);
	if (demangled && !demangled[0])
		abort();
	/* The name itself too: it may look demangled. */
	shortened = symbol__shorten(raw);
	if (!shortened || strlen(shortened) > 2 * size)
		abort();
	free(shortened);
	if (demangled) {
		shortened = symbol__shorten(demangled);
		free(shortened);
	}
	free(demangled);
	free(raw);
	return 0;
}
