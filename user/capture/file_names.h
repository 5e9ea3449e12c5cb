/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as the recording knows them: names told at first sight, rows for those that matter. */
#ifndef CAPTURE_FILE_NAMES_H
#define CAPTURE_FILE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"
#include "wire.h"

struct file_names;
struct recording_writer;
struct rules;

/* writer and rules are borrowed; rules NULL: no file has a dataset type. */
int file_names__new(struct recording_writer *writer, struct rules *rules,
		    struct file_names **ret_names);
void file_names__free(struct file_names *names);

/* A file or path at first sight; text: event->text_size bytes, checked by the caller. A file has
 * the name that was told last, two that have the same path share a row. */
int file_names__on_event(struct file_names *names, const struct ps_file_event *event,
			 const char *text);

/* The row of the file that key counts, written when it is new: an id or a negative errno.
 * Beyond FILES_MOST rows, files share the row of their directory, but for those that `matters`
 * (they get one until there are twice as many); beyond DIRECTORIES_MOST such rows that of their
 * mount. */
#define FILES_MOST	 100000
#define DIRECTORIES_MOST 50000
int64_t file_names__row(struct file_names *names, const struct ps_io_key *key, int matters);

/* A file that is only known as mapped, with the path that its mapping has. */
int file_names__on_mapped(struct file_names *names, const struct ps_io_key *key, const char *path);
int file_names__knows(const struct file_names *names, const struct ps_io_key *key);

/* A path was renamed: event->key is that of the old one, text the new one. */
int file_names__on_renamed(struct file_names *names, const struct ps_file_event *event,
			   const char *text);

/* A file was written and closed with this size. By how many files and bytes what was written grows:
 * one that was told before is none more. */
void file_names__on_written(struct file_names *names, const struct ps_io_key *key, int64_t size,
			    int64_t *ret_files, int64_t *ret_bytes);

/* A thread's slot has this file: its calls may go on at any time, and do not tell its name again.
 */
void file_names__in_use(struct file_names *names, const struct ps_io_key *key);

/* Whether names that BPF takes for known had to make room for others: it must tell them anew. And
 * that it will do so from now on. */
bool file_names__must_be_told(const struct file_names *names);
void file_names__tell_anew(struct file_names *names);

/* Renames that were not looked into, for there were too many, or whose old path names nothing that
 * is known while it may be a folder with files. */
uint64_t file_names__unfollowed(const struct file_names *names);

void file_names__on_slice(struct file_names *names);

/* For live recordings, before any name: fewer names and rows, so that memory stays what it is. */
void file_names__limit_live(struct file_names *names);

/* For live recordings: forgets names and rows that were not used since the last call, and
 * says so. BPF must tell all names anew. */
int file_names__sweep(struct file_names *names);

/* Index of a file system's histograms (PS_IO_FILESYSTEMS of them; 0: any other) → its name. */
const char *file_names__filesystem(const struct file_names *names, uint32_t index);
/* The file systems mounted now, for the map of BPF: calls tell for each with its statfs() magic. */
int file_names__each_filesystem(struct file_names *names,
				int (*tell)(void *context, uint64_t magic, uint32_t index),
				void *context);

#endif
