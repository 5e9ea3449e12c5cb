/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of earlier layouts: what they lack of today's tables and columns is there and empty.
 */
#ifndef STORE_EARLIER_H
#define STORE_EARLIER_H

#include <sqlite3.h>

/* today: an empty database of today's layout. db: a recording's, opened for nothing but reading;
 * gets temporary tables and views, which SQLite finds before the file's own. -EBADMSG: it has what
 * today's layout has not, so it is none of an earlier one; -ENOMEM; what SQLite says. */
int earlier__adapt(sqlite3 *db, sqlite3 *today);

#endif
