// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/calls_inlines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strings.h"
#include "capture/binaries.h"
#include "capture/inline_reader.h"
#include "proc/mappings.h"
#include "symbols/elf_file.h"

#define ALL_NS 10000000000ULL /* for all files */
#define SHOWN  8 /* functions told one by one */

struct inlined {
	char *name;
	uint64_t places;
};

struct seen_file {
	uint64_t device, inode;
};

struct looking {
	inlines_wanted *wanted;
	void *context;
	struct inlined *items;
	size_t count, capacity;
	struct seen_file *files;
	size_t file_count, file_capacity;
	uint64_t end_ns;
	bool unread;
};

static bool ask(void *context, const char *name)
{
	const struct looking *looking = context;

	return looking->wanted(looking->context, name);
}

static int take(void *context, const char *name, uint64_t places)
{
	struct looking *looking = context;
	struct inlined *one;
	int err;

	for (size_t i = 0; i < looking->count; i++) {
		if (strcmp(looking->items[i].name, name))
			continue;
		looking->items[i].places += places;
		return 0;
	}
	err = array__reserve(&looking->items, &looking->capacity, sizeof(*looking->items),
			     looking->count + 1);
	if (err)
		return err;
	one = &looking->items[looking->count];
	*one = (struct inlined){strdup(name), places};
	if (!one->name)
		return -ENOMEM;
	looking->count++;
	return 0;
}

static bool has_dwarf(int fd)
{
	struct elf_file file = {0};
	bool has = !elf_file__open(fd, &file) && elf_file__has_dwarf(&file);

	elf_file__close(&file);
	return has;
}

/* True when the file was not there before. */
static bool is_new(struct looking *looking, const struct mapped_file *file)
{
	for (size_t i = 0; i < looking->file_count; i++)
		if (looking->files[i].device == file->device &&
		    looking->files[i].inode == file->inode)
			return false;
	if (array__reserve(&looking->files, &looking->file_capacity, sizeof(*looking->files),
			   looking->file_count + 1))
		return false;
	looking->files[looking->file_count++] = (struct seen_file){file->device, file->inode};
	return true;
}

static void look_into(struct looking *looking, pid_t pid, const struct mapping *mapping)
{
	uint64_t now = clock__ns(CLOCK_MONOTONIC);
	_cleanup_close_ int fd = -1;

	if (!mapping->file.inode || !is_new(looking, &mapping->file))
		return;
	fd = binary__open(pid, mapping);
	if (fd < 0 || !has_dwarf(fd))
		return;
	if (now >= looking->end_ns ||
	    inline_reader__find(fd, ask, take, looking, (int)((looking->end_ns - now) / 1000000)))
		looking->unread = true;
}

static int by_places(const void *one, const void *other)
{
	const struct inlined *a = one, *b = other;

	if (a->places != b->places)
		return a->places > b->places ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool is_counted(const struct call_targets *targets, const char *name)
{
	for (size_t i = 0; i < targets->function_count; i++)
		if (!strcmp(targets->functions[i].name, name))
			return true;
	return false;
}

static void tell(const struct looking *looking, const struct call_targets *targets)
{
	for (size_t i = 0; i < looking->count && i < SHOWN; i++) {
		const struct inlined *one = &looking->items[i];

		log__warning("%s: inlined into its callers, at %llu place%s: %s", one->name,
			     (unsigned long long)one->places, one->places == 1 ? "" : "s",
			     is_counted(targets, one->name)
				     ? "only its other calls are counted"
				     : "there are no calls that could be counted");
	}
	if (looking->count > SHOWN)
		log__warning("%zu more of these functions are inlined into callers",
			     looking->count - SHOWN);
	if (looking->unread)
		log__info("not all debug information was read: more may be inlined");
}

void calls_inlines__tell(const struct pid_list *pids, const struct call_targets *targets,
			 inlines_wanted *wanted, void *context)
{
	struct looking looking = {
		.wanted = wanted,
		.context = context,
		.end_ns = clock__ns(CLOCK_MONOTONIC) + ALL_NS,
	};
	struct string_pool *pool = string_pool__new();

	for (size_t i = 0; pool && i < pids->count; i++) {
		struct mapping_set *set = NULL;

		if (mapping_set__read(pids->items[i], pool, &set))
			continue;
		for (size_t k = 0; k < mapping_set__count(set); k++)
			look_into(&looking, pids->items[i], mapping_set__at(set, k));
		mapping_set__unref(set);
	}
	if (looking.count > 1)
		qsort(looking.items, looking.count, sizeof(*looking.items), by_places);
	tell(&looking, targets);
	for (size_t i = 0; i < looking.count; i++)
		free(looking.items[i].name);
	free(looking.items);
	free(looking.files);
	string_pool__free(pool);
}
