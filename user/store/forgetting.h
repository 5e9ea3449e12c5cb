/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For recordings of which only the latest part is kept (recording_writer__stream): nothing will
 * refer to this row any more, nor (a frame) to what is inlined there. Errors as of other rows. */
#ifndef STORE_FORGETTING_H
#define STORE_FORGETTING_H

#include <stdint.h>

struct recording_writer;

int recording_writer__forget_stack(struct recording_writer *writer, int64_t id);
int recording_writer__forget_frame(struct recording_writer *writer, int64_t id);
int recording_writer__forget_function(struct recording_writer *writer, int64_t id);
int recording_writer__forget_file(struct recording_writer *writer, int64_t id);

#endif
