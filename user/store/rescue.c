// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rescue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/sqlite.h"

#define BUSY_MS	   10000
#define COPY_PIECE (1 << 20)
/* SQLite holds a read lock on these bytes while it reads. */
#define SHARED_FIRST  0x40000002
#define SHARED_LENGTH 510

static int journal_path(const char *path, char *ret_journal)
{
	return snprintf(ret_journal, PATH_MAX, "%s-journal", path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Any read makes SQLite roll a hot journal back. */
static int roll_back(const char *path)
{
	sqlite3 *db = NULL;
	int code, err = sqlite__open(path, SQLITE_OPEN_READWRITE, &db);

	if (err)
		return err;
	sqlite3_busy_timeout(db, BUSY_MS);
	code = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		err = sqlite__error(db, code);
	sqlite3_close(db);
	return err;
}

static bool is_own_file(const char *path)
{
	struct stat status;

	return !lstat(path, &status) && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
	       status.st_uid == geteuid();
}

int rescue__in_place(const char *path)
{
	char journal[PATH_MAX];
	int err = journal_path(path, journal);

	if (err)
		return err;
	/* In a directory like /tmp others could put a journal next to a file of ours. */
	if (!is_own_file(path) || !is_own_file(journal))
		return -EPERM;
	return roll_back(path);
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

static int copy_bytes(int from, const char *to)
{
	_cleanup_close_ int fd =
		open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	_cleanup_free_ char *piece = NULL;
	ssize_t got;
	int err = 0;

	if (fd < 0)
		return -errno;
	/* By the kernel, where both file systems can: then it may share the blocks. */
	do
		got = copy_file_range(from, NULL, fd, NULL, COPY_PIECE * 64, 0);
	while (got > 0);
	if (!got)
		return 0;
	piece = malloc(COPY_PIECE);
	if (!piece)
		return -ENOMEM;
	while (!err) {
		got = read(from, piece, COPY_PIECE);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		err = write_all(fd, piece, (size_t)got);
	}
	return err;
}

static int copy_journal(const char *path, uid_t owner, const char *to)
{
	_cleanup_close_ int fd = -1;
	char journal[PATH_MAX], copy[PATH_MAX];
	struct stat status;
	int err = journal_path(path, journal);

	if (!err)
		err = journal_path(to, copy);
	if (err)
		return err;
	fd = open(journal, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || (status.st_uid != owner && status.st_uid != geteuid()))
		return 0;
	return copy_bytes(fd, copy);
}

/* With SQLite's read lock, so that nobody rolls the file back under our hands. */
static int copy_files(const char *path, const char *to)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct flock lock = {.l_type = F_RDLCK,
			     .l_whence = SEEK_SET,
			     .l_start = SHARED_FIRST,
			     .l_len = SHARED_LENGTH};
	struct stat status;
	int err;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EMEDIUMTYPE;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return -EBUSY;
	err = copy_journal(path, status.st_uid, to);
	return err ? err : copy_bytes(fd, to);
}

int rescue__copy(const char *path, struct rescue_copy *ret_copy)
{
	const char *temporary = getenv("TMPDIR");
	struct rescue_copy copy;
	int err, size;

	if (!temporary || temporary[0] != '/')
		temporary = "/tmp";
	size = snprintf(copy.directory, sizeof(copy.directory), "%s/pipescope-XXXXXX", temporary);
	if (size >= (int)sizeof(copy.directory) - (int)sizeof("/recording-journal"))
		return -ENAMETOOLONG;
	if (!mkdtemp(copy.directory))
		return -errno;
	memcpy(copy.path, copy.directory, (size_t)size);
	memcpy(copy.path + size, "/recording", sizeof("/recording"));
	err = copy_files(path, copy.path);
	if (!err)
		err = roll_back(copy.path);
	if (err)
		rescue__remove(&copy);
	else
		*ret_copy = copy;
	return err;
}

void rescue__remove(struct rescue_copy *copy)
{
	char journal[PATH_MAX];

	if (!copy->directory[0])
		return;
	if (!journal_path(copy->path, journal))
		unlink(journal);
	unlink(copy->path);
	rmdir(copy->directory);
	copy->directory[0] = '\0';
}
