// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses are searched many at once: every unit of compilation tells its ranges, and those of the
 * addresses that lie in them note it (assign). Then each unit that was noted is walked once for the
 * functions, and each function for what is inlined into it. So no table of the file's units or
 * functions is kept, and the memory is what libdw takes for the units in question. */
#include "symbols/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/dwarf_names.h"

#define MAX_UNITS    (1u << 20)
#define MAX_RANGES   65536 /* of one DIE */
#define MAX_SIBLINGS (4u << 20)
#define MAX_NESTING  64 /* of scopes around functions, or in one */

struct lines {
	Elf *elf;
	Dwarf *dwarf;
};

/* Where a DIE lies, and how many bytes the narrowest of its ranges has that holds the address. */
struct place {
	Dwarf_Off die;
	uint64_t size; /* 0: none */
};

struct target {
	uint64_t address;
	size_t index;
	struct place unit, function;
};

struct scopes {
	Dwarf_Die dies[MAX_NESTING]; /* the function, then inlined ones from outside inwards */
	size_t count;
};

int lines__open(int fd, struct lines **ret)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	elf_version(EV_CURRENT);
	lines->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!lines->elf || elf_kind(lines->elf) != ELF_K_ELF) {
		lines__free(lines);
		return -EBADMSG;
	}
	lines->dwarf = dwarf_begin_elf(lines->elf, DWARF_C_READ, NULL);
	if (!lines->dwarf) {
		lines__free(lines);
		return -ENOENT;
	}
	*ret = lines;
	return 0;
}

void lines__free(struct lines *lines)
{
	if (!lines)
		return;
	if (lines->dwarf)
		dwarf_end(lines->dwarf);
	if (lines->elf)
		elf_end(lines->elf);
	free(lines);
}

/* --- which unit, which function */

static int compare_addresses(const void *left, const void *right)
{
	const struct target *one = left, *other = right;

	return one->address < other->address ? -1 : one->address > other->address;
}

static int compare_units(const void *left, const void *right)
{
	const struct target *one = left, *other = right;

	if (one->unit.die != other->unit.die)
		return one->unit.die < other->unit.die ? -1 : 1;
	return compare_addresses(left, right);
}

static size_t first_at_least(const struct target *targets, size_t count, uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (targets[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Notes the DIE as the unit (or function) of the addresses in its ranges, unless a narrower range
 * of another one holds them. Targets are sorted by address. */
static void assign(Dwarf_Die *die, struct target *targets, size_t count, bool unit)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;

	for (size_t step = 0; step < MAX_RANGES; step++) {
		offset = dwarf_ranges(die, offset, &base, &start, &end);
		if (offset <= 0)
			return;
		/* Linkers leave 0 as the start of what they dropped. */
		if (!start || end <= start)
			continue;
		for (size_t i = first_at_least(targets, count, start);
		     i < count && targets[i].address < end; i++) {
			struct place *place = unit ? &targets[i].unit : &targets[i].function;

			if (!place->size || end - start < place->size)
				*place = (struct place){.die = dwarf_dieoffset(die),
							.size = end - start};
		}
	}
}

static bool may_hold_functions(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return deep;
	default:
		return false;
	}
}

/* deep: also functions within functions and types, which few languages have; far more to read. */
static void walk_functions(Dwarf_Die *parent, struct target *targets, size_t count, bool deep)
{
	Dwarf_Die path[MAX_NESTING];
	size_t depth = 1;

	if (dwarf_child(parent, &path[0]))
		return;
	for (size_t step = 0; depth && step < MAX_SIBLINGS; step++) {
		Dwarf_Die *die = &path[depth - 1];
		int tag = dwarf_tag(die);

		if (tag == DW_TAG_subprogram)
			assign(die, targets, count, false);
		if (may_hold_functions(tag, deep) && depth < MAX_NESTING &&
		    !dwarf_child(die, &path[depth])) {
			depth++;
			continue;
		}
		while (depth && !dwarf_names__next(&path[depth - 1]))
			depth--;
	}
}

/* --- what is inlined */

/* Finds the child that holds address and is, or may hold, an inlined function. */
static bool find_inner(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *ret)
{
	Dwarf_Die die;

	if (dwarf_child(parent, &die))
		return false;
	for (size_t step = 0; step < MAX_SIBLINGS; step++) {
		int tag = dwarf_tag(&die);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
		    dwarf_haspc(&die, address) > 0) {
			*ret = die;
			return true;
		}
		if (!dwarf_names__next(&die))
			return false;
	}
	return false;
}

static void find_scopes(Dwarf_Die *function, Dwarf_Addr address, struct scopes *scopes)
{
	Dwarf_Die inner, at = *function;

	scopes->dies[0] = *function;
	scopes->count = 1;
	for (size_t depth = 0; depth < 4 * MAX_NESTING && find_inner(&at, address, &inner);
	     depth++) {
		if (dwarf_tag(&inner) == DW_TAG_inlined_subroutine) {
			if (scopes->count == MAX_NESTING)
				return;
			scopes->dies[scopes->count++] = inner;
		}
		at = inner;
	}
}

/* --- names and lines */

static uint32_t number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &number) || number > INT32_MAX)
		return 0;
	return (uint32_t)number;
}

