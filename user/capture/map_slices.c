// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/map_slices.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "wire.h"

/* The kernel waits until no program runs that may have seen the former map. */
static int give(int outer_fd, int inner_fd)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(outer_fd, &zero, &inner_fd, BPF_ANY);
}

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
	return give(outer_fd, slices->fds[slices->filled]);
}

struct swap {
	pthread_t thread;
	int outer_fd, inner_fd;
	int done; /* eventfd */
	int err;
};

static void *swap_thread(void *argument)
{
	struct swap *swap = argument;

	swap->err = give(swap->outer_fd, swap->inner_fd);
	eventfd_write(swap->done, 1);
	return NULL;
}

static int look_until(int done, const struct meanwhile *meanwhile)
{
	struct pollfd fds[] = {{.fd = done, .events = POLLIN},
			       {.fd = meanwhile->fd, .events = POLLIN}};
	int err = 0;

	while (!err && !fds[0].revents) {
		poll(fds, 2, PS_LOOK_MS);
		err = meanwhile->look(meanwhile->context);
	}
	return err;
}

int map_slices__swap(struct map_slices *slices, int outer_fd, const struct meanwhile *meanwhile)
{
	int other = !slices->filled, err;
	struct swap swap = {.outer_fd = outer_fd, .inner_fd = slices->fds[other]};

	swap.done = eventfd(0, EFD_CLOEXEC);
	if (swap.done < 0)
		return -errno;
	err = -pthread_create(&swap.thread, NULL, swap_thread, &swap);
	if (!err) {
		err = look_until(swap.done, meanwhile);
		pthread_join(swap.thread, NULL);
		if (!swap.err)
			slices->filled = other;
		err = err ?: swap.err;
	}
	close(swap.done);
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
