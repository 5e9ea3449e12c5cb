// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/io_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A key's growth is heavy when it has at least this share of all growth of a look. */
#define HEAVY_SHARE 0.001

struct entry {
	struct ps_io_key key;
	struct ps_io_sum moved; /* out of slots into the map, ever */
	struct ps_io_sum slots; /* in slots at this look */
	struct ps_io_sum charged;
	UT_hash_handle hh;
};

struct io_sums {
	struct entry *entries;
};

struct io_sums *io_sums__new(void)
{
	return calloc(1, sizeof(struct io_sums));
}

void io_sums__free(struct io_sums *sums)
{
	struct entry *one, *next;

	if (!sums)
		return;
	HASH_ITER (hh, sums->entries, one, next) {
		HASH_DEL(sums->entries, one);
		free(one);
	}
	free(sums);
}

size_t io_sums__count(const struct io_sums *sums)
{
	return HASH_COUNT(sums->entries);
}

void io_sums__begin(struct io_sums *sums)
{
	for (struct entry *one = sums->entries; one; one = one->hh.next)
		memset(&one->slots, 0, sizeof(one->slots));
}

static struct entry *find(struct io_sums *sums, const struct ps_io_key *key)
{
	struct entry *entry;

	HASH_FIND(hh, sums->entries, key, sizeof(*key), entry);
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return NULL;
		entry->key = *key;
		HASH_ADD(hh, sums->entries, key, sizeof(entry->key), entry);
		if (!entry->hh.tbl) {
			free(entry);
			return NULL;
		}
	}
	return entry;
}

static void add(struct ps_io_sum *to, const struct ps_io_sum *sum)
{
	to->count += sum->count;
	to->bytes += sum->bytes;
	to->ns += sum->ns;
	to->closed += sum->closed;
	if (sum->longest_ns > to->longest_ns)
		to->longest_ns = sum->longest_ns;
}

int io_sums__add_moved(struct io_sums *sums, const struct ps_io_key *key,
		       const struct ps_io_sum *sum)
{
	struct entry *entry = find(sums, key);

	if (!entry)
		return -ENOMEM;
	add(&entry->moved, sum);
	return 0;
}

int io_sums__add_slot(struct io_sums *sums, const struct ps_io_key *key,
		      const struct ps_io_sum *sum)
{
	struct entry *entry = find(sums, key);

	if (!entry)
		return -ENOMEM;
	add(&entry->slots, sum);
	return 0;
}

static uint64_t growth_of(uint64_t moved, uint64_t slots, uint64_t charged)
{
	return moved + slots > charged ? moved + slots - charged : 0;
}

static struct ps_io_sum growth(const struct entry *entry)
{
	return (struct ps_io_sum){
		.count = growth_of(entry->moved.count, entry->slots.count, entry->charged.count),
		.bytes = growth_of(entry->moved.bytes, entry->slots.bytes, entry->charged.bytes),
		.ns = growth_of(entry->moved.ns, entry->slots.ns, entry->charged.ns),
		.closed =
			growth_of(entry->moved.closed, entry->slots.closed, entry->charged.closed),
		.longest_ns = entry->moved.longest_ns > entry->slots.longest_ns
				      ? entry->moved.longest_ns
				      : entry->slots.longest_ns,
	};
}

/* Of closes they are a time. */
static struct ps_io_sum without_times(const struct ps_io_key *key, struct ps_io_sum sum)
{
	if (key->op == PS_IO_CLOSE)
		sum.bytes = 0;
	return sum;
}

static int is_heavy(const struct ps_io_sum *one, const struct ps_io_sum *all)
{
	return (double)one->count > (double)all->count * HEAVY_SHARE ||
	       (double)one->bytes > (double)all->bytes * HEAVY_SHARE ||
	       (double)one->ns > (double)all->ns * HEAVY_SHARE;
}

/* What was seen in a slot comes through the map some time: until then the entry tells that it was
 * charged. What came through the map, and is in no slot, leaves nothing to remember. */
static int is_over(const struct entry *entry)
{
	const struct ps_io_sum *slots = &entry->slots, *moved = &entry->moved;
	const struct ps_io_sum *charged = &entry->charged;

	return !slots->count && !slots->bytes && !slots->ns && !slots->closed &&
	       charged->count <= moved->count && charged->bytes <= moved->bytes &&
	       charged->ns <= moved->ns && charged->closed <= moved->closed;
}

int io_sums__each(struct io_sums *sums, io_sums_charge *charge, void *context)
{
	struct entry *one, *next;
	struct ps_io_sum all = {}, more, figures;
	int err = 0;

	for (one = sums->entries; one; one = one->hh.next) {
		more = without_times(&one->key, growth(one));
		add(&all, &more);
	}
	HASH_ITER (hh, sums->entries, one, next) {
		more = growth(one);
		if (more.count || more.bytes || more.ns || more.closed) {
			figures = without_times(&one->key, more);
			err = charge(context, &one->key, &more, is_heavy(&figures, &all));
			if (err)
				return err;
			add(&one->charged, &more);
		}
		if (is_over(one)) {
			HASH_DEL(sums->entries, one);
			free(one);
		}
	}
	return 0;
}
