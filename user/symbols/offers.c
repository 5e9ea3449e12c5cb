// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/offers.h"

#include <errno.h>
#include <string.h>

#include "symbols/elf_file.h"

#define NOTES_LIMIT    (16u << 20) /* bytes */
#define NOTE_TYPE      3
#define NOTE_OWNER     "stapsdt"
#define NOTE_ADDRESSES 24 /* bytes of three addresses, before the texts */

static void take_function(struct elf_offer *offers, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!offers[i].provider && !strcmp(offers[i].name, name))
			offers[i].defined = true;
}

static int find_functions(const struct elf_file *file, uint32_t type, struct elf_offer *offers,
			  size_t count)
{
	GElf_Shdr header, names_header;
	Elf_Scn *section = elf_file__section(file, type, NULL, &header), *names;
	Elf_Data *symbols, *strings;
	size_t symbol_count;
	int err;

	if (!section || !header.sh_entsize)
		return 0;
	names = elf_getscn(file->elf, header.sh_link);
	if (!names || !gelf_getshdr(names, &names_header) || names_header.sh_type != SHT_STRTAB)
		return -EBADMSG;
	err = elf_file__section_data(file, section, ELF_FILE_MAX_TEXT, &symbols);
	err = err ?: elf_file__section_data(file, names, ELF_FILE_MAX_TEXT, &strings);
	if (err)
		return err == -ENOENT ? 0 : err;
	symbol_count = symbols->d_size / gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
	if (symbol_count > ELF_FILE_MAX_SYMBOLS)
		return -EFBIG;
	for (size_t i = 0; i < symbol_count; i++) {
		GElf_Sym symbol;
		size_t length;
		const char *name;

		if (!gelf_getsym(symbols, (int)i, &symbol))
			return -EBADMSG;
		if (symbol.st_shndx == SHN_UNDEF || (GELF_ST_TYPE(symbol.st_info) != STT_FUNC &&
						     GELF_ST_TYPE(symbol.st_info) != STT_GNU_IFUNC))
			continue;
		name = elf_file__string(strings, symbol.st_name, &length);
		if (name)
			take_function(offers, count, name);
	}
	return 0;
}

/* Provider and name, each with its NUL, behind the addresses. */
static void take_probe(struct elf_offer *offers, size_t count, const char *texts, size_t size)
{
	size_t length = strnlen(texts, size), rest = length < size ? size - length - 1 : 0;
	const char *name = texts + length + 1;

	if (!rest || strnlen(name, rest) == rest)
		return;
	for (size_t i = 0; i < count; i++)
		if (offers[i].provider && !strcmp(offers[i].provider, texts) &&
		    !strcmp(offers[i].name, name))
			offers[i].defined = true;
}

static int find_probes(const struct elf_file *file, struct elf_offer *offers, size_t count)
{
	GElf_Shdr header;
	Elf_Scn *section = elf_file__section(file, SHT_NOTE, ".note." NOTE_OWNER, &header);
	size_t at = 0, next, name_at, text_at;
	Elf_Data *data;
	GElf_Nhdr note;
	int err;

	if (!section)
		return 0;
	err = elf_file__section_data(file, section, NOTES_LIMIT, &data);
	if (err)
		return err == -ENOENT ? 0 : err;
	for (; (next = gelf_getnote(data, at, &note, &name_at, &text_at)); at = next)
		if (note.n_type == NOTE_TYPE && note.n_namesz == sizeof(NOTE_OWNER) &&
		    !memcmp((const char *)data->d_buf + name_at, NOTE_OWNER, sizeof(NOTE_OWNER)) &&
		    note.n_descsz > NOTE_ADDRESSES)
			take_probe(offers, count,
				   (const char *)data->d_buf + text_at + NOTE_ADDRESSES,
				   note.n_descsz - NOTE_ADDRESSES);
	return 0;
}

int elf_offers__find(int fd, struct elf_offer *offers, size_t count)
{
	struct elf_file file = {0};
	int err = elf_file__open(fd, &file);

	if (err)
		return err;
	err = find_functions(&file, SHT_DYNSYM, offers, count);
	err = err ?: find_functions(&file, SHT_SYMTAB, offers, count);
	err = err ?: find_probes(&file, offers, count);
	elf_file__close(&file);
	return err;
}
