/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounted file systems, from /proc/PID/mountinfo. */
#ifndef PROC_MOUNTS_H
#define PROC_MOUNTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mount {
	uint32_t id; /* as the kernel counts them */
	uint64_t device; /* makedev(major, minor) */
	const struct mount *parent; /* the one it is mounted on; NULL: none of these */
	const char *point; /* where it is mounted */
	const char *filesystem; /* "ext4", "ceph", "fuse.ceph-fuse"… */
};

struct mounts;

/* The mounts that a process sees. -ESRCH: it is gone; -EBADMSG; -ENOMEM. */
int mounts__read(pid_t pid, struct mounts **ret_mounts);
/* The same from the text of a mountinfo file. */
int mounts__parse(const char *text, struct mounts **ret_mounts);
void mounts__free(struct mounts *mounts); /* NULL is accepted */

/* Each is borrowed until mounts__free; NULL: there is none. */
const struct mount *mounts__by_id(const struct mounts *mounts, uint32_t id);
/* The one that an absolute path lies on; not one that is hidden below another. */
const struct mount *mounts__by_path(const struct mounts *mounts, const char *path);
size_t mounts__count(const struct mounts *mounts);
const struct mount *mounts__at(const struct mounts *mounts, size_t index);

#endif
