// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/inlines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "symbols/dwarf_names.h"

#define MAX_UNITS    (1u << 20)
#define MAX_SIBLINGS (4u << 20)
#define MAX_NESTING  64

/* A function that was met, by its abstract DIE. */
struct inlined {
	Dwarf_Off origin;
	char *name; /* NULL: of no interest */
	uint64_t places;
	UT_hash_handle hh;
};

struct finding {
	inlines_wanted *wanted;
	void *context;
	Dwarf_Die unit; /* that is walked */
	struct inlined *met;
};

static int note(struct finding *finding, Dwarf_Die *die)
{
	_cleanup_free_ char *owned = NULL;
	const char *name = dwarf_names__of(&finding->unit, die, &owned);
	struct inlined *inlined = calloc(1, sizeof(*inlined));

	if (!inlined)
		return -ENOMEM;
	inlined->origin = dwarf_dieoffset(die);
	inlined->places = 1;
	if (name && finding->wanted(finding->context, name)) {
		inlined->name = strdup(name);
		if (!inlined->name) {
			free(inlined);
			return -ENOMEM;
		}
	}
	HASH_ADD(hh, finding->met, origin, sizeof(inlined->origin), inlined);
	if (inlined->hh.tbl)
		return 0;
	free(inlined->name);
	free(inlined);
	return -ENOMEM;
}

static int take_place(struct finding *finding, Dwarf_Die *place)
{
	Dwarf_Attribute attribute;
	struct inlined *inlined;
	Dwarf_Die origin;
	Dwarf_Off offset;

	if (!dwarf_formref_die(dwarf_attr(place, DW_AT_abstract_origin, &attribute), &origin))
		return 0;
	offset = dwarf_dieoffset(&origin);
	HASH_FIND(hh, finding->met, &offset, sizeof(offset), inlined);
	if (!inlined)
		return note(finding, &origin);
	inlined->places++;
	return 0;
}

static bool holds_code(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_lexical_block || tag == DW_TAG_namespace || tag == DW_TAG_module ||
	       tag == DW_TAG_class_type || tag == DW_TAG_structure_type;
}

static int walk(struct finding *finding, Dwarf_Die *parent, int depth)
{
	size_t siblings = 0;
	Dwarf_Die die;
	int err = 0;

	if (depth == MAX_NESTING || dwarf_child(parent, &die))
		return 0;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine)
			err = take_place(finding, &die);
		if (!err && holds_code(tag))
			err = walk(finding, &die, depth + 1);
	} while (!err && ++siblings < MAX_SIBLINGS && dwarf_names__next(&die));
	return err;
}

static int walk_units(struct finding *finding, Dwarf *dwarf)
{
	Dwarf_CU *unit = NULL;
	uint8_t type;
	int err = 0;

	for (size_t i = 0; i < MAX_UNITS && !err; i++) {
		if (dwarf_get_units(dwarf, unit, &unit, NULL, &type, &finding->unit, NULL))
			break;
		if (type == DW_UT_compile)
			err = walk(finding, &finding->unit, 0);
	}
	return err;
}

int inlines__find(int fd, inlines_wanted *wanted, inlines_take *take, void *context)
{
	struct finding finding = {.wanted = wanted, .context = context};
	struct inlined *one, *next;
	Dwarf *dwarf = NULL;
	int err = -EBADMSG;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
		err = dwarf ? walk_units(&finding, dwarf) : -ENOENT;
	}
	HASH_ITER (hh, finding.met, one, next) {
		if (!err && one->name)
			err = take(context, one->name, one->places);
		HASH_DEL(finding.met, one);
		free(one->name);
		free(one);
	}
	dwarf_end(dwarf);
	elf_end(elf);
	return err;
}
