/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine offers, found by trying, never by its version: one table for the recorder (may
 * it start?) and for doctor (what is lost?). */
#ifndef CAPTURE_FEATURES_H
#define CAPTURE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

struct feature {
	const char *name;
	bool required; /* without it nothing can be recorded */
	bool (*present)(void);
	const char *lost; /* what is lost without it */
	const char *remedy; /* how to get it */
};

const struct feature *features__table(size_t *ret_count);

/* The first required feature that is missing; NULL: none. Checks in the order of the table. */
const struct feature *features__missing(void);

bool feature__task_pt_regs(void);
bool feature__task_storage(void);
bool feature__tells_reclaim(void); /* that a thread frees memory for itself … */
bool feature__tells_group_reclaim(void); /* … or for its control group at its limit */
bool feature__growing_maps(void); /* perf events' programs may use them */
bool feature__rss_stat(void);

#endif
