// SPDX-License-Identifier: GPL-2.0-or-later
/* Pieces are address ranges, sorted, none touching another's bytes. A release can cut one in two:
 * both then belong to the same mapping, which is live until the last of its pieces is gone.
 *
 * The peak. Copying what is live each time there is more than ever would cost all places each time.
 * Instead the peak has a number, which grows with each new one; a place that has not changed since
 * the peak of that number was like it is now, and when it changes, it first notes what it was. */
#include "capture/live_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"

#define MOST_LEAVING 64 /* threads that are in mremap() at a time */

struct origin {
	struct origin_key {
		int64_t stack;
		uint64_t kind;
	} key;
	const char *ending;
	struct live_figures figures; /* the peak's: as of peak number `noted` */
	uint64_t noted;
	struct live_figures told; /* by live_memory__each */
	int64_t row;
	UT_hash_handle hh;
};

struct mapping {
	struct origin *origin;
	size_t pieces;
};

struct piece {
	uint64_t start, end;
	struct mapping *mapping;
};

struct pieces {
	struct piece *items;
	size_t count, capacity;
};

struct leaving {
	uint32_t tid;
	uint64_t from, length;
	struct pieces pieces; /* at their old addresses */
};

struct live_memory {
	struct origin *origins;
	struct pieces pieces;
	struct leaving *leaving;
	size_t leaving_count, leaving_capacity;
	uint64_t heap_end; /* 0: not known */
	int64_t live_bytes, peak_bytes;
	uint64_t peak_number;
};

struct live_memory *live_memory__new(void)
{
	return calloc(1, sizeof(struct live_memory));
}

/* --- figures */

/* Before an origin's live figures change: what they were at the peak. */
static void note_peak(struct live_memory *memory, struct origin *origin)
{
	if (origin->noted == memory->peak_number)
		return;
	origin->figures.peak_count = origin->figures.live_count;
	origin->figures.peak_bytes = origin->figures.live_bytes;
	origin->noted = memory->peak_number;
}

static void add_live(struct live_memory *memory, struct origin *origin, int64_t count,
		     int64_t bytes)
{
	note_peak(memory, origin);
	origin->figures.live_count += count;
	origin->figures.live_bytes += bytes;
	memory->live_bytes += bytes;
}

static void look_for_peak(struct live_memory *memory)
{
	if (memory->live_bytes <= memory->peak_bytes)
		return;
	memory->peak_bytes = memory->live_bytes;
	memory->peak_number++;
}

static struct origin *find_origin(struct live_memory *memory, enum live_memory_kind kind,
				  int64_t stack, const char *ending)
{
	struct origin_key key = {.stack = stack, .kind = kind};
	struct origin *origin;

	HASH_FIND(hh, memory->origins, &key, sizeof(key), origin);
	if (origin)
		return origin;
	origin = calloc(1, sizeof(*origin));
	if (!origin)
		return NULL;
	origin->key = key;
	origin->ending = ending;
	origin->noted = memory->peak_number;
	HASH_ADD(hh, memory->origins, key, sizeof(origin->key), origin);
	if (!origin->hh.tbl) {
		free(origin);
		return NULL;
	}
	return origin;
}

/* --- pieces */

