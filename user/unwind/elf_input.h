/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An x86-64 ELF file, or its image in memory, read piece by piece: a file that shrinks meanwhile is
 * an error instead of a signal. Addresses are the file's own (p_vaddr), sizes bytes. */
#ifndef UNWIND_ELF_INPUT_H
#define UNWIND_ELF_INPUT_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_INPUT_MAX_CODE     64 /* executable segments */
#define ELF_INPUT_MAX_BUILD_ID 64

struct elf_input {
	int fd; /* borrowed; -1: memory */
	const uint8_t *memory; /* borrowed */
	uint64_t size;
	uint64_t entry; /* where a program begins; 0: nowhere */
	Elf64_Phdr *segments;
	size_t segment_count;
	Elf64_Shdr *sections; /* none when they were stripped */
	size_t section_count;
	char *names; /* of sections, NUL-terminated; NULL: none that can be used */
	size_t names_size;
};

/* A piece of the file, malloc'ed. */
struct elf_piece {
	uint8_t *bytes;
	size_t size;
	uint64_t address; /* of the first byte */
};

/* elf_input__close() after success. -ENOENT: no ELF file; -EOPNOTSUPP: not an executable or library
 * for x86-64; -EBADMSG: damaged; -EFBIG: above a limit; -ENOMEM or the error of reading. */
int elf_input__open(int fd, struct elf_input *ret);
int elf_input__open_memory(const void *image, size_t size, struct elf_input *ret);
void elf_input__close(struct elf_input *input);

/* The first section of that name, NULL: none. */
const Elf64_Shdr *elf_input__section(const struct elf_input *input, const char *name);

/* A section's contents, decompressed; the caller frees ret->bytes. -ENOENT: it has none in this
 * file; -EOPNOTSUPP: compressed in another way than zlib's; -EFBIG: above limit. */
int elf_input__contents(const struct elf_input *input, const Elf64_Shdr *section, uint64_t limit,
			struct elf_piece *ret);

/* What the segments hold at address, up to limit bytes or the segment's end; the caller frees
 * ret->bytes. -ENOENT: nothing. */
int elf_input__at(const struct elf_input *input, uint64_t address, uint64_t limit,
		  struct elf_piece *ret);

/* DT_PLTGOT, 0: none. */
uint64_t elf_input__global_offset_table(const struct elf_input *input);

/* The GNU build id; returns its size, 0: none. */
size_t elf_input__build_id(const struct elf_input *input, uint8_t id[ELF_INPUT_MAX_BUILD_ID]);

#endif
