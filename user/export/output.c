// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ATTEMPTS 16

struct output {
	char *path, *unfinished;
	FILE *stream;
	int fd;
	int error; /* of the first write that failed; a stream only tells that one did */
};

static ssize_t write_all(void *context, const char *bytes, size_t size)
{
	struct output *output = context;
	size_t done = 0;

	while (done < size && !output->error) {
		ssize_t written = write(output->fd, bytes + done, size - done);

		if (written >= 0)
			done += (size_t)written;
		else if (errno != EINTR)
			output->error = -errno;
	}
	errno = -output->error;
	return (ssize_t)done;
}

static int check_target(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(status.st_mode))
		return -ELOOP;
	return S_ISREG(status.st_mode) ? 0 : -EEXIST;
}

/* O_EXCL: nothing that someone else put there is ever written to. */
static int create_beside(struct output *output)
{
	const cookie_io_functions_t functions = {.write = write_all};

	for (int i = 0; i < NAME_ATTEMPTS; i++) {
		unsigned int random;
		int fd, error;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -EIO;
		free(output->unfinished);
		if (asprintf(&output->unfinished, "%s.%08x", output->path, random) < 0) {
			output->unfinished = NULL;
			return -ENOMEM;
		}
		fd = open(output->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  0666);
		if (fd < 0 && errno == EEXIST)
			continue;
		error = fd < 0 ? -errno : 0;
		if (!error) {
			output->fd = fd;
			output->stream = fopencookie(output, "w", functions);
			if (output->stream)
				return 0;
			error = -errno;
			output->fd = -1;
			close(fd);
			unlink(output->unfinished);
		}
		free(output->unfinished);
		output->unfinished = NULL;
		return error;
	}
	return -EEXIST;
}

int output__open(const char *path, struct output **ret_output)
{
	struct output *output;
	int error = check_target(path);

	if (error)
		return error;
	output = calloc(1, sizeof(*output));
	if (!output)
		return -ENOMEM;
	output->fd = -1;
	output->path = strdup(path);
	error = output->path ? create_beside(output) : -ENOMEM;
	if (error) {
		free(output->unfinished);
		output->unfinished = NULL;
		output__abandon(output);
		return error;
	}
	*ret_output = output;
	return 0;
}

FILE *output__stream(struct output *output)
{
	return output->stream;
}

int output__error(const struct output *output)
{
	return output->error ?: ferror(output->stream) ? -EIO : 0;
}

int output__finish(struct output *output)
{
	int error;

	fflush(output->stream);
	error = output__error(output);
	if (!error && fsync(output->fd))
		error = -errno;
	if (close(output->fd) && !error)
		error = -errno;
	output->fd = -1;
	/* rename() replaces a link, it never follows one. */
	if (!error && rename(output->unfinished, output->path))
		error = -errno;
	if (!error) {
		free(output->unfinished);
		output->unfinished = NULL;
	}
	output__abandon(output);
	return error;
}

void output__abandon(struct output *output)
{
	if (!output)
		return;
	if (output->stream)
		fclose(output->stream);
	if (output->fd >= 0)
		close(output->fd);
	if (output->unfinished)
		unlink(output->unfinished);
	free(output->unfinished);
	free(output->path);
	free(output);
}
