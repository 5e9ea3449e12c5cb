// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/name_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

static const struct {
	size_t names, bytes;
} limits[NAME_LIST_COUNT] = {
	[NAME_LIST_FILES] = {400000, 24u << 20},
	[NAME_LIST_DIRECTORIES] = {50000, 12u << 20},
};

#define FIRST_BUCKETS 1024
#define CHUNK_HEAD    16 /* of malloc(), with what it rounds up to, in the mean */

struct list {
	size_t names_most;
	struct file_name *oldest, *newest;
	size_t count, bytes; /* of the names and their folders */
};

struct name_table {
	struct list lists[NAME_LIST_COUNT];
	struct name_folder *folders;
	struct file_name **buckets;
	size_t bucket_count; /* a power of 2 */
	uint32_t round;
	bool lost_told;
};

struct name_table *name_table__new(void)
{
	struct name_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	name_table__limit(table, limits[NAME_LIST_FILES].names,
			  limits[NAME_LIST_DIRECTORIES].names);
	table->buckets = calloc(FIRST_BUCKETS, sizeof(struct file_name *));
	table->bucket_count = FIRST_BUCKETS;
	if (table->buckets)
		return table;
	free(table);
	return NULL;
}

void name_table__limit(struct name_table *table, size_t files, size_t directories)
{
	table->lists[NAME_LIST_FILES].names_most = files;
	table->lists[NAME_LIST_DIRECTORIES].names_most = directories;
}

void name_table__free(struct name_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < NAME_LIST_COUNT; i++)
		while (table->lists[i].oldest)
			name_table__remove(table, table->lists[i].oldest);
	free(table->buckets);
	free(table);
}

size_t name_table__count(const struct name_table *table)
{
	return table->lists[NAME_LIST_FILES].count + table->lists[NAME_LIST_DIRECTORIES].count;
}

size_t name_table__bytes(const struct name_table *table)
{
	return table->lists[NAME_LIST_FILES].bytes + table->lists[NAME_LIST_DIRECTORIES].bytes;
}

/* --- folders */

static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* Behind the last slash. */
static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static size_t folder_bytes(const struct name_folder *folder)
{
	return sizeof(*folder) + strlen(folder->path) + 1 + CHUNK_HEAD;
}

/* Each list has all bytes of the folders that its names are in: what both share counts twice. */
static void use_folder(struct name_table *table, struct name_folder *folder, enum name_list list)
{
	if (!folder->users[list]++)
		table->lists[list].bytes += folder_bytes(folder);
}

static void leave_folder(struct name_table *table, struct name_folder *folder, enum name_list list)
{
	if (!--folder->users[list])
		table->lists[list].bytes -= folder_bytes(folder);
	for (size_t i = 0; i < NAME_LIST_COUNT; i++)
		if (folder->users[i])
			return;
	HASH_DEL(table->folders, folder);
	free(folder);
}

/* Names in one folder may lie on several mounts. */
static size_t key_size(size_t length)
{
	return offsetof(struct name_folder, path) - offsetof(struct name_folder, filesystem) +
	       length;
}

/* The folder that a path lies in, in use by one more; NULL: no memory. */
static struct name_folder *folder_of(struct name_table *table, const char *path,
				     const char *filesystem, const char *mount, enum name_list list)
{
	size_t length = folder_length(path);
	struct name_folder *folder = calloc(1, sizeof(*folder) + length + 1), *found;

	if (!folder)
		return NULL;
	folder->filesystem = filesystem;
	folder->mount = mount;
	memcpy(folder->path, path, length);
	HASH_FIND(hh, table->folders, &folder->filesystem, key_size(length), found);
	if (found) {
		free(folder);
		folder = found;
	} else {
		HASH_ADD_KEYPTR(hh, table->folders, &folder->filesystem, key_size(length), folder);
		if (!folder->hh.tbl) {
			free(folder);
			return NULL;
		}
	}
	use_folder(table, folder, list);
	return folder;
}

/* --- names */

static enum name_list list_of(const struct name_key *key)
{
	return key->kind == PS_IO_DIRECTORY ? NAME_LIST_DIRECTORIES : NAME_LIST_FILES;
}

static size_t name_bytes(const char *name)
{
	return sizeof(struct file_name) + strlen(name) + 1 + CHUNK_HEAD;
}

static bool is_same(const struct name_key *one, const struct name_key *other)
{
	return one->file == other->file && one->device == other->device && one->kind == other->kind;
}

/* Where the chain of a key begins. */
static struct file_name **bucket(const struct name_table *table, const struct name_key *key)
{
	uint64_t hash = ps_mix(ps_mix(key->kind, key->device), key->file);

	return &table->buckets[(hash >> 16) & (table->bucket_count - 1)];
}

/* The pointer that leads to a name. */
static struct file_name **way_to(const struct name_table *table, const struct file_name *name)
{
	struct file_name **at = bucket(table, &name->key);

	while (*at != name)
		at = &(*at)->chain;
	return at;
}

