/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of files: their dataset types, how many were written and how large, which were left
 * torn. Private to what fills struct tables and struct query. */
#ifndef MODEL_STORAGE_H
#define MODEL_STORAGE_H

#include "model/query.h"

/* After files, epochs and slices. -EBADMSG, -ENOMEM, -EIO. */
int storage__load(struct tables *tables);

/* Fills query->row_storage, when the query has a key dataset. -ENOMEM. */
int storage__add(struct query *query);

#endif
