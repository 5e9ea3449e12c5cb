// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/storage.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/loading.h"
#include "model/query_private.h"
#include "pattern.h"

/* --- loading */

static int load_dataset(struct tables *tables, struct row *row)
{
	uint32_t file = row__file(row, 0, tables->loading);
	const char *type = tables__intern(tables, row__text(row, 1));

	if (!type)
		return -ENOMEM;
	if (file != NO_INDEX && *type)
		tables->files[file].dataset = type;
	return 0;
}

static int load_renamed(struct tables *tables, struct row *row)
{
	struct renamed_fact fact = {row__file(row, 0, tables->loading),
				    row__file(row, 1, tables->loading)};

	if (fact.file == NO_INDEX || fact.new_file == NO_INDEX)
		return 0;
	return APPEND(tables, renamed, tables->renamed_count, RENAMED, fact);
}

static int load_written(struct tables *tables, struct row *row)
{
	struct written_fact fact = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.slice = row__reference(row, 1, &tables->loading->slices),
		.file = row__file(row, 2, tables->loading),
		.files = row__number(row, 3, 0, TIME_LIMIT),
		.bytes = row__number(row, 4, -TIME_LIMIT, TIME_LIMIT),
	};

	if (fact.epoch == NO_INDEX)
		return -EBADMSG;
	return APPEND(tables, written, tables->written_count, WRITTEN, fact);
}

static int load_pattern(struct tables *tables, struct row *row)
{
	struct pattern_fact fact = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.slice = row__reference(row, 1, &tables->loading->slices),
		.file = row__file(row, 2, tables->loading),
		.sequential = row__number(row, 3, 0, TIME_LIMIT),
		.strided = row__number(row, 4, 0, TIME_LIMIT),
		.random = row__number(row, 5, 0, TIME_LIMIT),
		.bytes = row__number(row, 6, 0, TIME_LIMIT),
		.parts = (uint64_t)row__number(row, 7, 0, INT64_MAX),
		.part_bytes = row__number(row, 8, 1, TIME_LIMIT),
	};

	if (fact.epoch == NO_INDEX || fact.part_bytes & (fact.part_bytes - 1))
		return -EBADMSG;
	return APPEND(tables, patterns, tables->pattern_count, PATTERNS, fact);
}

static int load_open_time(struct tables *tables, struct row *row)
{
	struct open_time_fact fact = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.slice = row__reference(row, 1, &tables->loading->slices),
		.file = row__file(row, 2, tables->loading),
		.count = row__number(row, 3, 0, TIME_LIMIT),
		.ns = row__number(row, 4, 0, TIME_LIMIT),
		.longest_ns = row__number(row, 5, 0, TIME_LIMIT),
		.open = row__number(row, 6, 0, 1),
	};

	if (fact.epoch == NO_INDEX)
		return -EBADMSG;
	return APPEND(tables, open_times, tables->open_time_count, OPEN_TIMES, fact);
}

static int load_torn(struct tables *tables, struct row *row)
{
	struct torn_fact fact = {
		.epoch = row__reference(row, 0, &tables->loading->epochs),
		.file = row__file(row, 1, tables->loading),
		.cause = tables__intern(tables, row__text(row, 2)),
		.code = row__number(row, 3, 0, 255),
		.appended = row__number(row, 4, 0, 1),
		.bytes = row__number(row, 5, 0, TIME_LIMIT),
		.size = row__number(row, 6, 0, INT64_MAX),
		.open_ns = row__time(row, 7),
		.write_ns = row__time(row, 8),
		.time_ns = row__time(row, 9),
	};

	if (fact.epoch == NO_INDEX)
		return -EBADMSG;
	if (!fact.cause)
		return -ENOMEM;
	return APPEND(tables, torn, tables->torn_count, TORN, fact);
}

int storage__load(struct tables *tables)
{
	int error = tables__load_rows(tables, "SELECT file, type FROM dataset", load_dataset);

	error = error
			?: tables__load_rows(tables,
					     "SELECT file, new_file FROM renamed ORDER BY rowid",
					     load_renamed);
	error = error
			?: tables__load_rows(tables,
					     "SELECT epoch, slice, file, files, bytes FROM written",
					     load_written);
	error = error
			?: tables__load_rows(tables,
					     "SELECT epoch, slice, file, sequential, strided,"
					     " random, bytes, parts, part_bytes FROM read_pattern",
					     load_pattern);
	error = error
			?: tables__load_rows(tables,
					     "SELECT epoch, slice, file, count, ns, longest_ns,"
					     " open FROM open_time",
					     load_open_time);
	return error
		       ?: tables__load_rows(
				  tables,
				  "SELECT epoch, file, cause, code, appended, bytes, size,"
				  " open_ns, write_ns, time_ns FROM torn ORDER BY time_ns,"
				  " rowid",
				  load_torn);
}

/* --- the figures of a query */

