// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "symbols/debug_file.h"
#include "symbols/elf_file.h"
#include "symbols/functions.h"
#include "symbols/mini_debug.h"
#include "symbols/plt.h"
#include "unwind/functions.h"

#define DEBUG_ROOT	"/usr/lib/debug"
#define MAX_NAME	(64u << 10)
#define MAX_UNDERSCORES 255
#define EXTENT_BYTES	8

struct segment {
	uint64_t offset, file_size, address, memory_size;
	bool executable;
};

struct elf_symbols {
	struct elf_file file; /* closed once the tables are read */
	char *path, *debug_root, *debug_path;
	bool loaded, aliases;
	int dwarf; /* descriptor of the file that holds it, -1: none */
	int error; /* of the reading of the tables */
	uint8_t build_id[ELF_FILE_MAX_BUILD_ID];
	size_t build_id_size;
	struct segment *segments; /* executable ones first */
	size_t segment_count, segment_capacity;
	struct function_table functions;
	struct unwind_functions *extents; /* of a stripped file; NULL: none */
};

/* The tables while they are read. */
struct loader {
	struct elf_symbols *symbols;
	struct function_candidate *candidates;
	size_t count, capacity;
};

static int add_segment(struct elf_symbols *symbols, const GElf_Phdr *header)
{
	int err;

	if (symbols->segment_count == ELF_FILE_MAX_SEGMENTS)
		return -EFBIG;
	if (header->p_vaddr + header->p_memsz < header->p_vaddr ||
	    header->p_offset + header->p_filesz < header->p_offset)
		return -EBADMSG;
	err = array__reserve(&symbols->segments, &symbols->segment_capacity,
			     sizeof(*symbols->segments), symbols->segment_count + 1);
	if (err)
		return err;
	symbols->segments[symbols->segment_count++] = (struct segment){
		.offset = header->p_offset,
		.file_size = header->p_filesz,
		.address = header->p_vaddr,
		.memory_size = header->p_memsz,
		.executable = header->p_flags & PF_X,
	};
	return 0;
}

/* Executable ones first: where two segments hold the same byte of the file, code is meant. */
static int read_segments(struct elf_symbols *symbols)
{
	size_t count;

	if (elf_getphdrnum(symbols->file.elf, &count))
		return -EBADMSG;
	for (int executable = 1; executable >= 0; executable--) {
		for (size_t i = 0; i < count; i++) {
			GElf_Phdr header;
			int err;

			if (!gelf_getphdr(symbols->file.elf, (int)i, &header))
				return -EBADMSG;
			if (header.p_type != PT_LOAD ||
			    ((header.p_flags & PF_X) != 0) != executable)
				continue;
			err = add_segment(symbols, &header);
			if (err)
				return err;
		}
	}
	return 0;
}

/* A function must lie within executable memory; what sticks out of it is cut off. */
static bool fit_into_segment(const struct elf_symbols *symbols, uint64_t start, uint64_t *size)
{
	for (size_t i = 0; i < symbols->segment_count; i++) {
		const struct segment *segment = &symbols->segments[i];
		uint64_t offset = start - segment->address;

		if (!segment->executable)
			return false;
		if (offset >= segment->memory_size)
			continue;
		if (*size > segment->memory_size - offset)
			*size = segment->memory_size - offset;
		return *size <= UINT32_MAX;
	}
	return false;
}

/* C++ and Rust names begin with an underscore that says nothing about them. */
static uint32_t count_underscores(const char *name)
{
	uint32_t count = 0;

	if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R'))
		return 0;
	while (name[count] == '_' && count < MAX_UNDERSCORES)
		count++;
	return count;
}

static bool has_control_characters(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return true;
	return false;
}

static int loader__add(struct loader *loader, uint64_t start, uint64_t size, uint32_t rank,
		       const char *name, size_t length)
{
	int err;

	if (!size || !length || length > MAX_NAME || has_control_characters(name, length) ||
	    !fit_into_segment(loader->symbols, start, &size))
		return 0;
	if (loader->count >= ELF_FILE_MAX_SYMBOLS)
		return -EFBIG;
	err = array__reserve(&loader->candidates, &loader->capacity, sizeof(*loader->candidates),
			     loader->count + 1);
	if (err)
		return err;
	loader->candidates[loader->count++] = (struct function_candidate){
		.start = start,
		.size = (uint32_t)size,
		.rank = rank + count_underscores(name) * FUNCTION_RANK_UNDERSCORE,
		.name = name,
		.name_size = (uint32_t)length,
	};
	return 0;
}

static bool is_executable_section(const struct elf_file *file, uint32_t index)
{
	Elf_Scn *section;
	GElf_Shdr header;

	if (index == SHN_UNDEF || index >= SHN_LORESERVE)
		return false;
	section = elf_getscn(file->elf, index);
	return section && gelf_getshdr(section, &header) && (header.sh_flags & SHF_EXECINSTR);
}

