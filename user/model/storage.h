/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of files: their dataset types, how many were written and how large, which were left
 * torn. The first two functions are private to what fills struct tables and struct query. */
#ifndef MODEL_STORAGE_H
#define MODEL_STORAGE_H

#include "model/query.h"

/* After files, epochs and slices. -EBADMSG, -ENOMEM, -EIO. */
int storage__load(struct tables *tables);

/* Fills query->row_storage, when the query has a key dataset. -ENOMEM. */
int storage__add(struct query *query);

/* A file in the whole recording: whether it was read, and that after it was written here in an
 * earlier slice; the bytes that its reads asked for, and of those the distinct ones, as in struct
 * query_reads.
 */
struct file_reads {
	bool read, here;
	double bytes, distinct;
};

/* Of each file, malloc'ed; NULL: no memory. */
struct file_reads *storage__reads_of_files(const struct tables *tables);

#endif