/* The first piece that ends behind address. */
static size_t find_piece(const struct pieces *pieces, uint64_t address)
{
	size_t low = 0, high = pieces->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pieces->items[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Makes room for count pieces at position `at`. */
static int insert_pieces(struct pieces *pieces, size_t at, size_t count)
{
	int err;

	if (!count)
		return 0;
	if (pieces->count + count > LIVE_MEMORY_PIECES)
		return -ENOSPC;
	err = array__reserve(&pieces->items, &pieces->capacity, sizeof(*pieces->items),
			     pieces->count + count);
	if (err)
		return err;
	memmove(&pieces->items[at + count], &pieces->items[at],
		(pieces->count - at) * sizeof(*pieces->items));
	pieces->count += count;
	return 0;
}

static void remove_pieces(struct pieces *pieces, size_t at, size_t count)
{
	if (!count)
		return;
	pieces->count -= count;
	memmove(&pieces->items[at], &pieces->items[at + count],
		(pieces->count - at) * sizeof(*pieces->items));
}

/* Cuts the piece that holds address in two there. */
static int cut_at(struct pieces *pieces, uint64_t address)
{
	size_t at = find_piece(pieces, address);
	int err;

	if (at == pieces->count || pieces->items[at].start >= address)
		return 0;
	err = insert_pieces(pieces, at, 1);
	if (err)
		return err;
	pieces->items[at] = pieces->items[at + 1];
	pieces->items[at].end = pieces->items[at + 1].start = address;
	pieces->items[at].mapping->pieces++;
	return 0;
}

/* The pieces of [address, address + length), cut at its ends: *ret_count from *ret_at on. */
static int find_range(struct pieces *pieces, uint64_t address, uint64_t length, size_t *ret_at,
		      size_t *ret_count)
{
	int err = cut_at(pieces, address);

	err = err ?: cut_at(pieces, address + length);
	if (err)
		return err;
	*ret_at = find_piece(pieces, address);
	*ret_count = find_piece(pieces, address + length) - *ret_at;
	if (*ret_at + *ret_count < pieces->count &&
	    pieces->items[*ret_at + *ret_count].start < address + length)
		(*ret_count)++;
	return 0;
}

static void drop_piece(struct live_memory *memory, struct piece *piece)
{
	struct mapping *mapping = piece->mapping;
	int64_t bytes = (int64_t)(piece->end - piece->start);
	bool last = !--mapping->pieces;

	add_live(memory, mapping->origin, last ? -1 : 0, -bytes);
	if (last)
		free(mapping);
}

static int add_piece(struct live_memory *memory, uint64_t start, uint64_t end,
		     struct mapping *mapping)
{
	size_t at = find_piece(&memory->pieces, start);
	int err = insert_pieces(&memory->pieces, at, 1);

	if (err)
		return err;
	memory->pieces.items[at] = (struct piece){start, end, mapping};
	return 0;
}

static bool is_range(uint64_t address, uint64_t length)
{
	return length && length <= INT64_MAX && address <= INT64_MAX - length;
}

/* --- the calls */

int live_memory__unmap(struct live_memory *memory, uint64_t address, uint64_t length)
{
	size_t at, count;
	int err;

	if (!is_range(address, length))
		return 0;
	err = find_range(&memory->pieces, address, length, &at, &count);
	if (err)
		return err;
	for (size_t i = at; i < at + count; i++)
		drop_piece(memory, &memory->pieces.items[i]);
	remove_pieces(&memory->pieces, at, count);
	return 0;
}

int live_memory__map(struct live_memory *memory, enum live_memory_kind kind, int64_t stack,
		     const char *ending, uint64_t address, uint64_t length)
{
	struct origin *origin;
	struct mapping *mapping;
	int err;

	if (!is_range(address, length))
		return 0;
	err = live_memory__unmap(memory, address, length);
	if (err)
		return err;
	origin = find_origin(memory, kind, stack, ending);
	mapping = origin ? calloc(1, sizeof(*mapping)) : NULL;
	if (!mapping)
		return -ENOMEM;
	*mapping = (struct mapping){origin, 1};
	err = add_piece(memory, address, address + length, mapping);
	if (err) {
		free(mapping);
		return err;
	}
	add_live(memory, origin, 1, (int64_t)length);
	origin->figures.count++;
	origin->figures.bytes += length;
	look_for_peak(memory);
	return 0;
}

static struct leaving *find_leaving(struct live_memory *memory, uint32_t tid)
{
	for (size_t i = 0; i < memory->leaving_count; i++)
		if (memory->leaving[i].tid == tid)
			return &memory->leaving[i];
	return NULL;
}

static void end_leaving(struct live_memory *memory, struct leaving *leaving)
{
	free(leaving->pieces.items);
	*leaving = memory->leaving[--memory->leaving_count];
}

int live_memory__leave(struct live_memory *memory, uint32_t tid, uint64_t address, uint64_t length)
{
	struct leaving *leaving = find_leaving(memory, tid);
	size_t at, count;
	int err;

	if (!is_range(address, length))
		return 0;
	if (leaving) { /* the event of its end was lost */
		err = live_memory__arrive(memory, tid, 0, NULL, 0, 0);
		if (err)
			return err;
	}
	if (memory->leaving_count == MOST_LEAVING)
		return 0;
	err = array__reserve(&memory->leaving, &memory->leaving_capacity, sizeof(*memory->leaving),
			     memory->leaving_count + 1);
	err = err ?: find_range(&memory->pieces, address, length, &at, &count);
	if (err)
		return err;
	leaving = &memory->leaving[memory->leaving_count];
	*leaving = (struct leaving){.tid = tid, .from = address, .length = length};
	err = insert_pieces(&leaving->pieces, 0, count);
	if (err)
		return err;
	if (count)
		memcpy(leaving->pieces.items, &memory->pieces.items[at],
		       count * sizeof(*leaving->pieces.items));
	remove_pieces(&memory->pieces, at, count);
	memory->leaving_count++;
	return 0;
}

/* Puts what has left at `to`; what does not fit into length is gone. */
static int put_back(struct live_memory *memory, struct leaving *leaving, uint64_t to,
		    uint64_t length)
{
	int err = 0;

	for (size_t i = 0; i < leaving->pieces.count; i++) {
		struct piece *piece = &leaving->pieces.items[i];
		uint64_t offset = piece->start - leaving->from;
		uint64_t size = piece->end - piece->start;

		if (!err && offset < length) {
			uint64_t kept = size < length - offset ? size : length - offset;

			err = add_piece(memory, to + offset, to + offset + kept, piece->mapping);
			if (!err && kept < size)
				add_live(memory, piece->mapping->origin, 0,
					 -(int64_t)(size - kept));
			if (!err)
				continue;
		}
		drop_piece(memory, piece);
	}
	return err;
}

int live_memory__arrive(struct live_memory *memory, uint32_t tid, int64_t stack, const char *ending,
			uint64_t to, uint64_t length)
{
	struct leaving *leaving = find_leaving(memory, tid);
	uint64_t known;
	int err;

	if (!leaving)
		return 0;
	if (!to) {
		err = put_back(memory, leaving, leaving->from, leaving->length);
		end_leaving(memory, leaving);
		return err;
	}
	known = leaving->pieces.count ? leaving->length : 0;
	err = is_range(to, length) ? live_memory__unmap(memory, to, length) : 0;
	err = err ?: put_back(memory, leaving, to, is_range(to, length) ? length : 0);
	end_leaving(memory, leaving);
	/* Of files, and of what was mapped before anybody watched, nothing is known. */
	if (!err && known && length > known && is_range(to, length))
		err = live_memory__map(memory, LIVE_MAPPED, stack, ending, to + known,
				       length - known);
	return err;
}

void live_memory__heap_end(struct live_memory *memory, uint64_t address)
{
	memory->heap_end = address;
}

int live_memory__heap(struct live_memory *memory, int64_t stack, const char *ending,
		      uint64_t address)
{
	uint64_t before = memory->heap_end;

	memory->heap_end = address;
	if (!before || address == before)
		return 0;
	if (address < before)
		return live_memory__unmap(memory, address, before - address);
	return live_memory__map(memory, LIVE_HEAP, stack, ending, before, address - before);
}

/* --- epochs */

void live_memory__begin_epoch(struct live_memory *memory)
{
	struct origin *one, *next;

	memory->peak_bytes = memory->live_bytes;
	memory->peak_number++;
	HASH_ITER (hh, memory->origins, one, next) {
		one->figures.count = one->figures.bytes = 0;
		one->row = 0;
		if (one->figures.live_count)
			continue;
		HASH_DEL(memory->origins, one);
		free(one);
	}
}

static void release_pieces(struct live_memory *memory, struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++)
		drop_piece(memory, &pieces->items[i]);
	free(pieces->items);
	*pieces = (struct pieces){0};
}

void live_memory__release(struct live_memory *memory)
{
	release_pieces(memory, &memory->pieces);
	for (size_t i = 0; i < memory->leaving_count; i++)
		release_pieces(memory, &memory->leaving[i].pieces);
	memory->leaving_count = 0;
	memory->heap_end = 0;
}

void live_memory__free(struct live_memory *memory)
{
	if (!memory)
		return;
	live_memory__release(memory);
	live_memory__begin_epoch(memory); /* of no places */
	free(memory->leaving);
	free(memory);
}

int live_memory__each(struct live_memory *memory, live_memory_take *take, void *context)
{
	struct origin *one, *next;
	int err = 0;

	HASH_ITER (hh, memory->origins, one, next) {
		struct live_figures figures = one->figures;

		if (one->noted != memory->peak_number) {
			figures.peak_count = figures.live_count;
			figures.peak_bytes = figures.live_bytes;
		}
		if (!one->row && !figures.count && !figures.live_bytes && !figures.peak_bytes)
			continue;
		if (one->row && !memcmp(&one->told, &figures, sizeof(figures)))
			continue;
		one->told = figures;
		err = take(context, (enum live_memory_kind)one->key.kind, one->key.stack,
			   one->ending, &figures, &one->row);
		if (err)
			return err;
	}
	return 0;
}
