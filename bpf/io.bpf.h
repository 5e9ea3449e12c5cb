/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source "io": every file operation, counted by who, what and which file. */
#ifndef IO_BPF_H
#define IO_BPF_H

#include "patterns.bpf.h"
#include "thread.bpf.h"
#include "writers.bpf.h"

#define IO_MESSAGE_SIZE 64 /* struct mmsghdr */
/* Of a call: messages with the same address that are looked at, and operations that they make. */
#define IO_MESSAGES_APART    16
#define IO_WORKING_DIRECTORY -100 /* AT_FDCWD */

struct io_sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PS_IO_SUMS);
	__uint(key_size, sizeof(struct ps_io_key));
	__uint(value_size, sizeof(struct ps_io_sum));
};

/* One entry, swapped each slice like the counts. */
struct io_sums_outer_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct io_sums_map);
};
extern struct io_sums_outer_map io_sums SEC(".maps");

/* Made when it is not there yet and there is more room than is to be kept. */
static __always_inline struct ps_io_sum *io__sum(const struct ps_io_key *key, __s64 kept)
{
	struct ps_io_sum nothing = {}, *sum;
	__u32 zero = 0;
	void *current = bpf_map_lookup_elem(&io_sums, &zero);

	if (!current)
		return NULL;
	sum = bpf_map_lookup_elem(current, key);
	if (sum || io_sums_room <= kept)
		return sum;
	if (!bpf_map_update_elem(current, key, &nothing, BPF_NOEXIST))
		__sync_fetch_and_add(&io_sums_room, -1);
	return bpf_map_lookup_elem(current, key);
}

/* Adds sums to the map. With no room for one more file, its directory is charged, and with no room
 * for that the whole file system. What the recorder has seen under its file (`seen`) must stay
 * there, else it would be charged twice. */
static __always_inline void io__add(struct ps_io_key *key, const struct ps_io_sum *more,
				    __u64 directory, __u32 seen)
{
	bool is_one = key->kind == PS_IO_FILE || key->kind == PS_IO_PATH;
	struct ps_io_sum *sum = io__sum(key, !is_one ? 0
					     : seen  ? PS_IO_SUMS_KEPT_DEVICES
						     : PS_IO_SUMS_KEPT_DIRECTORIES);

	if (!sum && is_one) {
		key->kind = PS_IO_DIRECTORY;
		key->file = directory;
		count_events(PS_COUNTER_IO_SUMMED, more->count);
		sum = io__sum(key, PS_IO_SUMS_KEPT_SEEN);
	}
	if (!sum && is_one) {
		key->file = 0;
		sum = io__sum(key, 0);
	}
	if (!sum) {
		count_events(PS_COUNTER_IO_FULL, more->count);
		return;
	}
	if (more->count) /* see counts__add() */
		__sync_fetch_and_add(&sum->count, more->count);
	if (more->bytes)
		__sync_fetch_and_add(&sum->bytes, more->bytes);
	if (more->ns)
		__sync_fetch_and_add(&sum->ns, more->ns);
	if (!more->closed)
		return;
	__sync_fetch_and_add(&sum->closed, more->closed);
	if (sum->longest_ns < more->longest_ns)
		sum->longest_ns = more->longest_ns;
}

/* Moves a slot's sums, to the epoch in which they were made, into the map and leaves it empty, to
 * be settled when it is filled anew.
 *
 * The recorder may copy the slot meanwhile, on another CPU. Who is first to say so counts: either
 * this sees that the slot was `seen`, or the recorder sees that its turn is odd or has passed. The
 * addition is atomic because that makes it a barrier. */
