// SPDX-License-Identifier: GPL-2.0-or-later
/* Remotes of a recording, and the waits of which it is known on what they were. */
#include <errno.h>
#include <stdlib.h>

#include "model/loading.h"

static int load_remote(struct tables *tables, struct row *row)
{
	uint32_t file = row__file(row, 0, tables->loading);
	struct table_remote *remote;
	int error;

	if (file == NO_INDEX) /* a recording that was cut off */
		return 0;
	error = GROW(tables, remotes, tables->remote_count, REMOTES);
	if (error)
		return error;
	remote = calloc(1, sizeof(*remote));
	if (!remote)
		return -ENOMEM;
	tables->remotes[tables->remote_count++] = remote;
	remote->protocol = tables__intern(tables, row__text(row, 1));
	remote->address = tables__intern(tables, row__text(row, 2));
	remote->port = row__optional(row, 3, 0, UINT16_MAX);
	remote->own = row__number(row, 4, 0, 1);
	remote->service = row__interned(tables, row, 5, &error);
	if (!remote->protocol || !remote->address)
		return -ENOMEM;
	tables->files[file].remote = remote;
	return error;
}

static int load_wait_on(struct tables *tables, struct row *row)
{
	struct wait_on_fact fact;

	fact.epoch = row__reference(row, 0, &tables->loading->epochs);
	fact.slice = row__reference(row, 1, &tables->loading->slices);
	fact.file = row__file(row, 2, tables->loading);
	fact.count = (double)row__number(row, 3, 0, TIME_LIMIT);
	fact.ns = (double)row__number(row, 4, 0, TIME_LIMIT);
	if (fact.epoch == NO_INDEX)
		return -EBADMSG;
	return APPEND(tables, wait_on, tables->wait_on_count, WAIT_ON, fact);
}

int remotes__load(struct tables *tables)
{
	int error = tables__load_rows(
		tables, "SELECT file, protocol, address, port, own, service FROM remote",
		load_remote);

	if (!error)
		error = tables__load_rows(
			tables, "SELECT epoch, slice, file, count, ns FROM wait_on", load_wait_on);
	return error;
}
