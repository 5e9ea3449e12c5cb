/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of tuples of 64-bit values, each with an index: 0, 1, … in the order of arrival. What a
 * query groups by is always such a tuple. */
#ifndef MODEL_TUPLES_H
#define MODEL_TUPLES_H

#include <stddef.h>
#include <stdint.h>

struct tuple_set;

/* width: values of a tuple, at least 1. NULL: no memory. */
struct tuple_set *tuple_set__new(size_t width);
void tuple_set__free(struct tuple_set *set); /* NULL is accepted */

/* The index of the tuple, which is added when it is new. -ENOMEM, -EOVERFLOW (2^32 - 1 tuples). */
int tuple_set__add(struct tuple_set *set, const uint64_t *values, uint32_t *ret_index);

size_t tuple_set__count(const struct tuple_set *set);

/* The values of a tuple; index < count. Borrowed until tuple_set__free. */
const uint64_t *tuple_set__at(const struct tuple_set *set, uint32_t index);

#endif
