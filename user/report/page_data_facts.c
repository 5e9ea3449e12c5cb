// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "base/array.h"
#include "report/page_data.h"

static int add_usage(struct page_data *data)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->usage_count && !error; i++) {
		const struct usage_fact *fact = &tables->usage[i];
		uint32_t epoch = data->epoch_of[fact->epoch];

		data->epochs[epoch].user_ns += (double)fact->user_ns;
		data->epochs[epoch].system_ns += (double)fact->system_ns;
		error = page_rows__add(
			&data->usage,
			&(struct page_row){{epoch, page_data__bucket(data, fact->slice)},
					   {(double)fact->cpu_ns}});
	}
	return error;
}

static int add_waits(struct page_data *data)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->wait_count && !error; i++) {
		const struct wait_fact *fact = &tables->waits[i];

		error = page_rows__add(&data->waits,
				       &(struct page_row){{data->epoch_of[fact->epoch], fact->class,
							   page_data__bucket(data, fact->slice)},
							  {fact->count, fact->ns}});
	}
	return error;
}

int page_data__outcome(struct page_outcome **outcomes, uint32_t *count, size_t *capacity,
		       struct tuple_set *set, const struct io_fact *fact, uint32_t *ret_outcome)
{
	uint32_t index;
	int error;

	error = tuple_set__add(set, (const uint64_t[]){fact->op, fact->error}, &index);
	if (!error)
		error = array__reserve(outcomes, capacity, sizeof(**outcomes), (size_t)index + 1);
	if (error)
		return error;
	if (index == *count)
		(*outcomes)[(*count)++] =
			(struct page_outcome){.op = fact->op, .error = fact->error};
	*ret_outcome = index;
	return 0;
}

static int add_io(struct page_data *data)
{
	const struct tables *tables = data->tables;
	struct tuple_set *outcomes = tuple_set__new(2);
	int error = outcomes ? 0 : -ENOMEM;

	for (size_t i = 0; i < tables->io_count && !error; i++) {
		const struct io_fact *fact = &tables->io[i];
		uint32_t outcome, file = fact->file == NO_INDEX ? 0 : data->file_of[fact->file];

		error = page_data__outcome(&data->outcomes, &data->outcome_count,
					   &data->outcome_capacity, outcomes, fact, &outcome);
		if (!error)
			error = page_rows__add(
				&data->io,
				&(struct page_row){{data->epoch_of[fact->epoch], file, outcome,
						    page_data__bucket(data, fact->slice)},
						   {(double)fact->count, (double)fact->bytes,
						    (double)fact->ns}});
	}
	tuple_set__free(outcomes);
	return error;
}

/* Of single processes the page knows it from their start and end. */
static int add_life(struct page_data *data, uint32_t index)
{
	const struct tables *tables = data->tables;
	const struct table_epoch *epoch = &tables->epochs[index];
	int64_t end = epoch->end_ns < tables->end_ns ? epoch->end_ns : tables->end_ns;
	int64_t from = epoch->start_ns > 0 ? epoch->start_ns : 0;
	int error = 0;

	for (uint32_t bucket = 0; bucket < data->bucket_count && from < end && !error; bucket++) {
		int64_t to = data->bucket_ends[bucket] < end ? data->bucket_ends[bucket] : end;

		if (to <= from)
			continue;
		error = page_rows__add(
			&data->alive,
			&(struct page_row){{data->epoch_of[index], bucket}, {(double)(to - from)}});
		from = to;
	}
	return error;
}

int page_data__add_facts(struct page_data *data)
{
	int error;

	error = add_usage(data);
	if (!error)
		error = add_waits(data);
	if (!error)
		error = add_io(data);
	for (uint32_t i = 0; i < data->tables->epoch_count && !error; i++)
		if (page_data__is_many(data, data->epoch_of[i]))
			error = add_life(data, i);
	page_rows__merge(&data->alive);
	page_rows__merge(&data->usage);
	page_rows__merge(&data->waits);
	page_rows__merge(&data->io);
	return error;
}
