/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which call-frame information describes which code of a file: what rows.c and functions.c share.
 * Addresses here are bytes from base. */
#ifndef UNWIND_FRAMES_H
#define UNWIND_FRAMES_H

#include "unwind/cfi.h"
#include "unwind/elf_input.h"

struct frame_code {
	uint32_t start, end;
};

/* An FDE that describes code. */
struct frame {
	uint32_t start, size;
	uint32_t program, program_size; /* in its CIE's section */
	uint32_t cie; /* index */
};

/* A range that has one description, the best. */
struct frame_piece {
	uint32_t start, end;
	uint32_t frame; /* index */
};

struct frames {
	uint64_t base; /* the page that the first executable segment begins in */
	struct frame_code code[ELF_INPUT_MAX_CODE]; /* executable segments */
	size_t code_count;
	struct elf_piece contents[2];
	struct cfi_section sections[2]; /* .eh_frame, .debug_frame */
	struct cfi_cie *cies;
	size_t cie_count, cie_capacity;
	struct frame *frames;
	size_t frame_count, frame_capacity;
	struct frame_piece *pieces; /* sorted, none overlap, none is empty */
	size_t piece_count, piece_capacity;
	uint64_t problems[UNWIND_PROBLEM_COUNT]; /* entries that were left out, by reason */
};

/* Of entries that overlap, the one that begins later counts from there on, as for libgcc's
 * unwinder; of those with the same start the first. .debug_frame counts where .eh_frame says
 * nothing. 0, also when the file describes nothing; frames__clear() after it. -EBADMSG, -EFBIG,
 * -ENOMEM or the error of reading: *ret is empty then. It points into itself: no copies. */
int frames__read(const struct elf_input *input, struct frames *ret);
void frames__clear(struct frames *frames);

#endif
