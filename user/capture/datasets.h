/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kind of data (dataset type) a file of the recording holds, by rules of the kind path. A
 * file that is written under another name and then renamed into its place has the type of its
 * place. */
#ifndef CAPTURE_DATASETS_H
#define CAPTURE_DATASETS_H

#include <stdint.h>

struct datasets;
struct recording_writer;
struct rules;

/* All borrowed. rules NULL: no file has a type. */
int datasets__new(struct recording_writer *writer, struct rules *rules,
		  struct datasets **ret_datasets);
void datasets__free(struct datasets *datasets); /* NULL is accepted */

/* A new row of table file: writes its type, if it has one. 0 or a negative errno. */
int datasets__on_row(struct datasets *datasets, int64_t row, const char *path);

/* A file was renamed. from, to: cleaned (base/paths.h); row: what its old path has, 0 when none
 * yet.
 */
int datasets__on_renamed(struct datasets *datasets, const char *from, const char *to, int64_t row);

/* Renames are remembered until the old path gets its row, for a slice or two. */
void datasets__on_slice(struct datasets *datasets);

#endif
