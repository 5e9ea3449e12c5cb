// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ceph_drain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "capture/ceph_programs.h"
#include "capture/map_drain.h"
#include "capture/map_slices.h"
#include "capture/tracker.h"
#include "ceph.h"
#include "counters.h"
#include "pipescope.skel.h"
#include "proc/mounts.h"
#include "store/writer.h"

#define FILESYSTEM "ceph"
#define UNKNOWN	   "(unknown)"
/* Requests chosen for the stacks in a slice, at most; one of at most so many is. */
#define CHOSEN_MOST 4000
#define PERIOD_MOST 4096
/* Histograms are written each so many slices, and at the end. */
#define HISTOGRAM_SLICES 10
#define BATCH		 1024

/* A mount, or several of one device. */
struct ceph_mount {
	uint32_t device; /* as BPF has it; 0: not known which */
	int64_t row;
	char *point;
};

/* Where mounts are told: what the recorder sees, and what the first process does. */
struct watched {
	pid_t pid;
	int fd; /* -1: not to be had */
};

struct ceph_drain {
	struct pipescope_bpf *main;
	struct recording_writer *writer;
	struct tracker *tracker;
	uint64_t *counters;
	struct ceph_programs programs; /* empty: not loaded */
	bool refused; /* they cannot be loaded */
	struct watched watched[2];
	struct ceph_mount *mounts;
	size_t mount_count, mount_capacity;
	int64_t rows; /* given out */
	bool looked; /* for mounts, at least once */
	struct map_slices maps;
	int64_t slice;
	char sampled[CEPH_CLASS_NAME_SIZE]; /* the class of the latest sample */
	uint64_t requests; /* in this slice */
	uint64_t period_most;
};

/* --- mounts */

static struct ceph_mount *find_mount(struct ceph_drain *ceph, uint32_t device)
{
	for (size_t i = 0; i < ceph->mount_count; i++)
		if (ceph->mounts[i].device == device)
			return &ceph->mounts[i];
	return NULL;
}

/* Gives a mount a row of its own. point is copied. */
static int name_mount(struct ceph_drain *ceph, struct ceph_mount *mount, const char *point)
{
	char *copy = strdup(point);
	int err = copy ? recording_writer__ceph_mount(ceph->writer, ceph->rows + 1, copy) : -ENOMEM;

	if (err) {
		free(copy);
		return err;
	}
	free(mount->point);
	mount->point = copy;
	mount->row = ++ceph->rows;
	return 0;
}

static int add_mount(struct ceph_drain *ceph, uint32_t device, const char *point)
{
	struct ceph_mount mount = {.device = device};
	int err = array__reserve(&ceph->mounts, &ceph->mount_capacity, sizeof(*ceph->mounts),
				 ceph->mount_count + 1);

	err = err ?: name_mount(ceph, &mount, point);
	if (!err)
		ceph->mounts[ceph->mount_count++] = mount;
	return err;
}

static int mount_row(struct ceph_drain *ceph, uint32_t device, int64_t *ret_row)
{
	int err = find_mount(ceph, device) ? 0 : add_mount(ceph, device, UNKNOWN);

	if (!err)
		*ret_row = find_mount(ceph, device)->row;
	return err;
}

static uint32_t device_of(const struct mount *mount)
{
	return major(mount->device) << 20 | minor(mount->device);
}

static bool is_mounted_at(const struct mounts *mounts, uint32_t device, const char *point)
{
	for (size_t i = 0; i < mounts__count(mounts); i++)
		if (device_of(mounts__at(mounts, i)) == device &&
		    !strcmp(mounts__at(mounts, i)->point, point))
			return true;
	return false;
}

