// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* As shells have it. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

enum { GATE_START = 's' };

static void run_command(int gate, char **command)
{
	char word = 0;

	while (read(gate, &word, 1) < 0 && errno == EINTR)
		;
	if (word != GATE_START)
		_exit(EXIT_NOT_EXECUTABLE); /* the recorder failed before it was ready */
	execvp(command[0], command);
	fprintf(stderr, "pipescope: cannot run '%s': %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int child__prepare(char **command, struct child *ret_child)
{
	struct child child = CHILD_NONE;
	int gate[2], err;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	child.pid = fork();
	if (child.pid < 0) {
		err = -errno;
		close(gate[0]);
		close(gate[1]);
		return err;
	}
	if (!child.pid) {
		close(gate[1]);
		run_command(gate[0], command);
	}
	close(gate[0]);
	child.gate = gate[1];
	child.pid_fd = (int)syscall(SYS_pidfd_open, child.pid, 0);
	if (child.pid_fd < 0) {
		err = -errno;
		child__abandon(&child);
		return err;
	}
	*ret_child = child;
	return 0;
}

void child__start(struct child *child)
{
	char word = GATE_START;

	while (write(child->gate, &word, 1) < 0 && errno == EINTR)
		;
	close(child->gate);
	child->gate = -1;
}

int child__wait(struct child *child, bool block)
{
	pid_t got;

	if (child->ended)
		return 0;
	do {
		got = waitpid(child->pid, &child->status, block ? 0 : WNOHANG);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (!got)
		return -EAGAIN;
	child->ended = true;
	return 0;
}

int child__exit_code(const struct child *child)
{
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
					  : WEXITSTATUS(child->status);
}

void child__abandon(struct child *child)
{
	if (child->gate >= 0) {
		close(child->gate);
		child__wait(child, true);
	}
	if (child->pid_fd >= 0)
		close(child->pid_fd);
	*child = CHILD_NONE;
}
