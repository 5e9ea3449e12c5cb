// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory, and what CephFS's client did. */
#include <errno.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "model/mem_levels.h"
#include "report/page_data.h"

/* --- memory */

struct levels {
	struct page_data *data;
	uint32_t *slices; /* of each bucket */
};

/* The mean of a bucket's slices, so that levels of processes can be added up. */
static int add_level(void *context, uint32_t epoch, uint32_t first, uint32_t last,
		     const double bytes[LEVEL_COUNT])
{
	const struct levels *levels = context;
	struct page_data *data = levels->data;
	int error = 0;

	while (first <= last && !error) {
		uint32_t bucket = data->bucket_of[first], end = first;
		struct page_row row = {.key = {data->epoch_of[epoch], bucket}};

		while (end <= last && data->bucket_of[end] == bucket)
			end++;
		for (size_t i = 0; i < LEVEL_COUNT; i++)
			row.value[i] = bytes[i] * (end - first) / levels->slices[bucket];
		error = page_rows__add(&data->levels, &row);
		first = end;
	}
	return error;
}

static int add_levels(struct page_data *data)
{
	_cleanup_free_ uint32_t *slices = calloc(data->bucket_count + 1, sizeof(*slices));
	struct levels levels = {data, slices};
	int error;

	if (!slices)
		return -ENOMEM;
	for (size_t i = 0; i < data->tables->slice_count; i++)
		slices[data->bucket_of[i]]++;
	error = mem_levels__each(data->tables, add_level, &levels);
	page_rows__merge(&data->levels);
	return error;
}

int page_data__add_memory(struct page_data *data)
{
	const struct tables *tables = data->tables;
	int error = add_levels(data);

	for (size_t i = 0; i < tables->mem_count && !error; i++) {
		const struct mem_fact *fact = &tables->mem[i];
		uint32_t epoch = data->epoch_of[fact->epoch];
		const double *shares = fact->shares;

		if (shares[SHARE_LIVE] > 0 || shares[SHARE_PEAK] > 0)
			error = page_rows__add(
				&data->maps,
				&(struct page_row){{epoch, fact->kind},
						   {shares[SHARE_LIVE], shares[SHARE_PEAK]}});
		if (!error && (shares[SHARE_BYTES] > 0 || shares[SHARE_OPS] > 0))
			error = page_rows__add(
				&data->growth,
				&(struct page_row){
					{epoch, fact->kind, page_data__bucket(data, fact->slice)},
					{shares[SHARE_BYTES], shares[SHARE_OPS]}});
	}
	for (size_t i = 0; i < tables->mem_event_count && !error; i++) {
		const struct mem_event_fact *fact = &tables->mem_events[i];

		error = page_rows__add(&data->shortages,
				       &(struct page_row){{data->epoch_of[fact->epoch], fact->kind,
							   page_data__bucket(data, fact->slice)},
							  {fact->count, fact->bytes}});
	}
	page_rows__merge(&data->growth);
	page_rows__merge(&data->maps);
	page_rows__merge(&data->shortages);
	return error;
}

/* --- CephFS */

static int find_mount(struct page_data *data, struct tuple_set *set, uint32_t file,
		      uint32_t *ret_mount)
{
	const char *mount = file == NO_INDEX ? NULL : data->tables->files[file].mount;
	int error = tuple_set__add(set, (const uint64_t[]){(uintptr_t)mount}, ret_mount);

	if (!error)
		error = array__reserve(&data->mounts, &data->mount_capacity, sizeof(*data->mounts),
				       (size_t)*ret_mount + 1);
	if (!error && *ret_mount == data->mount_count)
		data->mounts[data->mount_count++] = mount;
	return error;
}

static int add_operations(struct page_data *data, struct tuple_set *mounts,
			  struct tuple_set *outcomes)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->ceph_count && !error; i++) {
		const struct io_fact *fact = &tables->ceph[i];
		uint32_t mount, outcome;

		error = find_mount(data, mounts, fact->file, &mount);
		if (!error)
			error = page_data__outcome(&data->ceph_outcomes, &data->ceph_outcome_count,
						   &data->ceph_outcome_capacity, outcomes, fact,
						   &outcome);
		if (!error)
			error = page_rows__add(
				&data->ceph,
				&(struct page_row){{data->epoch_of[fact->epoch], mount, outcome,
						    page_data__bucket(data, fact->slice)},
						   {(double)fact->count, (double)fact->bytes,
						    (double)fact->ns}});
	}
	return error;
}

static int add_in_flight(struct page_data *data, struct tuple_set *mounts)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->ceph_in_flight_count && !error; i++) {
		const struct ceph_in_flight_fact *fact = &tables->ceph_in_flight[i];
		struct page_row row = {{0, fact->op, page_data__bucket(data, fact->slice)},
				       {(double)fact->count, (double)fact->oldest_ns}};

		error = find_mount(data, mounts, fact->file, &row.key[0]);
		if (!error)
			error = page_rows__add(&data->in_flight, &row);
	}
	return error;
}

int page_data__add_ceph(struct page_data *data)
{
	struct tuple_set *mounts = tuple_set__new(1), *outcomes = tuple_set__new(2);
	const struct tables *tables = data->tables;
	int error = mounts && outcomes ? 0 : -ENOMEM;

	data->in_flight.most = true;
	if (!error)
		error = add_operations(data, mounts, outcomes);
	if (!error)
		error = add_in_flight(data, mounts);
	for (size_t i = 0; i < tables->ceph_histogram_count && !error; i++) {
		uint32_t mount;

		error = find_mount(data, mounts, tables->ceph_histograms[i].file, &mount);
	}
	page_rows__merge(&data->ceph);
	page_rows__merge(&data->in_flight);
	tuple_set__free(mounts);
	tuple_set__free(outcomes);
	return error;
}