/* A device's number may come again for another mount: that gets another row. */
static int read_mounts(struct ceph_drain *ceph, pid_t pid)
{
	struct mounts *mounts = NULL;
	int err = mounts__read(pid, &mounts);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < mounts__count(mounts) && !err; i++) {
		const struct mount *mount = mounts__at(mounts, i);
		struct ceph_mount *known;

		if (strcmp(mount->filesystem, FILESYSTEM))
			continue;
		known = find_mount(ceph, device_of(mount));
		if (!known)
			err = add_mount(ceph, device_of(mount), mount->point);
		else if (!is_mounted_at(mounts, known->device, known->point))
			err = name_mount(ceph, known, mount->point);
	}
	mounts__free(mounts);
	return err;
}

/* The kernel tells a change of mounts once, as an exception of the file. */
static int find_mounts(struct ceph_drain *ceph)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(ceph->watched) / sizeof(ceph->watched[0]) && !err; i++) {
		struct pollfd one = {.fd = ceph->watched[i].fd, .events = POLLPRI};

		if (one.fd < 0)
			continue;
		if (poll(&one, 1, 0) > 0 || !ceph->looked)
			err = read_mounts(ceph, ceph->watched[i].pid);
	}
	ceph->looked = true;
	return err;
}

static void watch_mounts(struct ceph_drain *ceph)
{
	const pid_t pids[] = {getpid(), 1};

	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/mountinfo", pids[i]);
		ceph->watched[i].pid = pids[i];
		ceph->watched[i].fd = open(path, O_RDONLY | O_CLOEXEC);
	}
}

/* --- programs */

/* A ceph_programs_ready. */
static int make_maps(void *context, struct pipescope_bpf *bpf)
{
	struct ceph_drain *ceph = context;

	return map_slices__make(&ceph->maps, "ceph_sums_slice", sizeof(struct ps_ceph_key),
				sizeof(struct ps_ceph_sum), PS_CEPH_SUMS, 0,
				bpf_map__fd(bpf->maps.ceph_sums));
}

static int start(struct ceph_drain *ceph)
{
	int err = ceph_programs__start(ceph->main, make_maps, ceph, &ceph->programs);

	if (!err)
		return recording_writer__meta(ceph->writer, "ceph_way", ceph->programs.way);
	if (err == -ENOMEM)
		return err;
	ceph->refused = true;
	log__warning(
		"CephFS is mounted at %s, but what its client does cannot be recorded: %s; "
		"'pipescope doctor' tells more",
		ceph->mounts[0].point, strerror(-err));
	return 0;
}

int ceph_drain__look(struct ceph_drain *ceph)
{
	int err = find_mounts(ceph);

	if (!err && ceph->mount_count && !ceph->programs.bpf && !ceph->refused)
		err = start(ceph);
	if (ceph->refused)
		ceph->counters[PS_COUNTER_CEPH_NOT_LOADED] = ceph->mount_count;
	return err;
}

void ceph_drain__stop(struct ceph_drain *ceph)
{
	ceph_programs__detach(&ceph->programs);
}

struct bpf_object *ceph_drain__programs(const struct ceph_drain *ceph)
{
	return ceph && ceph->programs.bpf ? ceph->programs.bpf->obj : NULL;
}

/* --- sums */

static int take_sum(void *context, const void *taken_key, const void *taken_sum)
{
	struct ceph_drain *ceph = context;
	const struct ps_ceph_key *key = taken_key;
	const struct ps_ceph_sum *sum = taken_sum;
	struct epoch *epoch = tracker__epoch(ceph->tracker, key->epoch);
	char buffer[CEPH_CLASS_NAME_SIZE];
	struct ceph_row row = {
		.slice = ceph->slice,
		.op = ceph_class__name(key->class, buffer),
		.error = key->error,
		.count = (int64_t)sum->count,
		.bytes = (int64_t)sum->bytes,
		.ns = (int64_t)sum->ns,
	};
	int err;

	if (PS_CEPH_IS_REQUEST(key->class))
		ceph->requests += sum->count;
	if (!epoch) { /* its process never became known */
		ceph->counters[PS_COUNTER_CEPH_FULL] += sum->count;
		return 0;
	}
	row.epoch = epoch->id;
	err = mount_row(ceph, key->device, &row.mount);
	return err ?: unless_dropped(recording_writer__ceph(ceph->writer, &row));
}

