/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths, sent at first sight as the call gave them, with the names of the directory they are
 * relative to. Part of io.bpf.c, which alone includes it. */
#ifndef IO_PATHS_BPF_H
#define IO_PATHS_BPF_H

#include "io_names.bpf.h"

/* What a path is relative to: of an absolute one the root of current. */
static __always_inline void find_base(struct task_struct *task, __s32 at, bool absolute,
				      struct dentry **ret_dentry, struct vfsmount **ret_mount)
{
	struct vfsmount *mount;
	struct dentry *dentry;
	struct file *file;

	if (absolute) {
		dentry = BPF_CORE_READ(task, fs, root.dentry);
		mount = BPF_CORE_READ(task, fs, root.mnt);
	} else if (at == AT_FDCWD) {
		dentry = BPF_CORE_READ(task, fs, pwd.dentry);
		mount = BPF_CORE_READ(task, fs, pwd.mnt);
	} else {
		file = file_of(task, at);
		if (!file)
			return;
		dentry = BPF_CORE_READ(file, f_path.dentry);
		mount = BPF_CORE_READ(file, f_path.mnt);
	}
	*ret_dentry = dentry;
	*ret_mount = mount;
}

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

/* Sends what is in scratch->text, as an event of that type. dentry NULL: what it is relative to is
 * not known. */
static __always_inline void send_path(const struct ps_io_key *key, __s32 at, __u64 directory,
				      struct dentry *dentry, struct vfsmount *mount, __u32 type)
{
	struct io_scratch *scratch;
	__u32 size, zero = 0;

	scratch = bpf_map_lookup_elem(&io_scratches, &zero);
	if (!scratch)
		return;
	size = scratch->event.text_size;
	if (!begin_event(key))
		return;
	scratch->event.event.type = type;
	scratch->event.text_size = scratch->event.path_size = size;
	scratch->event.at = at;
	scratch->event.directory = directory;
	if (dentry && mount)
		append_names(scratch, dentry, mount);
	send_event(scratch, type == PS_EVENT_FILE ? key->file : 0, 1);
}

static __always_inline void tell_path(const struct ps_io_key *key, __s32 at, __u64 directory,
				      struct dentry *dentry, struct vfsmount *mount)
{
	__u64 hash = key->file;

	if (!bpf_map_lookup_elem(&files_sent, &hash))
		send_path(key, at, directory, dentry, mount, PS_EVENT_FILE);
}

#endif
