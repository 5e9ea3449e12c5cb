/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call-frame information of DWARF 2 to 5 and of .eh_frame (LSB), for x86-64: its entries, and the
 * programs that they carry. A CIE holds what many functions have in common, an FDE describes one
 * range of code. Offsets are bytes from the section's start. */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "unwind/problems.h"

#define CFI_MAX_REMEMBERED 32

struct cfi_section {
	const uint8_t *bytes;
	size_t size; /* less than 4 GiB */
	uint64_t address; /* in the file's address space */
	uint64_t data_base; /* what DW_EH_PE_datarel is relative to */
	bool eh; /* .eh_frame; else .debug_frame */
};

/* How a register, or the CFA, is found. */
enum cfi_form {
	CFI_UNSET,
	CFI_SAME,
	CFI_AT_CFA, /* saved at CFA + offset */
	CFI_AT_RBP, /* saved at rbp + offset */
	CFI_UNDEFINED,
	CFI_REGISTER, /* CFA only: a register + offset */
	CFI_KNOWN_EXPRESSION, /* CFA only: see expression */
	CFI_OTHER
};

struct cfi_rule {
	int64_t offset;
	uint8_t form; /* enum cfi_form */
};

struct cfi_state {
	struct cfi_rule cfa, rbp, return_address, rsp;
	uint64_t cfa_register;
	uint32_t expression; /* as PS_UNWIND_RULE() */
};

struct cfi_cie {
	const struct cfi_section *section;
	uint32_t offset;
	uint8_t pointer_encoding;
	bool augmented; /* FDEs have augmentation data */
	bool signal; /* they describe signals' return trampolines */
	uint8_t problem; /* enum unwind_problem, UNWIND_NO_PROBLEM: can be used */
	bool pointers_readable; /* FDEs' ranges can be read in spite of the problem */
	uint64_t code_factor;
	int64_t data_factor;
	struct cfi_state initial;
};

/* One entry: [offset, next) of the section. */
struct cfi_entry {
	uint32_t offset, body, next;
	bool is_cie;
	uint64_t cie; /* of an FDE: the offset of its CIE */
};

struct cfi_fde {
	uint64_t start, size;
	uint32_t program, program_size;
};

/* The entry at offset, which may be the section's end. 1: it is there; 0: there is none; -EBADMSG:
 * there is something else. Zero words between entries are skipped. */
int cfi__entry(const struct cfi_section *section, uint32_t offset, struct cfi_entry *ret);

/* Always gives a CIE, maybe with a problem. */
void cfi__read_cie(const struct cfi_section *section, const struct cfi_entry *entry,
		   struct cfi_cie *ret);

/* -EBADMSG; -EOPNOTSUPP: the CIE says how in unknown words. */
int cfi__read_fde(const struct cfi_cie *cie, const struct cfi_entry *entry, struct cfi_fde *ret);

/* A pointer of the section in one of the encodings DW_EH_PE_*. -EBADMSG, -EOPNOTSUPP. */
int cfi__read_pointer(const struct cfi_section *section, struct cursor *cursor, uint8_t encoding,
		      uint64_t *ret);

/* A run of one FDE's program. */
struct cfi_program {
	const struct cfi_cie *cie;
	struct cursor cursor;
	uint64_t location, end;
	uint64_t from, to; /* the range that state holds for, after cfi_program__next() */
	uint8_t problem; /* of the rest of the function */
	unsigned int depth;
	struct cfi_state state;
	struct cfi_state remembered[CFI_MAX_REMEMBERED];
};

/* Start and end are addresses, bytes what it runs. */
void cfi_program__begin(struct cfi_program *program, const struct cfi_cie *cie, uint64_t start,
			uint64_t end, const uint8_t *bytes, size_t size);

/* Goes on to the next range: true, until all of [start, end) was given. */
bool cfi_program__next(struct cfi_program *program);

/* The rule of the range as in include/unwind.h, and what was wrong or UNWIND_NO_PROBLEM. */
uint32_t cfi_program__rule(const struct cfi_program *program, enum unwind_problem *ret_problem);

#endif
