// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

#define READ_PIECE 4096

static int read_whole(const char *path, size_t limit, bool cut, char **ret_text, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t capacity = 0, size = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		size_t wanted = limit - size < READ_PIECE ? limit - size + 1 : READ_PIECE;
		ssize_t got;
		int err = array__reserve(&text, &capacity, 1, size + wanted + 1);

		if (err)
			return err;
		got = read(fd, text + size, wanted);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		size += (size_t)got;
		if (size > limit && !cut)
			return -EFBIG;
		if (size > limit) {
			size = limit;
			break;
		}
	}
	text[size] = '\0';
	*ret_text = text;
	text = NULL;
	if (ret_size)
		*ret_size = size;
	return 0;
}

int file__read(const char *path, size_t limit, char **ret_text, size_t *ret_size)
{
	return read_whole(path, limit, false, ret_text, ret_size);
}

int file__read_start(const char *path, size_t limit, char **ret_text, size_t *ret_size)
{
	return read_whole(path, limit, true, ret_text, ret_size);
}