static void line_at(Dwarf_Die *unit, Dwarf_Addr address, struct line_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number;

	if (!line || dwarf_lineno(line, &number) || number <= 0)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	frame->line = frame->file ? (uint32_t)number : 0;
}

/* Where the inlined function was called. */
static void line_of_call(Dwarf_Die *unit, Dwarf_Die *inlined, struct line_frame *frame)
{
	uint32_t file = number_of(inlined, DW_AT_call_file);
	uint32_t line = number_of(inlined, DW_AT_call_line);
	Dwarf_Files *files;
	size_t count;

	if (!line || dwarf_getsrcfiles(unit, &files, &count) || file >= count)
		return;
	frame->file = dwarf_filesrc(files, file, NULL, NULL);
	frame->line = frame->file ? line : 0;
}

static void declaration_of(Dwarf_Die *die, struct line_frame *frame)
{
	const char *file = dwarf_decl_file(die);
	int line;

	if (!frame->file)
		frame->file = file;
	if (file && !strcmp(file, frame->file) && !dwarf_decl_line(die, &line) && line > 0)
		frame->first_line = (uint32_t)line;
}

static int take_chain(Dwarf_Die *unit, struct scopes *scopes, const struct target *target,
		      lines_take *take, void *context)
{
	struct line_frame frames[MAX_NESTING] = {0};
	char *owned[MAX_NESTING] = {0};
	size_t count = scopes->count, kept;
	int err;

	for (size_t i = 0; i < count; i++) {
		Dwarf_Die *die = &scopes->dies[count - 1 - i];

		if (i)
			line_of_call(unit, die + 1, &frames[i]);
		else
			line_at(unit, target->address, &frames[i]);
		frames[i].name = dwarf_names__of(unit, die, &owned[i]);
		declaration_of(die, &frames[i]);
	}
	kept = count;
	if (count > LINES_MAX_DEPTH) {
		kept = LINES_MAX_DEPTH;
		frames[kept - 1] = frames[count - 1];
	}
	err = take(context, target->index, frames, kept);
	for (size_t i = 0; i < count; i++)
		free(owned[i]);
	return err;
}

/* An address without a function (assembly) may have a line all the same. */
static int take_target(struct lines *lines, Dwarf_Die *unit, const struct target *target,
		       lines_take *take, void *context)
{
	struct line_frame frame = {0};
	struct scopes scopes;
	Dwarf_Die function;

	if (target->function.size && dwarf_offdie(lines->dwarf, target->function.die, &function)) {
		find_scopes(&function, target->address, &scopes);
		return take_chain(unit, &scopes, target, take, context);
	}
	line_at(unit, target->address, &frame);
	return take(context, target->index, &frame, frame.line ? 1 : 0);
}

static bool all_have_functions(const struct target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!targets[i].function.size)
			return false;
	return true;
}

/* What the unit says of its functions lies in another file (.dwo), which is not opened. */
static bool is_skeleton(Dwarf_Die *unit)
{
	return dwarf_hasattr(unit, DW_AT_dwo_name) || dwarf_hasattr(unit, DW_AT_GNU_dwo_name);
}

/* The targets of one unit, sorted by address. */
static int take_unit(struct lines *lines, struct target *targets, size_t count, lines_take *take,
		     void *context)
{
	Dwarf_Die unit;
	bool known = targets[0].unit.size &&
		     dwarf_offdie(lines->dwarf, targets[0].unit.die, &unit) != NULL;
	bool skeleton = known && is_skeleton(&unit);
	int err = 0;

	if (known)
		walk_functions(&unit, targets, count, false);
	if (known && !all_have_functions(targets, count))
		walk_functions(&unit, targets, count, true);
	for (size_t i = 0; i < count && !err; i++)
		/* Without its function the line may be that of inlined code, and not its own. */
		err = known && (!skeleton || targets[i].function.size)
			      ? take_target(lines, &unit, &targets[i], take, context)
			      : take(context, targets[i].index, NULL, 0);
	return err;
}

static void find_units(struct lines *lines, struct target *targets, size_t count)
{
	Dwarf_CU *unit = NULL;

	for (size_t i = 0; i < MAX_UNITS; i++) {
		Dwarf_Die die;
		uint8_t type;

		if (dwarf_get_units(lines->dwarf, unit, &unit, NULL, &type, &die, NULL))
			return;
		if (type != DW_UT_type && type != DW_UT_split_type)
			assign(&die, targets, count, true);
	}
}

int lines__find(struct lines *lines, const uint64_t *addresses, size_t count, lines_take *take,
		void *context)
{
	_cleanup_free_ struct target *targets = calloc(count + 1, sizeof(*targets));
	size_t end;
	int err = 0;

	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		targets[i] = (struct target){.address = addresses[i], .index = i};
	qsort(targets, count, sizeof(*targets), compare_addresses);
	find_units(lines, targets, count);
	qsort(targets, count, sizeof(*targets), compare_units);
	for (size_t start = 0; start < count && !err; start = end) {
		for (end = start + 1;
		     end < count && targets[end].unit.die == targets[start].unit.die;)
			end++;
		err = take_unit(lines, targets + start, end - start, take, context);
	}
	return err;
}
