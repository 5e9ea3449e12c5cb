/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What writer and reader share: how SQLite is opened, the first bytes of a recording, errors. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>
#include <stdint.h>

#define RECORDING_APPLICATION_ID 1886610288 /* as in schema.sql */
#define RECORDING_VERSION	 2 /* user_version, as in schema.sql */
#define RECORDING_HEADER_SIZE	 100 /* bytes of SQLite's file header */

/* Opens path, which must be absolute and is taken as it is: no links are followed at its end, no
 * URI, no other file is ever touched but path and path-journal. flags: SQLITE_OPEN_READONLY or
 * _READWRITE; nothing is created. Negative errno. */
int sqlite__open(const char *path, int flags, sqlite3 **ret_db);

/* The negative errno for a result code of SQLite that is an error. -EBUSY: another process holds
 * the file; -EBADMSG: damaged; -EROFS: a hot journal that may not be rolled back here. */
int sqlite__error(sqlite3 *db, int code);

/* 0; -EMEDIUMTYPE: not of pipescope; -EPROTONOSUPPORT: of a newer one; -EBADMSG: damaged. */
int recording_header__check(const uint8_t header[RECORDING_HEADER_SIZE]);

#endif
