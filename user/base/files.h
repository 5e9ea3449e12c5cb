/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, read whole: /proc, /sys, rules; and pieces of large ones. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Reads at most `limit` bytes of path into a malloc'ed buffer with a NUL behind it. The size
 * that stat() tells is not trusted (/proc says 0). -EFBIG when there is more than limit. */
int file__read(const char *path, size_t limit, char **ret_text, size_t *ret_size);

/* The same, but what is beyond limit is left out without an error (command lines). */
int file__read_start(const char *path, size_t limit, char **ret_text, size_t *ret_size);

/* Reads size bytes at offset, whatever the file's position is. -EBADMSG: the file ends before. */
int file__read_at(int fd, uint64_t offset, void *destination, size_t size);

#endif
