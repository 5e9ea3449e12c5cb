/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of a descriptor the file, and of the file the slot in which the thread sums up its calls. For
 * io.bpf.c alone. */
#ifndef IO_SLOTS_BPF_H
#define IO_SLOTS_BPF_H

#include "compat.bpf.h"
#include "counts.bpf.h"
#include "files.bpf.h"
#include "io.bpf.h"
#include "io_names.bpf.h"
#include "remote.bpf.h"

/* statfs() magic -> index of the histograms; set by the recorder */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u32);
} io_filesystems SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PS_IO_OP_COUNT *PS_IO_FILESYSTEMS);
	__type(key, __u32);
	__type(value, struct ps_io_histogram);
} io_histograms SEC(".maps");

__noinline __u32 io_log2_bucket(__u64 value)
{
	__u32 bucket = log2_of(value);

	return bucket < PS_IO_BUCKETS ? bucket : PS_IO_BUCKETS - 1;
}

static __always_inline void count_histogram(__u32 op, __u32 filesystem, __u64 ns, __u64 bytes)
{
	__u32 index = op * PS_IO_FILESYSTEMS + (filesystem & (PS_IO_FILESYSTEMS - 1));
	struct ps_io_histogram *histogram = bpf_map_lookup_elem(&io_histograms, &index);
	__u32 bucket;

	if (!histogram)
		return;
	bucket = io_log2_bucket(ns);
	if (bucket < PS_IO_BUCKETS)
		histogram->ns[bucket]++;
	if (!ps_io_moves_bytes(op))
		return;
	bucket = io_log2_bucket(bytes);
	if (bucket < PS_IO_BUCKETS)
		histogram->bytes[bucket]++;
}

/* --- by descriptor */

static __always_inline __u32 filesystem_index(struct inode *inode)
{
	__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	const __u32 *index = bpf_map_lookup_elem(&io_filesystems, &magic);

	return index ? *index : 0;
}

/* Who, what and which file, but for the epoch; remote: of a socket, when it is known. */
static __always_inline void describe_file(struct file *file, struct inode *inode, __u32 op,
					  __u64 remote, struct ps_io_key *ret_key)
{
	__u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;

	ret_key->op = op;
	ret_key->kind = type == S_IFIFO			     ? PS_IO_PIPE
			: type == S_IFSOCK		     ? PS_IO_SOCKET
			: type == S_IFREG || type == S_IFDIR ? PS_IO_FILE
							     : PS_IO_OTHER;
	if (ret_key->kind == PS_IO_SOCKET) {
		ret_key->file = remote ?: remote__of_file((__u64)file, REMOTE_CALL);
		remote__tell(ret_key->file, REMOTE_CALL);
	}
	if (ret_key->kind != PS_IO_FILE)
		return;
	ret_key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	ret_key->file = file_id(inode);
}

/* Another file's inode may have taken the same memory, and a socket another remote. */
static __always_inline bool is_same_file(const struct ps_io_slot *slot, struct file *file,
					 struct inode *inode, __u64 remote)
{
	if (slot->key.kind == PS_IO_FILE)
		return slot->key.file == file_id(inode);
	if (slot->key.kind == PS_IO_SOCKET)
		return slot->key.file == (remote ?: remote__of_file((__u64)file, REMOTE_CALL));
	return true;
}

static __always_inline __u32 slot_of(struct inode *inode, __u32 op)
{
	return ((__u64)inode >> 7 ^ op) & (PS_IO_SLOTS - 1);
}

/* The slot for an operation on a file, emptied and taken over if another had it. */
static __always_inline __u32 take_slot(struct thread_state *state, struct file *file, __u32 op,
				       __u64 remote)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 index = slot_of(inode, op);
	struct ps_io_slot *slot = &state->slots[index];
	struct io_slot_tag *tag = &state->tags[index];

	if (tag->inode == (__u64)inode && slot->key.op == op &&
	    is_same_file(slot, file, inode, remote))
		return index;
	io__flush_slot(state, index, epochs__current());
	tag->inode = (__u64)inode;
	tag->filesystem = filesystem_index(inode);
	describe_file(file, inode, op, remote, &slot->key);
	slot->key.epoch = state->epoch;
	io__settle_slot(tag);
	if (slot->key.kind == PS_IO_FILE) {
		tag->directory = file_directory(file);
		tell_file(file, &slot->key, tag->directory);
		if (ps_io_writes(op))
			writers_wrote(slot->key.file, slot->key.device);
	}
	return index;
}

/* --- waits */

/* Adds the waits of the call that ends to those on its file. Only FILE and DISK: of sockets the
 * thread's own sums tell more. */
static __always_inline void add_waits(struct thread_state *state, const struct ps_io_key *of,
				      __u64 directory)
{
	for (int i = 0; i < 2; i++) {
		struct ps_io_sum more = {.count = state->call_waits[i].count,
					 .ns = state->call_waits[i].ns};
		struct ps_io_key key = *of;

		if (!more.count)
			continue;
		key.op = PS_IO_WAIT + (i ? PS_WAIT_DISK : PS_WAIT_FILE);
		key.error = 0;
		if (!key.epoch)
			key.epoch = epochs__current();
		io__add(&key, &more, directory, 0);
	}
}

#endif
