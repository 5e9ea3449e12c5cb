/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by writer.c and writer_rows.c. */
#ifndef STORE_WRITER_PRIVATE_H
#define STORE_WRITER_PRIVATE_H

#include "store/rows.h"
#include "store/writer.h"

#define NUMBER(value)                                                                              \
	{                                                                                          \
		.number = (value)                                                                  \
	}
#define TEXT(value)                                                                                \
	{                                                                                          \
		.text = (value), .size = (value) ? strlen(value) : 0                               \
	}

/* Encodes a row into the queue; what the cells point to is copied. -ENOBUFS: there is no room and
 * the row was dropped; -ENOMEM; what the writer's thread met with, from then on. */
int recording_writer__put(struct recording_writer *writer, enum row_kind kind,
			  struct row_cell *cells);

#endif
