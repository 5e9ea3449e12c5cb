// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/probe_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

#define MAX_SECTIONS   65536
#define MAX_SEGMENTS   4096
#define MAX_DYNAMIC    4096
#define MAX_HASH_CHAIN 65536 /* symbols of one bucket */
#define MAX_SYMBOLS    (16u << 20)
#define NAME_SIZE      64 /* longer than every name asked for */
#define SYMBOL_PIECE   1024 /* symbols read at once */

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#else
#error "name this architecture's e_machine here"
#endif

int probe_file__read(const struct probe_file *file, uint64_t offset, void *destination, size_t size)
{
	if (offset > file->size || size > file->size - offset)
		return -EBADMSG;
	return file__read_at(file->fd, offset, destination, size);
}

int probe_file__read_address(const struct probe_file *file, uint64_t address, void *destination,
			     size_t size)
{
	size_t count;

	if (elf_getphdrnum(file->elf, &count) || count > MAX_SEGMENTS)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		uint64_t inside;

		if (!gelf_getphdr(file->elf, (int)i, &segment))
			return -EBADMSG;
		if (segment.p_type != PT_LOAD || address < segment.p_vaddr)
			continue;
		inside = address - segment.p_vaddr;
		if (inside >= segment.p_filesz || size > segment.p_filesz - inside)
			continue;
		if (segment.p_offset > UINT64_MAX - inside)
			return -EBADMSG;
		return probe_file__read(file, segment.p_offset + inside, destination, size);
	}
	return -ENOENT;
}

/* Of several sections with the same name or type the first one counts. */
static void keep_section(GElf_Shdr *kept, const GElf_Shdr *section)
{
	if (kept->sh_type == SHT_NULL)
		*kept = *section;
}

static int take_sections(struct probe_file *file)
{
	GElf_Shdr strings;
	size_t count, names;

	if (elf_getshdrnum(file->elf, &count) || count > MAX_SECTIONS)
		return -EBADMSG;
	if (!count)
		return 0; /* section headers were cut off: nothing to be found */
	if (elf_getshdrstrndx(file->elf, &names))
		return -EBADMSG;
	for (size_t i = 1; i < count; i++) {
		GElf_Shdr section;
		Elf_Scn *linked;
		const char *name;

		if (!gelf_getshdr(elf_getscn(file->elf, i), &section))
			return -EBADMSG;
		if (section.sh_type == SHT_DYNSYM || section.sh_type == SHT_SYMTAB) {
			linked = elf_getscn(file->elf, section.sh_link);
			if (!gelf_getshdr(linked, &strings))
				return -EBADMSG;
			keep_section(section.sh_type == SHT_DYNSYM ? &file->dynsym : &file->symtab,
				     &section);
			keep_section(section.sh_type == SHT_DYNSYM ? &file->dynstr : &file->strtab,
				     &strings);
		} else if (section.sh_type == SHT_GNU_HASH) {
			keep_section(&file->gnu_hash, &section);
		} else if (section.sh_type == SHT_DYNAMIC) {
			keep_section(&file->dynamic, &section);
		} else if (section.sh_type == SHT_PROGBITS) {
			name = elf_strptr(file->elf, names, section.sh_name);
			if (name && !strcmp(name, ".rodata"))
				keep_section(&file->rodata, &section);
			else if (name && !strcmp(name, ".PyRuntime"))
				keep_section(&file->runtime, &section);
		}
	}
	return 0;
}

/* A position independent executable says that it is a library; it names its loader, though. */
static int take_kind(struct probe_file *file, const GElf_Ehdr *header)
{
	size_t count;

	file->executable = header->e_type == ET_EXEC;
	if (elf_getphdrnum(file->elf, &count) || count > MAX_SEGMENTS)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(file->elf, (int)i, &segment))
			return -EBADMSG;
		if (segment.p_type == PT_INTERP)
			file->executable = true;
	}
	return 0;
}

int probe_file__open(struct probe_file *file, int fd)
{
	struct stat status;
	GElf_Ehdr header;
	int err;

	memset(file, 0, sizeof(*file));
	file->fd = fd;
	if (fstat(fd, &status))
		return -errno;
	file->size = status.st_size > 0 ? (uint64_t)status.st_size : 0;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!file->elf)
		return -EBADMSG;
	err = -ENOENT;
	if (elf_kind(file->elf) != ELF_K_ELF)
		goto cleanup;
	err = -EBADMSG;
	if (!gelf_getehdr(file->elf, &header))
		goto cleanup;
	err = -ENOENT;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != NATIVE_MACHINE ||
	    (header.e_type != ET_EXEC && header.e_type != ET_DYN))
		goto cleanup;
	err = take_kind(file, &header);
	if (!err)
		err = take_sections(file);
