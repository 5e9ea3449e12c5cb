/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a struct file is: which file, by which name, opened how. */
#ifndef FILES_BPF_H
#define FILES_BPF_H

#include "compat.bpf.h"
#include "written.h"

#define FMODE_WRITE 2
#define O_APPEND    02000
/* What proc, sysfs and their like hold is made anew at each look. */
#define PROC_MAGIC	 0x9fa0
#define SYSFS_MAGIC	 0x62656572
#define CGROUP_MAGIC	 0x27e0eb
#define CGROUP2_MAGIC	 0x63677270
#define DEBUGFS_MAGIC	 0x64626720
#define TRACEFS_MAGIC	 0x74726163
#define SECURITYFS_MAGIC 0x73636673

/* Fields that only this header reads. */
struct file___modes {
	unsigned int f_mode;
	unsigned int f_flags;
	long long f_pos;
} __attribute__((preserve_access_index));
struct inode___sizes {
	long long i_size;
	unsigned int i_nlink;
} __attribute__((preserve_access_index));

/* Linux 6.13 (90ee6ed776c0) counts a file's references in f_ref, from 0 for one. */
struct file___before_6_13 {
	struct {
		long long counter;
	} f_count;
} __attribute__((preserve_access_index));
struct file_ref___any {
	struct {
		long long counter;
	} refcnt;
} __attribute__((preserve_access_index));
struct file___since_6_13 {
	struct file_ref___any f_ref;
} __attribute__((preserve_access_index));

/* A file system gives a deleted file's inode number to the next new one; the generation tells them
 * apart. */
static __always_inline __u64 file_id(struct inode *inode)
{
	return BPF_CORE_READ(inode, i_ino) ^ (__u64)BPF_CORE_READ(inode, i_generation) << 32;
}

static __always_inline __u64 file_directory(struct file *file)
{
	return BPF_CORE_READ(file, f_path.dentry, d_parent, d_inode, i_ino);
}

static __always_inline __u32 file_name_check(struct file *file, __u64 directory)
{
	return ps_name_check(BPF_CORE_READ(file, f_path.dentry, d_name.hash), directory);
}

static __always_inline bool file_is_written(struct file *file)
{
	return BPF_CORE_READ((struct file___modes *)file, f_mode) & FMODE_WRITE;
}

static __always_inline __u64 file_size(struct file *file)
{
	struct inode___sizes *inode = (void *)BPF_CORE_READ(file, f_inode);

	return BPF_CORE_READ(inode, i_size);
}

/* Descriptors, mappings and others that use it now. */
static __always_inline __u64 file_references(struct file *file)
{
	struct file___since_6_13 *now = (void *)file;
	struct file___before_6_13 *before = (void *)file;

	if (bpf_core_field_exists(now->f_ref))
		return BPF_CORE_READ(now, f_ref.refcnt.counter) + 1;
	return BPF_CORE_READ(before, f_count.counter);
}

/* Whether closing one descriptor of current's closes the file. */
static __always_inline bool file_is_last(struct file *file)
{
	return file_references(file) == 1;
}

#endif
