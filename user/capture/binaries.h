/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executables and libraries that processes map, each opened once, whoever maps it. */
#ifndef CAPTURE_BINARIES_H
#define CAPTURE_BINARIES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/mappings.h"
#include "python/binary.h"

struct binaries;
struct recording_writer;
struct string_pool;
struct unwind_file;

struct binary {
	const char *path; /* as the first process that mapped it sees it; of the mapping's pool */
	const char *name; /* its last part */
	struct elf_symbols *symbols; /* NULL: could not be opened, or is no ELF file */
	bool is_python; /* holds a CPython runtime */
	bool python_known; /* … whose layout is known: python is filled in */
	struct python_binary python;
	bool python_told; /* BPF knows it by its file; names.c's */
	struct unwind_file *unwind; /* its rows; names.c's */
};

struct binaries *binaries__new(void); /* NULL: no memory */
void binaries__free(struct binaries *binaries);

/* The binary behind a mapping of a live process; borrowed until binaries__free, or
 * binaries__sweep lets it go. Opened through the
 * process's own view of the file (chroots, deleted files). -ENOENT: the mapping has no file;
 * -ESRCH: the process is gone and the file was never seen before; -ENOMEM. */
int binaries__get(struct binaries *binaries, pid_t pid, const struct mapping *mapping,
		  struct binary **ret_binary);

/* Forgets what a process maps no more: before each sweep, all that is mapped is marked (and all
 * that is referred to otherwise). What was not for BINARIES_KEPT_SWEEPS of them is given to forget,
 * which frees what others keep of it, and closed, unless forget says -EBUSY. Other errors of forget
 * end the sweep. */
#define BINARIES_KEPT_SWEEPS 2
void binaries__use_mapping(struct binaries *binaries, const struct mapping *mapping);
void binaries__use(struct binaries *binaries, const struct binary *binary);
int binaries__sweep(struct binaries *binaries, int (*forget)(void *context, struct binary *binary),
		    void *context);

/* Marks the paths of all that are known in their pool, for string_pool__sweep(). */
void binaries__use_paths(const struct binaries *binaries, struct string_pool *pool);

/* Writes what is not known of their call-frame information: of all, or of one. */
int binary__write_problems(const struct binary *binary, struct recording_writer *writer);
int binaries__write_problems(const struct binaries *binaries, struct recording_writer *writer);

/* Opens the file behind a mapping, as binaries__get does. */
int binary__open(pid_t pid, const struct mapping *mapping);

/* The file's own virtual address of an address in the mapping. */
int binary__address(const struct binary *binary, const struct mapping *mapping, uint64_t address,
		    uint64_t *ret_address);

#endif
