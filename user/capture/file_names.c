// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/file_names.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/siphash.h"
#include "base/strings.h"
#include "capture/datasets.h"
#include "capture/name_table.h"
#include "capture/told_paths.h"
#include "proc/mounts.h"
#include "store/forgetting.h"
#include "store/writer.h"

/* Rows of files and of directories. */
struct limits {
	unsigned int files, directories;
};
static const struct limits kept_limits = {FILES_MOST, DIRECTORIES_MOST};
/* For days: names as well, which are forgotten and told again by BPF some time later. */
static const struct limits live_limits = {20000, 10000};
#define LIVE_NAMES	     60000
#define LIVE_DIRECTORY_NAMES 20000
#define FILESYSTEM_SIZE	     32 /* of a name: "fuse.squashfuse_ll" */
/* Tables of mounts are read anew so many times a second at most. */
#define LOOKS_PER_SECOND 10
/* Names that are looked at for renames of folders. */
#define MOVED_PER_SECOND 2000000
#define CEPH_MAGIC	 0x00c36400

/* One row of table file. Of its path only a hash is kept, since the rows of a recording are many
 * and paths are long. */
struct file_row_entry {
	uint64_t hash[2];
	int64_t id;
	unsigned int *count; /* that it is counted in */
	uint32_t used;
	bool shared; /* by a directory's files */
	UT_hash_handle hh;
};

struct file_names {
	struct recording_writer *writer;
	struct datasets *datasets;
	struct string_pool *pool;
	struct mounts *mounts; /* of the recorder's own view */
	struct mounts *others; /* of the process with other mounts that was asked last; or NULL */
	struct stat namespace; /* the recorder's own, of mounts */
	uint64_t looks_since_ns, moves_since_ns;
	uint64_t moved; /* names looked at for renames in this second */
	uint64_t unfollowed;
	unsigned int looks;
	struct name_table *names;
	struct siphash_key hash_keys[2];
	struct file_row_entry *rows;
	unsigned int files, directories; /* rows */
	const struct limits *most;
	int64_t last_row;
	uint32_t sweeps;
	char filesystems[PS_IO_FILESYSTEMS][FILESYSTEM_SIZE];
	uint32_t filesystem_count;
};

int file_names__new(struct recording_writer *writer, struct rules *rules,
		    struct file_names **ret_names)
{
	struct file_names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return -ENOMEM;
	names->writer = writer;
	names->most = &kept_limits;
	snprintf(names->filesystems[0], FILESYSTEM_SIZE, "other");
	names->filesystem_count = 1;
	names->pool = string_pool__new();
	names->names = name_table__new();
	err = names->pool && names->names ? mounts__read(getpid(), &names->mounts) : -ENOMEM;
	err = err ?: datasets__new(writer, rules, &names->datasets);
	err = err ?: siphash__new_key(&names->hash_keys[0]);
	err = err ?: siphash__new_key(&names->hash_keys[1]);
	if (!err && stat("/proc/self/ns/mnt", &names->namespace))
		err = -errno;
	if (err) {
		file_names__free(names);
		return err;
	}
	*ret_names = names;
	return 0;
}

void file_names__limit_live(struct file_names *names)
{
	names->most = &live_limits;
	name_table__limit(names->names, LIVE_NAMES, LIVE_DIRECTORY_NAMES);
}

void file_names__free(struct file_names *names)
{
	struct file_row_entry *row, *next_row;

	if (!names)
		return;
	name_table__free(names->names);
	HASH_ITER (hh, names->rows, row, next_row) {
		HASH_DEL(names->rows, row);
		free(row);
	}
	mounts__free(names->mounts);
	mounts__free(names->others);
	datasets__free(names->datasets);
	string_pool__free(names->pool);
	free(names);
}

/* --- file systems, for the histograms */

static uint32_t filesystem_index(struct file_names *names, const char *filesystem)
{
	for (uint32_t i = 1; i < names->filesystem_count; i++)
		if (!strncmp(names->filesystems[i], filesystem, FILESYSTEM_SIZE - 1))
			return i;
	if (names->filesystem_count == PS_IO_FILESYSTEMS)
		return 0;
	snprintf(names->filesystems[names->filesystem_count], FILESYSTEM_SIZE, "%s", filesystem);
	return names->filesystem_count++;
}

