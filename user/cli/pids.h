/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of processes on the command line: -p PID,... */
#ifndef CLI_PIDS_H
#define CLI_PIDS_H

#include <argp.h>
#include <stddef.h>
#include <sys/types.h>

struct pid_list {
	pid_t *items; /* malloc'ed; the caller frees it */
	size_t count, capacity;
};

/* Adds the processes of an argument. What is wrong ends the program by argp_error(). */
void pid_list__add(struct pid_list *list, const char *argument, struct argp_state *state);

#endif
