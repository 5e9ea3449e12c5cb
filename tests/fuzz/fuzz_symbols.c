// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols unwind base
/* Any bytes as an ELF file: opened, searched, never more than an error. What is found must hold the
 * address it was found for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/elf.h"
#include "symbols/elf_file.h"
#include "symbols/offers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void search(struct elf_symbols *symbols, uint64_t address)
{
	struct elf_symbol found;

	if (elf_symbols__find(symbols, address, &found))
		return;
	if (address - found.start >= found.size || !found.name[0])
		abort();
}

/* As the unpacked .gnu_debugdata. */
static void read_in_memory(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct elf_file file;
	GElf_Shdr header;
	Elf_Scn *section;
	Elf_Data *data;

	if (!copy)
		abort();
	memcpy(copy, bytes, size);
	if (elf_file__open_memory(copy, size, &file))
		return;
	section = elf_file__section(&file, SHT_SYMTAB, NULL, &header);
	if (section && !elf_file__section_data(&file, section, 1 << 20, &data)) {
		size_t count = data->d_size / gelf_fsize(file.elf, ELF_T_SYM, 1, EV_CURRENT);
		GElf_Sym symbol;

		for (size_t i = 0; i < count; i++)
			gelf_getsym(data, (int)i, &symbol);
	}
	elf_file__close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct elf_offer offers[2] = {{NULL, "main", false}, {"python", "line", false}};
	struct elf_symbols *symbols;
	int fd = memfd_create("fuzz_symbols", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	/* No debug directory, but .gnu_debuglink is followed to a place where nothing is. */
	if (!elf_symbols__open_with(fd, "/nonexistent/file", "/nonexistent", &symbols)) {
		size_t id_size = 0;
		const uint8_t *id = elf_symbols__build_id(symbols, &id_size);
		uint64_t address;

		if (id && !id_size)
			abort();
		for (uint64_t offset = 0; offset < size; offset += 1 + size / 64)
			if (!elf_symbols__vaddr(symbols, offset, &address))
				search(symbols, address);
		search(symbols, UINT64_MAX);
		elf_symbols__free(symbols);
	}
	elf_offers__find(fd, offers, 2);
	close(fd);
	read_in_memory(bytes, size);
	return 0;
}
