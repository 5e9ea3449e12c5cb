// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VFS_NAME     "pipescope"
#define LONGEST_PATH 4096

/* SQLite's unix VFS with three changes.
 *
 * Names are taken as they are. SQLite resolves links itself and opens the result by name, which
 * undoes a name below /proc/self/fd/N and with it the writer's hold on the directory.
 *
 * Super-journals are refused. A journal may name one, and rolling that journal back deletes the
 * file of that name: a planted journal would make root delete whatever it likes. Ours never
 * name one.
 *
 * Journals are plain files with one name, else they are refused; to look at one does not change
 * it. SQLite would block on a FIFO, and gives every journal that root opens, even for reading, to
 * the owner of the database. */
static sqlite3_vfs *base_vfs;
static sqlite3_vfs vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int register_error = SQLITE_ERROR;

static int vfs__open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
		     int *ret_flags)
{
	struct stat status;

	(void)self;
	file->pMethods = NULL;
	if (flags & SQLITE_OPEN_SUPER_JOURNAL)
		return SQLITE_CANTOPEN;
	if ((flags & SQLITE_OPEN_MAIN_JOURNAL) && !lstat(name, &status) &&
	    (!S_ISREG(status.st_mode) || status.st_nlink != 1)) {
		errno = EEXIST;
		return SQLITE_CANTOPEN;
	}
	/* Only files of type main journal are given away. */
	if ((flags & SQLITE_OPEN_MAIN_JOURNAL) && (flags & SQLITE_OPEN_READONLY))
		flags = (flags & ~SQLITE_OPEN_MAIN_JOURNAL) | SQLITE_OPEN_SUBJOURNAL;
	return base_vfs->xOpen(base_vfs, name, file, flags, ret_flags);
}

static int vfs__full_path(sqlite3_vfs *self, const char *name, int size, char *ret_path)
{
	int length = snprintf(ret_path, (size_t)size, "%s", name);

	(void)self;
	return length < 0 || length >= size ? SQLITE_CANTOPEN : SQLITE_OK;
}

static void vfs__register(void)
{
	base_vfs = sqlite3_vfs_find("unix");
	if (!base_vfs)
		return;
	vfs = *base_vfs;
	vfs.pNext = NULL;
	vfs.zName = VFS_NAME;
	vfs.mxPathname = LONGEST_PATH;
	vfs.xOpen = vfs__open;
	vfs.xFullPathname = vfs__full_path;
	register_error = sqlite3_vfs_register(&vfs, 0);
}

int sqlite__open(const char *path, int flags, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;
	int code, err;

	pthread_once(&once, vfs__register);
	if (register_error)
		return -ENOTSUP;
	if (path[0] != '/')
		return -EINVAL;
	code = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			       VFS_NAME);
	if (code != SQLITE_OK) {
		err = db ? sqlite__error(db, code) : -ENOMEM;
		sqlite3_close(db);
		return err;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	*ret_db = db;
	return 0;
}

int sqlite__error(sqlite3 *db, int code)
{
	/* COMMIT does not set it, but what failed then was the last system call that failed. */
	int system = sqlite3_system_errno(db) ? sqlite3_system_errno(db) : errno;

	switch (code) {
	case SQLITE_READONLY_DBMOVED:
		return -ESTALE;
	case SQLITE_IOERR_NOMEM:
		return -ENOMEM;
	}
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -EFBIG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_INTERRUPT:
		return -EINTR;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return system > 0 ? -system : -EIO;
	case SQLITE_ERROR:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return -EINVAL;
	}
	return -EIO;
}

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

int recording_header__check(const uint8_t header[RECORDING_HEADER_SIZE])
{
	/* Offsets: https://www.sqlite.org/fileformat2.html, section 1.3. */
	if (memcmp(header, "SQLite format 3", 16) ||
	    big_endian(header + 68) != RECORDING_APPLICATION_ID)
		return -EMEDIUMTYPE;
	if (big_endian(header + 60) > RECORDING_VERSION)
		return -EPROTONOSUPPORT;
	/* 18, 19: 1 is the rollback journal; a write-ahead log would mean more side files. 56: 1 is
	 * UTF-8. */
	if (big_endian(header + 60) == 0 || header[18] != 1 || header[19] != 1 ||
	    big_endian(header + 56) != 1)
		return -EBADMSG;
	return 0;
}
