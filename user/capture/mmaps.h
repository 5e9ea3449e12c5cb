/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executable mappings as they are made, on all CPUs: the kernel's mmap2 and exec records. They
 * come in no order between CPUs, so they are collected first and told sorted by time. */
#ifndef CAPTURE_MMAPS_H
#define CAPTURE_MMAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "proc/mappings.h"

struct mmaps;
struct string_pool;

struct mmap_event {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t tgid;
	bool exec; /* the process's earlier mappings are gone; else: mapping */
	struct mapping mapping;
};

/* Paths are interned in pool. The buffer of each CPU goes into the epoll set: its descriptor is
 * data.fd of the event that says something has come. */
int mmaps__start(struct string_pool *pool, int epoll_fd, struct mmaps **ret_mmaps);
int mmaps__update(struct mmaps *mmaps); /* CPUs that came or went */
void mmaps__free(struct mmaps *mmaps); /* NULL is accepted */

/* Collects what the buffers hold. */
int mmaps__collect(struct mmaps *mmaps);
/* All that was collected since the last time, oldest first; borrowed until the next collect. */
const struct mmap_event *mmaps__take(struct mmaps *mmaps, size_t *ret_count);
/* Of those, what is of one process and not later than until_ns is taken sooner, one by one; the
 * first error ends it. */
typedef int mmaps_tell(void *context, const struct mmap_event *event);
int mmaps__take_of(struct mmaps *mmaps, uint32_t tgid, uint64_t until_ns, mmaps_tell *tell,
		   void *context);
/* Records that the kernel had no room for. */
uint64_t mmaps__lost(const struct mmaps *mmaps);

#endif
