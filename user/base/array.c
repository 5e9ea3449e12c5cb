// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_FIRST_CAPACITY 16

int array__reserve(void *items, size_t *capacity, size_t item_size, size_t needed)
{
	void **array = items;
	size_t wanted = *capacity ? *capacity : ARRAY_FIRST_CAPACITY;
	size_t bytes;
	void *grown;

	if (needed <= *capacity)
		return 0;
	while (wanted < needed) {
		if (wanted > SIZE_MAX / 2)
			return -EOVERFLOW;
		wanted *= 2;
	}
	if (__builtin_mul_overflow(wanted, item_size, &bytes))
		return -EOVERFLOW;
	grown = realloc(*array, bytes);
	if (!grown)
		return -ENOMEM;
	memset((char *)grown + *capacity * item_size, 0, (wanted - *capacity) * item_size);
	*array = grown;
	*capacity = wanted;
	return 0;
}
