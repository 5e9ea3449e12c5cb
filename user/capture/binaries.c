// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "base/strings.h"
#include "capture/unwinder.h"
#include "store/writer.h"
#include "symbols/elf.h"
#include "unwind/rows.h"

struct file_key {
	uint64_t device, inode;
};

struct entry {
	struct file_key key;
	uint32_t used; /* number of the sweep before its last use */
	struct binary binary;
	UT_hash_handle hh;
};

struct binaries {
	struct entry *entries;
	uint32_t sweeps;
};

struct binaries *binaries__new(void)
{
	return calloc(1, sizeof(struct binaries));
}

void binaries__free(struct binaries *binaries)
{
	struct entry *one, *next;

	if (!binaries)
		return;
	HASH_ITER (hh, binaries->entries, one, next) {
		HASH_DEL(binaries->entries, one);
		elf_symbols__free(one->binary.symbols);
		free(one);
	}
	free(binaries);
}

/* Opens the very file that is mapped. map_files gives it even when it is deleted; the path serves
 * when the mapping is gone, and only if it still names the same inode. O_NONBLOCK: it may have
 * become a FIFO meanwhile. */
static int open_mapped(pid_t pid, const struct mapping *mapping, char *path, size_t path_size)
{
	struct stat status;
	int fd;

	snprintf(path, path_size, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, mapping->start,
		 mapping->end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	snprintf(path, path_size, "/proc/%d/root%s", pid, mapping->file.path);
	if (fd >= 0)
		return fd;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		snprintf(path, path_size, "%s", mapping->file.path);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0)
		return -ESRCH;
	/* The device differs on overlay file systems between maps and stat. */
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    status.st_ino != mapping->file.inode) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

int binary__open(pid_t pid, const struct mapping *mapping)
{
	char path[PATH_MAX + 32];

	return open_mapped(pid, mapping, path, sizeof(path));
}

static void look_into(struct binary *binary, int fd, const char *path)
{
	int err;

	if (elf_symbols__open(fd, path, &binary->symbols))
		binary->symbols = NULL;
	err = python_binary__probe(fd, &binary->python);
	binary->is_python = !err || err == -EOPNOTSUPP;
	binary->python_known = !err;
}

int binaries__get(struct binaries *binaries, pid_t pid, const struct mapping *mapping,
		  struct binary **ret_binary)
{
	struct file_key key = {.device = mapping->file.device, .inode = mapping->file.inode};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX + 32];
	struct entry *entry;
	const char *slash;

	if (!key.inode || mapping->file.path[0] != '/')
		return -ENOENT;
	HASH_FIND(hh, binaries->entries, &key, sizeof(key), entry);
	if (entry) {
		entry->used = binaries->sweeps;
		*ret_binary = &entry->binary;
		return 0;
	}
	fd = open_mapped(pid, mapping, path, sizeof(path));
	if (fd < 0)
		return fd;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	entry->used = binaries->sweeps;
	entry->binary.path = mapping->file.path;
	slash = strrchr(mapping->file.path, '/');
	entry->binary.name = slash + 1;
	HASH_ADD(hh, binaries->entries, key, sizeof(key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	look_into(&entry->binary, fd, path);
	*ret_binary = &entry->binary;
	return 0;
}

void binaries__use(struct binaries *binaries, const struct binary *binary)
{
	struct entry *entry;

	if (!binary)
		return;
	entry = (struct entry *)((char *)(uintptr_t)binary - offsetof(struct entry, binary));
	entry->used = binaries->sweeps;
}

void binaries__use_mapping(struct binaries *binaries, const struct mapping *mapping)
{
	struct file_key key = {.device = mapping->file.device, .inode = mapping->file.inode};
	struct entry *entry;

	HASH_FIND(hh, binaries->entries, &key, sizeof(key), entry);
	if (entry)
		entry->used = binaries->sweeps;
}

int binaries__sweep(struct binaries *binaries, int (*forget)(void *context, struct binary *binary),
		    void *context)
{
	struct entry *one, *next;
	int err = 0;

	HASH_ITER (hh, binaries->entries, one, next) {
		if (binaries->sweeps - one->used < BINARIES_KEPT_SWEEPS)
			continue;
		err = forget(context, &one->binary);
		if (err == -EBUSY)
			continue;
		if (err)
			return err;
		HASH_DEL(binaries->entries, one);
		elf_symbols__free(one->binary.symbols);
		free(one);
	}
	binaries->sweeps++;
	return 0;
}

void binaries__use_paths(const struct binaries *binaries, struct string_pool *pool)
{
	for (const struct entry *one = binaries->entries; one; one = one->hh.next)
		string_pool__use(pool, one->binary.path);
}

int binary__write_problems(const struct binary *binary, struct recording_writer *writer)
{
	const uint64_t *problems = binary->unwind ? unwind_file__problems(binary->unwind) : NULL;
	int err = 0;

	for (int i = 0; problems && i < UNWIND_PROBLEM_COUNT && !err; i++)
		if (problems[i])
			err = unless_dropped(recording_writer__unwind_problem(
				writer, binary->path, unwind_problem__name(i),
				(int64_t)problems[i]));
	return err;
}

int binaries__write_problems(const struct binaries *binaries, struct recording_writer *writer)
{
	int err = 0;

	for (const struct entry *entry = binaries->entries; entry && !err; entry = entry->hh.next)
		err = binary__write_problems(&entry->binary, writer);
	return err;
}

int binary__address(const struct binary *binary, const struct mapping *mapping, uint64_t address,
		    uint64_t *ret_address)
{
	if (!binary->symbols)
		return -ENOENT;
	return elf_symbols__vaddr(binary->symbols, address - mapping->start + mapping->offset,
				  ret_address);
}
