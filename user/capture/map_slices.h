/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two hash maps of which BPF fills one while the other, the slice before, is read in peace. BPF
 * finds the one to fill as the only entry of an array of maps. */
#ifndef CAPTURE_MAP_SLICES_H
#define CAPTURE_MAP_SLICES_H

#include <stddef.h>
#include <stdint.h>

/* What goes on in the milliseconds in which the kernel waits for running programs: names of what
 * runs must be read while it is there. */
struct meanwhile {
	int (*look)(void *context);
	void *context;
	int fd; /* readable when there is something to look at */
};

struct map_slices {
	int fds[2];
	int filled; /* index of the one that BPF fills */
};

#define MAP_SLICES_NONE ((struct map_slices){.fds = {-1, -1}})

/* Makes what is not there yet, of `entries` keys, and gives one to BPF. flags: of the map's type in
 * the program. */
int map_slices__make(struct map_slices *slices, const char *name, size_t key_size,
		     size_t value_size, uint32_t entries, uint32_t flags, int outer_fd);
/* Gives the other to BPF; returns when no program uses the first any more, having looked meanwhile.
 */
int map_slices__swap(struct map_slices *slices, int outer_fd, const struct meanwhile *meanwhile);
/* The one that BPF does not fill; borrowed. */
int map_slices__idle(const struct map_slices *slices);
void map_slices__close(struct map_slices *slices);

#endif
