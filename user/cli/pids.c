// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/pids.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "cli/command.h"

void pid_list__add(struct pid_list *list, const char *argument, struct argp_state *state)
{
	for (const char *at = argument;;) {
		char *end;
		long pid;

		errno = 0;
		pid = strtol(at, &end, 10);
		if (end == at || errno || pid <= 0 || pid > 1 << 22 || (*end && *end != ','))
			argp_error(state, "'%s' is no list of process numbers, like 123,456",
				   argument);
		if (array__reserve(&list->items, &list->capacity, sizeof(*list->items),
				   list->count + 1))
			argp_failure(state, EXIT_FAILED, ENOMEM, "process list");
		list->items[list->count++] = (pid_t)pid;
		if (!*end)
			return;
		at = end + 1;
	}
}
