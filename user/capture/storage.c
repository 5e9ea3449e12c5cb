// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/storage.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "capture/file_names.h"
#include "capture/tracker.h"
#include "store/writer.h"

/* Closed files that wait for the end of the slice; more are counted at once. */
#define WAITING_MOST 65536

struct storage {
	struct recording_writer *writer;
	struct tracker *tracker;
	struct file_names *files;
	struct ps_written_event *waiting;
	size_t count, capacity;
	int64_t slice;
};

int storage__new(struct recording_writer *writer, struct tracker *tracker, struct file_names *files,
		 struct storage **ret_storage)
{
	struct storage *storage = calloc(1, sizeof(*storage));

	if (!storage)
		return -ENOMEM;
	storage->writer = writer;
	storage->tracker = tracker;
	storage->files = files;
	*ret_storage = storage;
	return 0;
}

void storage__free(struct storage *storage)
{
	if (!storage)
		return;
	free(storage->waiting);
	free(storage);
}

static int write_written(struct storage *storage, const struct ps_written_event *event)
{
	struct epoch *epoch = tracker__epoch(storage->tracker, event->key.epoch);
	struct written_row row = {.slice = storage->slice};
	int err;

	if (!epoch || event->size > INT64_MAX)
		return 0;
	file_names__on_written(storage->files, &event->key, (int64_t)event->size, &row.files,
			       &row.bytes);
	if (!row.files && !row.bytes)
		return 0;
	row.epoch = epoch->id;
	row.file = file_names__row(storage->files, &event->key, 0);
	if (row.file < 0)
		return (int)row.file;
	err = recording_writer__written(storage->writer, &row);
	return unless_dropped(err);
}

int storage__on_written(struct storage *storage, const struct ps_written_event *event)
{
	int err;

	if (storage->count == WAITING_MOST)
		return write_written(storage, event);
	err = array__reserve(&storage->waiting, &storage->capacity, sizeof(*storage->waiting),
			     storage->count + 1);
	if (!err)
		storage->waiting[storage->count++] = *event;
	return err;
}

/* As wait() gives it. */
static void explain(const struct ps_torn_event *event, struct torn_row *ret_row)
{
	uint32_t signal = event->status & 0x7f;

	ret_row->cause = event->flags & PS_TORN_OOM ? "oom" : signal ? "signal" : "exit";
	ret_row->code = signal ? signal : event->status >> 8 & 0xff;
}

int storage__on_torn(struct storage *storage, const struct ps_torn_event *event)
{
	struct epoch *epoch = tracker__epoch(storage->tracker, event->key.epoch);
	struct torn_row row = {
		.time_ns = tracker__time(storage->tracker, event->event.time_ns),
		.open_ns = tracker__time(storage->tracker, event->opened_ns),
		.write_ns = tracker__time(storage->tracker, event->written_ns),
		.appended = event->flags & PS_TORN_APPENDED ? 1 : 0,
		.bytes = (int64_t)event->bytes,
		.size = (int64_t)event->size,
	};

	if (!epoch) {
		const struct process *process = tracker__find(storage->tracker, event->event.tgid);

		epoch = process ? process->epoch : NULL;
	}
	if (!epoch || row.bytes < 0 || row.size < 0)
		return 0;
	explain(event, &row);
	row.epoch = epoch->id;
	row.file = file_names__row(storage->files, &event->key, 1);
	return row.file < 0 ? (int)row.file
			    : unless_dropped(recording_writer__torn(storage->writer, &row));
}

int storage__on_pattern(struct storage *storage, const struct ps_pattern_key *key,
			const struct ps_pattern *pattern, int64_t slice)
{
	struct epoch *epoch = tracker__epoch(storage->tracker, key->epoch);
	const struct ps_io_key file = {
		.file = key->file, .device = key->device, .kind = PS_IO_FILE};
	struct pattern_row row = {
		.slice = slice,
		.sequential = pattern->sequential,
		.strided = pattern->strided,
		.random = pattern->random,
		.bytes = (int64_t)pattern->bytes,
		.parts = (int64_t)pattern->parts,
		.part_bytes = 1LL << (pattern->shift & 63),
	};

	if (!epoch || row.bytes < 0 || row.parts < 0 || row.part_bytes < 0)
		return 0;
	row.epoch = epoch->id;
	row.file = file_names__row(storage->files, &file, 0);
	return row.file < 0 ? (int)row.file
			    : unless_dropped(recording_writer__pattern(storage->writer, &row));
}

int storage__end(struct storage *storage, int64_t slice)
{
	int err = 0;

	storage->slice = slice;
	for (size_t i = 0; i < storage->count && !err; i++)
		err = write_written(storage, &storage->waiting[i]);
	storage->count = 0;
	return err;
}
