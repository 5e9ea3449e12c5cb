// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/io_drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "capture/file_names.h"
#include "capture/io_sums.h"
#include "capture/iterator.h"
#include "capture/map_drain.h"
#include "capture/map_slices.h"
#include "capture/storage.h"
#include "capture/tracker.h"
#include "capture/wait_names.h"
#include "counters.h"
#include "opens.h"
#include "pipescope.skel.h"
#include "store/writer.h"

/* BPF remembers which names it has sent; emptied when it has sent so many (of 131,072). */
#define NAMES_SENT_LIMIT 98304
/* In live recordings: fewer than the names that are remembered there. */
#define LIVE_NAMES_SENT_LIMIT 32768
/* The map of writers is looked through once in so many slices. */
#define WRITERS_SLICES 60
/* Files that are still open at the end are read so many at a time. */

struct io_drain {
	struct pipescope_bpf *bpf;
	struct recording_writer *writer;
	struct tracker *tracker;
	uint64_t *counters;
	struct file_names *files;
	struct storage *storage;
	struct io_sums *sums;
	struct bpf_link *open; /* lists what is open */
	struct map_slices maps;
	uint64_t names_sent_limit;
	uint64_t names_taken; /* since BPF's memory of them was emptied */
	int64_t slice;
	int cpus;
};

static const char *const op_names[] = {
#define X(name, text, meaning) text,
	PS_IO_OPS(X)
#undef X
};

const char *io_op__name(uint32_t op)
{
	return op_names[op < PS_IO_OP_COUNT ? op : PS_IO_NONE];
}

static int tell_filesystem(void *context, uint64_t magic, uint32_t index)
{
	struct io_drain *drain = context;

	return bpf_map_update_elem(bpf_map__fd(drain->bpf->maps.io_filesystems), &magic, &index,
				   BPF_ANY);
}

int io_drain__new(struct pipescope_bpf *bpf, struct recording_writer *writer,
		  struct tracker *tracker, struct rules *rules, uint64_t *counters,
		  struct io_drain **ret_drain)
{
	struct io_drain *drain = calloc(1, sizeof(*drain));
	int err = 0;

	if (!drain)
		return -ENOMEM;
	drain->bpf = bpf;
	drain->writer = writer;
	drain->tracker = tracker;
	drain->counters = counters;
	drain->maps = MAP_SLICES_NONE;
	drain->names_sent_limit = NAMES_SENT_LIMIT;
	bpf->data->io_sums_room = PS_IO_SUMS;
	drain->cpus = libbpf_num_possible_cpus();
	drain->sums = io_sums__new();
	drain->open = bpf_program__attach_iter(bpf->progs.opens_dump, NULL);
	if (!drain->sums)
		err = -ENOMEM;
	else if (!drain->open)
		err = -errno;
	else if (drain->cpus < 0)
		err = drain->cpus;
	err = err ?: file_names__new(writer, rules, &drain->files);
	err = err ?: storage__new(writer, tracker, drain->files, &drain->storage);
	err = err ?: file_names__each_filesystem(drain->files, tell_filesystem, drain);
	err = err
		      ?: map_slices__make(&drain->maps, "io_sums_slice", sizeof(struct ps_io_key),
					  sizeof(struct ps_io_sum), PS_IO_SUMS, BPF_F_NO_PREALLOC,
					  bpf_map__fd(bpf->maps.io_sums));
	if (err) {
		io_drain__free(drain);
		return err;
	}
	*ret_drain = drain;
	return 0;
}

void io_drain__limit_live(struct io_drain *drain)
{
	drain->names_sent_limit = LIVE_NAMES_SENT_LIMIT;
	file_names__limit_live(drain->files);
}

void io_drain__free(struct io_drain *drain)
{
	if (!drain)
		return;
	storage__free(drain->storage);
	file_names__free(drain->files);
	io_sums__free(drain->sums);
	bpf_link__destroy(drain->open);
	map_slices__close(&drain->maps);
	free(drain);
}

int io_drain__on_file(struct io_drain *drain, const struct ps_file_event *event, const char *text)
{
	drain->names_taken++;
	return file_names__on_event(drain->files, event, text);
}

int io_drain__file(struct io_drain *drain, const struct ps_count *count, int64_t *ret_row)
{
	struct ps_io_key key = {.epoch = count->epoch,
				.file = count->detail,
				.device = (uint32_t)count->device,
				.op = PS_IO_CLASS_OP(count->class),
				.kind = (uint8_t)PS_IO_CLASS_KIND(count->class)};
	int64_t row = file_names__row(drain->files, &key, 1);

	if (row < 0)
		return (int)row;
	*ret_row = row;
	return 0;
}

int io_drain__on_renamed(struct io_drain *drain, const struct ps_file_event *event,
			 const char *text)
{
	return file_names__on_renamed(drain->files, event, text);
}

int io_drain__on_written(struct io_drain *drain, const struct ps_written_event *event)
{
	return storage__on_written(drain->storage, event);
}

int io_drain__on_torn(struct io_drain *drain, const struct ps_torn_event *event)
{
	return storage__on_torn(drain->storage, event);
}

