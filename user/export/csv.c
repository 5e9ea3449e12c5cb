// SPDX-License-Identifier: GPL-2.0-or-later
/* The table that `report --format csv` prints, whole. */
#include "report/csv.h"

#include "export/exporter.h"

static void complete(struct query_request *request)
{
	if (!request->key_count)
		request->keys[request->key_count++] = key__find("task");
}

static int write_csv(FILE *stream, struct tables *tables, const struct query_request *request)
{
	struct query *query;
	int error;

	error = query__run(tables, request, &query);
	if (error)
		return error;
	error = csv_report__print(stream, tables, query, 0);
	query__free(query);
	return error;
}

const struct exporter csv__exporter = {
	.name = "csv",
	.suffix = ".csv",
	.viewers = "spreadsheets, pandas",
	.complete = complete,
	.refusal = query__refusal,
	.write = write_csv,
};
