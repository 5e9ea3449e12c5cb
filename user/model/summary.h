/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording says about itself: how it was made, how good it is, what it cost. */
#ifndef MODEL_SUMMARY_H
#define MODEL_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/tables.h"

struct summary_meta {
	const char *key, *value;
};

struct summary_counter {
	const char *name, *meaning;
	int64_t value;
	bool loss; /* samples, events or rows were lost by it */
};

struct summary_ending {
	const char *name, *meaning;
	bool ok; /* the stack holds all that the recorder can show */
	int64_t samples[SOURCE_COUNT];
};

/* Of one source: samples; those that met a Python stack, and those of them whose frames are
 * complete and named. An operation is a sample for each of its figures that it was chosen for. */
struct summary_stacks {
	int64_t samples, python, named;
};

struct summary_program {
	const char *name;
	int64_t runs, run_ns;
};

/* Texts are borrowed from the tables. */
struct summary {
	bool complete; /* false: the recorder was cut off */
	double elapsed_s;
	double cpu_s; /* exact, of all processes */
	double offcpu_s, io_s; /* the same of waiting, and of time in file operations */
	double ceph_s; /* of requests of CephFS */
	double mem[SHARE_COUNT]; /* of memory, by SHARE_: bytes, faults */
	double alloc[SHARE_COUNT]; /* of allocations, in windows */
	struct summary_meta *meta;
	struct summary_counter *counters;
	struct summary_ending *endings; /* every known one, also with 0 samples */
	struct summary_program *programs; /* none unless the recorder was asked to measure */
	size_t meta_count, counter_count, ending_count, program_count;

	struct summary_stacks stacks[SOURCE_COUNT];

	/* The recorder's own: of its start, and afterwards, in percent of one CPU. */
	double startup_cpu_s, recorder_cpu_s, recorder_cpu_percent;
	int64_t recorder_max_rss_bytes;
	double programs_cpu_s, programs_cpu_percent;
};

/* -EBADMSG, -ENOMEM, -EIO. */
int summary__load(struct tables *tables, struct summary **ret_summary);
void summary__free(struct summary *summary); /* NULL is accepted */

/* NULL: there is none. */
const char *summary__meta(const struct summary *summary, const char *key);

#endif
