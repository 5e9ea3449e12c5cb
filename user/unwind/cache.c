// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/files.h"

#define MAGIC	       "psunwind"
#define VERSION	       2u /* of the file and of what rows mean */
#define KEPT(limit)    ((limit) / 4 * 3) /* after old ones were removed */
#define NAME_SIZE      (2 * ELF_INPUT_MAX_BUILD_ID + 64)
#define OTHERS_WRITE   (S_IWGRP | S_IWOTH)
#define PROBLEMS_SPACE 16

/* The file: this, then its rows. */
struct header {
	char magic[8];
	uint32_t version;
	uint32_t row_count;
	struct unwind_cache_key key;
	uint64_t base, described, undescribed;
	uint64_t problems[PROBLEMS_SPACE];
	uint64_t checksum; /* of the rows and, with 0 here, of the header */
};

_Static_assert(UNWIND_PROBLEM_COUNT <= PROBLEMS_SPACE, "a problem more needs another version");
_Static_assert(sizeof(struct header) % 8 == 0, "the checksum goes by 8 bytes");

struct unwind_cache {
	int directory;
	uint64_t limit;
	pthread_mutex_t lock; /* of what follows */
	uint64_t size; /* bytes, as far as known */
	unsigned int serial; /* of temporary files */
};

int unwind_cache__key(int fd, struct unwind_cache_key *ret)
{
	struct unwind_cache_key key = {0};
	struct elf_input input;
	struct stat status;
	int err = elf_input__open(fd, &input);

	if (err)
		return err;
	key.build_id_size = (uint32_t)elf_input__build_id(&input, key.build_id);
	elf_input__close(&input);
	if (!key.build_id_size)
		return -ENOENT;
	if (fstat(fd, &status))
		return -errno;
	key.owner = status.st_uid;
	key.file_size = (uint64_t)status.st_size;
	*ret = key;
	return 0;
}

static void name_of(const struct unwind_cache_key *key, char name[NAME_SIZE])
{
	size_t at = 0;

	for (uint32_t i = 0; i < key->build_id_size; i++)
		at += (size_t)snprintf(name + at, NAME_SIZE - at, "%02x", key->build_id[i]);
	snprintf(name + at, NAME_SIZE - at, "-%u", key->owner);
}

static uint64_t sum(uint64_t value, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof(word));
		value = (value ^ word) * 0x9e3779b97f4a7c15ull;
		value ^= value >> 32;
	}
	return value;
}

static uint64_t checksum_of(const struct header *header, const struct ps_unwind_row *rows)
{
	struct header without = *header;

	without.checksum = 0;
	return sum(sum(0, &without, sizeof(without)), rows, header->row_count * sizeof(*rows));
}

static bool is_ours(const struct stat *status)
{
	return status->st_uid == geteuid() && !(status->st_mode & OTHERS_WRITE);
}

