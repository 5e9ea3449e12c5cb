// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/printable.h"

/* A spreadsheet takes text that begins like this for a formula, and runs it. */
static bool looks_like_formula(const char *text)
{
	return *text && strchr("=+-@", *text);
}

static int print_text(FILE *stream, const char *text)
{
	_cleanup_free_ char *printable = printable__of(text);
	const char *guard;

	if (!printable)
		return -ENOMEM;
	guard = looks_like_formula(printable) ? "'" : "";
	if (!strpbrk(printable, ",\"\r\n")) {
		fprintf(stream, "%s%s", guard, printable);
		return 0;
	}
	fprintf(stream, "\"%s", guard);
	for (const char *at = printable; *at; at++) {
		if (*at == '"')
			fputc('"', stream);
		fputc(*at, stream);
	}
	fputc('"', stream);
	return 0;
}

static int print_stack(FILE *stream, const struct tables *tables, const struct field *field)
{
	uint32_t path[TABLES_MAX_DEPTH];
	size_t depth = 0, size = 0;
	char *joined = NULL;
	FILE *text;
	int error;

	if (field->integer < 0)
		return print_text(stream, field->text);
	for (uint32_t at = (uint32_t)field->integer; at != NO_INDEX;
	     at = (uint32_t)tuple_set__at(tables->shown, at)[0])
		path[depth++] = at;
	text = open_memstream(&joined, &size);
	if (!text)
		return -ENOMEM;
	while (depth--)
		fprintf(text, "%s%s", tables->shown_labels[path[depth]], depth ? "; " : "");
	error = fclose(text) ? -ENOMEM : print_text(stream, joined);
	free(joined);
	return error;
}

static int print_field(FILE *stream, const struct tables *tables, const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
		return print_text(stream, field->text);
	case FIELD_INTEGER:
		fprintf(stream, "%lld", (long long)field->integer);
		return 0;
	case FIELD_REAL:
		fprintf(stream, "%.9f", field->real);
		return 0;
	case FIELD_STACK:
		return print_stack(stream, tables, field);
	default:
		return 0;
	}
}

void csv_report__names(FILE *stream, const struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		fprintf(stream, "%s%s", i ? "," : "", list->fields[i].name);
	fputs("\r\n", stream);
}

int csv_report__fields(FILE *stream, const struct tables *tables, const struct field_list *list)
{
	int error = 0;

	for (size_t k = 0; k < list->count && !error; k++) {
		if (k)
			fputc(',', stream);
		error = print_field(stream, tables, &list->fields[k]);
	}
	fputs("\r\n", stream);
	return error;
}

/* The names of a row's fields depend on the query alone, so that an empty table has a header too,
 * save that its keys stand for themselves. */
static void print_header(FILE *stream, const struct query *query)
{
	const struct query_request *request = query__request(query);

	for (size_t i = 0; i < request->key_count; i++)
		fprintf(stream, "%s%s", i ? "," : "", request->keys[i]->name);
	fputs("\r\n", stream);
}

int csv_report__print(FILE *stream, const struct tables *tables, const struct query *query,
		      size_t limit)
{
	size_t count = query__row_count(query);
	struct field_list list = {0};
	int error = 0;

	if (!count)
		print_header(stream, query);
	if (limit && limit < count)
		count = limit;
	for (size_t i = 0; i < count && !error; i++) {
		error = query__describe(query, query__row(query, i), &list);
		if (!error && !i)
			csv_report__names(stream, &list);
		if (!error)
			error = csv_report__fields(stream, tables, &list);
	}
	field_list__free(&list);
	return error ? error : ferror(stream) ? -EIO : 0;
}
