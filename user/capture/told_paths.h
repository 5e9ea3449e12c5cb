/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of the events that tell names: what BPF has read, put together. */
#ifndef CAPTURE_TOLD_PATHS_H
#define CAPTURE_TOLD_PATHS_H

#include <stdint.h>

struct ps_file_event;

/* text: event->text_size bytes. All paths are the caller's to free; NULL: no memory. */

/* Of a file: the names that lead to it. */
char *told_path__of_file(const struct ps_file_event *event, const char *text);

/* Of a path: as the call told it, below the directory that it is relative to, cleaned; ".../path"
 * when nobody can tell that directory. */
char *told_path__resolve(const struct ps_file_event *event, const char *text);

/* The directory under which BPF charges such a path when it has no room for it, with a slash at its
 * end; *ret_hash: what BPF calls it. That of a relative path is what the path is relative to. */
char *told_path__directory(const struct ps_file_event *event, const char *text, uint64_t *ret_hash);

#endif
