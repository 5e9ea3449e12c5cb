/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executable mappings of a process. Sets are immutable and shared: a forked child refers to its
 * parent's until either changes. Source: /proc/PID/maps and the kernel's mapping events. */
#ifndef PROC_MAPPINGS_H
#define PROC_MAPPINGS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file as the kernel knows it. dev 0 and inode 0: no file (the vDSO, JIT code). */
struct mapped_file {
	uint64_t device; /* makedev(major, minor) */
	uint64_t inode;
	const char *path; /* as the process sees it; interned by the caller or static */
};

struct mapping {
	uint64_t start, end; /* addresses; end is behind the last byte */
	uint64_t offset; /* of start in the file, bytes */
	uint64_t since_ns; /* CLOCK_MONOTONIC of the event; 0: was there when first looked */
	struct mapped_file file;
};

struct mapping_set;

struct mapping_set *mapping_set__new(void); /* NULL: no memory */
struct mapping_set *mapping_set__ref(struct mapping_set *set);
void mapping_set__unref(struct mapping_set *set); /* NULL is accepted */

/* The mapping at address, borrowed until the set changes; NULL: none. */
const struct mapping *mapping_set__find(const struct mapping_set *set, uint64_t address);
size_t mapping_set__count(const struct mapping_set *set);
const struct mapping *mapping_set__at(const struct mapping_set *set, size_t index);

/* *set is replaced by one with the mapping in it, over whatever lay there: -ENOMEM, -EINVAL. */
int mapping_set__add(struct mapping_set **set, const struct mapping *mapping);

/* Drops every mapping older than since_ns: what an exec left behind. */
int mapping_set__drop_before(struct mapping_set **set, uint64_t since_ns);

struct string_pool;

/* Reads the executable mappings of a live process; paths are interned in pool. -ESRCH: it is
 * gone; -ENOMEM; -EBADMSG. */
int mapping_set__read(pid_t pid, struct string_pool *pool, struct mapping_set **ret_set);

/* The same from the text of a maps file. */
int mapping_set__parse(const char *text, struct string_pool *pool, struct mapping_set **ret_set);

#endif
