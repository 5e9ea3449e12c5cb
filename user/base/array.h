/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one way an array grows. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Makes room for `needed` items of `item_size` bytes in *items (malloc'ed, may be NULL), at least
 * doubling *capacity (items). New bytes are zero. 0, -ENOMEM or -EOVERFLOW; on failure nothing has
 * changed. The caller frees *items. */
int array__reserve(void *items, size_t *capacity, size_t item_size, size_t needed);

#endif
