/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command behind `record -- CMD`: made first, so that the recorder knows its pid, and let go
 * when the recorder is ready. */
#ifndef CAPTURE_CHILD_H
#define CAPTURE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: there is none */
	int pid_fd; /* readable when it has ended */
	int gate; /* closing it lets the command start */
	bool ended;
	int status; /* as wait() gives it, when ended */
};

#define CHILD_NONE ((struct child){.pid_fd = -1, .gate = -1})

int child__prepare(char **command, struct child *ret_child);
void child__start(struct child *child);
/* Waits for its end; `block`: as long as it takes. 0 when it has ended, -EAGAIN. */
int child__wait(struct child *child, bool block);
/* What a shell would give: its exit code, or 128 + signal. */
int child__exit_code(const struct child *child);
/* Lets go; a command that was never started ends without having run. */
void child__abandon(struct child *child);

#endif
