/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of a recording fits into a page. */
#ifndef REPORT_PAGE_FIT_H
#define REPORT_PAGE_FIT_H

#include <stddef.h>

#include "model/summary.h"
#include "model/tables.h"

/* The data of the page, packed (packing.h), at most `most` bytes as far as putting together what is
 * small can reach that; malloc'ed. -ENOMEM, -EOVERFLOW, -EBADMSG, -EIO. */
int page_fit__pack(struct tables *tables, const struct summary *summary, size_t most,
		   char **ret_text, size_t *ret_size);

#endif
