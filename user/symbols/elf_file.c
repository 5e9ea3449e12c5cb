// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_SIZE	  (16ull << 30)
#define MAX_SECTIONS	  65536
#define MAX_SECTION_NAMES (16u << 20)
#define MAX_NOTES	  (1u << 20)

/* The file is taken by read(2): a mapping of a file that its owner truncates ends in SIGBUS. */
static int begin(struct elf_file *file)
{
	struct stat status;

	if (fstat(file->fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EBADMSG;
	if ((uint64_t)status.st_size > MAX_FILE_SIZE)
		return -EFBIG;
	file->size = (uint64_t)status.st_size;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOTSUP;
	file->elf = elf_begin(file->fd, ELF_C_READ, NULL);
	return 0;
}

static int begin_memory(struct elf_file *file)
{
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOTSUP;
	file->elf = elf_memory(file->memory, file->size);
	return 0;
}

static int check_kind(struct elf_file *file)
{
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
	    !gelf_getehdr(file->elf, &file->header))
		return -EBADMSG;
	if (file->header.e_type != ET_EXEC && file->header.e_type != ET_DYN)
		return -EBADMSG;
	return 0;
}

static int read_section_names(struct elf_file *file)
{
	size_t count;
	GElf_Shdr header;
	Elf_Scn *section;

	if (elf_getshdrnum(file->elf, &count))
		return -EBADMSG;
	if (count > MAX_SECTIONS)
		return -EFBIG;
	/* Files without usable section names still have segments and a build id. Compressed ones
	 * are never made by tools, and libelf would unpack them without a limit. */
	if (elf_getshdrstrndx(file->elf, &file->section_names))
		file->section_names = SHN_UNDEF;
	section = elf_getscn(file->elf, file->section_names);
	if (!section || !gelf_getshdr(section, &header) || header.sh_type != SHT_STRTAB ||
	    (header.sh_flags & SHF_COMPRESSED) || header.sh_size > MAX_SECTION_NAMES)
		file->section_names = SHN_UNDEF;
	return 0;
}

static bool take_build_id(struct elf_file *file, Elf_Data *notes)
{
	size_t offset = 0, next, name_offset, bytes_offset;
	GElf_Nhdr note;

	while ((next = gelf_getnote(notes, offset, &note, &name_offset, &bytes_offset)) > offset) {
		const uint8_t *bytes = (const uint8_t *)notes->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
		    !memcmp(bytes + name_offset, "GNU", sizeof("GNU")) && note.n_descsz &&
		    note.n_descsz <= sizeof(file->build_id)) {
			memcpy(file->build_id, bytes + bytes_offset, note.n_descsz);
			file->build_id_size = note.n_descsz;
			return true;
		}
		offset = next;
	}
	return false;
}

/* Sections first: the segments of a separate debug file describe another file. */
static int find_build_id(struct elf_file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf_Data *data;
	size_t count;

	while ((section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
			continue;
		if (!elf_file__section_data(file, section, MAX_NOTES, &data) &&
		    take_build_id(file, data))
			return 0;
	}
	if (elf_getphdrnum(file->elf, &count))
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(file->elf, (int)i, &segment))
			return -EBADMSG;
		if (segment.p_type != PT_NOTE || segment.p_filesz > MAX_NOTES ||
		    segment.p_offset > file->size)
			continue;
		data = elf_getdata_rawchunk(file->elf, (int64_t)segment.p_offset, segment.p_filesz,
					    segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (data && take_build_id(file, data))
			return 0;
	}
	return 0;
}

/* What follows begin; takes the file. */
static int complete(struct elf_file *file, int err, struct elf_file *ret)
{
	err = err ?: check_kind(file);
	err = err ?: read_section_names(file);
	err = err ?: find_build_id(file);
	if (err) {
		elf_file__close(file);
		return err;
	}
	*ret = *file;
	return 0;
}

int elf_file__open(int fd, struct elf_file *ret)
{
	struct elf_file file = {.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)};

	if (file.fd < 0)
		return -errno;
	return complete(&file, begin(&file), ret);
}

int elf_file__open_memory(void *bytes, size_t size, struct elf_file *ret)
{
	struct elf_file file = {.memory = bytes, .size = size};

	return complete(&file, begin_memory(&file), ret);
}

void elf_file__close(struct elf_file *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->fd > 0) /* never 0: duplicates begin at 3 */
		close(file->fd);
	free(file->memory);
	*file = (struct elf_file){0};
}

Elf_Scn *elf_file__section(const struct elf_file *file, uint32_t type, const char *name,
			   GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		const char *its_name;

		if (!gelf_getshdr(section, &header) || (type != SHT_NULL && header.sh_type != type))
			continue;
		if (name) {
			if (file->section_names == SHN_UNDEF)
				return NULL;
			its_name = elf_strptr(file->elf, file->section_names, header.sh_name);
			if (!its_name || strcmp(its_name, name))
				continue;
		}
		*ret_header = header;
		return section;
	}
	return NULL;
}

int elf_file__section_data(const struct elf_file *file, Elf_Scn *section, uint64_t limit,
			   Elf_Data **ret)
{
	GElf_Shdr header;
	GElf_Chdr compressed;
	Elf_Data *data;

	if (!gelf_getshdr(section, &header))
		return -EBADMSG;
	if (header.sh_type == SHT_NOBITS)
		return -ENOENT;
	if (header.sh_offset > file->size || header.sh_size > file->size - header.sh_offset)
		return -EBADMSG;
	if (header.sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(section, &compressed))
			return -EBADMSG;
		if (compressed.ch_size > limit)
			return -EFBIG;
		if (elf_compress(section, 0, 0) < 0)
			return -EBADMSG;
	} else if (header.sh_size > limit) {
		return -EFBIG;
	}
	data = elf_getdata(section, NULL);
	if (!data || (!data->d_buf && data->d_size))
		return -EBADMSG;
	*ret = data;
	return 0;
}

const char *elf_file__string(const Elf_Data *strings, uint64_t offset, size_t *ret_length)
{
	const char *text, *end;

	if (offset >= strings->d_size)
		return NULL;
	text = (const char *)strings->d_buf + offset;
	end = memchr(text, '\0', strings->d_size - offset);
	if (!end)
		return NULL;
	*ret_length = (size_t)(end - text);
	return text;
}

bool elf_file__has_dwarf(const struct elf_file *file)
{
	static const char *const names[] = {".debug_info", ".zdebug_info"};
	GElf_Shdr header;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (elf_file__section(file, SHT_PROGBITS, names[i], &header) && header.sh_size)
			return true;
	return false;
}
