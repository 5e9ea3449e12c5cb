/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes up the processes that run already when a recording starts. */
#ifndef CAPTURE_RUNNING_H
#define CAPTURE_RUNNING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct drain;
struct mmaps;
struct names;
struct tracker;

/* All borrowed. */
struct running_parts {
	int epochs; /* BPF map */
	struct drain *drain;
	struct tracker *tracker;
	struct names *names;
	struct mmaps *mmaps;
	bool all; /* every process; else these, and what descends from them: */
	const pid_t *pids;
	size_t pid_count;
};

/* A process that was born, or has begun another program, since the programs were attached is left
 * out: its event is on the way. */
int running__take_up(const struct running_parts *parts);

#endif
