// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/elf_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/files.h"

#define MAX_FILE_SIZE	  (16ull << 30)
#define MAX_SECTIONS	  65536u
#define MAX_SECTION_NAMES (16u << 20)
#define MAX_DYNAMIC	  4096u /* entries */
#define MAX_NOTES	  (1u << 20)

static int read_at(const struct elf_input *input, uint64_t offset, void *destination, size_t size)
{
	if (offset > input->size || size > input->size - offset)
		return -EBADMSG;
	if (input->memory) {
		memcpy(destination, input->memory + offset, size);
		return 0;
	}
	return file__read_at(input->fd, offset, destination, size);
}

/* One byte more than asked for is there, a zero: strings end. */
static int read_new(const struct elf_input *input, uint64_t offset, uint64_t size, void *ret)
{
	uint8_t *bytes;
	int err;

	if (offset > input->size || size > input->size - offset)
		return -EBADMSG;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	err = read_at(input, offset, bytes, size);
	if (err) {
		free(bytes);
		return err;
	}
	bytes[size] = 0;
	*(uint8_t **)ret = bytes;
	return 0;
}

static int read_sections(struct elf_input *input, const Elf64_Ehdr *header)
{
	const Elf64_Shdr *names;
	uint32_t index;
	Elf64_Shdr first;
	uint64_t count;
	int err;

	if (!header->e_shoff || header->e_shentsize != sizeof(first) ||
	    read_at(input, header->e_shoff, &first, sizeof(first)))
		return 0; /* cut off: the segments tell enough */
	count = header->e_shnum ? header->e_shnum : first.sh_size;
	index = header->e_shstrndx == SHN_XINDEX ? first.sh_link : header->e_shstrndx;
	if (count > MAX_SECTIONS)
		return -EFBIG;
	if (count * sizeof(first) > input->size - header->e_shoff)
		return 0;
	err = read_new(input, header->e_shoff, count * sizeof(first), &input->sections);
	if (err)
		return err;
	input->section_count = count;
	if (index >= count)
		return 0;
	names = &input->sections[index];
	if (names->sh_type != SHT_STRTAB || (names->sh_flags & SHF_COMPRESSED) ||
	    names->sh_size > MAX_SECTION_NAMES)
		return 0;
	err = read_new(input, names->sh_offset, names->sh_size, &input->names);
	if (err)
		return err == -EBADMSG ? 0 : err;
	input->names_size = names->sh_size;
	return 0;
}

static int begin(struct elf_input *input)
{
	Elf64_Ehdr header;
	int err;

	if (input->size > MAX_FILE_SIZE)
		return -EFBIG;
	if (input->size < sizeof(header))
		return -ENOENT;
	err = read_at(input, 0, &header, sizeof(header));
	if (err)
		return err;
	if (memcmp(header.e_ident, ELFMAG, SELFMAG))
		return -ENOENT;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64 || (header.e_type != ET_EXEC && header.e_type != ET_DYN))
		return -EOPNOTSUPP;
	if (header.e_phentsize != sizeof(*input->segments))
		return -EBADMSG;
	err = read_new(input, header.e_phoff, header.e_phnum * sizeof(*input->segments),
		       &input->segments);
	if (err)
		return err;
	input->segment_count = header.e_phnum;
	input->entry = header.e_entry;
	err = read_sections(input, &header);
	if (err)
		elf_input__close(input);
	return err;
}

int elf_input__open(int fd, struct elf_input *ret)
{
	struct elf_input input = {.fd = fd};
	struct stat status;
	int err;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -ENOENT;
	input.size = (uint64_t)status.st_size;
	err = begin(&input);
	if (!err)
		*ret = input;
	return err;
}

int elf_input__open_memory(const void *image, size_t size, struct elf_input *ret)
{
	struct elf_input input = {.fd = -1, .memory = image, .size = size};
	int err = begin(&input);

	if (!err)
		*ret = input;
	return err;
}

void elf_input__close(struct elf_input *input)
{
	free(input->segments);
	free(input->sections);
	free(input->names);
	*input = (struct elf_input){.fd = -1};
}

const Elf64_Shdr *elf_input__section(const struct elf_input *input, const char *name)
{
	for (size_t i = 0; i < input->section_count && input->names; i++) {
		uint32_t at = input->sections[i].sh_name;

		if (at < input->names_size && !strcmp(input->names + at, name))
			return &input->sections[i];
	}
	return NULL;
}

static int inflate_all(const uint8_t *packed, size_t packed_size, uint64_t size,
		       struct elf_piece *ret)
{
	uLongf filled = size;
	uint8_t *bytes = malloc(size + 1);

	if (!bytes)
		return -ENOMEM;
	if (uncompress(bytes, &filled, packed, packed_size) != Z_OK || filled != size) {
		free(bytes);
		return -EBADMSG;
	}
	ret->bytes = bytes;
	ret->size = size;
	return 0;
}

