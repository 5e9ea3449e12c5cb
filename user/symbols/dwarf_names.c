// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/dwarf_names.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>

#include "symbols/demangle.h"

#define MAX_SIBLINGS (4u << 20)
#define MAX_NESTING  64 /* of scopes around functions */

/* The next sibling, in place. Damage may lead back: false, as at the end. */
bool dwarf_names__next(Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);

	return !dwarf_siblingof(die, die) && dwarf_dieoffset(die) > before;
}

static const char *string_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static bool is_cplusplus(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case 0x2b: /* C++17 and 20: libdw's header may be older */
	case 0x2c:
		return true;
	default:
		return false;
	}
}

/* The DIE that declares the function: where it lies is its name space. */
static Dwarf_Die declaring(const Dwarf_Die *die)
{
	Dwarf_Die at = *die;

	for (size_t step = 0; step < MAX_NESTING; step++) {
		Dwarf_Attribute attribute;
		Dwarf_Die next;

		if (!dwarf_attr(&at, DW_AT_abstract_origin, &attribute) &&
		    !dwarf_attr(&at, DW_AT_specification, &attribute))
			break;
		if (!dwarf_formref_die(&attribute, &next))
			break;
		at = next;
	}
	return at;
}

/* The child of parent that is die, or that die lies in. */
static bool child_towards(Dwarf_Die *parent, Dwarf_Off die, Dwarf_Die *ret)
{
	Dwarf_Die at, next;

	if (dwarf_child(parent, &at) || dwarf_dieoffset(&at) > die)
		return false;
	for (size_t step = 0; step < MAX_SIBLINGS; step++) {
		next = at;
		if (!dwarf_names__next(&next) || dwarf_dieoffset(&next) > die) {
			*ret = at;
			return true;
		}
		at = next;
	}
	return false;
}

/* *ret_name: NULL when the scope adds nothing. False: it has a name that cannot be read, as one in
 * a file that dwz shares among several. */
static bool name_of_scope(Dwarf_Die *die, const char **ret_name)
{
	int tag = dwarf_tag(die);
	bool is_type = tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
		       tag == DW_TAG_union_type;

	*ret_name = NULL;
	if (tag != DW_TAG_namespace && !is_type)
		return true;
	*ret_name = dwarf_diename(die);
	if (!*ret_name && dwarf_hasattr_integrate(die, DW_AT_name))
		return false;
	if (!*ret_name && !is_type)
		*ret_name = "(anonymous namespace)";
	return true;
}

/* "space::type::name" of what has no linkage name, as in an anonymous name space. It is declared in
 * another unit than die where dwz has put together what several units say. malloc'ed; NULL: no more
 * than the name is known. */
static char *qualify(const Dwarf_Die *die, const char *name)
{
	Dwarf_Die declared = declaring(die), at;
	Dwarf_Off offset = dwarf_dieoffset(&declared);
	bool readable = true;
	char *text = NULL;
	FILE *stream;
	size_t size;

	if (!dwarf_diecu(&declared, &at, NULL, NULL))
		return NULL;
	stream = open_memstream(&text, &size);
	if (!stream)
		return NULL;
	for (size_t depth = 0; depth < MAX_NESTING && child_towards(&at, offset, &at); depth++) {
		const char *scope;

		if (dwarf_dieoffset(&at) == offset)
			break;
		readable &= name_of_scope(&at, &scope);
		if (scope)
			fprintf(stream, "%s::", scope);
	}
	fputs(name, stream);
	if (fclose(stream) || !readable) {
		free(text);
		return NULL;
	}
	return text;
}

const char *dwarf_names__of(Dwarf_Die *unit, Dwarf_Die *die, char **ret_owned)
{
	const char *linkage = string_of(die, DW_AT_linkage_name), *name;

	if (!linkage)
		linkage = string_of(die, DW_AT_MIPS_linkage_name);
	*ret_owned = linkage ? symbol__demangle(linkage) : NULL;
	if (*ret_owned)
		return *ret_owned;
	if (linkage)
		return linkage;
	name = string_of(die, DW_AT_name);
	if (name && is_cplusplus(unit))
		*ret_owned = qualify(die, name);
	return *ret_owned ? *ret_owned : name;
}
