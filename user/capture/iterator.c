// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/iterator.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"

#define BUFFER 65536

int iterator__each(const struct bpf_link *link, size_t size, iterator_take *take, void *context)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
	_Alignas(8) char buffer[BUFFER];
	size_t filled = 0;
	int err = 0;

	if (fd < 0)
		return fd;
	while (!err) {
		ssize_t got = read(fd, buffer + filled, sizeof(buffer) - filled);
		size_t at;

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		filled += (size_t)got;
		for (at = 0; filled - at >= size && !err; at += size)
			err = take(context, buffer + at);
		memmove(buffer, buffer + at, filled - at);
		filled -= at;
	}
	return err;
}
