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
struct unwind_file;

struct binary {
	const char *path; /* as the first process that mapped it sees it */
	const char *name; /* its last part */
	struct elf_symbols *symbols; /* NULL: could not be opened, or is no ELF file */
	bool is_python; /* holds a CPython runtime */
	bool python_known; /* … whose layout is known: python is filled in */
	struct python_binary python;
	struct unwind_file *unwind; /* its rows; names.c's */
};

struct binaries *binaries__new(void); /* NULL: no memory */
void binaries__free(struct binaries *binaries);

/* The binary behind a mapping of a live process; borrowed until binaries__free. Opened through the
 * process's own view of the file (chroots, deleted files). -ENOENT: the mapping has no file;
 * -ESRCH: the process is gone and the file was never seen before; -ENOMEM. */
int binaries__get(struct binaries *binaries, pid_t pid, const struct mapping *mapping,
		  struct binary **ret_binary);

/* Writes what is not known of their call-frame information. */
int binaries__write_problems(const struct binaries *binaries, struct recording_writer *writer);

/* Opens the file behind a mapping, as binaries__get does. */
int binary__open(pid_t pid, const struct mapping *mapping);

/* The file's own virtual address of an address in the mapping. */
int binary__address(const struct binary *binary, const struct mapping *mapping, uint64_t address,
		    uint64_t *ret_address);

#endif
