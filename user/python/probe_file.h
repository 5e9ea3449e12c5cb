/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few things about an ELF file that python_binary__probe() asks, read piece by piece with
 * pread(): a large library costs as little as a small one, and a file that shrinks meanwhile is an
 * error instead of a signal. */
#ifndef PYTHON_PROBE_FILE_H
#define PYTHON_PROBE_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sections asked for; sh_type SHT_NULL: the file has none. */
struct probe_file {
	int fd;
	uint64_t size; /* bytes */
	Elf *elf;
	bool executable; /* not a shared library */
	GElf_Shdr dynsym, dynstr, gnu_hash, symtab, strtab, dynamic, rodata, runtime;
};

/* probe_file__close() after success. -ENOENT: no 64-bit ELF file of this machine's architecture;
 * -EBADMSG, -errno. fd stays the caller's. */
int probe_file__open(struct probe_file *file, int fd);
void probe_file__close(struct probe_file *file);

/* Reads all of [offset, offset + size) or fails: -EBADMSG when the file is shorter. */
int probe_file__read(const struct probe_file *file, uint64_t offset, void *destination,
		     size_t size);

/* The same by the file's virtual address. -ENOENT: no segment has it in the file (e.g. .bss). */
int probe_file__read_address(const struct probe_file *file, uint64_t address, void *destination,
			     size_t size);

/* Looks a defined symbol up in .dynsym (by .gnu.hash when there is one, else data only). -ENOENT:
 * no such symbol. */
int probe_file__find_dynamic(const struct probe_file *file, const char *name, GElf_Sym *ret);

/* Looks `count` defined data symbols of least to most bytes up in .symtab at once; those not found
 * have st_name 0. The sizes keep it quick: the names of all others, often megabytes, stay unread.
 */
int probe_file__find_static(const struct probe_file *file, uint64_t least, uint64_t most,
			    const char *const *names, size_t count, GElf_Sym *ret_symbols);

/* Looks a defined function up in .symtab: the names of all functions are read. -ENOENT. */
int probe_file__find_static_function(const struct probe_file *file, const char *name,
				     GElf_Sym *ret);

/* The library's DT_SONAME, cut to capacity - 1 bytes. -ENOENT: it has none. */
int probe_file__soname(const struct probe_file *file, char *destination, size_t capacity);

#endif