/* Without memory the chains become longer. */
static void make_buckets(struct name_table *table)
{
	struct name_table larger = {.bucket_count = 2 * table->bucket_count};

	larger.buckets = calloc(larger.bucket_count, sizeof(struct file_name *));
	if (!larger.buckets)
		return;
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct file_name *name, *next;

		for (name = table->buckets[i]; name; name = next) {
			struct file_name **to = bucket(&larger, &name->key);

			next = name->chain;
			name->chain = *to;
			*to = name;
		}
	}
	free(table->buckets);
	table->buckets = larger.buckets;
	table->bucket_count = larger.bucket_count;
}

/* What stands before and behind a name in its list leads to it again, at this address. */
static void link_between(struct list *list, struct file_name *name)
{
	if (name->older)
		name->older->newer = name;
	else
		list->oldest = name;
	if (name->newer)
		name->newer->older = name;
	else
		list->newest = name;
}

static void unlink_name(struct list *list, const struct file_name *name)
{
	if (name->older)
		name->older->newer = name->newer;
	else
		list->oldest = name->newer;
	if (name->newer)
		name->newer->older = name->older;
	else
		list->newest = name->older;
}

static void link_newest(struct list *list, struct file_name *name)
{
	name->older = list->newest;
	name->newer = NULL;
	link_between(list, name);
}

struct file_name *name_table__find(const struct name_table *table, const struct name_key *key)
{
	struct file_name *name = *bucket(table, key);

	while (name && !is_same(&name->key, key))
		name = name->chain;
	return name;
}

static void make_room(struct name_table *table, enum name_list kind)
{
	struct list *list = &table->lists[kind];

	/* The newest is the one that room is made for. */
	while (list->oldest != list->newest &&
	       (list->count > list->names_most || list->bytes > limits[kind].bytes)) {
		if (kind == NAME_LIST_FILES && list->oldest->told == table->round)
			table->lost_told = true;
		name_table__remove(table, list->oldest);
	}
}

struct file_name *name_table__add(struct name_table *table, const struct name_key *key,
				  const char *path, const char *filesystem, const char *mount)
{
	const char *text = name_in(path);
	enum name_list kind = list_of(key);
	struct file_name *name = calloc(1, sizeof(*name) + strlen(text) + 1), **at;

	if (!name)
		return NULL;
	name->folder = folder_of(table, path, filesystem, mount, kind);
	if (!name->folder) {
		free(name);
		return NULL;
	}
	if (name_table__count(table) >= table->bucket_count)
		make_buckets(table);
	name->key = *key;
	name->size = -1;
	name->told = table->round;
	strcpy(name->name, text);
	at = bucket(table, key);
	name->chain = *at;
	*at = name;
	link_newest(&table->lists[kind], name);
	table->lists[kind].count++;
	table->lists[kind].bytes += name_bytes(text);
	make_room(table, kind);
	return name;
}

struct file_name *name_table__rename(struct name_table *table, struct file_name *name,
				     const char *path, const char *filesystem, const char *mount)
{
	const char *text = name_in(path);
	enum name_list kind = list_of(&name->key);
	struct file_name *copy = malloc(sizeof(*copy) + strlen(text) + 1);
	struct name_folder *folder = folder_of(table, path, filesystem, mount, kind);

	if (!copy || !folder) {
		if (folder)
			leave_folder(table, folder, kind);
		free(copy);
		return NULL;
	}
	*copy = *name;
	copy->folder = folder;
	strcpy(copy->name, text);
	*way_to(table, name) = copy;
	link_between(&table->lists[kind], copy);
	table->lists[kind].bytes += name_bytes(text) - name_bytes(name->name);
	leave_folder(table, name->folder, kind);
	free(name);
	return copy;
}

char *name_table__path(const struct file_name *name)
{
	char *path;

	return asprintf(&path, "%s/%s", name->folder->path, name->name) < 0 ? NULL : path;
}

void name_table__touch(struct name_table *table, struct file_name *name)
{
	struct list *list = &table->lists[list_of(&name->key)];

	if (!name->newer)
		return;
	unlink_name(list, name);
	link_newest(list, name);
}

void name_table__remove(struct name_table *table, struct file_name *name)
{
	enum name_list kind = list_of(&name->key);
	struct list *list = &table->lists[kind];

	*way_to(table, name) = name->chain;
	unlink_name(list, name);
	list->count--;
	list->bytes -= name_bytes(name->name);
	leave_folder(table, name->folder, kind);
	free(name);
}

struct file_name *name_table__oldest(const struct name_table *table, enum name_list list)
{
	return table->lists[list].oldest;
}

/* --- what BPF takes for known */

void name_table__told(struct name_table *table, struct file_name *name)
{
	name->told = table->round;
}

bool name_table__lost_told(const struct name_table *table)
{
	return table->lost_told;
}

void name_table__next_round(struct name_table *table)
{
	table->round++;
	table->lost_told = false;
}
