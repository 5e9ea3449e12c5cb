// SPDX-License-Identifier: GPL-2.0-or-later
/* Each file is opened once, however many processes map it. */
#include "capture/pythons.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/strings.h"
#include "capture/binaries.h"
#include "proc/mappings.h"
#include "python/binary.h"
#include "symbols/offers.h"

static const char *const symbols[] = {
#define X(name, text) text,
	PYTHONS_FUNCTIONS(X)
#undef X
};

struct file {
	struct {
		uint64_t device, inode;
	} key;
	bool python, layout_known;
	uint16_t version;
	bool offers[PYTHONS_OFFERS];
	UT_hash_handle hh;
};

struct looking {
	struct pythons *pythons;
	struct file *files;
	struct string_pool *pool;
};

const char *pythons__symbol(enum pythons_offer offer)
{
	return offer < PYTHONS_USDT_ENTRY ? symbols[offer] : NULL;
}

/* What cannot be read offers nothing. */
static int read_file(struct file *file, int fd)
{
	struct elf_offer offers[PYTHONS_OFFERS] = {
		[PYTHONS_USDT_ENTRY] = {.provider = "python", .name = "function__entry"},
		[PYTHONS_USDT_RETURN] = {.provider = "python", .name = "function__return"},
	};
	struct python_binary binary = {0};
	int err;

	for (size_t i = 0; i < PYTHONS_USDT_ENTRY; i++)
		offers[i].name = symbols[i];
	err = elf_offers__find(fd, offers, PYTHONS_OFFERS);
	if (err == -ENOMEM)
		return err;
	for (size_t i = 0; i < PYTHONS_OFFERS; i++)
		file->offers[i] = offers[i].defined;
	err = python_binary__probe(fd, &binary);
	file->python = !err || err == -EOPNOTSUPP;
	file->layout_known = !err;
	file->version = binary.version;
	return err == -ENOMEM ? err : 0;
}

static int get_file(struct looking *looking, pid_t pid, const struct mapping *mapping,
		    struct file **ret_file)
{
	_cleanup_close_ int fd = -1;
	struct file key = {.key = {mapping->file.device, mapping->file.inode}}, *file;
	int err;

	HASH_FIND(hh, looking->files, &key.key, sizeof(key.key), file);
	if (file) {
		*ret_file = file;
		return 0;
	}
	fd = binary__open(pid, mapping);
	if (fd < 0)
		return fd;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->key = key.key;
	err = read_file(file, fd);
	if (!err) {
		HASH_ADD(hh, looking->files, key, sizeof(file->key), file);
		if (!file->hh.tbl)
			err = -ENOMEM;
	}
	if (err) {
		free(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

static int keep_name(char **name, const char *path)
{
	if (!*name)
		*name = strdup(path ?: "");
	return *name ? 0 : -ENOMEM;
}

static bool is_any(const bool *offers, size_t first, size_t last)
{
	for (size_t i = first; i <= last; i++)
		if (offers[i])
			return true;
	return false;
}

/* The first file that defines a function is whose function is called; mappings are in the order of
 * addresses, so of two with malloc the one that is no part of the C library counts. */
static int merge(struct python_kind *kind, const struct file *file, const char *path)
{
	bool libc = strstr(path, "/libc.so") || strstr(path, "/libc-"), mallocs;
	int err = 0;

	mallocs = is_any(file->offers, PYTHONS_MALLOC, PYTHONS_MALLOC) &&
		  !strstr(path, "/ld-linux") && !strstr(path, "/ld-2");
	if (file->python) {
		kind->version = file->version;
		kind->layout_known = file->layout_known;
		err = keep_name(&kind->program, path);
		for (size_t i = PYTHONS_PY_OBJECT; i < PYTHONS_OFFERS; i++)
			kind->offers[i] |= file->offers[i];
	}
	if (!err && mallocs && (!kind->allocator || !libc)) {
		free(kind->allocator);
		kind->allocator = NULL;
		err = keep_name(&kind->allocator, path);
		for (size_t i = PYTHONS_MALLOC; i <= PYTHONS_MEMALIGN; i++)
			kind->offers[i] = file->offers[i];
	}
	if (!err && is_any(file->offers, PYTHONS_NEW, PYTHONS_DELETE_ARRAY) && !kind->cxx) {
		err = keep_name(&kind->cxx, path);
		for (size_t i = PYTHONS_NEW; i <= PYTHONS_DELETE_ARRAY; i++)
			kind->offers[i] = file->offers[i];
	}
	return err;
}

static bool is_equal(const char *one, const char *other)
{
	return !one || !other ? one == other : !strcmp(one, other);
}

static void clear_kind(struct python_kind *kind)
{
	free(kind->program);
	free(kind->allocator);
	free(kind->cxx);
	free(kind->pids);
	*kind = (struct python_kind){0};
}

/* Takes what *kind holds. */
static int add_kind(struct pythons *pythons, struct python_kind *kind, pid_t pid)
{
	struct python_kind *one = NULL;
	int err;

	for (size_t i = 0; i < pythons->count && !one; i++) {
		struct python_kind *other = &pythons->kinds[i];

		if (other->version == kind->version && is_equal(other->program, kind->program) &&
		    is_equal(other->allocator, kind->allocator) &&
		    is_equal(other->cxx, kind->cxx) &&
		    !memcmp(other->offers, kind->offers, sizeof(kind->offers)))
			one = other;
	}
	if (!one) {
		err = array__reserve(&pythons->kinds, &pythons->capacity, sizeof(*pythons->kinds),
				     pythons->count + 1);
		if (err)
			return err;
		one = &pythons->kinds[pythons->count++];
		*one = *kind;
		*kind = (struct python_kind){0};
	}
	err = array__reserve(&one->pids, &one->pid_capacity, sizeof(*one->pids),
			     one->pid_count + 1);
	if (!err)
		one->pids[one->pid_count++] = pid;
	return err;
}

static int look(struct looking *looking, pid_t pid)
{
	struct mapping_set *set = NULL;
	struct python_kind kind = {0};
	int err = mapping_set__read(pid, looking->pool, &set);

	for (size_t i = 0; !err && i < mapping_set__count(set); i++) {
		const struct mapping *mapping = mapping_set__at(set, i);
		struct file *file = NULL;

		if (!mapping->file.inode)
			continue;
		err = get_file(looking, pid, mapping, &file);
		if (!err)
			err = merge(&kind, file, mapping->file.path ?: "");
		else if (err != -ENOMEM)
			err = 0; /* one that cannot be opened offers nothing */
	}
	if (!err && kind.program)
		err = add_kind(looking->pythons, &kind, pid);
	clear_kind(&kind);
	mapping_set__unref(set);
	return err;
}

int pythons__find(struct pythons *pythons)
{
	struct looking looking = {.pythons = pythons, .pool = string_pool__new()};
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	struct file *file, *next;
	int err = !looking.pool ? -ENOMEM : folder ? 0 : -errno;

	while (!err && (entry = readdir(folder))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid <= 0)
			continue;
		err = look(&looking, pid);
		if (err && err != -ENOMEM) {
			pythons->unread += err != -ESRCH;
			err = 0;
		}
	}
	if (folder)
		closedir(folder);
	HASH_ITER (hh, looking.files, file, next) {
		HASH_DEL(looking.files, file);
		free(file);
	}
	string_pool__free(looking.pool);
	return err;
}

void pythons__clear(struct pythons *pythons)
{
	for (size_t i = 0; i < pythons->count; i++)
		clear_kind(&pythons->kinds[i]);
	free(pythons->kinds);
	*pythons = (struct pythons){0};
}