const char *file_names__filesystem(const struct file_names *names, uint32_t index)
{
	return names->filesystems[index < names->filesystem_count ? index : 0];
}

/* statfs()'s magic of a mount; 0: not known. A server that is dead must not stop the recorder, so
 * only those are asked that have a block device of this machine, or nothing but memory. */
static uint64_t magic_of(const struct mount *mount)
{
	static const struct {
		const char *filesystem;
		uint64_t magic;
	} known[] = {
		{"ceph", CEPH_MAGIC},	    {"nfs", NFS_SUPER_MAGIC},	{"nfs4", NFS_SUPER_MAGIC},
		{"fuse", FUSE_SUPER_MAGIC}, {"cifs", CIFS_SUPER_MAGIC}, {"smb3", CIFS_SUPER_MAGIC},
		{"9p", V9FS_MAGIC},	    {"afs", AFS_FS_MAGIC},
	};
	static const char *const asked[] = {"tmpfs", "ramfs", "rootfs", "overlay", "btrfs", "zfs"};
	bool local = major(mount->device) != 0;
	struct statfs status;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(mount->filesystem, known[i].filesystem))
			return known[i].magic;
	if (!strncmp(mount->filesystem, "fuse", 4)) /* "fuse.…", and "fuseblk" with a device */
		return FUSE_SUPER_MAGIC;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		local |= !strcmp(mount->filesystem, asked[i]);
	return local && !statfs(mount->point, &status) ? (uint64_t)status.f_type : 0;
}

int file_names__each_filesystem(struct file_names *names,
				int (*tell)(void *context, uint64_t magic, uint32_t index),
				void *context)
{
	int err = tell(context, PIPEFS_MAGIC, filesystem_index(names, "pipe"));

	if (!err)
		err = tell(context, SOCKFS_MAGIC, filesystem_index(names, "socket"));
	for (size_t i = 0; i < mounts__count(names->mounts) && !err; i++) {
		const struct mount *mount = mounts__at(names->mounts, i);
		uint64_t magic = magic_of(mount);

		if (magic)
			err = tell(context, magic, filesystem_index(names, mount->filesystem));
	}
	return err;
}

/* --- names */

/* A table with a thousand mounts takes milliseconds to read, and files come by the thousand. */
static bool may_look(struct file_names *names, uint64_t now_ns)
{
	if (now_ns - names->looks_since_ns >= 1000000000ULL) {
		names->looks_since_ns = now_ns;
		names->looks = 0;
	}
	return names->looks++ < LOOKS_PER_SECOND;
}

static void look(pid_t pid, struct mounts **mounts)
{
	struct mounts *fresh;

	if (mounts__read(pid, &fresh))
		return;
	mounts__free(*mounts);
	*mounts = fresh;
}

/* A container's mounts are not the recorder's. Of a process that is gone nobody can tell. */
static bool has_other_mounts(const struct file_names *names, uint32_t tgid)
{
	struct stat namespace;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", tgid);
	return !stat(path, &namespace) && (namespace.st_ino != names->namespace.st_ino ||
					   namespace.st_dev != names->namespace.st_dev);
}

/* The table that a mount is in; NULL: none that was read. */
static const struct mounts *table_with(const struct file_names *names, uint32_t id)
{
	if (mounts__by_id(names->mounts, id))
		return names->mounts;
	return names->others && mounts__by_id(names->others, id) ? names->others : NULL;
}