cleanup:
	if (err)
		probe_file__close(file);
	return err;
}

void probe_file__close(struct probe_file *file)
{
	elf_end(file->elf);
	file->elf = NULL;
}

static bool has_section(const GElf_Shdr *section)
{
	return section->sh_type != SHT_NULL && section->sh_type != SHT_NOBITS;
}

static bool is_definition(const GElf_Sym *symbol)
{
	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS && symbol->st_value;
}

/* Reads one item of a section's array. */
static int read_item(const struct probe_file *file, const GElf_Shdr *section, uint64_t offset,
		     void *destination, size_t size)
{
	if (offset > section->sh_size || size > section->sh_size - offset ||
	    section->sh_offset > UINT64_MAX - offset)
		return -EBADMSG;
	return probe_file__read(file, section->sh_offset + offset, destination, size);
}

/* Reads a string of a string table, cut to capacity - 1 bytes. */
static int read_string(const struct probe_file *file, const GElf_Shdr *strings, uint64_t offset,
		       char *destination, size_t capacity)
{
	size_t size = capacity - 1;
	int err;

	if (offset >= strings->sh_size)
		return -EBADMSG;
	if (size > strings->sh_size - offset)
		size = strings->sh_size - offset;
	err = read_item(file, strings, offset, destination, size);
	if (!err)
		destination[size] = '\0';
	return err;
}

/* Whether the symbol is the wanted definition: 1, 0 or an error. */
static int matches(const struct probe_file *file, const GElf_Sym *symbol, const char *name)
{
	char text[NAME_SIZE];
	int err;

	if (!is_definition(symbol))
		return 0;
	err = read_string(file, &file->dynstr, symbol->st_name, text, sizeof(text));
	return err ? err : !strcmp(text, name);
}

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

struct gnu_hash_header {
	uint32_t buckets, first_symbol, bloom_words, bloom_shift;
};

/* Walks the chain of hash values that begins with that of `symbol`. */
static int find_in_chain(const struct probe_file *file, const struct gnu_hash_header *header,
			 uint32_t symbol, const char *name, GElf_Sym *ret)
{
	uint64_t chains = sizeof(*header) + header->bloom_words * 8ull + header->buckets * 4ull;
	uint32_t wanted = gnu_hash_of(name), hash;

	if (symbol < header->first_symbol)
		return -ENOENT; /* an empty bucket is 0 */
	for (uint32_t i = 0; i < MAX_HASH_CHAIN; i++) {
		uint64_t index = (uint64_t)symbol + i;
		Elf64_Sym found;
		int err =
			read_item(file, &file->gnu_hash,
				  chains + (index - header->first_symbol) * 4, &hash, sizeof(hash));

		if (err)
			return err;
		if ((hash | 1) == (wanted | 1)) {
			err = read_item(file, &file->dynsym, index * sizeof(found), &found,
					sizeof(found));
			if (!err)
				err = matches(file, &found, name);
			if (err < 0)
				return err;
			if (err) {
				*ret = found;
				return 0;
			}
		}
		if (hash & 1)
			return -ENOENT;
	}
	return -EBADMSG;
}

static int find_by_hash(const struct probe_file *file, const char *name, GElf_Sym *ret)
{
	struct gnu_hash_header header;
	uint32_t hash = gnu_hash_of(name), bucket;
	uint64_t bloom, offset;
	int err = read_item(file, &file->gnu_hash, 0, &header, sizeof(header));

	if (err)
		return err;
	if (!header.buckets || !header.bloom_words)
		return -EBADMSG;
	offset = sizeof(header) + hash / 64 % header.bloom_words * 8ull;
	err = read_item(file, &file->gnu_hash, offset, &bloom, sizeof(bloom));
	if (err)
		return err;
	if (!(bloom >> hash % 64 & 1) || !(bloom >> (hash >> header.bloom_shift % 32) % 64 & 1))
		return -ENOENT;
	offset = sizeof(header) + header.bloom_words * 8ull + hash % header.buckets * 4ull;
	err = read_item(file, &file->gnu_hash, offset, &bucket, sizeof(bucket));
	if (err)
		return err;
	return find_in_chain(file, &header, bucket, name, ret);
}

