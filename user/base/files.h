/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, read whole: /proc, /sys, rules. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stddef.h>

/* Reads at most `limit` bytes of path into a malloc'ed buffer with a NUL behind it. The size
 * that stat() tells is not trusted (/proc says 0). -EFBIG when there is more than limit. */
int file__read(const char *path, size_t limit, char **ret_text, size_t *ret_size);

/* The same, but what is beyond limit is left out without an error (command lines). */
int file__read_start(const char *path, size_t limit, char **ret_text, size_t *ret_size);

#endif