static int loader__add_symbol(struct loader *loader, const struct elf_file *file,
			      const Elf_Data *strings, const GElf_Sym *symbol)
{
	unsigned int type = GELF_ST_TYPE(symbol->st_info), binding = GELF_ST_BIND(symbol->st_info);
	const char *name, *version;
	uint32_t rank = 0;
	size_t length;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return 0;
	if (!symbol->st_size || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS)
		return 0;
	if (type == STT_NOTYPE) {
		if (!is_executable_section(file, symbol->st_shndx))
			return 0;
		rank |= FUNCTION_RANK_LABEL;
	}
	if (binding == STB_LOCAL)
		rank |= FUNCTION_RANK_LOCAL;
	else if (binding == STB_WEAK)
		rank |= FUNCTION_RANK_WEAK;
	name = elf_file__string(strings, symbol->st_name, &length);
	if (!name)
		return 0;
	/* "memcpy@@GLIBC_2.14" in .symtab. */
	version = memchr(name, '@', length);
	if (version)
		length = (size_t)(version - name);
	return loader__add(loader, symbol->st_value, symbol->st_size, rank, name, length);
}

/* The functions of the table of that type (SHT_SYMTAB, SHT_DYNSYM). No such table: 0. */
static int loader__add_table(struct loader *loader, const struct elf_file *file, uint32_t type)
{
	GElf_Shdr header, strings_header;
	Elf_Scn *section = elf_file__section(file, type, NULL, &header), *linked;
	Elf_Data *data, *strings;
	size_t count;
	int err;

	if (!section)
		return 0;
	err = elf_file__section_data(file, section, ELF_FILE_MAX_SYMBOLS * sizeof(Elf64_Sym),
				     &data);
	if (err)
		/* In a separate debug file .dynsym has no contents. */
		return err == -ENOENT ? 0 : err;
	linked = elf_getscn(file->elf, header.sh_link);
	if (!linked || !gelf_getshdr(linked, &strings_header) ||
	    strings_header.sh_type != SHT_STRTAB)
		return -EBADMSG;
	err = elf_file__section_data(file, linked, ELF_FILE_MAX_TEXT, &strings);
	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	count = data->d_size / gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
	if (count > ELF_FILE_MAX_SYMBOLS)
		return -EFBIG;
	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol))
			return -EBADMSG;
		err = loader__add_symbol(loader, file, strings, &symbol);
		if (err)
			return err;
	}
	return 0;
}

static int loader__take_stub(void *context, uint64_t start, uint64_t size, const char *name,
			     size_t length)
{
	static const char any[] = "plt";

	if (!name)
		return loader__add(context, start, size, FUNCTION_RANK_LABEL, any, sizeof(any) - 1);
	return loader__add(context, start, size, FUNCTION_RANK_PLT, name, length);
}

/* Adds what a stripped file leaves to others, and builds the table. Damage of theirs takes nothing
 * away from what the file itself tells: only -ENOMEM is an error. */
static int loader__finish(struct loader *loader)
{
	struct elf_symbols *symbols = loader->symbols;
	struct elf_file debug = {0}, mini = {0};
	GElf_Shdr header;
	bool stripped = !elf_file__section(&symbols->file, SHT_SYMTAB, NULL, &header);
	bool wants_dwarf = !elf_file__has_dwarf(&symbols->file);
	const struct elf_file *dwarf = wants_dwarf ? NULL : &symbols->file;
	int err = -ENOENT;

	if (symbols->debug_root && (stripped || wants_dwarf))
		err = debug_file__open(&symbols->file, symbols->path, symbols->debug_root, &debug,
				       &symbols->debug_path);
	if (!err && wants_dwarf && elf_file__has_dwarf(&debug))
		dwarf = &debug;
	if (!err && stripped)
		err = loader__add_table(loader, &debug, SHT_SYMTAB);
	if (err == -ENOENT && stripped)
		err = mini_debug__open(&symbols->file, &mini);
	if (!err && mini.elf)
		err = loader__add_table(loader, &mini, SHT_SYMTAB);
	/* Without a .symtab anywhere most functions have no name. */
	if (err && err != -ENOMEM && stripped &&
	    unwind_functions__open(symbols->file.fd, &symbols->extents) == -ENOMEM)
		err = -ENOMEM;
	if (dwarf)
		symbols->dwarf = fcntl(dwarf->fd, F_DUPFD_CLOEXEC, 3);
	if (err != -ENOMEM) /* names are borrowed until the table is built */
		err = function_table__build(loader->candidates, loader->count, symbols->aliases,
					    &symbols->functions);
	elf_file__close(&mini);
	elf_file__close(&debug);
	return err;
}

