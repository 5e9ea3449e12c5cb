// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

#define READ_PIECE 4096

/* Makes room for `needed` bytes. What is read may hold secrets: unlike realloc() this leaves no
 * copy behind. */
static int reserve(char **text, size_t *capacity, size_t size, size_t needed)
{
	size_t grown_capacity = 0;
	char *grown = NULL;
	int err;

	if (needed <= *capacity)
		return 0;
	err = array__reserve(&grown, &grown_capacity, 1, needed);
	if (err)
		return err;
	if (*text) {
		memcpy(grown, *text, size);
		explicit_bzero(*text, size);
		free(*text);
	}
	*text = grown;
	*capacity = grown_capacity;
	return 0;
}

/* Whatever it returns, *text holds *size bytes that were read. */
static int read_text(int fd, size_t limit, bool cut, char **text, size_t *size)
{
	size_t capacity = 0;

	for (;;) {
		size_t wanted = limit - *size < READ_PIECE ? limit - *size + 1 : READ_PIECE;
		ssize_t got;
		int err = reserve(text, &capacity, *size, *size + wanted + 1);

		if (err)
			return err;
		got = read(fd, *text + *size, wanted);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		*size += (size_t)got;
		if (*size > limit && !cut)
			return -EFBIG;
		if (*size > limit)
			*size = limit;
		else if (got)
			continue;
		(*text)[*size] = '\0';
		return 0;
	}
}

static int read_whole(const char *path, size_t limit, bool cut, char **ret_text, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	size_t size = 0;
	int err;

	if (fd < 0)
		return -errno;
	err = read_text(fd, limit, cut, &text, &size);
	if (err) {
		if (text)
			explicit_bzero(text, size);
		free(text);
		return err;
	}
	*ret_text = text;
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

int file__read_at(int fd, uint64_t offset, void *destination, size_t size)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t got = pread(fd, (char *)destination + filled, size - filled,
				    (off_t)(offset + filled));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EBADMSG;
		filled += (size_t)got;
	}
	return 0;
}