/* NULL: not known. */
static const struct mount *find_mount(struct file_names *names, const struct ps_file_event *event,
				      const char *path)
{
	const struct mounts *table = table_with(names, event->mount);
	pid_t pid = (pid_t)event->event.tgid;

	if (!event->mount && event->key.kind == PS_IO_FILE)
		return NULL; /* the first mount of all, the kernel's own: of memfd_create() */
	if (event->mount) {
		if (!table && may_look(names, event->event.time_ns)) {
			look(getpid(), &names->mounts); /* mounted meanwhile? */
			look(pid, &names->others);
			table = table_with(names, event->mount);
		}
		if (!table)
			return NULL;
		/* Of a path the directory's mount is told, below which there may be others. */
		return event->key.kind == PS_IO_PATH ? mounts__by_path(table, path)
						     : mounts__by_id(table, event->mount);
	}
	if (!has_other_mounts(names, event->event.tgid))
		return mounts__by_path(names->mounts, path);
	if (!may_look(names, event->event.time_ns))
		return NULL;
	look(pid, &names->others);
	return names->others ? mounts__by_path(names->others, path) : NULL;
}

static struct file_name *find_name(const struct file_names *names, const struct ps_io_key *key)
{
	struct name_key wanted = {.file = key->file, .device = key->device, .kind = key->kind};
	struct file_name *name = name_table__find(names->names, &wanted);

	if (name)
		name->used = names->sweeps;
	return name;
}

/* Whether a file goes by another name now, in its directory or in another one. Through another
 * mount or another root its path differs too, but it stays the same file. */
static bool has_new_name(const struct file_name *name, const char *path, uint64_t directory)
{
	const char *now = strrchr(path, '/');
	size_t length = now ? (size_t)(now - path) : 0;
	bool same_name = now && !strcmp(name->name, now + 1);
	bool same_folder =
		!strncmp(name->folder->path, path, length) && !name->folder->path[length];

	return name->key.kind == PS_IO_FILE && (!same_name || !same_folder) &&
	       (directory != name->directory || !same_name);
}

static int take_new_name(struct file_names *names, struct file_name *name, const char *path,
			 const char *filesystem, const char *mount, uint64_t directory)
{
	name = name_table__rename(names->names, name, path, filesystem, mount);
	if (!name)
		return -ENOMEM;
	name->directory = directory;
	if (name->row && !name->row->shared)
		name->row_before = name->row->id;
	name->row = NULL;
	return 0;
}

static int remember(struct file_names *names, const struct ps_io_key *key, const char *path,
		    const char *filesystem, const char *mount, uint64_t directory)
{
	struct name_key wanted = {.file = key->file, .device = key->device, .kind = key->kind};
	struct file_name *name = find_name(names, key);

	if (name) {
		name_table__told(names->names, name);
		return has_new_name(name, path, directory)
			       ? take_new_name(names, name, path, filesystem, mount, directory)
			       : 0;
	}
	name = name_table__add(names->names, &wanted, path, filesystem, mount);
	if (!name)
		return -ENOMEM;
	name->directory = directory;
	name->used = names->sweeps;
	return 0;
}

/* BPF may have to count a directory's files together: it then calls a directory by its inode, or by
 * the hash of its path; that of a relative path is the directory it is relative to. */
static int remember_directory(struct file_names *names, const struct ps_file_event *event,
			      const char *text, const char *path, const char *filesystem,
			      const char *mount)
{
	struct ps_io_key directory = event->key;
	_cleanup_free_ char *inside = NULL;
	uint64_t number = event->directory;

	directory.kind = PS_IO_DIRECTORY;
	if (event->key.kind == PS_IO_PATH) {
		inside = told_path__directory(event, text, &number);
		if (!inside)
			return -ENOMEM;
	}
	directory.file = number;
	if (!number)
		return 0;
	/* What counts of a name is what stands in front of its last slash. */
	return remember(names, &directory, inside ?: path, filesystem, mount, 0);
}

int file_names__on_event(struct file_names *names, const struct ps_file_event *event,
			 const char *text)
{
	bool is_path = event->key.kind == PS_IO_PATH;
	const char *mount_point, *filesystem;
	_cleanup_free_ char *path = NULL;
	const struct mount *mount;
	struct file_name *known;
	int err;

	if (is_path ? !event->text_size : event->key.kind != PS_IO_FILE)
		return 0;
	known = is_path ? find_name(names, &event->key) : NULL;
	if (known) {
		name_table__told(names->names, known);
		return 0;
	}
	path = is_path ? told_path__resolve(event, text) : told_path__of_file(event, text);
	if (!path)
		return -ENOMEM;
	mount = find_mount(names, event, path);
	mount_point = string_pool__intern(names->pool, mount ? mount->point : "");
	/* The mount tells one FUSE program from another, the file system itself does not. */
	filesystem =
		mount ? string_pool__intern(names->pool, mount->filesystem)
		      : string_pool__intern_bytes(names->pool, event->filesystem, PS_COMM_SIZE);
	if (!mount_point || !filesystem)
		return -ENOMEM;
	err = remember(names, &event->key, path, filesystem, mount_point,
		       is_path ? 0 : event->directory);
	if (err)
		return err;
	return remember_directory(names, event, text, path, filesystem, mount_point);
}

