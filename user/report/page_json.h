/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data of the HTML page as one JSON object in UTF-8: no control character but line ends, no
 * '<',
 * '>' or '&'. docs/INTERNALS.md tells what is in it. */
#ifndef REPORT_PAGE_JSON_H
#define REPORT_PAGE_JSON_H

#include <stddef.h>

#include "model/summary.h"
#include "report/page_data.h"

/* Parts of the text, in this order, behind what the recording says about itself. */
enum page_section {
	PAGE_WHO,
	PAGE_QUANTA,
	PAGE_FILES,
	PAGE_COUNTED,
	PAGE_OPERATIONS,
	PAGE_CEPH,
	PAGE_STACKS,
	PAGE_SAMPLED,
	PAGE_STRINGS,
	PAGE_SECTIONS
};

struct page_text {
	char *bytes; /* malloc'ed */
	size_t size;
	size_t sections[PAGE_SECTIONS]; /* bytes of each */
};

/* data is of these tables. -ENOMEM, -EOVERFLOW, -EBADMSG, -EIO. */
int page_json__make(struct tables *tables, const struct summary *summary,
		    const struct page_data *data, struct page_text *ret_text);

#endif
