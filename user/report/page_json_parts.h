/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How page_json.c and its sections print. Errors are kept in struct printing. */
#ifndef REPORT_PAGE_JSON_PARTS_H
#define REPORT_PAGE_JSON_PARTS_H

#include <stdio.h>

#include "report/page_data.h"

struct printing {
	FILE *stream;
	struct tables *tables;
	const struct summary *summary;
	const struct page_data *data;
	struct tuple_set *strings; /* interned pointers */
	struct tuple_set *functions; /* indices of those in use */
	uint32_t cut_names;
	int error;
};

/* The index of an interned text, or one of static life; -1 for NULL. */
void page_json__string(struct printing *printing, const char *text);
void page_json__own(struct printing *printing, char *text); /* frees it; NULL: no memory */
void page_json__text(struct printing *printing, const char *text);
void page_json__comma(struct printing *printing, size_t position);

/* Sections and parts of them, in page_json_quanta.c and page_json_others.c. */
void page_json__quanta(struct printing *printing);
void page_json__storage(struct printing *printing);
void page_json__memory(struct printing *printing);
void page_json__ceph(struct printing *printing);

#endif
