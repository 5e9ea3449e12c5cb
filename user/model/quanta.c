// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "model/loading.h"

static int load_quantum(struct tables *tables, struct row *row)
{
	struct table_quantum quantum = {.first_datum = NO_INDEX, .resource = NO_INDEX};
	int error = 0;

	quantum.epoch = row__reference(row, 0, &tables->loading->epochs);
	/* Without its epoch it has neither time nor figures; an epoch is one quantum's. */
	if (quantum.epoch == NO_INDEX || tables->epochs[quantum.epoch].quantum != NO_INDEX)
		return -EBADMSG;
	quantum.number = row__number(row, 1, 0, INT64_MAX);
	quantum.label = row__interned(tables, row, 2, &error);
	quantum.class = row__interned(tables, row, 3, &error);
	quantum.id = row__interned(tables, row, 4, &error);
	quantum.run = row__interned(tables, row, 5, &error);
	quantum.whole = row__number(row, 6, 0, 1);
	if (!error && tables->quantum_count >= NO_INDEX - 1)
		error = -EOVERFLOW;
	if (!error)
		error = GROW(tables, quanta, tables->quantum_count, QUANTA);
	if (error)
		return error;
	tables->epochs[quantum.epoch].quantum = (uint32_t)tables->quantum_count;
	tables->quanta[tables->quantum_count++] = quantum;
	return 0;
}

static int load_datum(struct tables *tables, struct row *row)
{
	uint32_t epoch = row__reference(row, 0, &tables->loading->epochs), length = 0;
	struct table_datum datum = {.next = NO_INDEX};
	uint32_t *end;
	int error = 0;

	if (epoch == NO_INDEX || tables->epochs[epoch].quantum == NO_INDEX)
		return -EBADMSG;
	datum.field = tables__intern(tables, row__text(row, 1));
	datum.value = tables__intern(tables, row__text(row, 2));
	if (!datum.field || !datum.value)
		return -ENOMEM;
	if (tables->datum_count >= NO_INDEX - 1)
		return -EOVERFLOW;
	error = GROW(tables, data, tables->datum_count, DATA);
	if (error)
		return error;
	end = &tables->quanta[tables->epochs[epoch].quantum].first_datum;
	while (*end != NO_INDEX) {
		if (++length == TABLES_MAX_DATA)
			return -EBADMSG;
		end = &tables->data[*end].next;
	}
	*end = (uint32_t)tables->datum_count;
	tables->data[tables->datum_count++] = datum;
	return 0;
}

static int load_thread_epoch(struct tables *tables, struct row *row)
{
	uint32_t epoch = row__reference(row, 0, &tables->loading->epochs);

	if (epoch == NO_INDEX)
		return -EBADMSG;
	tables->epochs[epoch].of_thread = true;
	return 0;
}

int quanta__load(struct tables *tables)
{
	int error = tables__load_rows(tables, "SELECT epoch FROM thread_epoch", load_thread_epoch);

	if (!error)
		error = tables__load_rows(tables,
					  "SELECT epoch, number, label, class, quantum, run, whole "
					  "FROM quantum ORDER BY epoch",
					  load_quantum);

	return error ? error
		     : tables__load_rows(
			       tables,
			       "SELECT epoch, field, value FROM quantum_data ORDER BY rowid",
			       load_datum);
}
