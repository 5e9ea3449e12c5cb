// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/loading.h"

#include <errno.h>

bool row__is_null(const struct row *row, int column)
{
	return sqlite3_column_type(row->statement, column) == SQLITE_NULL;
}

int64_t row__number(struct row *row, int column, int64_t least, int64_t most)
{
	int64_t value = sqlite3_column_int64(row->statement, column);

	if (value < least || value > most) {
		row->failed = true;
		return least;
	}
	return value;
}

int64_t row__optional(struct row *row, int column, int64_t least, int64_t most)
{
	return row__is_null(row, column) ? NO_VALUE : row__number(row, column, least, most);
}

int64_t row__time(struct row *row, int column)
{
	return row__number(row, column, -TIME_LIMIT, TIME_LIMIT);
}

int64_t row__id(struct row *row, int column)
{
	return row__number(row, column, INT64_MIN, INT64_MAX);
}

const char *row__text(struct row *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row->statement, column);

	return text ? text : "";
}

const char *row__interned(struct tables *tables, struct row *row, int column, int *error)
{
	const char *text;

	if (row__is_null(row, column))
		return NULL;
	text = tables__intern(tables, row__text(row, column));
	if (!text)
		*error = -ENOMEM;
	return text;
}

int id_list__add(struct id_list *list, int64_t id)
{
	int error;

	/* Without strict order the look-up, and with it every bound, would be wrong. */
	if (list->count && id <= list->ids[list->count - 1])
		return -EBADMSG;
	if (list->count >= NO_INDEX - 1)
		return -EOVERFLOW;
	error = array__reserve(&list->ids, &list->capacity, sizeof(*list->ids), list->count + 1);
	if (error)
		return error;
	list->ids[list->count++] = id;
	return 0;
}

static uint32_t id_list__find(const struct id_list *list, int64_t id)
{
	size_t low = 0, high = list->count;

	if (!list->count || id < list->ids[0])
		return NO_INDEX;
	/* Ids mostly count up by one. */
	if ((uint64_t)id - (uint64_t)list->ids[0] < list->count &&
	    list->ids[(uint64_t)id - (uint64_t)list->ids[0]] == id)
		return (uint32_t)((uint64_t)id - (uint64_t)list->ids[0]);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->ids[middle] == id)
			return (uint32_t)middle;
		if (list->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_INDEX;
}

uint32_t row__reference(struct row *row, int column, const struct id_list *list)
{
	return row__is_null(row, column) ? NO_INDEX : id_list__find(list, row__id(row, column));
}

uint32_t row__stack(struct row *row, int column, const struct loading_state *loading)
{
	uint32_t index = row__reference(row, column, &loading->nodes);

	return index == NO_INDEX ? NO_INDEX : loading->node_of[index];
}

uint32_t row__file(struct row *row, int column, const struct loading_state *loading)
{
	uint32_t file = row__reference(row, column, &loading->files);

	return file == NO_INDEX ? NO_INDEX : loading->file_of[file];
}
