// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/time_key.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t time_key__value(const struct tables *tables, uint32_t slice)
{
	(void)tables;
	return slice;
}

/* "12.5": *ret_to is infinite; "10-20". */
static bool parse(const char *pattern, double *ret_from, double *ret_to)
{
	double from, to = INFINITY;
	char *rest, *end;

	from = strtod(pattern, &rest);
	if (rest == pattern || !isfinite(from) || from < 0)
		return false;
	if (*rest == '-') {
		to = strtod(rest + 1, &end);
		if (end == rest + 1 || !isfinite(to) || to <= from)
			return false;
		rest = end;
	}
	*ret_from = from;
	*ret_to = to;
	return !*rest;
}

const char *time_key__refusal(const char *pattern)
{
	double from, to;

	if (!strcmp(pattern, "*") || pattern__matches(pattern, "(unknown)") ||
	    parse(pattern, &from, &to))
		return NULL;
	return "seconds since the start, 12.5 for example, or a range of them, 10-20";
}

/* "12.5": the slice in which that second lies; "10-20": those that begin in between. */
bool time_key__matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const struct table_slice *slice;
	double from, to, start, end;

	if (value == VALUE_UNKNOWN)
		return pattern__matches(pattern, "(unknown)");
	if (!parse(pattern, &from, &to))
		return !strcmp(pattern, "*");
	slice = &tables->slices[value];
	start = (double)slice->start_ns / 1e9;
	end = (double)slice->end_ns / 1e9;
	return isinf(to) ? from >= start && from < end : start >= from && start < to;
}

int time_key__compare(const struct tables *tables, uint64_t one, uint64_t other)
{
	if (one != VALUE_UNKNOWN && other != VALUE_UNKNOWN &&
	    tables->slices[one].start_ns != tables->slices[other].start_ns)
		return tables->slices[one].start_ns < tables->slices[other].start_ns ? -1 : 1;
	return one < other ? -1 : one > other;
}

void time_key__describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	if (value == VALUE_UNKNOWN) {
		field_list__null(list, "time");
		field_list__null(list, "time_end");
		return;
	}
	field_list__real(list, "time", (double)tables->slices[value].start_ns / 1e9);
	field_list__real(list, "time_end", (double)tables->slices[value].end_ns / 1e9);
}

int time_key__label(const struct tables *tables, uint64_t value, char **ret_label)
{
	char *label;

	if (value == VALUE_UNKNOWN)
		label = strdup("(unknown)");
	else if (asprintf(&label, "%.3f s", (double)tables->slices[value].start_ns / 1e9) < 0)
		label = NULL;
	if (!label)
		return -ENOMEM;
	*ret_label = label;
	return 0;
}