/* Every so often BPF tells the names anew: those that were forgotten are known again. */
static int empty_names_sent(struct io_drain *drain)
{
	drain->names_taken = 0;
	file_names__tell_anew(drain->files);
	return map_drain(bpf_map__fd(drain->bpf->maps.files_sent), sizeof(uint64_t),
			 sizeof(uint32_t), NULL, NULL);
}

static int take_moved(void *context, const void *key, const void *sum)
{
	struct io_drain *drain = context;

	return io_sums__add_moved(drain->sums, key, sum);
}

int io_drain__begin(struct io_drain *drain, const struct meanwhile *meanwhile)
{
	int err = map_slices__swap(&drain->maps, bpf_map__fd(drain->bpf->maps.io_sums), meanwhile);

	if (!err)
		drain->bpf->data->io_sums_room = PS_IO_SUMS;
	io_sums__begin(drain->sums);
	err = err
		      ?: map_drain(map_slices__idle(&drain->maps), sizeof(struct ps_io_key),
				   sizeof(struct ps_io_sum), take_moved, drain);
	if (drain->names_taken >= drain->names_sent_limit || file_names__must_be_told(drain->files))
		err = err ?: empty_names_sent(drain);
	return err;
}

int io_drain__sweep(struct io_drain *drain)
{
	return file_names__sweep(drain->files) ?: empty_names_sent(drain);
}

int io_drain__on_task(struct io_drain *drain, const struct ps_task_event *task)
{
	int err = 0;

	/* A slot knows the epoch it was filled in. The first ones do not: then it is the one that
	 * BPF had when it read them, as the event of an exec may not be taken yet. */
	for (int i = 0; i < PS_IO_SLOTS && task->epoch && !err; i++) {
		struct ps_io_slot slot = task->slots[i];

		if (slot.key.op && slot.key.kind == PS_IO_FILE)
			file_names__in_use(drain->files, &slot.key);
		if (!slot.key.op || (!slot.sum.count && !slot.sum.closed))
			continue;
		if (!slot.key.epoch)
			slot.key.epoch = task->epoch;
		err = io_sums__add_slot(drain->sums, &slot.key, &slot.sum);
	}
	return err;
}

static const char *const wait_classes[] = {
#define X(name, text, meaning) text,
	PS_WAITS(X)
#undef X
};

/* Waits of calls on the file. */
static int write_wait(struct io_drain *drain, const struct io_row *io, uint32_t class)
{
	struct wait_on_row row = {
		.epoch = io->epoch,
		.slice = io->slice,
		.file = io->file,
		.class = wait_classes[class < PS_WAIT_COUNT ? class : PS_WAIT_FILE],
		.count = io->count,
		.ns = io->ns};

	return unless_dropped(recording_writer__wait_on(drain->writer, &row));
}

/* The program itself was mapped by the kernel, and others before the recording: nobody has told
 * their names, but the process's mappings do. They know no generation of inodes. */
static int name_mapped(struct io_drain *drain, const struct process *process,
		       const struct ps_io_key *key)
{
	size_t count = process->mappings ? mapping_set__count(process->mappings) : 0;

	for (size_t i = 0; i < count; i++) {
		const struct mapped_file *file = &mapping_set__at(process->mappings, i)->file;

		if (file->inode && (uint32_t)file->inode == (uint32_t)key->file && file->path &&
		    file->path[0] == '/' &&
		    (major(file->device) << 20 | minor(file->device)) == key->device)
			return file_names__on_mapped(drain->files, key, file->path);
	}
	return 0;
}

static int write_open_time(struct io_drain *drain, const struct io_row *io,
			   const struct ps_io_sum *growth)
{
	struct open_time_row row = {
		.epoch = io->epoch,
		.slice = io->slice,
		.file = io->file,
		.count = (int64_t)growth->closed,
		.ns = (int64_t)growth->open_ns,
		.longest_ns = (int64_t)growth->longest_ns,
	};

	return unless_dropped(recording_writer__open_time(drain->writer, &row));
}

static int write_growth(void *context, const struct ps_io_key *key, const struct ps_io_sum *growth,
			int heavy)
{
	struct io_drain *drain = context;
	struct epoch *epoch = tracker__epoch(drain->tracker, key->epoch);
	struct io_row row = {
		.slice = drain->slice,
		.error = key->error,
		.count = (int64_t)growth->count,
		.bytes = (int64_t)growth->bytes,
		.ns = (int64_t)growth->ns,
		.op = io_op__name(key->op),
	};
	int err;

	if (!epoch) { /* its process never became known */
		drain->counters[PS_COUNTER_IO_FULL] += growth->count;
		return 0;
	}
	row.epoch = epoch->id;
	if ((key->op == PS_IO_FAULT || key->op == PS_IO_MAJOR_FAULT) &&
	    !file_names__knows(drain->files, key)) {
		err = name_mapped(drain, epoch->process, key);
		if (err)
			return err;
	}
	row.file = key->kind == PS_IO_SOCKET && key->file
			   ? remotes__row(wait_names__remotes(tracker__wait_names(drain->tracker)),
					  key->file)
			   : file_names__row(drain->files, key, heavy);
	if (row.file < 0)
		return (int)row.file;
	if (key->op >= PS_IO_WAIT)
		return write_wait(drain, &row, key->op - PS_IO_WAIT);
	if (key->op == PS_IO_CLOSE) {
		row.bytes = 0;
		err = growth->closed ? write_open_time(drain, &row, growth) : 0;
		if (err || !growth->count)
			return err;
	}
	err = recording_writer__io(drain->writer, &row);
	return unless_dropped(err);
}

