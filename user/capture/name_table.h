/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that BPF has told, by what it calls their files. Those that were not used for longest make
 * room for new ones, so that it takes no more memory than its limits say, however long paths are.
 */
#ifndef CAPTURE_NAME_TABLE_H
#define CAPTURE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct file_row_entry;

/* A file as BPF counts it: two of them (a path, an inode) may be one row. */
struct name_key {
	uint64_t file;
	uint32_t device;
	uint32_t kind; /* enum ps_io_kind */
};

/* Directories stay longer: what is charged to one comes long after its files' names. */
enum name_list { NAME_LIST_FILES, NAME_LIST_DIRECTORIES, NAME_LIST_COUNT };

/* What the names of one directory share. */
struct name_folder {
	unsigned int users[NAME_LIST_COUNT]; /* names */
	UT_hash_handle hh;
	/* Its key, from here on. */
	const char *filesystem, *mount; /* of a string pool, borrowed; "": not known */
	char path[]; /* up to the last slash, without it */
};

struct file_name {
	struct file_name *chain; /* the table's own: of one bucket */
	struct file_name *older, *newer;
	struct name_key key;
	struct file_row_entry *row; /* NULL: none yet */
	struct name_folder *folder;
	uint64_t directory; /* inode, as BPF told it */
	int64_t row_before; /* of the name that it had before; 0: none, or told */
	int64_t size; /* that was counted as written, bytes; -1: never */
	uint32_t used; /* number of the sweep before its last use */
	uint32_t told; /* number of the round in which BPF told it last */
	char name[]; /* behind the last slash; a directory has that of one of its files, or "" */
};

struct name_table;

struct name_table *name_table__new(void); /* NULL: no memory */
void name_table__free(struct name_table *table); /* NULL is accepted */

/* Before any name: so many at most, within the same memory. */
void name_table__limit(struct name_table *table, size_t files, size_t directories);

size_t name_table__count(const struct name_table *table);
/* Bytes of all names, with what malloc() adds. */
size_t name_table__bytes(const struct name_table *table);

/* NULL: not known. Names live until they are removed, renamed, or make room in name_table__add. */
struct file_name *name_table__find(const struct name_table *table, const struct name_key *key);

/* One that is not in it yet, as the newest, told now; size -1, all else 0. NULL: no memory. */
struct file_name *name_table__add(struct name_table *table, const struct name_key *key,
				  const char *path, const char *filesystem, const char *mount);
/* The same with another path, at another address; NULL: no memory, and nothing has changed. */
struct file_name *name_table__rename(struct name_table *table, struct file_name *name,
				     const char *path, const char *filesystem, const char *mount);
/* "folder/name", the caller's to free; NULL: no memory. */
char *name_table__path(const struct file_name *name);
/* It is the newest now. */
void name_table__touch(struct name_table *table, struct file_name *name);
void name_table__remove(struct name_table *table, struct file_name *name);

/* The first of a list; the others by `newer`. */
struct file_name *name_table__oldest(const struct name_table *table, enum name_list list);

/* A round ends when BPF forgets what it has told. Whether a file's name made room in the round in
 * which it was told: then BPF takes it for known, and must forget. */
void name_table__told(struct name_table *table, struct file_name *name);
bool name_table__lost_told(const struct name_table *table);
void name_table__next_round(struct name_table *table);

#endif