int ceph_drain__sample(struct ceph_drain *ceph, const struct ps_count *key, uint64_t sum,
		       struct sample_row *row)
{
	row->metric = key->metric == PS_METRIC_CEPH_TIME    ? "ceph_time"
		      : key->metric == PS_METRIC_CEPH_BYTES ? "ceph_bytes"
							    : "ceph_ops";
	row->class = ceph_class__name(key->class, ceph->sampled);
	row->value = (int64_t)sum;
	return mount_row(ceph, (uint32_t)key->device, &row->file);
}

/* --- requests on their way */

struct in_flight {
	struct {
		uint32_t device, class;
		int64_t count;
		uint64_t oldest_ns; /* when it was sent */
	} kinds[256];
	size_t count;
};

static void add_in_flight(struct in_flight *flight, const struct ps_ceph_request *request)
{
	size_t i = 0;

	if (!request->start_ns) /* not sent yet */
		return;
	while (i < flight->count && (flight->kinds[i].device != request->device ||
				     flight->kinds[i].class != request->class))
		i++;
	if (i == sizeof(flight->kinds) / sizeof(flight->kinds[0]))
		return;
	if (i == flight->count) {
		flight->count++;
		flight->kinds[i].device = request->device;
		flight->kinds[i].class = request->class;
		flight->kinds[i].oldest_ns = request->start_ns;
	}
	flight->kinds[i].count++;
	if (request->start_ns < flight->kinds[i].oldest_ns)
		flight->kinds[i].oldest_ns = request->start_ns;
}

static int find_in_flight(struct ceph_drain *ceph, struct in_flight *flight)
{
	int fd = bpf_map__fd(ceph->programs.bpf->maps.ceph_requests), err = 0;
	_cleanup_free_ uint64_t *keys = calloc(BATCH, sizeof(*keys));
	_cleanup_free_ struct ps_ceph_request *values = calloc(BATCH, sizeof(*values));
	uint32_t position = 0;
	bool first = true;

	if (!keys || !values)
		return -ENOMEM;
	while (!err) {
		uint32_t count = BATCH;

		err = bpf_map_lookup_batch(fd, first ? NULL : &position, &position, keys, values,
					   &count, NULL);
		first = false;
		/* The last batch comes with -ENOENT; another error brings none. */
		if (err && err != -ENOENT)
			return err;
		for (uint32_t i = 0; i < count; i++)
			add_in_flight(flight, &values[i]);
	}
	return 0;
}

static int write_in_flight(struct ceph_drain *ceph)
{
	_cleanup_free_ struct in_flight *flight = calloc(1, sizeof(*flight));
	uint64_t now = clock__ns(CLOCK_MONOTONIC);
	int err = flight ? find_in_flight(ceph, flight) : -ENOMEM;

	for (size_t i = 0; !err && i < flight->count; i++) {
		char buffer[CEPH_CLASS_NAME_SIZE];
		uint64_t since = flight->kinds[i].oldest_ns;
		struct ceph_in_flight_row row = {
			.slice = ceph->slice,
			.op = ceph_class__name(flight->kinds[i].class, buffer),
			.count = flight->kinds[i].count,
			.oldest_ns = (int64_t)(now > since ? now - since : 0),
		};

		err = mount_row(ceph, flight->kinds[i].device, &row.mount);
		err = err ?: unless_dropped(recording_writer__ceph_in_flight(ceph->writer, &row));
	}
	return err;
}

/* --- histograms */

static int write_histogram(struct ceph_drain *ceph, const struct ps_ceph_histogram_key *key,
			   const struct ps_ceph_histogram *histogram)
{
	char buffer[CEPH_CLASS_NAME_SIZE];
	int64_t row;
	int err = mount_row(ceph, key->device, &row);

	for (int64_t bucket = 0; bucket < PS_CEPH_BUCKETS && !err; bucket++)
		if (histogram->ns[bucket])
			err = recording_writer__ceph_histogram(ceph->writer, row,
							       ceph_class__name(key->class, buffer),
							       bucket, histogram->ns[bucket]);
	return err;
}

