// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/ceph.h"

#include <errno.h>
#include <string.h>

int ceph__op(struct tables *tables, const char *name, uint16_t *ret_op)
{
	struct table_ceph_op *op;
	size_t i = 0;
	int error;

	while (i < tables->ceph_op_count && strcmp(tables->ceph_ops[i].name, name))
		i++;
	if (i == TABLES_MAX_CEPH_OPS)
		return -EBADMSG;
	if (i == tables->ceph_op_count) {
		error = GROW(tables, ceph_ops, tables->ceph_op_count, CEPH_OPS);
		if (error)
			return error;
		op = &tables->ceph_ops[i];
		op->name = tables__intern(tables, name);
		if (!op->name)
			return -ENOMEM;
		op->is_request = !strncmp(name, "mds:", 4) || !strncmp(name, "osd:", 4);
		op->direction = !strcmp(name, "osd:read") || !strncmp(name, "read:", 5) ? OP_READS
				: !strncmp(name, "osd:write", 9)			? OP_WRITES
											: OP_OTHER;
		tables->ceph_op_count++;
	}
	*ret_op = (uint16_t)i;
	return 0;
}

/* A mount is among the files, so that what is grouped by mount has both. */
static int load_mount(struct tables *tables, struct row *row)
{
	struct loading_state *loading = tables->loading;
	struct table_file file = {.kind = tables__intern(tables, "mount"),
				  .path = tables__intern(tables, row__text(row, 1)),
				  .filesystem = tables__intern(tables, "ceph")};
	uint32_t index;
	int error;

	if (!file.kind || !file.path || !file.filesystem)
		return -ENOMEM;
	file.mount = file.path;
	error = tables__add_file(tables, &file, &index);
	if (!error)
		error = array__reserve(&loading->file_of_mount, &loading->file_of_mount_capacity,
				       sizeof(*loading->file_of_mount),
				       loading->ceph_mounts.count + 1);
	if (!error)
		error = id_list__add(&loading->ceph_mounts, row__id(row, 0));
	if (!error)
		loading->file_of_mount[loading->ceph_mounts.count - 1] = index;
	return error;
}

uint32_t ceph__mount(struct tables *tables, struct row *row, int column)
{
	uint32_t mount = row__reference(row, column, &tables->loading->ceph_mounts);

	return mount == NO_INDEX ? NO_INDEX : tables->loading->file_of_mount[mount];
}

static int load_sum(struct tables *tables, struct row *row)
{
	struct io_fact fact;
	int error = tables__read_sum(tables, row, SOURCE_CEPH, ceph__op, &fact);

	fact.file = ceph__mount(tables, row, 2);
	return error ?: APPEND(tables, ceph, tables->ceph_count, CEPH, fact);
}

static int load_histogram(struct tables *tables, struct row *row)
{
	struct ceph_histogram_fact fact = {.file = ceph__mount(tables, row, 0)};
	int error;

	if (row__is_null(row, 1) || tables->ceph_histogram_count == TABLES_MAX_HISTOGRAMS)
		return -EBADMSG;
	fact.bucket = row__number(row, 2, 0, 62);
	fact.count = row__number(row, 3, 0, TIME_LIMIT);
	error = ceph__op(tables, row__text(row, 1), &fact.op);
	return error
		       ?: APPEND(tables, ceph_histograms, tables->ceph_histogram_count,
				 CEPH_HISTOGRAMS, fact);
}

static int load_in_flight(struct tables *tables, struct row *row)
{
	struct ceph_in_flight_fact fact = {
		.slice = row__reference(row, 0, &tables->loading->slices),
		.file = ceph__mount(tables, row, 1),
	};
	int error;

	if (row__is_null(row, 2))
		return -EBADMSG;
	fact.count = row__number(row, 3, 0, TIME_LIMIT);
	fact.oldest_ns = row__number(row, 4, 0, TIME_LIMIT);
	error = ceph__op(tables, row__text(row, 2), &fact.op);
	return error
		       ?: APPEND(tables, ceph_in_flight, tables->ceph_in_flight_count,
				 CEPH_IN_FLIGHT, fact);
}

int ceph__load(struct tables *tables)
{
	int error = tables__load_rows(tables, "SELECT id, path FROM ceph_mount ORDER BY id",
				      load_mount);

	if (!error)
		error = tables__load_rows(
			tables, "SELECT epoch, slice, mount, op, error, count, bytes, ns FROM ceph",
			load_sum);
	if (!error)
		error = tables__load_rows(tables,
					  "SELECT mount, op, bucket, count FROM ceph_histogram"
					  " ORDER BY mount, op, bucket",
					  load_histogram);
	if (!error)
		error = tables__load_rows(
			tables, "SELECT slice, mount, op, count, oldest_ns FROM ceph_in_flight",
			load_in_flight);
	return error;
}
