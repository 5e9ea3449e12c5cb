/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of files that processes write: how many and how large they are when they are closed,
 * and which ones a killed process leaves torn. */
#ifndef CAPTURE_STORAGE_H
#define CAPTURE_STORAGE_H

#include <stdint.h>

#include "pattern.h"
#include "written.h"

struct file_names;
struct recording_writer;
struct storage;
struct tracker;

/* All borrowed. */
int storage__new(struct recording_writer *writer, struct tracker *tracker, struct file_names *files,
		 struct storage **ret_storage);
void storage__free(struct storage *storage); /* NULL is accepted */

/* A file that was written was closed; it counts at the end of the slice, when it may have been
 * renamed into its place. */
int storage__on_written(struct storage *storage, const struct ps_written_event *event);
int storage__on_torn(struct storage *storage, const struct ps_torn_event *event);

/* In which order an epoch has read a file since it was last told. */
int storage__on_pattern(struct storage *storage, const struct ps_pattern_key *key,
			const struct ps_pattern *pattern, int64_t slice);

/* At the end of a slice. */
int storage__end(struct storage *storage, int64_t slice);

#endif
