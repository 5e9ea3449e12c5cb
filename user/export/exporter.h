/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats of other viewers: one file each, and one table. */
#ifndef EXPORT_EXPORTER_H
#define EXPORT_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/query.h"

struct exporter {
	const char *name;
	const char *suffix; /* that viewers expect of a file's name */
	const char *viewers;
	bool binary; /* nothing for a terminal */

	/* Gives a request what the format means when its user does not say: keys, metric. What it
	 * then measures is request->metric; NULL: every metric. */
	void (*complete)(struct query_request *request);
	/* Why a completed request cannot be shown in this format, in words for people; NULL: it
	 * can. */
	const char *(*refusal)(const struct query_request *request);
	/* Of a completed request that is not refused. Row after row, so that no second copy of the
	 * figures is made. -ENOMEM; -EIO: the stream failed; -EBADMSG: figures that no recorder
	 * makes. */
	int (*write)(FILE *stream, struct tables *tables, const struct query_request *request);
};

/* NULL: there is none of this name, or none behind the last. */
const struct exporter *exporter__find(const char *name);
const struct exporter *exporter__at(size_t position);

/* Fractions as whole numbers of the same sum: each is rounded so that the sum of all so far is off
 * by at most a half. */
struct rounding {
	double sum;
	int64_t given;
};

/* Values below 0 count as 0. -EBADMSG: the sum is beyond any recording's. */
int rounding__next(struct rounding *rounding, double value, int64_t *ret_whole);

extern const struct exporter collapsed__exporter, csv__exporter, dot__exporter, perfetto__exporter,
	pprof__exporter, pstats__exporter, speedscope__exporter;

#endif
