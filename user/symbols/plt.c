// SPDX-License-Identifier: GPL-2.0-or-later
/* Which function a stub calls is read from its instructions: the slot of the global offset table
 * that it jumps through, or the number of the relocation that it pushes. The order of the stubs
 * would do for one linker; this way it holds for all, and what is not understood gets no name. */
#include "symbols/plt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"

#define STUB_SIZE	16
#define MAX_SECTION	(16u << 20)
#define MAX_RELOCATIONS (1u << 20)

struct slot {
	uint64_t address;
	uint32_t relocation; /* its number */
	uint32_t symbol;
};

struct plt {
	const struct elf_file *file;
	plt_take *take;
	void *context;
	struct slot *slots; /* by address */
	uint32_t *by_number; /* symbol of each relocation */
	size_t count;
	Elf_Data *symbols, *strings;
};

static int compare_slots(const void *left, const void *right)
{
	const struct slot *one = left, *other = right;

	if (one->address != other->address)
		return one->address < other->address ? -1 : 1;
	return one->relocation < other->relocation ? -1 : one->relocation > other->relocation;
}

/* The relocations of the slots and the symbols that they name. Nothing readable: count stays 0. */
static int plt__read_slots(struct plt *plt)
{
	Elf_Scn *section, *linked;
	GElf_Shdr header, symbols_header;
	Elf_Data *relocations;
	size_t count;

	section = elf_file__section(plt->file, SHT_RELA, ".rela.plt", &header);
	if (!section || elf_file__section_data(plt->file, section,
					       MAX_RELOCATIONS * sizeof(Elf64_Rela), &relocations))
		return 0;
	linked = elf_getscn(plt->file->elf, header.sh_link);
	if (!linked || !gelf_getshdr(linked, &symbols_header) ||
	    symbols_header.sh_type != SHT_DYNSYM ||
	    elf_file__section_data(plt->file, linked, ELF_FILE_MAX_SYMBOLS * sizeof(Elf64_Sym),
				   &plt->symbols))
		return 0;
	linked = elf_getscn(plt->file->elf, symbols_header.sh_link);
	if (!linked || elf_file__section_data(plt->file, linked, ELF_FILE_MAX_TEXT, &plt->strings))
		return 0;
	count = relocations->d_size / gelf_fsize(plt->file->elf, ELF_T_RELA, 1, EV_CURRENT);
	if (!count || count > MAX_RELOCATIONS)
		return 0;
	plt->slots = calloc(count, sizeof(*plt->slots));
	plt->by_number = calloc(count, sizeof(*plt->by_number));
	if (!plt->slots || !plt->by_number)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Rela relocation;

		if (!gelf_getrela(relocations, (int)i, &relocation))
			break;
		/* Symbol 0, as in R_X86_64_IRELATIVE, has no name. */
		plt->by_number[i] = (uint32_t)GELF_R_SYM(relocation.r_info);
		plt->slots[i] = (struct slot){.address = relocation.r_offset,
					      .relocation = (uint32_t)i,
					      .symbol = plt->by_number[i]};
		plt->count = i + 1;
	}
	qsort(plt->slots, plt->count, sizeof(*plt->slots), compare_slots);
	return 0;
}

static uint32_t plt__symbol_of_slot(const struct plt *plt, uint64_t address)
{
	size_t low = 0, high = plt->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (plt->slots[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < plt->count && plt->slots[low].address == address ? plt->slots[low].symbol : 0;
}

/* The symbol that the stub at address jumps to, 0: not understood. */
static uint32_t plt__symbol_of_stub(const struct plt *plt, const uint8_t *stub, uint64_t address)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa}, jump[] = {0xff, 0x25};
	static const uint8_t bnd = 0xf2, push = 0x68;
	struct cursor cursor = cursor__of(stub, STUB_SIZE);
	uint32_t operand;

	if (!memcmp(cursor.at, endbr64, sizeof(endbr64)))
		cursor.at += sizeof(endbr64);
	if (*cursor.at == bnd)
		cursor.at++;
	if (*cursor.at == push) {
		cursor.at++;
		operand = cursor__u32(&cursor);
		return operand < plt->count ? plt->by_number[operand] : 0;
	}
	if (memcmp(cursor.at, jump, sizeof(jump)))
		return 0;
	cursor.at += sizeof(jump);
	operand = cursor__u32(&cursor);
	/* Relative to the instruction behind it. */
	return plt__symbol_of_slot(plt, address + (uint64_t)(cursor.at - stub) +
						(uint64_t)(int64_t)(int32_t)operand);
}

static int plt__take_stubs(struct plt *plt, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data;

	if (elf_file__section_data(plt->file, section, MAX_SECTION, &data))
		return 0;
	for (size_t offset = 0; offset + STUB_SIZE <= data->d_size; offset += STUB_SIZE) {
		uint64_t address = header->sh_addr + offset;
		uint32_t index =
			plt__symbol_of_stub(plt, (const uint8_t *)data->d_buf + offset, address);
		const char *name;
		GElf_Sym symbol;
		size_t length;
		int err;

		if (!index || !gelf_getsym(plt->symbols, (int)index, &symbol))
			continue;
		name = elf_file__string(plt->strings, symbol.st_name, &length);
		if (!name || !length)
			continue;
		err = plt->take(plt->context, address, STUB_SIZE, name, length);
		if (err)
			return err;
	}
	return 0;
}

int plt__walk(const struct elf_file *file, plt_take *take, void *context)
{
	/* The others have stubs of other sizes, and slots outside of .rela.plt. */
	static const struct {
		const char *name;
		bool readable;
	} sections[] = {
		{".plt", true},	     {".plt.sec", true}, {".plt.got", false},
		{".plt.bnd", false}, {".iplt", false},
	};
	struct plt plt = {.file = file, .take = take, .context = context};
	int err = 0;

	if (file->header.e_machine == EM_X86_64)
		err = plt__read_slots(&plt);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections) && !err; i++) {
		GElf_Shdr header;
		Elf_Scn *section = elf_file__section(file, SHT_PROGBITS, sections[i].name, &header);

		if (!section || !(header.sh_flags & SHF_EXECINSTR) || !header.sh_size)
			continue;
		err = take(context, header.sh_addr, header.sh_size, NULL, 0);
		if (!err && plt.count && sections[i].readable)
			err = plt__take_stubs(&plt, section, &header);
	}
	free(plt.slots);
	free(plt.by_number);
	return err;
}