/* BPF takes the entries of a process out when it ends. What it cannot see there was closed unseen,
 * by an exec. */
static int forget_writers(struct io_drain *drain)
{
	int fd = bpf_map__fd(drain->bpf->maps.writers), err;
	struct ps_writer_key key, next;
	bool known;

	if (drain->slice % WRITERS_SLICES != WRITERS_SLICES - 1)
		return 0;
	err = bpf_map_get_next_key(fd, NULL, &next);
	for (int i = 0; !err && i < PS_WRITERS; i++) {
		key = next;
		err = bpf_map_get_next_key(fd, &key, &next);
		known = tracker__last_owner(drain->tracker, key.tgid) != NULL;
		if (!known)
			bpf_map_delete_elem(fd, &key);
	}
	return err == -ENOENT ? 0 : err;
}

static int take_pattern(void *context, const void *key, const void *pattern)
{
	struct io_drain *drain = context;

	return storage__on_pattern(drain->storage, key, pattern, drain->slice);
}

int io_drain__end(struct io_drain *drain, int64_t slice)
{
	int err;

	drain->slice = slice;
	err = io_sums__each(drain->sums, write_growth, drain);
	err = err ?: storage__end(drain->storage, slice);
	err = err
		      ?: map_drain(bpf_map__fd(drain->bpf->maps.io_patterns),
				   sizeof(struct ps_pattern_key), sizeof(struct ps_pattern),
				   take_pattern, drain);
	file_names__on_slice(drain->files);
	drain->counters[PS_COUNTER_RENAMES_UNFOLLOWED] = file_names__unfollowed(drain->files);
	return err ?: forget_writers(drain);
}

static int write_still_open(void *context, const void *record)
{
	const struct ps_still_open *still = record;
	struct io_drain *drain = context;
	struct epoch *epoch = tracker__epoch(drain->tracker, still->key.epoch);
	struct open_time_row row = {
		.slice = drain->slice,
		.count = 1,
		.ns = (int64_t)still->ns,
		.longest_ns = (int64_t)still->ns,
		.open = 1,
	};

	if (!epoch || row.ns < 0)
		return 0;
	row.epoch = epoch->id;
	row.file = file_names__row(drain->files, &still->key, 0);
	if (row.file < 0)
		return (int)row.file;
	return unless_dropped(recording_writer__open_time(drain->writer, &row));
}

static int look_at_open(struct io_drain *drain)
{
	return iterator__each(drain->open, sizeof(struct ps_still_open), write_still_open, drain);
}

int io_drain__last(struct io_drain *drain)
{
	int err;

	drain->bpf->bss->opens_of_any = false;
	err = look_at_open(drain);
	drain->bpf->bss->opens_of_any = true;
	return err ?: look_at_open(drain);
}

static int write_buckets(struct io_drain *drain, uint32_t op, uint32_t filesystem, const char *what,
			 const uint64_t *counts)
{
	int err = 0;

	for (int64_t bucket = 0; bucket < PS_IO_BUCKETS && !err; bucket++)
		if (counts[bucket])
			err = recording_writer__io_histogram(
				drain->writer, io_op__name(op),
				file_names__filesystem(drain->files, filesystem), what, bucket,
				(int64_t)counts[bucket]);
	return err;
}

int io_drain__write_histograms(struct io_drain *drain)
{
	_cleanup_free_ struct ps_io_histogram *values =
		calloc((size_t)drain->cpus, sizeof(*values));
	int fd = bpf_map__fd(drain->bpf->maps.io_histograms), err = 0;

	if (!values)
		return -ENOMEM;
	for (uint32_t index = 0; index < PS_IO_OP_COUNT * PS_IO_FILESYSTEMS && !err; index++) {
		uint64_t ns[PS_IO_BUCKETS] = {}, bytes[PS_IO_BUCKETS] = {};
		uint32_t op = index / PS_IO_FILESYSTEMS, filesystem = index % PS_IO_FILESYSTEMS;

		err = bpf_map_lookup_elem(fd, &index, values);
		for (int cpu = 0; cpu < drain->cpus && !err; cpu++) {
			for (int bucket = 0; bucket < PS_IO_BUCKETS; bucket++) {
				ns[bucket] += values[cpu].ns[bucket];
				bytes[bucket] += values[cpu].bytes[bucket];
			}
		}
		err = err ?: write_buckets(drain, op, filesystem, "ns", ns);
		err = err ?: write_buckets(drain, op, filesystem, "bytes", bytes);
	}
	return err;
}
