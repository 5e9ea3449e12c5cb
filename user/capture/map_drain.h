/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_MAP_DRAIN_H
#define CAPTURE_MAP_DRAIN_H

#include <stddef.h>

typedef int map_drain_take(void *context, const void *key, const void *value);

/* Empties a BPF hash map, in batches: every key and value of it goes to take (NULL: nowhere), whose
 * first error ends the walk and is returned; what the batch at hand still held is then lost. */
int map_drain(int fd, size_t key_size, size_t value_size, map_drain_take *take, void *context);

#endif
