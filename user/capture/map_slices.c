// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/map_slices.h"

#include <unistd.h>

#include <bpf/bpf.h>

int map_slices__make(struct map_slices *slices, const char *name, size_t key_size,
		     size_t value_size, uint32_t entries, uint32_t flags, int outer_fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);

	for (int i = 0; i < 2; i++) {
		if (slices->fds[i] < 0)
			slices->fds[i] = bpf_map_create(BPF_MAP_TYPE_HASH, name, key_size,
							value_size, entries, &options);
		if (slices->fds[i] < 0)
			return slices->fds[i];
	}
	return map_slices__swap(slices, outer_fd);
}

int map_slices__swap(struct map_slices *slices, int outer_fd)
{
	uint32_t zero = 0;
	int other = !slices->filled;
	/* The kernel waits for running programs. */
	int err = bpf_map_update_elem(outer_fd, &zero, &slices->fds[other], BPF_ANY);

	if (!err)
		slices->filled = other;
	return err;
}

int map_slices__idle(const struct map_slices *slices)
{
	return slices->fds[!slices->filled];
}

void map_slices__close(struct map_slices *slices)
{
	for (int i = 0; i < 2; i++)
		if (slices->fds[i] >= 0)
			close(slices->fds[i]);
	*slices = MAP_SLICES_NONE;
}
