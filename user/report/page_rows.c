// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/page_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* So many new rows between two sums: a recording has many more facts than the page has rows. */
#define MERGE_AT (1U << 20)

static int compare_rows(const void *one, const void *other)
{
	const struct page_row *a = one, *b = other;

	for (size_t i = 0; i < PAGE_ROW_KEYS; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return 0;
}

int page_rows__add(struct page_rows *rows, const struct page_row *row)
{
	int error;

	if (rows->count == rows->capacity && rows->count >= MERGE_AT)
		page_rows__merge(rows);
	error = array__reserve(&rows->rows, &rows->capacity, sizeof(*rows->rows), rows->count + 1);
	if (!error)
		rows->rows[rows->count++] = *row;
	return error;
}

static void add(bool most, double *to, double value)
{
	if (!most)
		*to += value;
	else if (*to < value)
		*to = value;
}

void page_rows__merge(struct page_rows *rows)
{
	size_t kept = 0;

	if (!rows->count)
		return;
	qsort(rows->rows, rows->count, sizeof(*rows->rows), compare_rows);
	for (size_t i = 1; i < rows->count; i++) {
		struct page_row *last = &rows->rows[kept];

		if (compare_rows(last, &rows->rows[i])) {
			rows->rows[++kept] = rows->rows[i];
			continue;
		}
		for (size_t value = 0; value < PAGE_ROW_VALUES; value++)
			add(rows->most, &last->value[value], rows->rows[i].value[value]);
	}
	rows->count = kept + 1;
}

void page_rows__clear(struct page_rows *rows)
{
	free(rows->rows);
	*rows = (struct page_rows){0};
}