/* What a scan looks at: other symbols do not cost the reading of their names. */
struct wanted_size {
	uint64_t least, most; /* bytes */
	uint8_t type; /* STT_* */
};

/* Goes through a whole symbol table; see probe_file__find_static(). */
static int scan(const struct probe_file *file, const GElf_Shdr *symbols, const GElf_Shdr *strings,
		struct wanted_size wanted, const char *const *names, size_t name_count,
		GElf_Sym *ret_symbols)
{
	_cleanup_free_ Elf64_Sym *piece = NULL;
	uint64_t count = symbols->sh_size / sizeof(*piece);
	char text[NAME_SIZE];
	int err;

	memset(ret_symbols, 0, name_count * sizeof(*ret_symbols));
	if (count > MAX_SYMBOLS)
		return -EBADMSG;
	piece = malloc(SYMBOL_PIECE * sizeof(*piece));
	if (!piece)
		return -ENOMEM;
	for (uint64_t start = 0; start < count; start += SYMBOL_PIECE) {
		size_t here = count - start < SYMBOL_PIECE ? count - start : SYMBOL_PIECE;

		err = read_item(file, symbols, start * sizeof(*piece), piece,
				here * sizeof(*piece));
		if (err)
			return err;
		for (size_t i = 0; i < here; i++) {
			if (!is_definition(&piece[i]) || !piece[i].st_name ||
			    GELF_ST_TYPE(piece[i].st_info) != wanted.type ||
			    piece[i].st_size < wanted.least || piece[i].st_size > wanted.most)
				continue;
			err = read_string(file, strings, piece[i].st_name, text, sizeof(text));
			if (err)
				return err;
			for (size_t j = 0; j < name_count; j++)
				if (!ret_symbols[j].st_name && !strcmp(text, names[j]))
					ret_symbols[j] = piece[i];
		}
	}
	return 0;
}

int probe_file__find_dynamic(const struct probe_file *file, const char *name, GElf_Sym *ret)
{
	const struct wanted_size any = {0, UINT64_MAX, STT_OBJECT};
	GElf_Sym found;
	int err;

	if (!has_section(&file->dynsym) || !has_section(&file->dynstr))
		return -ENOENT;
	if (has_section(&file->gnu_hash))
		return find_by_hash(file, name, ret);
	err = scan(file, &file->dynsym, &file->dynstr, any, &name, 1, &found);
	if (err)
		return err;
	if (!found.st_name)
		return -ENOENT;
	*ret = found;
	return 0;
}

int probe_file__find_static(const struct probe_file *file, uint64_t least, uint64_t most,
			    const char *const *names, size_t count, GElf_Sym *ret_symbols)
{
	const struct wanted_size wanted = {least, most, STT_OBJECT};

	if (!has_section(&file->symtab) || !has_section(&file->strtab)) {
		memset(ret_symbols, 0, count * sizeof(*ret_symbols));
		return 0;
	}
	return scan(file, &file->symtab, &file->strtab, wanted, names, count, ret_symbols);
}

int probe_file__find_static_function(const struct probe_file *file, const char *name, GElf_Sym *ret)
{
	const struct wanted_size wanted = {1, UINT64_MAX, STT_FUNC};
	GElf_Sym found;
	int err;

	if (!has_section(&file->symtab) || !has_section(&file->strtab))
		return -ENOENT;
	err = scan(file, &file->symtab, &file->strtab, wanted, &name, 1, &found);
	if (err)
		return err;
	if (!found.st_name)
		return -ENOENT;
	*ret = found;
	return 0;
}

int probe_file__soname(const struct probe_file *file, char *destination, size_t capacity)
{
	if (!has_section(&file->dynamic) || !has_section(&file->dynstr))
		return -ENOENT;
	for (uint64_t i = 0; i < MAX_DYNAMIC; i++) {
		Elf64_Dyn entry;
		int err;

		if ((i + 1) * sizeof(entry) > file->dynamic.sh_size)
			return -ENOENT;
		err = read_item(file, &file->dynamic, i * sizeof(entry), &entry, sizeof(entry));
		if (err)
			return err;
		if (entry.d_tag == DT_NULL)
			return -ENOENT;
		if (entry.d_tag == DT_SONAME)
			return read_string(file, &file->dynstr, entry.d_un.d_val, destination,
					   capacity);
	}
	return -ENOENT;
}
