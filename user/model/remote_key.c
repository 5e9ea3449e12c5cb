// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/remote_key.h"

#include <string.h>

static const struct table_remote *remote_of(const struct tables *tables, uint64_t value)
{
	return value == VALUE_UNKNOWN ? NULL : tables->files[value].remote;
}

bool remote_key__counts(const struct tables *tables, uint32_t file)
{
	return !strcmp(tables->files[file].kind, "socket");
}

/* By all that is shown, the address alone, or the service. */
bool remote_key__matches(const struct tables *tables, uint64_t value, const char *pattern)
{
	const struct table_remote *remote = remote_of(tables, value);
	const char *path = value == VALUE_UNKNOWN ? "(unknown)" : tables->files[value].path;

	if (pattern__matches(pattern, path))
		return true;
	return remote && (pattern__matches(pattern, remote->address) ||
			  (remote->service && pattern__matches(pattern, remote->service)));
}

void remote_key__describe(struct tables *tables, uint64_t value, struct field_list *list)
{
	const struct table_remote *remote = remote_of(tables, value);

	field_list__text(list, "remote", value == VALUE_UNKNOWN ? NULL : tables->files[value].path);
	if (!remote) {
		field_list__null(list, "protocol");
		field_list__null(list, "address");
		field_list__null(list, "port");
		field_list__null(list, "own_end");
		field_list__null(list, "service");
		return;
	}
	field_list__text(list, "protocol", remote->protocol);
	field_list__text(list, "address", remote->address);
	if (remote->port == NO_VALUE)
		field_list__null(list, "port");
	else
		field_list__integer(list, "port", remote->port);
	field_list__integer(list, "own_end", remote->own);
	field_list__text(list, "service", remote->service);
}

uint64_t service_key__value(const struct tables *tables, uint32_t file)
{
	const struct table_remote *remote = tables->files[file].remote;

	return remote && remote->service ? (uintptr_t)remote->service : 0;
}
