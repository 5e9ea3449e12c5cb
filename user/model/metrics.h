/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a query can measure. */
#ifndef MODEL_METRICS_H
#define MODEL_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/facts.h"

enum metric_value {
	METRIC_CPU,
	METRIC_SAMPLES,
	METRIC_OFFCPU,
	METRIC_WAITS,
	METRIC_HELD,
	METRIC_IO_TIME,
	METRIC_READ_BYTES,
	METRIC_WRITE_BYTES,
	METRIC_OPS,
	METRIC_ERRORS,
	METRIC_WAITED,
	METRIC_CEPH_TIME,
	METRIC_CEPH_OPS,
	METRIC_CEPH_READ_BYTES,
	METRIC_CEPH_WRITE_BYTES,
	METRIC_RSS_GROWTH,
	METRIC_FAULTS,
	METRIC_MMAP_LIVE,
	METRIC_MMAP_PEAK,
	METRIC_ALLOC_BYTES,
	METRIC_ALLOC_COUNT,
	METRIC_ALLOC_KEPT
};

struct metric {
	const char *name;
	const char *meaning;
	enum metric_value value;
	enum source source;
	bool only_exact; /* no sample knows it */
};

/* What a metric's figures are, as query__measure gives them. */
enum metric_unit { UNIT_COUNT, UNIT_NANOSECONDS, UNIT_BYTES };

/* NULL: there is none of this name. */
const struct metric *metric__find(const char *name);

/* NULL behind the last; for lists in messages. */
const struct metric *metric__at(size_t position);

enum metric_unit metric__unit(const struct metric *metric);

#endif
