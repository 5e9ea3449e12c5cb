// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and the other ends of sockets: waits for them, what was written, in which order was read.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "model/storage.h"
#include "report/page_data.h"

/* Number 0 is the file of unknown name. */
static uint32_t page_file(const struct page_data *data, uint32_t file)
{
	return file == NO_INDEX ? 0 : data->file_of[file];
}

static int add_waits_on(struct page_data *data)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->wait_on_count && !error; i++) {
		const struct wait_on_fact *fact = &tables->wait_on[i];

		error = page_rows__add(&data->waits_on,
				       &(struct page_row){{data->epoch_of[fact->epoch],
							   page_file(data, fact->file),
							   page_data__bucket(data, fact->slice)},
							  {fact->count, fact->ns}});
	}
	page_rows__merge(&data->waits_on);
	return error;
}

static int add_written(struct page_data *data)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->written_count && !error; i++) {
		const struct written_fact *fact = &tables->written[i];

		error = page_rows__add(
			&data->written,
			&(struct page_row){{data->epoch_of[fact->epoch],
					    page_file(data, fact->file),
					    page_data__bucket(data, fact->slice)},
					   {(double)fact->files, (double)fact->bytes}});
	}
	page_rows__merge(&data->written);
	return error;
}

static int add_patterns(struct page_data *data)
{
	const struct tables *tables = data->tables;
	int error = 0;

	for (size_t i = 0; i < tables->pattern_count && !error; i++) {
		const struct pattern_fact *fact = &tables->patterns[i];

		error = page_rows__add(
			&data->patterns,
			&(struct page_row){{data->epoch_of[fact->epoch],
					    page_file(data, fact->file),
					    page_data__bucket(data, fact->slice)},
					   {(double)fact->sequential, (double)fact->strided,
					    (double)fact->random, (double)fact->bytes}});
	}
	page_rows__merge(&data->patterns);
	return error;
}

/* What cannot be added up over parts of the recording. */
static int add_reads(struct page_data *data)
{
	_cleanup_free_ struct file_reads *reads = storage__reads_of_files(data->tables);

	if (!reads)
		return -ENOMEM;
	for (size_t i = 0; i < data->tables->file_count; i++) {
		struct page_file *file = &data->files[data->file_of[i]];

		file->read += reads[i].read;
		file->read_here += reads[i].here;
		file->asked += reads[i].bytes;
		file->distinct += reads[i].distinct;
	}
	return 0;
}

int page_data__add_storage(struct page_data *data)
{
	int error = add_waits_on(data);

	if (!error)
		error = add_written(data);
	if (!error)
		error = add_patterns(data);
	return error ? error : add_reads(data);
}
