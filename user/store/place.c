// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/sqlite.h"

#define LONGEST_SUFFIX (sizeof(".old-journal") - 1)

/* SQLite locks bytes 0x40000000 to + 511 (its "pending byte" and what follows; there are never
 * data). A byte behind them tells that a recorder lives: it locks nothing for SQLite, and the
 * kernel drops it with the process. */
#define SQLITE_PENDING_BYTE 0x40000000
#define RECORDER_LOCK_BYTE  (SQLITE_PENDING_BYTE + 600)

static int lock_byte(int fd, off_t start)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

/* Who keeps us from locking the byte; 0: nobody; -1: an OFD lock, of no process. */
static pid_t lock_holder(int fd, off_t start)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

bool place__locked_by_us(const struct place *place)
{
	/* An OFD lock conflicts with the classic locks of SQLite, even with those of our own
	 * process, and belongs to the inode. */
	return lock_holder(place->fd, SQLITE_PENDING_BYTE) == getpid();
}

static int split(const char *path, char *ret_directory, char *ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	int size;

	if (!length)
		return *path ? -EISDIR : -ENOENT;
	if (length + LONGEST_SUFFIX > NAME_MAX)
		return -ENAMETOOLONG;
	if (!slash)
		size = snprintf(ret_directory, PATH_MAX, ".");
	else
		size = snprintf(ret_directory, PATH_MAX, "%.*s", (int)(name - path), path);
	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret_name, name, length + 1);
	return 0;
}

/* 0: name is a recording that nobody writes; -ENOENT: there is nothing; -EBUSY: a recorder writes
 * it; -ELOOP: a link; -EEXIST: something else. */
static int find_recording(int directory, const char *name)
{
	_cleanup_close_ int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	uint8_t header[RECORDING_HEADER_SIZE];
	struct stat status;
	int err;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return -errno;
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return -EEXIST;
	if (pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return -EEXIST;
	err = recording_header__check(header);
	if (err == -EMEDIUMTYPE)
		return -EEXIST;
	return lock_holder(fd, RECORDER_LOCK_BYTE) ? -EBUSY : 0;
}

static bool exists(int directory, const char *name)
{
	struct stat status;

	return !fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

/* Renames an earlier recording, with the journal that it may need to be readable. */
static int move_away(int directory, const char *name)
{
	char journal[NAME_MAX + 1], old[NAME_MAX + 1], old_journal[NAME_MAX + 1];
	struct stat status;
	int err = find_recording(directory, name);

	if (err)
		return err == -ENOENT ? 0 : err;
	snprintf(journal, sizeof(journal), "%.*s-journal", NAME_MAX - (int)LONGEST_SUFFIX, name);
	snprintf(old, sizeof(old), "%.*s.old", NAME_MAX - (int)LONGEST_SUFFIX, name);
	snprintf(old_journal, sizeof(old_journal), "%.*s.old-journal",
		 NAME_MAX - (int)LONGEST_SUFFIX, name);
	err = find_recording(directory, old);
	if (err && err != -ENOENT)
		return err;
	/* Without its recording this journal would be taken for the one of what comes there. */
	if (unlinkat(directory, old_journal, 0) && errno != ENOENT)
		return -errno;
	if (renameat(directory, name, directory, old))
		return -errno;
	if (fstatat(directory, journal, &status, AT_SYMLINK_NOFOLLOW) || !S_ISREG(status.st_mode))
		return 0;
	return renameat(directory, journal, directory, old_journal) ? -errno : 0;
}

static bool number_of(const char *name, unsigned int *ret_number)
{
	const char *text = getenv(name);
	unsigned long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number >= UINT32_MAX) /* (uid_t)-1 means "leave it" */
		return false;
	*ret_number = (unsigned int)number;
	return true;
}

/* Under sudo, in a directory of the calling user, the file becomes theirs. */
static int give_to_caller(int directory, int fd)
{
	struct stat status;
	unsigned int uid, gid;

	if (geteuid() || !number_of("SUDO_UID", &uid) || !number_of("SUDO_GID", &gid))
		return 0;
	if (fstat(directory, &status))
		return -errno;
	if (status.st_uid != uid)
		return 0;
	return fchown(fd, uid, gid) ? -errno : 0;
}

/* SQLite would take a side file of this name for the new recording's own. */
static int refuse_side_files(int directory, const char *name)
{
	static const char *const suffixes[] = {"-journal", "-wal"};
	char side[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(side, sizeof(side), "%.*s%s", NAME_MAX - (int)LONGEST_SUFFIX, name,
			 suffixes[i]);
		if (exists(directory, side))
			return -EEXIST;
	}
	return 0;
}

int place__create(const char *path, struct place *ret_place)
{
	struct place place = {.directory = -1, .fd = -1};
	char directory[PATH_MAX];
	int err;

	err = split(path, directory, place.name);
	if (err)
		return err;
	place.directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place.directory < 0)
		return -errno;
	err = move_away(place.directory, place.name);
	if (!err)
		err = refuse_side_files(place.directory, place.name);
	if (err)
		goto failed;
	place.fd = openat(place.directory, place.name,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (place.fd < 0) {
		err = -errno;
		goto failed;
	}
	err = give_to_caller(place.directory, place.fd);
	if (err) {
		place__remove(&place);
		goto failed;
	}
	/* Some network file systems have no locks; then a second recorder is not noticed. */
	lock_byte(place.fd, RECORDER_LOCK_BYTE);
	*ret_place = place;
	return 0;
failed:
	place__close(&place);
	return err;
}

void place__close(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	if (place->directory >= 0)
		close(place->directory);
	place->fd = -1;
	place->directory = -1;
}

void place__remove(const struct place *place)
{
	struct stat made, there;

	if (fstat(place->fd, &made) ||
	    fstatat(place->directory, place->name, &there, AT_SYMLINK_NOFOLLOW))
		return;
	if (made.st_dev == there.st_dev && made.st_ino == there.st_ino)
		unlinkat(place->directory, place->name, 0);
}
