/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two looks share. */
#ifndef TOP_LOOK_PRIVATE_H
#define TOP_LOOK_PRIVATE_H

#include "model/query.h"
#include "top/look.h"

/* The caller frees the tables, then closes the recording. */
int look__open(struct live_window *window, const struct live_choice *choice,
	       struct recording **ret_recording, struct tables **ret_tables);

/* Seconds that were chosen, really. */
double look__span(struct recording *recording);

/* By one key. */
int look__query(struct tables *tables, const char *key, const char *metric,
		struct query **ret_query);

/* Figures of one row of a query, per second. */
void look__take_figures(struct look_row *to, const struct tables *tables, const struct query *query,
			const struct query_row *from, double span_s);
void look__add_figures(struct look_row *to, const struct look_row *row);

/* Counts a process, if it lives, into the row that has it. */
void look__take_process(struct look_row *to, const struct table_process *process);

/* What the recorder tells of itself: into one of list and detail, the other is NULL. */
int look__take_summary(struct live_window *window, struct tables *tables, struct losses *losses,
		       struct look_list *list, struct look_detail *detail);

#endif
