/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ELF file under limits: what the files of this folder share. Offsets and sizes are bytes.
 */
#ifndef SYMBOLS_ELF_FILE_H
#define SYMBOLS_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_FILE_MAX_SEGMENTS 128
#define ELF_FILE_MAX_BUILD_ID 64
#define ELF_FILE_MAX_TEXT     (512u << 20) /* names */
#define ELF_FILE_MAX_SYMBOLS  (4u << 20)

struct elf_file {
	int fd; /* own duplicate; 0: none, the file is in memory */
	void *memory; /* NULL, or the file */
	Elf *elf;
	GElf_Ehdr header;
	size_t section_names; /* index of their section; SHN_UNDEF: none that can be used */
	uint64_t size;
	uint8_t build_id[ELF_FILE_MAX_BUILD_ID];
	size_t build_id_size; /* 0: none */
};

/* Fills *file, which elf_file__close empties (also one of zeros). Errors as elf_symbols__open. */
int elf_file__open(int fd, struct elf_file *ret);
/* The same of a file in memory. Takes bytes (malloc'ed), also when it fails. */
int elf_file__open_memory(void *bytes, size_t size, struct elf_file *ret);
void elf_file__close(struct elf_file *file);

/* Whether it has debug information: DWARF, compressed or not. */
bool elf_file__has_dwarf(const struct elf_file *file);

/* The first section of that type (SHT_NULL: any) and name (NULL: any), NULL: none. */
Elf_Scn *elf_file__section(const struct elf_file *file, uint32_t type, const char *name,
			   GElf_Shdr *ret_header);

/* A section's contents, decompressed, borrowed until elf_file__close. -ENOENT: it has none in this
 * file (SHT_NOBITS); -EFBIG: above limit; -EBADMSG. */
int elf_file__section_data(const struct elf_file *file, Elf_Scn *section, uint64_t limit,
			   Elf_Data **ret);

/* The NUL-terminated string at offset of strings, NULL: there is none. Its length in *ret_length.
 */
const char *elf_file__string(const Elf_Data *strings, uint64_t offset, size_t *ret_length);

#endif
