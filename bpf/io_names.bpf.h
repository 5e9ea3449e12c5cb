/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files and paths, sent at first sight: a file's from its dentry up to the root, a path as
 * the call gave it, with the names of the directory it is relative to. Part of io.bpf.c, which
 * alone includes it. */
#ifndef IO_NAMES_BPF_H
#define IO_NAMES_BPF_H

#include "compat.bpf.h"
#include "io.bpf.h"

#define AT_FDCWD -100

/* hash of a file or path -> 1, once its name was sent; emptied by the recorder now and then. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, __u32);
} files_sent SEC(".maps");

struct io_scratch {
	struct ps_file_event event;
	char text[PS_MAX_PATH + PS_MAX_NAME];
	__u64 dentry, mount, root; /* of the walk upwards */
	__u32 last_slash; /* of text; in memory, as the verifier would follow all it could be */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct io_scratch);
} io_scratches SEC(".maps");

/* --- files */

/* Appends one name of the way from a file up to the root. 1: the root is reached. */
__noinline int io_path_step(__u32 zero)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	struct dentry *dentry, *parent;
	struct mount *mount, *above;
	__u32 used;
	long size;

	if (!scratch)
		return 1;
	dentry = (void *)scratch->dentry;
	mount = (void *)scratch->mount;
	if (scratch->dentry == scratch->root) {
		/* The top of a mount: go on where it is mounted. */
		above = BPF_CORE_READ(mount, mnt_parent);
		if (above == mount)
			return 1;
		scratch->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
		scratch->mount = (__u64)above;
		scratch->root = (__u64)BPF_CORE_READ(above, mnt.mnt_root);
		return 0;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry)
		return 1;
	used = scratch->event.text_size;
	if (used >= PS_MAX_PATH)
		return 1;
	HIDE_RANGE(used);
	size = bpf_probe_read_kernel_str(scratch->text + (used & (PS_MAX_PATH - 1)), PS_MAX_NAME,
					 BPF_CORE_READ(dentry, d_name.name));
	if (size <= 0)
		return 1;
	scratch->event.text_size = used + size;
	scratch->dentry = (__u64)parent;
	return 0;
}

static __always_inline void send_event(struct io_scratch *scratch, __u64 hash)
{
	__u64 size = scratch->event.text_size;
	__u32 one = 1;

	HIDE_RANGE(size);
	if (size > PS_MAX_PATH + PS_MAX_NAME)
		size = PS_MAX_PATH + PS_MAX_NAME;
	scratch->event.event.size = sizeof(scratch->event) + size;
	if (bpf_ringbuf_output(&events, scratch, sizeof(scratch->event) + size,
			       events__flags(false)))
		count_event(PS_COUNTER_FILE_EVENTS_FULL);
	else
		bpf_map_update_elem(&files_sent, &hash, &one, BPF_ANY);
}

static __always_inline struct io_scratch *begin_event(const struct ps_io_key *key)
{
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	__u64 id = bpf_get_current_pid_tgid();

	if (!scratch)
		return NULL;
	__builtin_memset(&scratch->event, 0, sizeof(scratch->event));
	scratch->event.event.type = PS_EVENT_FILE;
	scratch->event.event.time_ns = bpf_ktime_get_ns();
	scratch->event.event.tgid = id >> 32;
	scratch->event.event.tid = (__u32)id;
	scratch->event.key = *key;
	return scratch;
}

/* Appends the names of dentry and of what is above it, across mounts. */
static __always_inline void append_names(struct io_scratch *scratch, struct dentry *dentry,
					 struct vfsmount *mount)
{
	struct mount *outer = (void *)((char *)mount - bpf_core_field_offset(struct mount, mnt));

	scratch->dentry = (__u64)dentry;
	scratch->mount = (__u64)outer;
	scratch->root = (__u64)BPF_CORE_READ(mount, mnt_root);
	scratch->event.mount = BPF_CORE_READ(outer, mnt_id);
	scratch->event.cut = 1;
	for (int i = 0; i < PS_MAX_COMPONENTS; i++) {
		if (io_path_step(0)) {
			scratch->event.cut = 0;
			break;
		}
	}
}

static __always_inline void tell_file(struct file *file, const struct ps_io_key *key,
				      __u64 directory)
{
	__u64 hash = ps_mix(ps_mix(0, key->device), key->file);
	struct super_block *super;
	struct io_scratch *scratch;

	if (bpf_map_lookup_elem(&files_sent, &hash))
		return;
	scratch = begin_event(key);
	if (!scratch)
		return;
	super = BPF_CORE_READ(file, f_inode, i_sb);
	scratch->event.directory = directory;
	scratch->event.magic = BPF_CORE_READ(super, s_magic);
	bpf_probe_read_kernel_str(scratch->event.filesystem, sizeof(scratch->event.filesystem),
				  BPF_CORE_READ(super, s_type, name));
	append_names(scratch, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	send_event(scratch, hash);
}

/* --- paths */

/* The hash of `size` bytes of scratch->text. */
__noinline __u64 io_hash_text(__u32 size)
{
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	__u64 hash = 0;

	if (!scratch)
		return 0;
	if (size > PS_MAX_PATH)
		size = PS_MAX_PATH;
	for (__u32 i = 0; i < PS_MAX_PATH / 8; i++) {
		__u64 word = *(__u64 *)(scratch->text + i * 8);
		__s32 left = size - i * 8;

		if (left <= 0)
			break;
		if (left < 8)
			word &= ~0ULL >> (64 - 8 * left);
		hash = ps_mix(hash, word);
	}
	return PS_PATH_HASH(hash);
}

/* Reads the path of a call into scratch->text; its hash, 0: not readable, 1: it is empty. */
__noinline __u64 io_read_path(__u64 address)
{
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	long size;

	if (!scratch)
		return 0;
	size = bpf_probe_read_user_str(scratch->text, PS_MAX_PATH, (const void *)address);
	if (size < 0)
		return 0;
	scratch->event.text_size = size;
	/* An empty string has 1 byte, but before Linux 6.16 the helper said 0. */
	if (size <= 1)
		return 1;
	return io_hash_text(size);
}

/* Notes where scratch->text has its last slash, one byte a call. 1: the text has ended. */
__noinline int io_note_slash(__u32 at)
{
	__u32 zero = 0;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &zero);

	if (!scratch || at >= PS_MAX_PATH || !scratch->text[at])
		return 1;
	if (scratch->text[at] == '/')
		scratch->last_slash = at;
	return 0;
}

/* The hash of the directory of scratch->text, which is an absolute path. */
static __always_inline __u64 directory_hash(struct io_scratch *scratch)
{
	scratch->last_slash = 0;
	for (__u32 i = 0; i < PS_MAX_PATH; i++)
		if (io_note_slash(i))
			break;
	return io_hash_text(scratch->last_slash);
}

/* dentry NULL: the path is absolute, or what it is relative to is not known. */
static __always_inline void tell_path(const struct ps_io_key *key, __s32 at, __u64 directory,
				      struct dentry *dentry, struct vfsmount *mount)
{
	struct io_scratch *scratch;
	__u64 hash = key->file;
	__u32 size, zero = 0;

	if (bpf_map_lookup_elem(&files_sent, &hash))
		return;
	scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	if (!scratch)
		return;
	size = scratch->event.text_size;
	if (!begin_event(key))
		return;
	scratch->event.text_size = scratch->event.path_size = size;
	scratch->event.at = at;
	scratch->event.directory = directory;
	if (dentry && mount)
		append_names(scratch, dentry, mount);
	send_event(scratch, hash);
}

#endif
