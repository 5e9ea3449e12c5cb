/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the session that speaks of allocations. */
#ifndef CAPTURE_ALLOC_WORDS_H
#define CAPTURE_ALLOC_WORDS_H

#include <stdbool.h>

struct alloc_drain;

/* What is expected, how often windows are open, why there are none: each once. quiet: only errors.
 */
void alloc_words__tell(struct alloc_drain *drain, bool quiet);

#endif