static int load(struct elf_symbols *symbols)
{
	struct loader loader = {.symbols = symbols};
	int err;

	err = loader__add_table(&loader, &symbols->file, SHT_SYMTAB);
	if (!err)
		err = loader__add_table(&loader, &symbols->file, SHT_DYNSYM);
	if (!err)
		err = plt__walk(&symbols->file, loader__take_stub, &loader);
	if (!err)
		err = loader__finish(&loader);
	free(loader.candidates);
	return err;
}

/* Called at most once: libelf keeps whole tables, so the file is closed after it. */
static void ensure_loaded(struct elf_symbols *symbols)
{
	if (symbols->loaded)
		return;
	symbols->error = load(symbols);
	symbols->loaded = true;
	elf_file__close(&symbols->file);
}

int elf_symbols__open_with(int fd, const char *path, const char *debug_root,
			   struct elf_symbols **ret)
{
	struct elf_symbols *symbols = calloc(1, sizeof(*symbols));
	int err;

	if (!symbols)
		return -ENOMEM;
	symbols->dwarf = -1;
	err = elf_file__open(fd, &symbols->file);
	if (!err)
		err = read_segments(symbols);
	if (!err && path && !(symbols->path = strdup(path)))
		err = -ENOMEM;
	if (!err && debug_root && !(symbols->debug_root = strdup(debug_root)))
		err = -ENOMEM;
	if (err) {
		elf_symbols__free(symbols);
		return err;
	}
	memcpy(symbols->build_id, symbols->file.build_id, symbols->file.build_id_size);
	symbols->build_id_size = symbols->file.build_id_size;
	*ret = symbols;
	return 0;
}

int elf_symbols__open(int fd, const char *path, struct elf_symbols **ret)
{
	return elf_symbols__open_with(fd, path, DEBUG_ROOT, ret);
}

void elf_symbols__free(struct elf_symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->dwarf >= 0)
		close(symbols->dwarf);
	elf_file__close(&symbols->file);
	unwind_functions__free(symbols->extents);
	function_table__clear(&symbols->functions);
	free(symbols->segments);
	free(symbols->path);
	free(symbols->debug_root);
	free(symbols->debug_path);
	free(symbols);
}

void elf_symbols__keep_aliases(struct elf_symbols *symbols)
{
	symbols->aliases = true;
}

int elf_symbols__find(struct elf_symbols *symbols, uint64_t address, struct elf_symbol *ret)
{
	ensure_loaded(symbols);
	if (symbols->error)
		return symbols->error;
	return function_table__find(&symbols->functions, address, ret);
}

int elf_symbols__extent(struct elf_symbols *symbols, uint64_t address, struct elf_symbol *ret)
{
	struct unwind_function extent;
	int err;

	ensure_loaded(symbols);
	if (symbols->error)
		return symbols->error;
	if (!symbols->extents)
		return -ENOENT;
	err = unwind_functions__find(symbols->extents, address, &extent);
	if (!err)
		*ret = (struct elf_symbol){.start = extent.start, .size = extent.size};
	return err;
}

int elf_symbols__vaddr(const struct elf_symbols *symbols, uint64_t file_offset, uint64_t *ret)
{
	for (size_t i = 0; i < symbols->segment_count; i++) {
		const struct segment *segment = &symbols->segments[i];
		uint64_t inside = file_offset - segment->offset;

		if (file_offset >= segment->offset && inside < segment->file_size) {
			*ret = segment->address + inside;
			return 0;
		}
	}
	return -ENOENT;
}

const uint8_t *elf_symbols__build_id(const struct elf_symbols *symbols, size_t *ret_size)
{
	if (!symbols->build_id_size)
		return NULL;
	*ret_size = symbols->build_id_size;
	return symbols->build_id;
}

int elf_symbols__take_dwarf(struct elf_symbols *symbols)
{
	int fd;

	ensure_loaded(symbols);
	fd = symbols->dwarf;
	symbols->dwarf = -1;
	if (fd < 0)
		return symbols->error ? symbols->error : -ENOENT;
	return fd;
}

int elf_symbols__each(struct elf_symbols *symbols,
		      int (*take)(void *context, const struct elf_symbol *symbol), void *context)
{
	int err;

	ensure_loaded(symbols);
	err = symbols->error;
	for (size_t i = 0; i < symbols->functions.count && !err; i++) {
		struct elf_symbol symbol = function_table__at(&symbols->functions, i);

		err = take(context, &symbol);
	}
	return err;
}

size_t elf_symbols__count(const struct elf_symbols *symbols)
{
	return symbols->functions.count;
}

size_t elf_symbols__bytes(const struct elf_symbols *symbols)
{
	return sizeof(*symbols) + symbols->segment_capacity * sizeof(*symbols->segments) +
	       function_table__bytes(&symbols->functions) +
	       (symbols->extents ? EXTENT_BYTES * unwind_functions__count(symbols->extents) : 0);
}

const char *elf_symbols__debug_path(const struct elf_symbols *symbols)
{
	return symbols->debug_path;
}
