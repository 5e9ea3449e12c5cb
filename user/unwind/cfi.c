// SPDX-License-Identifier: GPL-2.0-or-later
/* The entries; cfi_program.c runs the programs. */
#include "unwind/cfi.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "unwind/leb128.h"

#define LENGTH_64      0xffffffffu
#define FORMAT_MASK    0x0f
#define RELATIVE_MASK  0x70
#define ADDRESS_SIZE   8
#define RETURN_COLUMN  16
#define MAX_CIE_LETTER 16 /* of an augmentation */

static uint32_t offset_of(const struct cfi_section *section, const struct cursor *cursor)
{
	return (uint32_t)(cursor->at - section->bytes);
}

int cfi__entry(const struct cfi_section *section, uint32_t offset, struct cfi_entry *ret)
{
	struct cfi_entry entry;
	struct cursor cursor;
	uint64_t length = 0, id;
	uint32_t id_offset;
	bool wide = false, wide_id;

	if (offset >= section->size)
		return offset > section->size ? -EBADMSG : 0;
	cursor = cursor__of(section->bytes + offset, section->size - offset);
	while (!length) {
		if (!cursor__left(&cursor))
			return 0;
		entry.offset = offset_of(section, &cursor);
		length = cursor__u32(&cursor);
		wide = length == LENGTH_64;
		if (wide)
			length = cursor__u64(&cursor);
		if (cursor.failed)
			return -EBADMSG;
	}
	if (length > cursor__left(&cursor))
		return -EBADMSG;
	cursor.end = cursor.at + length;
	entry.next = offset_of(section, &cursor) + (uint32_t)length;
	id_offset = offset_of(section, &cursor);
	wide_id = wide && !section->eh;
	id = wide_id ? cursor__u64(&cursor) : cursor__u32(&cursor);
	if (cursor.failed)
		return -EBADMSG;
	entry.body = offset_of(section, &cursor);
	if (section->eh) {
		entry.is_cie = !id;
		entry.cie = (uint64_t)id_offset - id;
	} else {
		entry.is_cie = id == (wide_id ? DW_CIE_ID_64 : DW_CIE_ID_32);
		entry.cie = id;
	}
	*ret = entry;
	return 1;
}

static int read_format(struct cursor *cursor, uint8_t encoding, uint64_t *ret)
{
	switch (encoding & FORMAT_MASK) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		*ret = cursor__u64(cursor);
		break;
	case DW_EH_PE_uleb128:
		*ret = leb128__unsigned(cursor);
		break;
	case DW_EH_PE_sleb128:
		*ret = (uint64_t)leb128__signed(cursor);
		break;
	case DW_EH_PE_udata2:
		*ret = cursor__u16(cursor);
		break;
	case DW_EH_PE_sdata2:
		*ret = (uint64_t)(int16_t)cursor__u16(cursor);
		break;
	case DW_EH_PE_udata4:
		*ret = cursor__u32(cursor);
		break;
	case DW_EH_PE_sdata4:
		*ret = (uint64_t)(int32_t)cursor__u32(cursor);
		break;
	default:
		return -EOPNOTSUPP;
	}
	return cursor->failed ? -EBADMSG : 0;
}

int cfi__read_pointer(const struct cfi_section *section, struct cursor *cursor, uint8_t encoding,
		      uint64_t *ret)
{
	uint64_t value, base;
	int err;

	if (encoding == DW_EH_PE_omit || (encoding & DW_EH_PE_indirect))
		return -EOPNOTSUPP;
	switch (encoding & RELATIVE_MASK) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_textrel: /* x86-64 has no register for it: relative to 0 */
		base = 0;
		break;
	case DW_EH_PE_pcrel:
		base = section->address + offset_of(section, cursor);
		break;
	case DW_EH_PE_datarel:
		base = section->data_base;
		break;
	default:
		return -EOPNOTSUPP;
	}
	err = read_format(cursor, encoding, &value);
	if (!err)
		*ret = base + value;
	return err;
}

/* What the letters of an augmentation say; data are at cursor. */
static int read_augmentation(struct cfi_cie *cie, struct cursor *cursor, const char *letters)
{
	uint8_t encoding;
	uint64_t unused;
	int err;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			cie->pointer_encoding = cursor__u8(cursor);
			break;
		case 'P': /* the language's personality function */
			encoding = cursor__u8(cursor);
			err = (encoding & RELATIVE_MASK) == DW_EH_PE_aligned
				      ? -EOPNOTSUPP
				      : read_format(cursor, encoding, &unused);
			if (err)
				return err;
			break;
		case 'L': /* encoding of pointers to language data */
			cursor__u8(cursor);
			break;
		case 'S':
			cie->signal = true;
			break;
		case 'B': /* pointer authentication, arm64 */
			break;
		default:
			return -EOPNOTSUPP;
		}
	}
	return cursor->failed ? -EBADMSG : 0;
}