static int row_of(struct query *query, const struct fact *fact, uint32_t *ret_row)
{
	uint32_t prefix;
	int error = query__prefix_of(query, fact, &prefix);

	error = error ?: query__row_of(query, prefix, query->places.not_sampled, ret_row);
	if (error)
		return error;
	error = array__reserve(&query->row_storage, &query->storage_capacity,
			       sizeof(*query->row_storage), query->row_count + 1);
	while (!error && query->storage_count < query->row_count)
		query->row_storage[query->storage_count++] = (struct query_storage){0};
	return error;
}

static int add_written(struct query *query)
{
	const struct tables *tables = query->tables;
	int error = 0;

	for (size_t i = 0; i < tables->written_count && !error; i++) {
		const struct written_fact *written = &tables->written[i];
		struct fact fact = {{written->epoch, NO_INDEX, written->slice, NO_INDEX, NO_INDEX,
				     written->file, NO_INDEX}};
		uint32_t row;

		if (!query__passes(query, &fact))
			continue;
		error = row_of(query, &fact, &row);
		if (error)
			break;
		query->row_storage[row].written_files += (uint64_t)written->files;
		query->row_storage[row].written_size += (double)written->bytes;
	}
	return error;
}

/* Of each file the first slice in which anybody wrote to it; NO_INDEX: none. NULL: no memory. */
static uint32_t *first_writes(const struct tables *tables)
{
	uint32_t *first = malloc((tables->file_count + 1) * sizeof(*first));

	if (!first)
		return NULL;
	memset(first, 0xff, (tables->file_count + 1) * sizeof(*first));
	for (size_t i = 0; i < tables->io_count; i++) {
		const struct io_fact *io = &tables->io[i];

		if (io->file != NO_INDEX && io->slice != NO_INDEX && io->bytes &&
		    tables->ops[io->op].direction == OP_WRITES && io->slice < first[io->file])
			first[io->file] = io->slice;
	}
	for (size_t i = 0; i < tables->renamed_count; i++) {
		uint32_t before = first[tables->renamed[i].file];

		if (before < first[tables->renamed[i].new_file])
			first[tables->renamed[i].new_file] = before;
	}
	return first;
}

/* Within a slice nothing tells what came first, a read or a write. */
static bool was_written_before(const uint32_t *first_writes, const struct io_fact *read)
{
	return read->slice != NO_INDEX && first_writes[read->file] < read->slice;
}

/* Files that were read, each once in a row, and those of them that had been written here in an
 * earlier slice. */
static int add_read(struct query *query)
{
	const struct tables *tables = query->tables;
	_cleanup_free_ uint32_t *written = first_writes(tables);
	struct tuple_set *read = tuple_set__new(2), *here = tuple_set__new(2);
	int error = written && read && here ? 0 : -ENOMEM;

	for (size_t i = 0; i < tables->io_count && !error; i++) {
		const struct io_fact *io = &tables->io[i];
		struct fact fact = {
			{io->epoch, NO_INDEX, io->slice, NO_INDEX, io->op, io->file, NO_INDEX}};
		size_t before;
		uint32_t row, pair;

		if (io->file == NO_INDEX || !io->bytes ||
		    tables->ops[io->op].direction != OP_READS ||
		    strcmp(tables->files[io->file].kind, "file") || !query__passes(query, &fact))
			continue;
		error = row_of(query, &fact, &row);
		if (!error && !strcmp(tables->ops[io->op].name, "read"))
			query->row_storage[row].reads.all += (uint64_t)io->count;
		before = tuple_set__count(read);
		error = error ?: tuple_set__add(read, (const uint64_t[]){row, io->file}, &pair);
		if (!error)
			query->row_storage[row].read_files += tuple_set__count(read) - before;
		if (error || !was_written_before(written, io))
			continue;
		before = tuple_set__count(here);
		error = tuple_set__add(here, (const uint64_t[]){row, io->file}, &pair);
		if (!error)
			query->row_storage[row].read_here += tuple_set__count(here) - before;
	}
	tuple_set__free(read);
	tuple_set__free(here);
	return error;
}

/* What was read of one file in one row. */
struct read_parts {
	uint64_t parts;
	uint32_t shift; /* a part has 2^shift bytes */
	double bytes;
	uint32_t row;
};

static void add_parts(struct read_parts *to, const struct pattern_fact *pattern)
{
	uint32_t shift = (uint32_t)__builtin_ctzll((uint64_t)pattern->part_bytes);

	/* Of a file that grew the parts are others: the larger ones count. */
	if (shift > to->shift) {
		to->parts = ps_parts_coarser(to->parts, shift - to->shift);
		to->shift = shift;
	}
	to->parts |= ps_parts_coarser(pattern->parts, to->shift - shift);
	to->bytes += (double)pattern->bytes;
}

static void add_reads(struct query_reads *reads, const struct read_parts *file)
{
	double parts = ldexp(__builtin_popcountll(file->parts), (int)file->shift);

	reads->distinct += parts < file->bytes ? parts : file->bytes;
}

/* In which order files were read; what several epochs of a row have read of a file is put together.
 */
