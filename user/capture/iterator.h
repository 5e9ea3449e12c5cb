/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of BPF iterators write: records of one size. */
#ifndef CAPTURE_ITERATOR_H
#define CAPTURE_ITERATOR_H

#include <stddef.h>

struct bpf_link;

typedef int iterator_take(void *context, const void *record);

/* Runs an iterator once. Each record of it, `size` bytes, a multiple of 8, goes to take, whose
 * first error ends it and is returned. Else 0 or a negative errno of the kernel. */
int iterator__each(const struct bpf_link *link, size_t size, iterator_take *take, void *context);

#endif