static int open_directory(const char *path)
{
	struct stat status;
	int fd, err = 0;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		err = -errno;
	else if (!is_ours(&status))
		err = -EPERM;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

struct entry {
	char name[NAME_SIZE];
	struct timespec used;
	uint64_t size;
};

static int older_first(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
	return a->used.tv_nsec < b->used.tv_nsec ? -1 : a->used.tv_nsec > b->used.tv_nsec;
}

static int list(struct unwind_cache *cache, struct entry **ret, size_t *ret_count)
{
	_cleanup_free_ struct entry *entries = NULL;
	size_t count = 0, capacity = 0;
	int fd = openat(cache->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	struct dirent *found;
	struct stat status;
	DIR *directory;

	if (fd < 0)
		return -errno;
	directory = fdopendir(fd);
	if (!directory) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err && (found = readdir(directory))) {
		if (strlen(found->d_name) >= NAME_SIZE ||
		    fstatat(fd, found->d_name, &status, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(status.st_mode))
			continue;
		err = array__reserve(&entries, &capacity, sizeof(*entries), count + 1);
		if (err)
			break;
		strcpy(entries[count].name, found->d_name);
		entries[count].used = status.st_mtim;
		entries[count++].size = (uint64_t)status.st_size;
	}
	closedir(directory);
	if (err)
		return err;
	*ret = entries;
	entries = NULL;
	*ret_count = count;
	return 0;
}

/* Counts what is there; above the limit the oldest go. The lock is held. */
static int tidy(struct unwind_cache *cache)
{
	_cleanup_free_ struct entry *entries = NULL;
	size_t count = 0;
	int err = list(cache, &entries, &count);

	if (err)
		return err;
	cache->size = 0;
	for (size_t i = 0; i < count; i++)
		cache->size += entries[i].size;
	if (cache->size <= cache->limit)
		return 0;
	qsort(entries, count, sizeof(*entries), older_first);
	for (size_t i = 0; i < count && cache->size > KEPT(cache->limit); i++)
		if (!unlinkat(cache->directory, entries[i].name, 0))
			cache->size -= entries[i].size;
	return 0;
}

int unwind_cache__open(const char *path, uint64_t limit, struct unwind_cache **ret)
{
	struct unwind_cache *cache;
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	int fd, err;

	if (slash && slash != path) {
		if ((size_t)(slash - path) >= sizeof(parent))
			return -ENAMETOOLONG;
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = '\0';
		fd = open_directory(parent);
		if (fd < 0)
			return fd;
		close(fd);
	}
	fd = open_directory(path);
	if (fd < 0)
		return fd;
	cache = calloc(1, sizeof(*cache));
	if (!cache) {
		close(fd);
		return -ENOMEM;
	}
	cache->directory = fd;
	cache->limit = limit;
	pthread_mutex_init(&cache->lock, NULL);
	err = tidy(cache);
	if (err) {
		unwind_cache__free(cache);
		return err;
	}
	*ret = cache;
	return 0;
}

void unwind_cache__free(struct unwind_cache *cache)
{
	if (!cache)
		return;
	close(cache->directory);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static int write_all(int fd, const void *source, size_t size)
{
	size_t written = 0;

	while (written < size) {
		ssize_t done = write(fd, (const char *)source + written, size - written);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		written += (size_t)done;
	}
	return 0;
}

/* What a binary search relies on. */
static bool is_sorted(const struct ps_unwind_row *rows, uint32_t count)
{
	if (!count || rows[0].address)
		return false;
	for (uint32_t i = 1; i < count; i++)
		if (rows[i].address <= rows[i - 1].address)
			return false;
	return true;
}

int unwind_cache__load(struct unwind_cache *cache, const struct unwind_cache_key *key,
		       struct unwind_rows *ret)
{
	_cleanup_free_ struct ps_unwind_row *rows = NULL;
	_cleanup_close_ int fd = -1;
	struct header header;
	struct stat status;
	char name[NAME_SIZE];
	int err;

	name_of(key, name);
	fd = openat(cache->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || !is_ours(&status))
		return -EBADMSG;
	err = file__read_at(fd, 0, &header, sizeof(header));
	if (err)
		return err;
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) || header.version != VERSION ||
	    memcmp(&header.key, key, sizeof(*key)) || header.row_count > UNWIND_MAX_ROWS ||
	    (uint64_t)status.st_size != sizeof(header) + header.row_count * sizeof(*rows))
		return -EBADMSG;
	rows = malloc(header.row_count * sizeof(*rows) + 1);
	if (!rows)
		return -ENOMEM;
	err = file__read_at(fd, sizeof(header), rows, header.row_count * sizeof(*rows));
	if (err)
		return err;
	if (header.checksum != checksum_of(&header, rows) || !is_sorted(rows, header.row_count))
		return -EBADMSG;
	futimens(fd, NULL); /* used now: only the order of removal hangs on it */
	*ret = (struct unwind_rows){
		.rows = rows,
		.count = header.row_count,
		.base = header.base,
		.described = header.described,
		.undescribed = header.undescribed,
	};
	memcpy(ret->problems, header.problems, sizeof(ret->problems));
	rows = NULL;
	return 0;
}

int unwind_cache__store(struct unwind_cache *cache, const struct unwind_cache_key *key,
			const struct unwind_rows *rows)
{
	size_t size = rows->count * sizeof(*rows->rows);
	struct header header = {
		.magic = MAGIC,
		.version = VERSION,
		.row_count = (uint32_t)rows->count,
		.key = *key,
		.base = rows->base,
		.described = rows->described,
		.undescribed = rows->undescribed,
	};
	char name[NAME_SIZE], temporary[NAME_SIZE];
	unsigned int serial;
	int fd, err;

	if (rows->count > UNWIND_MAX_ROWS)
		return -EFBIG;
	memcpy(header.problems, rows->problems, sizeof(rows->problems));
	header.checksum = checksum_of(&header, rows->rows);
	pthread_mutex_lock(&cache->lock);
	serial = cache->serial++;
	pthread_mutex_unlock(&cache->lock);
	name_of(key, name);
	snprintf(temporary, sizeof(temporary), "%d-%u.tmp", getpid(), serial);
	unlinkat(cache->directory, temporary, 0); /* of a process that had this pid */
	fd = openat(cache->directory, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, &header, sizeof(header));
	if (!err)
		err = write_all(fd, rows->rows, size);
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat(cache->directory, temporary, cache->directory, name))
		err = -errno;
	if (err) {
		unlinkat(cache->directory, temporary, 0);
		return err;
	}
	pthread_mutex_lock(&cache->lock);
	cache->size += sizeof(header) + size;
	if (cache->size > cache->limit)
		err = tidy(cache);
	pthread_mutex_unlock(&cache->lock);
	return err;
}