/* The initial program is left at *cursor. */
static int read_cie(struct cfi_cie *cie, struct cursor *cursor)
{
	char letters[MAX_CIE_LETTER] = "";
	struct cursor data;
	uint64_t column, size;
	uint8_t version = cursor__u8(cursor);
	size_t length;
	int err;

	if (version != 1 && version != 3 && version != 4)
		return -EOPNOTSUPP;
	length = strnlen((const char *)cursor->at, cursor__left(cursor));
	if (length == cursor__left(cursor) || length >= sizeof(letters))
		return -EOPNOTSUPP;
	cursor__bytes(cursor, letters, length + 1);
	if (version == 4 && (cursor__u8(cursor) != ADDRESS_SIZE || cursor__u8(cursor)))
		return -EOPNOTSUPP;
	if (!strcmp(letters, "eh")) /* GCC 2: a pointer to its exception table */
		cursor__u64(cursor);
	else if (letters[0] && letters[0] != 'z')
		return -EOPNOTSUPP;
	cie->code_factor = leb128__unsigned(cursor);
	cie->data_factor = leb128__signed(cursor);
	column = version == 1 ? cursor__u8(cursor) : leb128__unsigned(cursor);
	if (letters[0] == 'z') {
		cie->augmented = true;
		size = leb128__unsigned(cursor);
		if (cursor->failed || size > cursor__left(cursor))
			return -EBADMSG;
		data = cursor__of(cursor->at, size);
		/* The pointers in it count from where they are in the section. */
		err = read_augmentation(cie, &data, letters + 1);
		if (err)
			return err;
		cursor->at += size;
	}
	if (cursor->failed)
		return -EBADMSG;
	cie->pointers_readable = true;
	if (column != RETURN_COLUMN)
		cie->problem = UNWIND_RETURN_ADDRESS;
	return 0;
}

void cfi__read_cie(const struct cfi_section *section, const struct cfi_entry *entry,
		   struct cfi_cie *ret)
{
	struct cursor cursor = cursor__of(section->bytes + entry->body, entry->next - entry->body);
	struct cfi_cie cie = {
		.section = section,
		.offset = entry->offset,
		.pointer_encoding = DW_EH_PE_absptr,
		.problem = UNWIND_NO_PROBLEM,
	};
	struct cfi_program program;
	int err = read_cie(&cie, &cursor);

	cie.initial.rbp.form = CFI_SAME;
	if (err) {
		cie.problem = err == -EOPNOTSUPP ? UNWIND_ENTRY : UNWIND_DAMAGED;
	} else if (cie.problem == UNWIND_NO_PROBLEM) {
		/* No place but one: a program that moves on is none for a CIE. */
		cfi_program__begin(&program, &cie, 0, 1, cursor.at, cursor__left(&cursor));
		cfi_program__next(&program);
		if (program.problem == UNWIND_NO_PROBLEM && cursor__left(&program.cursor))
			program.problem = UNWIND_DAMAGED;
		cie.problem = program.problem;
		cie.initial = program.state;
	}
	*ret = cie;
}

int cfi__read_fde(const struct cfi_cie *cie, const struct cfi_entry *entry, struct cfi_fde *ret)
{
	const struct cfi_section *section = cie->section;
	struct cursor cursor = cursor__of(section->bytes + entry->body, entry->next - entry->body);
	struct cfi_fde fde;
	uint64_t size;
	int err;

	if (!cie->pointers_readable)
		return cie->problem == UNWIND_DAMAGED ? -EBADMSG : -EOPNOTSUPP;
	err = cfi__read_pointer(section, &cursor, cie->pointer_encoding, &fde.start);
	if (!err)
		err = read_format(&cursor, cie->pointer_encoding, &fde.size);
	if (err)
		return err;
	if (cie->augmented) {
		size = leb128__unsigned(&cursor);
		if (cursor.failed || size > cursor__left(&cursor))
			return -EBADMSG;
		cursor.at += size;
	}
	fde.program = offset_of(section, &cursor);
	fde.program_size = (uint32_t)cursor__left(&cursor);
	*ret = fde;
	return 0;
}
