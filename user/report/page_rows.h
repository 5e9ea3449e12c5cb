/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures by keys, for the page: added one by one, then summed up where all keys are equal. */
#ifndef REPORT_PAGE_ROWS_H
#define REPORT_PAGE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_ROW_KEYS	5
#define PAGE_ROW_VALUES 4

struct page_row {
	uint32_t key[PAGE_ROW_KEYS];
	double value[PAGE_ROW_VALUES];
};

struct page_rows {
	struct page_row *rows; /* sorted by key after page_rows__merge */
	size_t count, capacity;
	bool most; /* of equal keys not the sum but the largest of each value; set before all rows
		    */
};

/* -ENOMEM, -EOVERFLOW. */
int page_rows__add(struct page_rows *rows, const struct page_row *row);
void page_rows__merge(struct page_rows *rows);
void page_rows__clear(struct page_rows *rows);

#endif
