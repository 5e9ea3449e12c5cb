/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small ELF files made by hand, for tests of the unwind room: one executable segment at CODE_START,
 * and call-frame information in sections of their own, which a second segment holds. */
#ifndef TESTS_ELF_IMAGE_H
#define TESTS_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CODE_START   0x10000u
#define CODE_SIZE    0x10000u
#define FRAMES_START 0x40000u /* address of .eh_frame */
#define HEADER_START 0x3ff00u /* address of .eh_frame_hdr, in the same segment */
#define IMAGE_MOST   (256u << 10)

struct bytes {
	uint8_t data[64 << 10];
	size_t size;
};

static inline void put(struct bytes *bytes, const void *data, size_t size)
{
	if (size > sizeof(bytes->data) - bytes->size)
		abort();
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static inline void put_u8(struct bytes *bytes, uint8_t value)
{
	put(bytes, &value, sizeof(value));
}

static inline void put_u32(struct bytes *bytes, uint32_t value)
{
	put(bytes, &value, sizeof(value));
}

static inline void put_u64(struct bytes *bytes, uint64_t value)
{
	put(bytes, &value, sizeof(value));
}

/* Returns where the length is to be written by end_entry(). */
static inline size_t begin_entry(struct bytes *bytes)
{
	put_u32(bytes, 0);
	return bytes->size;
}

static inline void end_entry(struct bytes *bytes, size_t start)
{
	uint32_t length;

	while (bytes->size % 8)
		put_u8(bytes, 0); /* DW_CFA_nop */
	length = (uint32_t)(bytes->size - start);
	memcpy(bytes->data + start - sizeof(length), &length, sizeof(length));
}

/* As GCC's: CFA = rsp + 8, return address at CFA - 8. Letters with R, S or none; R: pcrel sdata4.
 */
static inline size_t put_cie(struct bytes *bytes, const char *letters)
{
	static const uint8_t program[] = {0x0c, 7, 8, 0x90, 1};
	size_t offset = bytes->size, start = begin_entry(bytes);

	put_u32(bytes, 0);
	put_u8(bytes, 1);
	put(bytes, letters, strlen(letters) + 1);
	put(bytes, "\x01\x78\x10", 3);
	if (letters[0] == 'z') {
		put_u8(bytes, strchr(letters, 'R') ? 1 : 0);
		if (strchr(letters, 'R'))
			put_u8(bytes, 0x1b);
	}
	put(bytes, program, sizeof(program));
	end_entry(bytes, start);
	return offset;
}

/* For a CIE of "zR" at that offset. Returns the entry's offset. */
static inline size_t put_fde(struct bytes *bytes, size_t cie, uint32_t address, uint32_t size,
			     const void *program, size_t program_size)
{
	size_t offset = bytes->size, start = begin_entry(bytes);

	put_u32(bytes, (uint32_t)(bytes->size - cie));
	put_u32(bytes, (uint32_t)(address - (FRAMES_START + bytes->size)));
	put_u32(bytes, size);
	put_u8(bytes, 0);
	put(bytes, program, program_size);
	end_entry(bytes, start);
	return offset;
}

struct image_parts {
	const struct bytes *eh_frame; /* or NULL */
	const struct bytes *debug_frame; /* or NULL */
	const struct bytes *header; /* .eh_frame_hdr, or NULL: no PT_GNU_EH_FRAME */
	uint64_t debug_flags; /* SHF_COMPRESSED */
	bool no_sections;
};

/* Offsets in the file are those of the table; the caller frees. */
static inline uint8_t *make_image(const struct image_parts *parts, size_t *ret_size)
{
	static const char names[] = "\0.eh_frame\0.debug_frame\0.shstrtab";
	enum { SEGMENTS = 3, SECTIONS = 4, FRAMES = 0x2000, HEADER = FRAMES - 0x100 };
	uint8_t *image = calloc(1, IMAGE_MOST);
	size_t eh_size = parts->eh_frame ? parts->eh_frame->size : 0;
	size_t debug = FRAMES + eh_size;
	size_t debug_size = parts->debug_frame ? parts->debug_frame->size : 0;
	size_t text = debug + debug_size, table = (text + sizeof(names) + 7) / 8 * 8;
	Elf64_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = parts->header ? SEGMENTS : SEGMENTS - 1,
		.e_shoff = parts->no_sections ? 0 : table,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = parts->no_sections ? 0 : SECTIONS,
		.e_shstrndx = parts->no_sections ? 0 : SECTIONS - 1,
	};
	Elf64_Phdr segments[SEGMENTS] = {
		{.p_type = PT_LOAD,
		 .p_flags = PF_R | PF_X,
		 .p_vaddr = CODE_START,
		 .p_memsz = CODE_SIZE},
		{.p_type = PT_LOAD,
		 .p_flags = PF_R,
		 .p_offset = HEADER,
		 .p_vaddr = HEADER_START,
		 .p_filesz = eh_size + 0x100,
		 .p_memsz = eh_size + 0x100},
		{.p_type = PT_GNU_EH_FRAME,
		 .p_offset = HEADER,
		 .p_vaddr = HEADER_START,
		 .p_filesz = parts->header ? parts->header->size : 0},
	};
	Elf64_Shdr sections[SECTIONS] = {
		{.sh_type = SHT_NULL},
		{.sh_name = 1,
		 .sh_type = parts->eh_frame ? SHT_PROGBITS : SHT_NOBITS,
		 .sh_addr = FRAMES_START,
		 .sh_offset = FRAMES,
		 .sh_size = eh_size},
		{.sh_name = 11,
		 .sh_type = parts->debug_frame ? SHT_PROGBITS : SHT_NOBITS,
		 .sh_flags = parts->debug_flags,
		 .sh_offset = debug,
		 .sh_size = debug_size},
		{.sh_name = 24, .sh_type = SHT_STRTAB, .sh_offset = text, .sh_size = sizeof(names)},
	};

	if (!image)
		abort();
	memcpy(image, &header, sizeof(header));
	memcpy(image + sizeof(header), segments, sizeof(segments));
	if (parts->header)
		memcpy(image + HEADER, parts->header->data, parts->header->size);
	if (eh_size)
		memcpy(image + FRAMES, parts->eh_frame->data, eh_size);
	if (debug_size)
		memcpy(image + debug, parts->debug_frame->data, debug_size);
	memcpy(image + text, names, sizeof(names));
	if (!parts->no_sections)
		memcpy(image + table, sections, sizeof(sections));
	*ret_size = table + (parts->no_sections ? 0 : sizeof(sections));
	return image;
}

#endif
