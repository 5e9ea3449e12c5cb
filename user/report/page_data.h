/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the HTML page gets of a recording, so small that a browser can hold it: time in buckets, and
 * what is least in one with its like. Sums over all of it are those of the recording.
 *
 * page_data.c says who (processes), when (buckets) and which files; page_data_facts.c adds what was
 * counted, page_data_storage.c what is known of files besides, page_data_others.c memory and
 * CephFS, page_data_samples.c what was sampled. */
#ifndef REPORT_PAGE_DATA_H
#define REPORT_PAGE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/tables.h"
#include "report/page_rows.h"

/* What is told of the file that a sampled operation was on. */
enum page_sample_files {
	PAGE_SAMPLES_ALONE,
	PAGE_SAMPLES_BY_MOUNT, /* a file of the same kind, mount and dataset */
	PAGE_SAMPLES_BY_FILE,
};

struct page_limits {
	uint32_t buckets; /* of time, at least 1 */
	uint32_t processes; /* one by one; the others in one per task and job, of as many tasks */
	uint32_t files; /* one by one; the others in one per mount, dataset and service */
	uint32_t quanta; /* one by one; the others in one epoch per process and task. And torn files
			  */
	uint32_t name_bytes; /* of a name, at least 16 */
	uint32_t sample_files; /* enum page_sample_files */
	double stack_floor; /* part of a metric's total; smaller stacks are "(other)"; 0: all */
};

/* Either a process of the recording or many of one task and job. */
struct page_process {
	uint32_t process; /* index into tables.processes; NO_INDEX: many */
	uint32_t count; /* how many */
};

struct page_epoch {
	uint32_t process; /* index into page_data.processes */
	const char *task, *job, *rule; /* of the tables; job, rule: NULL when there is none */
	uint32_t quantum; /* index into tables.quanta; NO_INDEX: none */
	bool many; /* epochs of the recording: of a process of many, or with many quanta */
	int64_t start_ns, end_ns; /* within the recording; of many: first and last */
	double elapsed_ns; /* within the recording; of many: the sum */
	double user_ns, system_ns;
	uint32_t failures;
	int64_t max_rss_bytes; /* NO_VALUE: not known */
};

struct page_file {
	const char *kind, *path, *filesystem, *mount; /* of the tables; path NULL: many */
	const char *dataset, *service; /* NULL: none */
	bool own; /* the address is that of the own end */
	uint32_t count;
	/* In all of the recording: of these how many were read, and of those written in an earlier
	 * slice; the bytes that reads asked for, and of those the distinct ones at least. */
	uint32_t read, read_here;
	double asked, distinct;
};

struct page_outcome {
	uint32_t op, error; /* index into tables.ops or tables.ceph_ops; errno */
};

/* What a sample's weight has to be multiplied by, by share. */
struct page_pool {
	enum source source;
	uint32_t epoch, item; /* page_data.epochs; tables.waits_for or tables.ops */
	double factor[SHARE_COUNT];
};

/* function NO_INDEX: "(other)" */
struct page_node {
	uint32_t parent, function, line; /* line: number, 0: none; parent: lower, NO_INDEX */
};

/* In the place of a node in samples. */
#define PAGE_NO_STACK	 0
#define PAGE_NOT_SAMPLED 1
#define PAGE_FIRST_NODE	 2

struct page_data {
	const struct tables *tables; /* borrowed */
	struct page_limits limits;
	int64_t *bucket_ends; /* ns; a bucket begins where the one before ends, the first at 0 */
	uint32_t bucket_count; /* facts of no known slice are in bucket number bucket_count */
	uint32_t *bucket_of; /* per slice of the tables */
	uint32_t *epoch_of; /* per epoch of the tables */
	uint32_t *file_of; /* per file of the tables */
	struct page_process *processes;
	struct page_epoch *epochs;
	struct page_file *files; /* the first is of unknown name */
	struct page_outcome *outcomes, *ceph_outcomes;
	const char **mounts; /* of CephFS; NULL: not known which */
	struct page_pool *pools;
	struct page_node *nodes;
	uint32_t process_count, epoch_count, file_count, outcome_count, pool_count, node_count;
	uint32_t ceph_outcome_count, mount_count;
	size_t pool_capacity, outcome_capacity, node_capacity, ceph_outcome_capacity;
	size_t mount_capacity;

	struct page_rows alive; /* (epoch, bucket): ns; only of epochs that are many */
	struct page_rows usage; /* (epoch, bucket): CPU ns */
	struct page_rows waits; /* (epoch, class, bucket): count, ns */
	struct page_rows io; /* (epoch, file, outcome, bucket): count, bytes, ns */
	struct page_rows waits_on; /* (epoch, file, bucket): count, ns */
	struct page_rows written; /* (epoch, file, bucket): files, bytes that they grew */
	struct page_rows patterns; /* (epoch, file, bucket): sequential, strided, random, bytes */
	struct page_rows levels; /* (epoch, bucket): bytes by LEVEL_, the mean of its slices */
	struct page_rows growth; /* (epoch, kind, bucket): bytes, faults */
	struct page_rows maps; /* (epoch, kind): live, peak */
	struct page_rows shortages; /* (epoch, enum mem_event_kind, bucket): count, bytes */
	struct page_rows ceph; /* (epoch, mount, outcome, bucket): count, bytes, ns */
	struct page_rows in_flight; /* (mount, op, bucket): most at once, age of the oldest, ns */
	/* (pool, share, node + PAGE_FIRST_NODE, bucket, file + 1 or 0): count, weight */
	struct page_rows samples;

	/* What was put together: how many, and how much at most of any metric's total. */
	uint32_t folded_processes, folded_files, folded_nodes, folded_quanta;
	double folded_share;
};

/* The tables must outlive the data. -ENOMEM, -EOVERFLOW. */
int page_data__new(const struct tables *tables, const struct page_limits *limits,
		   struct page_data **ret_data);
void page_data__free(struct page_data *data); /* NULL is accepted */

bool page_data__is_many(const struct page_data *data, uint32_t epoch);
uint32_t page_data__bucket(const struct page_data *data, uint32_t slice);

/* Steps of page_data__new. */
int page_data__add_facts(struct page_data *data);
int page_data__add_storage(struct page_data *data);
int page_data__add_memory(struct page_data *data);
int page_data__add_ceph(struct page_data *data);
int page_data__add_samples(struct page_data *data);

/* The index of (op, errno) in a list of outcomes, which grows. */
int page_data__outcome(struct page_outcome **outcomes, uint32_t *count, size_t *capacity,
		       struct tuple_set *set, const struct io_fact *fact, uint32_t *ret_outcome);

#endif