/* Nothing is ever deleted from this map. */
static int write_histograms(struct ceph_drain *ceph)
{
	int fd = bpf_map__fd(ceph->programs.bpf->maps.ceph_histograms), err = 0;
	struct ps_ceph_histogram_key key, *before = NULL;

	while (!err && !bpf_map_get_next_key(fd, before, &key)) {
		struct ps_ceph_histogram histogram;

		before = &key;
		if (!bpf_map_lookup_elem(fd, &key, &histogram))
			err = write_histogram(ceph, &key, &histogram);
	}
	return err;
}

/* --- slices */

/* Keeps the number of walks, and with it the cost, within bounds. */
static void adapt_period(struct ceph_drain *ceph)
{
	struct pipescope_bpf__data *data = ceph->main->data;
	uint64_t chosen = ceph->requests / data->ceph_period;

	if (chosen > CHOSEN_MOST && data->ceph_period < PERIOD_MOST)
		data->ceph_period *= 2;
	else if (chosen < CHOSEN_MOST / 4 && data->ceph_period > 1)
		data->ceph_period /= 2;
	if (data->ceph_period > ceph->period_most)
		ceph->period_most = data->ceph_period;
	ceph->requests = 0;
}

int ceph_drain__slice(struct ceph_drain *ceph, int64_t slice, const struct meanwhile *meanwhile)
{
	int err;

	ceph->slice = slice;
	if (!ceph->programs.bpf)
		return ceph_drain__look(ceph);
	err = map_slices__swap(&ceph->maps, bpf_map__fd(ceph->programs.bpf->maps.ceph_sums),
			       meanwhile);
	err = err
		      ?: map_drain(map_slices__idle(&ceph->maps), sizeof(struct ps_ceph_key),
				   sizeof(struct ps_ceph_sum), take_sum, ceph);
	err = err ?: write_in_flight(ceph);
	adapt_period(ceph);
	if (!err && slice % HISTOGRAM_SLICES == HISTOGRAM_SLICES - 1)
		err = write_histograms(ceph);
	return err ?: ceph_drain__look(ceph);
}

int ceph_drain__finish(struct ceph_drain *ceph)
{
	char text[32];
	int err;

	if (!ceph->programs.bpf)
		return 0;
	err = write_histograms(ceph);
	snprintf(text, sizeof(text), "%" PRIu64, ceph->period_most);
	return err ?: recording_writer__meta(ceph->writer, "ceph_period", text);
}

/* --- life */

int ceph_drain__new(struct pipescope_bpf *bpf, struct recording_writer *writer,
		    struct tracker *tracker, uint64_t *counters, struct ceph_drain **ret_ceph)
{
	struct ceph_drain *ceph = calloc(1, sizeof(*ceph));

	if (!ceph)
		return -ENOMEM;
	ceph->main = bpf;
	ceph->writer = writer;
	ceph->tracker = tracker;
	ceph->counters = counters;
	ceph->maps = MAP_SLICES_NONE;
	ceph->period_most = 1;
	watch_mounts(ceph);
	*ret_ceph = ceph;
	return 0;
}

void ceph_drain__free(struct ceph_drain *ceph)
{
	if (!ceph)
		return;
	ceph_programs__clear(&ceph->programs);
	map_slices__close(&ceph->maps);
	for (size_t i = 0; i < sizeof(ceph->watched) / sizeof(ceph->watched[0]); i++)
		if (ceph->watched[i].fd >= 0)
			close(ceph->watched[i].fd);
	for (size_t i = 0; i < ceph->mount_count; i++)
		free(ceph->mounts[i].point);
	free(ceph->mounts);
	free(ceph);
}
