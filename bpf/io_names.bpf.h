/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files, sent at first sight: from the dentry up to the root. Part of io.bpf.c, which
 * alone includes it. */
#ifndef IO_NAMES_BPF_H
#define IO_NAMES_BPF_H

#include "compat.bpf.h"
#include "files.bpf.h"
#include "io.bpf.h"

#define AT_FDCWD IO_WORKING_DIRECTORY

/* hash of a file or path -> once its name was sent: of a file that name's check, of a path 1;
 * emptied by the recorder now and then. */
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

static __always_inline bool io_is_named(struct dentry *dentry)
{
	char first = '\0';

	bpf_probe_read_kernel(&first, sizeof(first), BPF_CORE_READ(dentry, d_name.name));
	return first && first != '/';
}

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
	/* A file that lies nowhere, as that of memfd_create(), has a name all the same. */
	if (parent == dentry && (scratch->event.text_size || !io_is_named(dentry)))
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

/* hash 0: it is not to be remembered that the name was sent */
static __always_inline void send_event(struct io_scratch *scratch, __u64 hash, __u32 name)
{
	__u64 size = scratch->event.text_size;

	HIDE_RANGE(size);
	if (size > PS_MAX_PATH + PS_MAX_NAME)
		size = PS_MAX_PATH + PS_MAX_NAME;
	scratch->event.event.size = sizeof(scratch->event) + size;
	if (bpf_ringbuf_output(&events, scratch, sizeof(scratch->event) + size,
			       events__flags(false)))
		count_event(PS_COUNTER_FILE_EVENTS_FULL);
	else if (hash)
		bpf_map_update_elem(&files_sent, &hash, &name, BPF_ANY);
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

static __always_inline __u64 file_hash(const struct ps_io_key *key)
{
	return ps_mix(ps_mix(0, key->device), key->file);
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

/* Sends the name of a file, of which key.epoch, op and error do not matter. A function of its own:
 * the verifier would follow the way up once for each caller. */
__noinline int io_send_file(__u64 address)
{
	struct file *file = (void *)address;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct super_block *super = BPF_CORE_READ(inode, i_sb);
	__u64 directory = file_directory(file);
	struct ps_io_key key = {
		.file = file_id(inode), .device = BPF_CORE_READ(super, s_dev), .kind = PS_IO_FILE};
	struct io_scratch *scratch = begin_event(&key);

	if (!scratch)
		return 0;
	scratch->event.directory = directory;
	scratch->event.magic = BPF_CORE_READ(super, s_magic);
	bpf_probe_read_kernel_str(scratch->event.filesystem, sizeof(scratch->event.filesystem),
				  BPF_CORE_READ(super, s_type, name));
	append_names(scratch, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	send_event(scratch, file_hash(&key), file_name_check(file, directory));
	return 0;
}

/* Sends a file's name unless that was done. */
static __always_inline void tell_file(struct file *file, const struct ps_io_key *key,
				      __u64 directory)
{
	__u64 hash = file_hash(key);
	const __u32 *sent = bpf_map_lookup_elem(&files_sent, &hash);

	if (!sent || *sent != file_name_check(file, directory))
		io_send_file((__u64)file);
}

#endif