static int add_patterns(struct query *query)
{
	const struct tables *tables = query->tables;
	_cleanup_free_ struct read_parts *files = NULL;
	struct tuple_set *pairs = tuple_set__new(2);
	size_t count = 0, capacity = 0;
	int error = pairs ? 0 : -ENOMEM;

	for (size_t i = 0; i < tables->pattern_count && !error; i++) {
		const struct pattern_fact *pattern = &tables->patterns[i];
		struct fact fact = {{pattern->epoch, NO_INDEX, pattern->slice, NO_INDEX, NO_INDEX,
				     pattern->file, NO_INDEX}};
		struct query_reads *reads;
		uint32_t row, pair;

		if (pattern->file == NO_INDEX ||
		    strcmp(tables->files[pattern->file].kind, "file") ||
		    !query__passes(query, &fact))
			continue;
		error = row_of(query, &fact, &row);
		error = error
				?: tuple_set__add(pairs, (const uint64_t[]){row, pattern->file},
						  &pair);
		error = error ?: array__reserve(&files, &capacity, sizeof(*files), count + 1);
		if (error)
			break;
		if (pair == count)
			files[count++] = (struct read_parts){.row = row};
		add_parts(&files[pair], pattern);
		reads = &query->row_storage[row].reads;
		reads->sequential += (uint64_t)pattern->sequential;
		reads->strided += (uint64_t)pattern->strided;
		reads->random += (uint64_t)pattern->random;
		reads->bytes += (double)pattern->bytes;
	}
	for (size_t i = 0; i < count && !error; i++)
		add_reads(&query->row_storage[files[i].row].reads, &files[i]);
	tuple_set__free(pairs);
	return error;
}

static int add_file_parts(const struct tables *tables, struct file_reads *files)
{
	_cleanup_free_ struct read_parts *parts = calloc(tables->file_count + 1, sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < tables->pattern_count; i++) {
		const struct pattern_fact *pattern = &tables->patterns[i];

		if (pattern->file == NO_INDEX || strcmp(tables->files[pattern->file].kind, "file"))
			continue;
		add_parts(&parts[pattern->file], pattern);
		files[pattern->file].bytes += (double)pattern->bytes;
	}
	for (size_t i = 0; i < tables->file_count; i++) {
		struct query_reads reads = {0};

		add_reads(&reads, &parts[i]);
		files[i].distinct = reads.distinct;
	}
	return 0;
}

struct file_reads *storage__reads_of_files(const struct tables *tables)
{
	struct file_reads *files = calloc(tables->file_count + 1, sizeof(*files));
	_cleanup_free_ uint32_t *written = first_writes(tables);

	if (!files || !written || add_file_parts(tables, files)) {
		free(files);
		return NULL;
	}
	for (size_t i = 0; i < tables->io_count; i++) {
		const struct io_fact *io = &tables->io[i];

		if (io->file == NO_INDEX || !io->bytes ||
		    tables->ops[io->op].direction != OP_READS ||
		    strcmp(tables->files[io->file].kind, "file"))
			continue;
		files[io->file].read = true;
		files[io->file].here |= was_written_before(written, io);
	}
	return files;
}

static int add_open_times(struct query *query)
{
	const struct tables *tables = query->tables;
	int error = 0;

	for (size_t i = 0; i < tables->open_time_count && !error; i++) {
		const struct open_time_fact *time = &tables->open_times[i];
		struct fact fact = {{time->epoch, NO_INDEX, time->slice, NO_INDEX, NO_INDEX,
				     time->file, NO_INDEX}};
		struct query_open *open;
		uint32_t row;

		if (!query__passes(query, &fact))
			continue;
		error = row_of(query, &fact, &row);
		if (error)
			break;
		open = time->open ? &query->row_storage[row].still_open
				  : &query->row_storage[row].closed;
		open->count += (uint64_t)time->count;
		open->ns += (double)time->ns;
		if ((double)time->longest_ns > open->longest_ns)
			open->longest_ns = (double)time->longest_ns;
	}
	return error;
}

int storage__add(struct query *query)
{
	bool wanted = false;
	int error;

	for (size_t i = 0; i < query->request.key_count; i++)
		wanted |= !strcmp(query->request.keys[i]->name, "dataset") ||
			  !strcmp(query->request.keys[i]->name, "file");
	/* It is known of files, not of who worked at them. */
	if (!wanted || query->estimated || !query->knows[SOURCE_IO] || query->by_scope[SCOPE_OP])
		return 0;
	query->storage = true;
	error = add_written(query);
	error = error ?: add_read(query);
	error = error ?: add_patterns(query);
	return error ?: add_open_times(query);
}

const struct query_storage *query__storage(const struct query *query, const struct query_row *row)
{
	static const struct query_storage nothing;
	uint32_t index;

	if (!query->storage ||
	    tuple_set__add(query->row_set, (const uint64_t[]){row->prefix, row->place}, &index))
		return NULL;
	return index < query->storage_count ? &query->row_storage[index] : &nothing;
}