int elf_input__contents(const struct elf_input *input, const Elf64_Shdr *section, uint64_t limit,
			struct elf_piece *ret)
{
	struct elf_piece piece = {.address = section->sh_addr, .size = section->sh_size};
	_cleanup_free_ uint8_t *bytes = NULL;
	Elf64_Chdr packed;
	int err;

	if (section->sh_type == SHT_NOBITS)
		return -ENOENT;
	if (section->sh_size > limit)
		return -EFBIG;
	err = read_new(input, section->sh_offset, section->sh_size, &bytes);
	if (err)
		return err;
	if (section->sh_flags & SHF_COMPRESSED) {
		if (section->sh_size < sizeof(packed))
			return -EBADMSG;
		memcpy(&packed, bytes, sizeof(packed));
		if (packed.ch_type != ELFCOMPRESS_ZLIB)
			return -EOPNOTSUPP;
		if (packed.ch_size > limit)
			return -EFBIG;
		err = inflate_all(bytes + sizeof(packed), section->sh_size - sizeof(packed),
				  packed.ch_size, &piece);
		if (err)
			return err;
	} else {
		piece.bytes = bytes;
		bytes = NULL;
	}
	*ret = piece;
	return 0;
}

int elf_input__at(const struct elf_input *input, uint64_t address, uint64_t limit,
		  struct elf_piece *ret)
{
	for (size_t i = 0; i < input->segment_count; i++) {
		const Elf64_Phdr *segment = &input->segments[i];
		uint64_t inside = address - segment->p_vaddr, size;
		uint8_t *bytes;
		int err;

		if (segment->p_type != PT_LOAD || address < segment->p_vaddr ||
		    inside >= segment->p_filesz)
			continue;
		if (segment->p_offset > input->size || inside > input->size - segment->p_offset)
			return -EBADMSG;
		size = segment->p_filesz - inside;
		if (size > limit)
			size = limit;
		err = read_new(input, segment->p_offset + inside, size, &bytes);
		if (err)
			return err;
		*ret = (struct elf_piece){.bytes = bytes, .size = size, .address = address};
		return 0;
	}
	return -ENOENT;
}

uint64_t elf_input__global_offset_table(const struct elf_input *input)
{
	for (size_t i = 0; i < input->segment_count; i++) {
		const Elf64_Phdr *segment = &input->segments[i];

		if (segment->p_type != PT_DYNAMIC)
			continue;
		for (uint64_t j = 0; j < MAX_DYNAMIC; j++) {
			Elf64_Dyn entry;

			if ((j + 1) * sizeof(entry) > segment->p_filesz ||
			    segment->p_offset > input->size ||
			    read_at(input, segment->p_offset + j * sizeof(entry), &entry,
				    sizeof(entry)) ||
			    entry.d_tag == DT_NULL)
				return 0;
			if (entry.d_tag == DT_PLTGOT)
				return entry.d_un.d_ptr;
		}
	}
	return 0;
}

static size_t round_up(size_t size, size_t alignment)
{
	return (size + alignment - 1) / alignment * alignment;
}

static size_t take_build_id(const uint8_t *notes, size_t size, size_t alignment,
			    uint8_t id[ELF_INPUT_MAX_BUILD_ID])
{
	size_t at = 0;

	while (at <= size && size - at >= sizeof(Elf64_Nhdr)) {
		const uint8_t *name = notes + at + sizeof(Elf64_Nhdr);
		Elf64_Nhdr note;
		size_t left = size - at - sizeof(note), described;

		memcpy(&note, notes + at, sizeof(note));
		if (note.n_namesz > left)
			return 0;
		described = round_up(sizeof(note) + note.n_namesz, alignment);
		if (described > size - at || note.n_descsz > size - at - described)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp(name, "GNU", sizeof("GNU")) && note.n_descsz &&
		    note.n_descsz <= ELF_INPUT_MAX_BUILD_ID) {
			memcpy(id, notes + at + described, note.n_descsz);
			return note.n_descsz;
		}
		at += round_up(described + note.n_descsz, alignment);
	}
	return 0;
}

size_t elf_input__build_id(const struct elf_input *input, uint8_t id[ELF_INPUT_MAX_BUILD_ID])
{
	for (size_t i = 0; i < input->segment_count; i++) {
		const Elf64_Phdr *segment = &input->segments[i];
		_cleanup_free_ uint8_t *notes = NULL;
		size_t size;

		if (segment->p_type != PT_NOTE || segment->p_filesz > MAX_NOTES ||
		    read_new(input, segment->p_offset, segment->p_filesz, &notes))
			continue;
		size = take_build_id(notes, segment->p_filesz, segment->p_align == 8 ? 8 : 4, id);
		if (size)
			return size;
	}
	return 0;
}