static __always_inline void io__move_slot(struct thread_state *state, __u32 index, __u64 epoch,
					  bool is_current)
{
	struct ps_io_slot *slot = &state->slots[index & (PS_IO_SLOTS - 1)];
	struct io_slot_tag *tag = &state->tags[index & (PS_IO_SLOTS - 1)];
	struct ps_io_key key = slot->key;
	__u32 seen;

	__sync_fetch_and_add(&tag->turn, 1);
	seen = tag->seen;
	tag->seen = 0;
	if (key.op && (slot->sum.count || slot->sum.closed)) {
		if (!key.epoch)
			key.epoch = epoch;
		if (is_current && ps_io_writes(key.op) && key.kind == PS_IO_FILE)
			writers_add(key.file, key.device, key.epoch, slot->sum.bytes, tag->last_ns);
		io__add(&key, &slot->sum, tag->directory, seen);
	}
	__builtin_memset(slot, 0, sizeof(*slot));
	tag->inode = 0;
}

static __always_inline void io__flush_slot(struct thread_state *state, __u32 index, __u64 epoch)
{
	io__move_slot(state, index, epoch, true);
}

static __always_inline void io__settle_slot(struct io_slot_tag *tag)
{
	barrier();
	tag->turn++;
}

/* Moves a thread's sums into the map, before the thread or its epoch ends. */
static __always_inline void io__flush(struct thread_state *state, __u64 epoch)
{
	for (int i = 0; i < PS_IO_SLOTS; i++) {
		io__flush_slot(state, i, epoch);
		io__settle_slot(&state->tags[i]);
	}
	pattern__move_all(state);
}

/* The same of a thread that has ended, if nobody has done it. */
static __always_inline void io__flush_ended(struct thread_state *state, __u64 epoch)
{
	for (int i = 0; i < PS_IO_SLOTS; i++) {
		if (!state->slots[i].key.op)
			continue;
		io__move_slot(state, i, epoch, false);
		io__settle_slot(&state->tags[i]);
	}
	pattern__move_all(state);
}

/* When quantum_switches is not what the thread has seen: has the process of current begun another
 * epoch, the thread's sums so far belong to the one before. */
int io_notice(__u32 tgid);

/* The bucket of a histogram: log2, below PS_IO_BUCKETS. */
__u32 io_log2_bucket(__u64 value);

/* For the programs at the ends of system calls: the call of current thread that begins, and that
 * has ended with `result`. second: of calls by descriptor PS_IO_AT_FILE, or where in the file.
 * fifth: of calls with several messages how many are counted; of those with a socket's address,
 * that is second, its size or of a receive where this is told. io__end() gives 1 when the operation
 * was counted by its descriptor. */
int io__begin(__u32 call, __u64 first);
int io__end(__u32 call, __u64 first, __u64 second, __s64 result, __u64 fifth);
/* What follows when io__end() gave 1; not called by it, as their stacks would not fit together. The
 * same call is an operation on another descriptor, too; it has moved more messages than it was
 * counted with, and what is left over in the end is not told apart; it has opened a file. */
int io__end_other(__u64 descriptor, __u32 op, __s64 result, __u64 remote);
int io__end_messages(__u32 call, __u64 descriptor, __u64 vector, __u64 count);
int io__opened(__u64 descriptor);
/* The remote that the call names, when the socket has none of its own; 0: ask the socket. A failed
 * connect has left the socket without. Where a failed receive had room for an address, there still
 * is what was there before. second, size: as of io__end(). */
__u64 io__remote(__u64 file, __u32 call, __u64 second, __u64 size, __s64 result);
/* Bytes that so many messages of a call have moved. */
__u64 io__message_bytes(__u64 vector, __u64 count);
/* Of the struct mmsghdr of a call: how many, from the first on, are one operation, because they
 * have the same address or the socket has another end. */
__u64 io__messages_alike(__u32 call, __u64 descriptor, __u64 vector, __u64 count);
/* For others: an operation of current's process on a file (address of a struct file, 0: nobody
 * knows which), with the result of its call. */
int io__count_file(__u64 file, __u32 op, __s64 result, __u64 ns);
/* A page fault on a mapped file (address of a struct inode). */
int io__count_fault(__u64 inode, __u32 op);
/* A rename has succeeded: old is what io__end() left in the thread's path_hash. */
int io_renamed(__u64 old, __s32 at, __u64 address);

#endif
