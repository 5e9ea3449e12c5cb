// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/time_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t time_key__value(const struct tables *tables, uint32_t slice)
{
	(void)tables;
	return slice;
}

/* "12.5": the slice in which that second lies; "10-20": those that begin in between. */
bool time_key__matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const struct table_slice *slice;
	double from, to, start, end;
	char *rest;

	if (value == VALUE_UNKNOWN)
		return pattern__matches(pattern, "(unknown)");
	slice = &tables->slices[value];
	start = (double)slice->start_ns / 1e9;
	end = (double)slice->end_ns / 1e9;
	from = strtod(pattern, &rest);
	if (rest == pattern)
		return !strcmp(pattern, "*");
	if (!*rest)
		return from >= start && from < end;
	if (*rest != '-')
		return false;
	pattern = rest + 1;
	to = strtod(pattern, &rest);
	return rest != pattern && !*rest && start >= from && start < to;
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
