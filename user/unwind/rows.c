// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "unwind/frames.h"

#define NOTHING PS_UNWIND_RULE(PS_CFA_NONE, 0, PS_RBP_SAME, 0)
/* Bytes from the entry point on that are taken for its function, at most. */
#define ENTRY_SIZE 64
#define BOTTOM	   PS_UNWIND_RULE(PS_CFA_BOTTOM, 0, PS_RBP_SAME, 0)

struct builder {
	struct unwind_rows rows;
	size_t capacity;
};

static int add_row(struct builder *builder, uint32_t address, uint32_t rule)
{
	struct unwind_rows *rows = &builder->rows;

	if (rows->count && rows->rows[rows->count - 1].rule == rule)
		return 0;
	if (rows->count == builder->capacity) {
		int err = -EFBIG;

		if (rows->count < UNWIND_MAX_ROWS)
			err = array__reserve(&rows->rows, &builder->capacity, sizeof(*rows->rows),
					     rows->count + 1);
		if (err)
			return err;
	}
	rows->rows[rows->count++] = (struct ps_unwind_row){.address = address, .rule = rule};
	return 0;
}

static int add_piece(struct builder *builder, const struct frames *frames,
		     const struct frame_piece *piece)
{
	const struct frame *frame = &frames->frames[piece->frame];
	const struct cfi_cie *cie = &frames->cies[frame->cie];
	uint64_t start = frames->base + frame->start;
	struct cfi_program program;
	enum unwind_problem problem;
	int err = 0;

	cfi_program__begin(&program, cie, start, frames->base + piece->end,
			   cie->section->bytes + frame->program, frame->program_size);
	while (!err && cfi_program__next(&program)) {
		uint64_t from = program.from - frames->base, to = program.to - frames->base;
		uint32_t rule;

		if (to <= piece->start)
			continue;
		rule = cfi_program__rule(&program, &problem);
		if (problem != UNWIND_NO_PROBLEM)
			builder->rows.problems[problem]++;
		err = add_row(builder, from < piece->start ? piece->start : (uint32_t)from, rule);
	}
	return err;
}

/* Code that nothing describes. At the file's entry point the kernel begins a program: there is no
 * caller, though the loader's own does not say so. */
static int add_gap(struct builder *builder, uint32_t start, uint32_t end, uint64_t entry)
{
	uint64_t from = entry - builder->rows.base, to = from + ENTRY_SIZE;
	int err;

	if (!entry || from < start || from >= end)
		return add_row(builder, start, NOTHING);
	err = from > start ? add_row(builder, start, NOTHING) : 0;
	if (!err)
		err = add_row(builder, (uint32_t)from, BOTTOM);
	return err || to >= end ? err : add_row(builder, (uint32_t)to, NOTHING);
}

static int build(struct builder *builder, const struct frames *frames, uint64_t entry)
{
	struct unwind_rows *rows = &builder->rows;
	uint64_t code = 0;
	uint32_t end = 0;
	int err = 0;

	memcpy(rows->problems, frames->problems, sizeof(rows->problems));
	rows->base = frames->base;
	for (size_t i = 0; i < frames->code_count; i++)
		code += frames->code[i].end - frames->code[i].start;
	for (size_t i = 0; i < frames->piece_count && !err; i++) {
		const struct frame_piece *piece = &frames->pieces[i];

		if (piece->start > end)
			err = add_gap(builder, end, piece->start, entry);
		if (!err)
			err = add_piece(builder, frames, piece);
		end = piece->end;
		rows->described += piece->end - piece->start;
	}
	rows->undescribed = code > rows->described ? code - rows->described : 0;
	return err ? err : add_row(builder, end, NOTHING);
}

static void trim(struct unwind_rows *rows)
{
	struct ps_unwind_row *fitting = realloc(rows->rows, rows->count * sizeof(*rows->rows));

	if (fitting)
		rows->rows = fitting;
}

static int compile(struct elf_input *input, struct unwind_rows *ret)
{
	struct builder builder = {0};
	struct frames frames;
	int err = frames__read(input, &frames);

	if (!err) {
		err = build(&builder, &frames, input->entry);
		frames__clear(&frames);
	}
	elf_input__close(input);
	if (err) {
		unwind_rows__clear(&builder.rows);
		return err;
	}
	trim(&builder.rows);
	*ret = builder.rows;
	return 0;
}

int unwind_rows__compile(int fd, struct unwind_rows *ret)
{
	struct elf_input input;
	int err = elf_input__open(fd, &input);

	return err ? err : compile(&input, ret);
}

int unwind_rows__compile_memory(const void *image, size_t size, struct unwind_rows *ret)
{
	struct elf_input input;
	int err = elf_input__open_memory(image, size, &input);

	return err ? err : compile(&input, ret);
}

void unwind_rows__clear(struct unwind_rows *rows)
{
	free(rows->rows);
	*rows = (struct unwind_rows){0};
}

/* The last row at or below address; rows->count: none. */
static size_t find_row(const struct unwind_rows *rows, uint64_t address)
{
	size_t low = 0, high = rows->count;

	if (address < rows->base)
		return rows->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows->rows[middle].address <= address - rows->base)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : rows->count;
}

uint32_t unwind_rows__find(const struct unwind_rows *rows, uint64_t address)
{
	size_t row = find_row(rows, address);

	return row == rows->count ? NOTHING : rows->rows[row].rule;
}

/* Makes a row begin at address; there is room for it. Its index, rows->count: address is no place
 * for a row. */
static size_t split(struct unwind_rows *rows, uint64_t address)
{
	size_t row = find_row(rows, address);

	if (row == rows->count || address - rows->base > UINT32_MAX ||
	    rows->rows[row].address == address - rows->base)
		return row;
	memmove(&rows->rows[row + 2], &rows->rows[row + 1],
		(rows->count - row - 1) * sizeof(*rows->rows));
	rows->rows[row + 1] = (struct ps_unwind_row){
		.address = (uint32_t)(address - rows->base),
		.rule = rows->rows[row].rule,
	};
	rows->count++;
	return row + 1;
}

int unwind_rows__mark(struct unwind_rows *rows, uint64_t start, uint64_t end)
{
	struct ps_unwind_row *grown;
	size_t first, last;

	if (start < rows->base)
		start = rows->base;
	if (start >= end || start - rows->base > UINT32_MAX)
		return 0;
	grown = realloc(rows->rows, (rows->count + 2) * sizeof(*rows->rows));
	if (!grown)
		return -ENOMEM;
	rows->rows = grown;
	first = split(rows, start);
	last = end - rows->base > UINT32_MAX ? rows->count : split(rows, end);
	for (size_t i = first; i < last; i++)
		rows->rows[i].rule |= PS_UNWIND_EVAL;
	return 0;
}

#define PROBLEM_NAME(name, text) text,
static const char *const names[] = {UNWIND_PROBLEMS(PROBLEM_NAME)};

const char *unwind_problem__name(enum unwind_problem problem)
{
	return problem < UNWIND_PROBLEM_COUNT ? names[problem] : "none";
}
