// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mmaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/strings.h"
#include "capture/cpus.h"

/* Pages of all rings together, and of one: 128 KiB hold some 1,000 mappings between two looks. */
#define ALL_PAGES  4096
#define RING_LEAST 16
#define RING_MOST  128
/* Bytes, some 60 records, at which the recorder is woken for them alone. Few are looked at
 * sooner: with the event of an exec, or of a stack that met code in no known mapping. */
#define RING_WATERMARK 8192

struct ring {
	int fd;
	struct perf_event_mmap_page *page; /* NULL: no such CPU now */
};

struct mmaps {
	struct string_pool *pool;
	int epoll_fd;
	struct cpus *cpus;
	struct ring *rings; /* by CPU */
	size_t ring_capacity;
	struct mmap_event *events;
	size_t count, capacity;
	uint64_t lost;
};

/* The fixed parts of the kernel's records; sample_id (here: the time) is at the end of each. */
struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, length, offset;
	uint32_t device_major, device_minor;
	uint64_t inode, generation;
	uint32_t protection, flags;
	char path[];
};

struct comm_record {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id, lost;
};

/* A power of 2 of pages, as the kernel wants it. */
static size_t ring_size(void)
{
	size_t pages = RING_MOST;

	while (pages > RING_LEAST && pages * (size_t)get_nprocs_conf() > ALL_PAGES)
		pages /= 2;
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int change(void *context, int cpu, bool online)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.watermark = 1,
		.wakeup_watermark = RING_WATERMARK,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	struct mmaps *mmaps = context;
	struct epoll_event interest = {.events = EPOLLIN};
	struct ring *ring;
	int err;

	err = array__reserve(&mmaps->rings, &mmaps->ring_capacity, sizeof(*mmaps->rings),
			     (size_t)cpu + 1);
	if (err)
		return err;
	ring = &mmaps->rings[cpu];
	if (ring->page) {
		munmap(ring->page, ring_size() + (size_t)sysconf(_SC_PAGESIZE));
		close(ring->fd);
		ring->page = NULL;
	}
	if (!online)
		return 0;
	ring->fd = cpus__open_event(&attr, cpu);
	if (ring->fd < 0)
		return ring->fd;
	ring->page = mmap(NULL, ring_size() + (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
			  MAP_SHARED, ring->fd, 0);
	interest.data.fd = ring->fd;
	if (ring->page == MAP_FAILED ||
	    epoll_ctl(mmaps->epoll_fd, EPOLL_CTL_ADD, ring->fd, &interest)) {
		err = -errno;
		if (ring->page != MAP_FAILED)
			munmap(ring->page, ring_size() + (size_t)sysconf(_SC_PAGESIZE));
		ring->page = NULL;
		close(ring->fd);
	}
	return err;
}

int mmaps__start(struct string_pool *pool, int epoll_fd, struct mmaps **ret_mmaps)
{
	struct mmaps *mmaps = calloc(1, sizeof(*mmaps));
	int err;

	if (!mmaps)
		return -ENOMEM;
	mmaps->pool = pool;
	mmaps->epoll_fd = epoll_fd;
	err = cpus__new(change, mmaps, &mmaps->cpus);
	if (err) {
		mmaps__free(mmaps);
		return err;
	}
	*ret_mmaps = mmaps;
	return 0;
}

int mmaps__update(struct mmaps *mmaps)
{
	return cpus__update(mmaps->cpus);
}

void mmaps__free(struct mmaps *mmaps)
{
	if (!mmaps)
		return;
	cpus__free(mmaps->cpus);
	free(mmaps->rings);
	free(mmaps->events);
	free(mmaps);
}

static int add_event(struct mmaps *mmaps, const struct mmap_event *event)
{
	int err = array__reserve(&mmaps->events, &mmaps->capacity, sizeof(*mmaps->events),
				 mmaps->count + 1);

	if (!err)
		mmaps->events[mmaps->count++] = *event;
	return err;
}

/* One record of size bytes, in order and in one piece. */
static int take_record(struct mmaps *mmaps, const void *record, size_t size)
{
	const struct perf_event_header *header = record;
	const struct mmap2_record *map = record;
	const struct comm_record *comm = record;
	const struct lost_record *lost = record;
	struct mmap_event event = {};

	if (size < sizeof(*comm) + sizeof(uint64_t))
		return 0;
	memcpy(&event.time_ns, (const char *)record + size - sizeof(uint64_t), sizeof(uint64_t));
	if (header->type == PERF_RECORD_LOST && size >= sizeof(*lost))
		mmaps->lost += lost->lost;
	if (header->type == PERF_RECORD_COMM && header->misc & PERF_RECORD_MISC_COMM_EXEC) {
		event.tgid = comm->pid;
		event.exec = true;
		return add_event(mmaps, &event);
	}
	if (header->type != PERF_RECORD_MMAP2 || size < sizeof(*map) + 2 * sizeof(uint64_t) ||
	    !(map->protection & PROT_EXEC))
		return 0;
	event.tgid = map->pid;
	event.mapping = (struct mapping){
		.start = map->address,
		.end = map->address + map->length,
		.offset = map->offset,
		.since_ns = event.time_ns,
		.file = {.device = makedev(map->device_major, map->device_minor),
			 .inode = map->inode},
	};
	event.mapping.file.path = string_pool__intern_bytes(mmaps->pool, map->path,
							    size - sizeof(*map) - sizeof(uint64_t));
	return event.mapping.file.path ? add_event(mmaps, &event) : -ENOMEM;
}

static int collect_ring(struct mmaps *mmaps, const struct ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	const char *data = (const char *)ring->page + sysconf(_SC_PAGESIZE);
	size_t size = ring_size();
	/* A record is at most 64 KiB, and may wrap around the ring's end. */
	static _Alignas(8) char copy[UINT16_MAX + 1];
	int err = 0;

	while (tail < head && !err) {
		struct perf_event_header header;
		size_t at = tail % size, first;

		memcpy(&header, data + at, sizeof(header)); /* 8 bytes, aligned: never wraps */
		if (header.size < sizeof(header) || header.size > head - tail)
			return -EBADMSG;
		first = size - at < header.size ? size - at : header.size;
		memcpy(copy, data + at, first);
		memcpy(copy + first, data, header.size - first);
		err = take_record(mmaps, copy, header.size);
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return err;
}

static int by_time(const void *left, const void *right)
{
	const struct mmap_event *a = left, *b = right;

	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

int mmaps__collect(struct mmaps *mmaps)
{
	size_t known = mmaps->count;
	int err = 0;

	for (size_t cpu = 0; cpu < mmaps->ring_capacity && !err; cpu++)
		if (mmaps->rings[cpu].page)
			err = collect_ring(mmaps, &mmaps->rings[cpu]);
	if (mmaps->count > known)
		qsort(mmaps->events, mmaps->count, sizeof(*mmaps->events), by_time);
	return err;
}

const struct mmap_event *mmaps__take(struct mmaps *mmaps, size_t *ret_count)
{
	*ret_count = mmaps->count;
	mmaps->count = 0;
	return mmaps->events;
}

int mmaps__take_of(struct mmaps *mmaps, uint32_t tgid, uint64_t until_ns, mmaps_tell *tell,
		   void *context)
{
	int err = 0;

	for (size_t i = 0; i < mmaps->count && !err; i++) {
		struct mmap_event event = mmaps->events[i];

		if (event.tgid != tgid || event.time_ns > until_ns)
			continue;
		mmaps->events[i].tgid = 0; /* nobody's */
		err = tell(context, &event);
	}
	return err;
}

uint64_t mmaps__lost(const struct mmaps *mmaps)
{
	return mmaps->lost;
}
