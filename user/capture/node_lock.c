// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/node_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define LOCK_FILE "/run/pipescope.lock"

int node_lock__take(int *ret_fd)
{
	_cleanup_close_ int lock = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char holder[32] = "";

	if (lock < 0) {
		int err = -errno;

		log__error("cannot open " LOCK_FILE ": %s", strerror(-err));
		return err;
	}
	if (flock(lock, LOCK_EX | LOCK_NB)) {
		if (read(lock, holder, sizeof(holder) - 1) <= 0)
			strcpy(holder, "?");
		holder[strcspn(holder, "\n")] = '\0';
		log__error(
			"another recorder is at work (pid %s); end it first, or wait for it: one "
			"per node sees all processes",
			holder);
		return -EBUSY;
	}
	if (ftruncate(lock, 0) || dprintf(lock, "%d\n", getpid()) < 0)
		return -errno;
	*ret_fd = lock;
	lock = -1;
	return 0;
}