/* --- rows */

static bool ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), wanted = strlen(end);

	return length >= wanted && !strcmp(path + length - wanted, end);
}

static void hash_path(const struct file_names *names, const char *path, uint64_t *ret_hash)
{
	for (size_t i = 0; i < 2; i++)
		ret_hash[i] = siphash(&names->hash_keys[i], path, strlen(path));
}

static struct file_row_entry *find_row(const struct file_names *names, const char *path)
{
	struct file_row_entry *row;
	uint64_t hash[2];

	hash_path(names, path, hash);
	HASH_FIND(hh, names->rows, hash, sizeof(hash), row);
	return row;
}

/* The row of that path, written when it is new; *count then grows. of: a path that tells its
 * dataset type; NULL: the path itself. */
static struct file_row_entry *row_of(struct file_names *names, const char *kind, const char *path,
				     const char *of, const char *filesystem, const char *mount,
				     unsigned int *count, int *ret_error)
{
	struct file_row_entry *entry = find_row(names, path);
	struct file_row row = {
		.kind = kind, .path = path, .filesystem = filesystem, .mount = mount};

	if (entry) {
		entry->used = names->sweeps;
		return entry;
	}
	*ret_error = -ENOMEM;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	hash_path(names, path, entry->hash);
	entry->shared = ends_with(path, "/*");
	entry->id = row.id = names->last_row + 1;
	entry->count = count;
	entry->used = names->sweeps;
	HASH_ADD(hh, names->rows, hash, sizeof(entry->hash), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	*ret_error = recording_writer__file(names->writer, &row);
	if (!*ret_error && path[0] == '/')
		*ret_error = unless_dropped(datasets__on_row(names->datasets, row.id, of ?: path));
	if (*ret_error) { /* to be written when it is next asked for */
		HASH_DEL(names->rows, entry);
		free(entry);
		return NULL;
	}
	names->last_row++;
	++*count;
	return entry;
}

/* The row for all files of a directory that have none of their own; when there are too many
 * directories, that of their mount. */
static struct file_row_entry *directory_row(struct file_names *names, const struct file_name *name,
					    int *ret_error)
{
	const struct name_folder *folder = name->folder;
	bool own = names->directories < names->most->directories;
	const char *directory = own ? folder->path : folder->mount[0] ? folder->mount : "[unknown]";
	_cleanup_free_ char *path = NULL, *of = name_table__path(name);

	if (!of || asprintf(&path, "%s/*", strcmp(directory, "/") ? directory : "") < 0) {
		path = NULL;
		*ret_error = -ENOMEM;
		return NULL;
	}
	return row_of(names, "directory", path, own ? of : NULL, folder->filesystem, folder->mount,
		      &names->directories, ret_error);
}

/* A file's own row. */
static struct file_row_entry *own_row(struct file_names *names, struct file_name *name,
				      int *ret_error)
{
	const struct name_folder *folder = name->folder;
	_cleanup_free_ char *path = name_table__path(name);
	struct file_row_entry *row;

	if (!path) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	row = row_of(names, "file", path, NULL, folder->filesystem, folder->mount, &names->files,
		     ret_error);
	name->row = row;
	if (row && name->row_before && name->row_before != row->id)
		*ret_error = unless_dropped(
			recording_writer__renamed(names->writer, name->row_before, row->id));
	name->row_before = 0;
	return row;
}

static int64_t nameless_row(struct file_names *names, const struct ps_io_key *key)
{
	static const struct {
		const char *kind, *path, *filesystem;
	} texts[] = {
		[PS_IO_FILE] = {"file", "[unknown]", ""},
		[PS_IO_PATH] = {"file", "[unknown]", ""},
		[PS_IO_PIPE] = {"pipe", "pipe", "pipe"},
		[PS_IO_SOCKET] = {"socket", "socket", "socket"},
		[PS_IO_OTHER] = {"other", "other", ""},
		[PS_IO_DIRECTORY] = {"directory", "[unknown]/*", ""},
	};
	size_t kind =
		key->kind < sizeof(texts) / sizeof(texts[0]) && key->kind ? key->kind : PS_IO_OTHER;
	int err = 0;
	struct file_row_entry *row = row_of(names, texts[kind].kind, texts[kind].path, NULL,
					    texts[kind].filesystem, "", &names->directories, &err);

	return row ? row->id : err;
}

int64_t file_names__row(struct file_names *names, const struct ps_io_key *key, int matters)
{
	unsigned int room = matters ? 2 * names->most->files : names->most->files;
	struct file_name *name = NULL;
	struct file_row_entry *row;
	int err = 0;

	if (key->kind == PS_IO_FILE || key->kind == PS_IO_PATH || key->kind == PS_IO_DIRECTORY)
		name = find_name(names, key);
	if (!name)
		return nameless_row(names, key);
	name_table__touch(names->names, name);
	if (name->row) {
		name->row->used = names->sweeps;
		return name->row->id;
	}
	row = key->kind != PS_IO_DIRECTORY && names->files < room
		      ? own_row(names, name, &err)
		      : directory_row(names, name, &err);
	return err ? err : row->id;
}

/* --- what becomes of files */

int file_names__knows(const struct file_names *names, const struct ps_io_key *key)
{
	return find_name(names, key) != NULL;
}

int file_names__on_mapped(struct file_names *names, const struct ps_io_key *key, const char *path)
{
	const struct mount *mount = mounts__by_path(names->mounts, path);
	const char *point = string_pool__intern(names->pool, mount ? mount->point : "");
	const char *filesystem = string_pool__intern(names->pool, mount ? mount->filesystem : "");

	return point && filesystem ? remember(names, key, path, filesystem, point, 0) : -ENOMEM;
}

/* The rest of a folder's path below another one, or ""; NULL: it lies elsewhere. */
static const char *below(const struct name_folder *folder, const char *above, size_t length)
{
	const char *rest;

	if (strncmp(folder->path, above, length))
		return NULL;
	rest = folder->path + length;
	return !*rest || *rest == '/' ? rest : NULL;
}

static int move_one(struct file_names *names, struct file_name *name, const char *to,
		    const char *rest)
{
	const struct name_folder *folder = name->folder;
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s%s/%s", to, rest, name->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return take_new_name(names, name, path, folder->filesystem, folder->mount, name->directory);
}

/* Whether a file is known by just this path. */
static bool has_path(const struct file_name *name, const char *path)
{
	size_t length = strlen(name->folder->path);

	return name->key.kind == PS_IO_FILE && !strncmp(name->folder->path, path, length) &&
	       path[length] == '/' && !strcmp(path + length + 1, name->name);
}

/* The folder may hold files that are known: they have another path now. A path that a call has told
 * stays what it was. *ret_found: whether any has that path, or lies below it. */
static int move_folder(struct file_names *names, const char *from, const char *to, bool *ret_found)
{
	size_t length = strlen(from);
	bool found = false;
	int err = 0;

	for (int list = 0; list < NAME_LIST_COUNT; list++) {
		struct file_name *name, *next;

		name = name_table__oldest(names->names, (enum name_list)list);
		for (; name && !err; name = next) {
			const char *rest = name->key.kind == PS_IO_PATH
						   ? NULL
						   : below(name->folder, from, length);

			next = name->newer;
			found |= rest || has_path(name, from);
			if (rest)
				err = move_one(names, name, to, rest);
		}
	}
	if (!err)
		*ret_found = found;
	return err;
}

/* Whether known files lie in a folder that is called as the path's last part is. */
static bool may_hold_files(const struct file_names *names, const char *path)
{
	const char *called = strrchr(path, '/') ?: path;
	const struct name_folder *last = NULL;
	size_t length = strlen(called);

	for (int list = 0; list < NAME_LIST_COUNT; list++) {
		const struct file_name *name =
			name_table__oldest(names->names, (enum name_list)list);

		for (; name; name = name->newer) {
			const char *at = name->folder->path;

			if (name->key.kind == PS_IO_PATH || name->folder == last)
				continue;
			last = name->folder;
			for (; (at = strstr(at, called)); at++)
				if (!at[length] || at[length] == '/')
					return true;
		}
	}
	return false;
}

/* A path through a symbolic link is not the one that the files below have. */
static int follow_rename(struct file_names *names, const char *from, const char *to)
{
	bool found;
	int err = move_folder(names, from, to, &found);

	if (!err && !found && may_hold_files(names, from))
		names->unfollowed++;
	return err;
}

/* Nobody tells whether it was a folder, and each look for what is in it takes a while. */
static bool may_move(struct file_names *names, uint64_t now_ns)
{
	if (now_ns - names->moves_since_ns >= 1000000000ULL) {
		names->moves_since_ns = now_ns;
		names->moved = 0;
	}
	names->moved += name_table__count(names->names) + 1;
	return names->moved <= MOVED_PER_SECOND;
}

int file_names__on_renamed(struct file_names *names, const struct ps_file_event *event,
			   const char *text)
{
	const struct file_name *old = find_name(names, &event->key);
	_cleanup_free_ char *path = NULL, *from = NULL;
	struct file_row_entry *row;
	int err = 0;

	if (!event->text_size)
		return 0;
	if (!old) { /* what is below it is not known either */
		names->unfollowed++;
		return 0;
	}
	path = told_path__resolve(event, text);
	if (!path)
		return -ENOMEM;
	from = name_table__path(old);
	if (!from)
		return -ENOMEM;
	row = find_row(names, from);
	if (may_move(names, event->event.time_ns))
		err = follow_rename(names, from, path);
	else
		names->unfollowed++;
	return err
		       ?: unless_dropped(datasets__on_renamed(names->datasets, from, path,
							      row ? row->id : 0));
}

void file_names__on_written(struct file_names *names, const struct ps_io_key *key, int64_t size,
			    int64_t *ret_files, int64_t *ret_bytes)
{
	struct file_name *name = find_name(names, key);
	bool known = name && name->size >= 0;

	*ret_files = known ? 0 : 1;
	*ret_bytes = known ? size - name->size : size;
	if (name)
		name->size = size;
}

static void sweep_names(struct file_names *names)
{
	for (int list = 0; list < NAME_LIST_COUNT; list++) {
		struct file_name *name, *next;

		name = name_table__oldest(names->names, (enum name_list)list);
		for (; name; name = next) {
			next = name->newer;
			if (name->used != names->sweeps)
				name_table__remove(names->names, name);
			else if (name->row && name->row->used != names->sweeps)
				name->row = NULL;
		}
	}
}

int file_names__sweep(struct file_names *names)
{
	struct file_row_entry *row, *next_row;

	sweep_names(names);
	HASH_ITER (hh, names->rows, row, next_row) {
		int err;

		if (row->used == names->sweeps)
			continue;
		err = recording_writer__forget_file(names->writer, row->id);
		if (err)
			return err;
		--*row->count;
		HASH_DEL(names->rows, row);
		free(row);
	}
	names->sweeps++;
	return 0;
}

void file_names__in_use(struct file_names *names, const struct ps_io_key *key)
{
	struct file_name *name = find_name(names, key);

	if (name)
		name_table__touch(names->names, name);
}

bool file_names__must_be_told(const struct file_names *names)
{
	return name_table__lost_told(names->names);
}

void file_names__tell_anew(struct file_names *names)
{
	name_table__next_round(names->names);
}

uint64_t file_names__unfollowed(const struct file_names *names)
{
	return names->unfollowed;
}

void file_names__on_slice(struct file_names *names)
{
	datasets__on_slice(names->datasets);
}
