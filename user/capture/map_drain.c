// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/map_drain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"

#define BATCH 4096

int map_drain(int fd, size_t key_size, size_t value_size, map_drain_take *take, void *context)
{
	_cleanup_free_ char *keys = calloc(BATCH, key_size), *values = calloc(BATCH, value_size);
	uint64_t position = 0;
	bool first = true;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err) {
		uint32_t count = BATCH;
		int taken = 0;

		err = bpf_map_lookup_and_delete_batch(fd, first ? NULL : &position, &position, keys,
						      values, &count, NULL);
		first = false;
		/* The last batch comes with -ENOENT; another error brings none. */
		if (err && err != -ENOENT)
			break;
		for (uint32_t i = 0; take && i < count && !taken; i++)
			taken = take(context, keys + i * key_size, values + i * value_size);
		if (taken)
			return taken;
	}
	return err == -ENOENT ? 0 : err;
}
