/* SPDX-License-Identifier: GPL-2.0-or-later */
/* str objects of another process as UTF-8. */
#ifndef PYTHON_TEXT_H
#define PYTHON_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "python/layout.h"

/* Reads a compact str object into a malloc'ed, NUL-terminated string of at most limit bytes of
 * valid UTF-8 (more: cut, "…" at its end). Control characters, those that change the direction of
 * text, and surrogates become U+FFFD. -EBADMSG: not a compact str; -ENOMEM, or the memory's error.
 * The caller frees. limit >= 8. */
int python_text__read(const struct memory *memory, const struct python_layout *layout,
		      uint64_t address, size_t limit, char **ret_text);

#endif
