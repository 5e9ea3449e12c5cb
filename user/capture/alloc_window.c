// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/alloc_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/array.h"
#include "capture/map_drain.h"

static struct alloc_window_sum *sum_in(struct alloc_window *window, const struct ps_alloc_key *key)
{
	for (size_t i = 0; i < window->sum_count; i++)
		if (window->sums[i].key.epoch == key->epoch &&
		    window->sums[i].key.allocator == key->allocator)
			return &window->sums[i];
	if (array__reserve(&window->sums, &window->sum_capacity, sizeof(*window->sums),
			   window->sum_count + 1))
		return NULL;
	window->sums[window->sum_count].key = *key;
	return &window->sums[window->sum_count++];
}

int alloc_window__take_sums(struct alloc_window *window, int map_fd)
{
	struct ps_alloc_key key, next;
	bool more = !bpf_map_get_next_key(map_fd, NULL, &key);
	int err = 0;

	for (size_t i = 0; more && !err && i < PS_ALLOC_SUMS; i++) {
		more = !bpf_map_get_next_key(map_fd, &key, &next);
		if (key.window == window->number) {
			struct alloc_window_sum *sum = sum_in(window, &key);

			if (!sum)
				err = -ENOMEM;
			else if (!bpf_map_lookup_elem(map_fd, &key, &sum->sum))
				bpf_map_delete_elem(map_fd, &key);
		}
		key = next;
	}
	return err;
}

static int take_block(void *context, const void *key, const void *value)
{
	struct alloc_window *window = context;
	struct ps_alloc_block block;
	struct alloc_window_sum *sum;
	struct ps_alloc_key of = {0};

	(void)key;
	memcpy(&block, value, sizeof(block));
	of.epoch = block.epoch;
	of.allocator = block.allocator;
	of.window = window->number;
	sum = sum_in(window, &of);
	if (!sum)
		return -ENOMEM;
	sum->kept++;
	sum->kept_bytes += block.bytes;
	if (!block.weight)
		return 0;
	if (array__reserve(&window->sampled, &window->sampled_capacity, sizeof(block),
			   window->sampled_count + 1))
		return -ENOMEM;
	window->sampled[window->sampled_count++] = block;
	return 0;
}

int alloc_window__take_blocks(struct alloc_window *window, int map_fd)
{
	return map_drain(map_fd, sizeof(struct ps_alloc_block_key), sizeof(struct ps_alloc_block),
			 take_block, window);
}

void alloc_window__free(struct alloc_window *window)
{
	if (!window)
		return;
	free(window->sums);
	free(window->sampled);
	free(window);
}
