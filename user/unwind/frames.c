// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/frames.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define PAGE_SIZE	 4096u
#define MAX_SECTION	 (512u << 20)
#define MAX_FRAMES	 (8u << 20)
#define MAX_CIES	 (1u << 20)
#define HEADER_VERSION	 1
#define HEADER_FIXED	 4 /* version and three encodings */
#define HEADER_LIMIT	 (64u << 20)
#define TABLE_ENCODING	 (DW_EH_PE_datarel | DW_EH_PE_sdata4)
#define TABLE_ENTRY_SIZE 8

enum { EH_FRAME, DEBUG_FRAME };

static int find_code(const struct elf_input *input, struct frames *frames)
{
	uint64_t lowest = UINT64_MAX;

	for (size_t i = 0; i < input->segment_count; i++) {
		const Elf64_Phdr *segment = &input->segments[i];

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) &&
		    segment->p_vaddr < lowest)
			lowest = segment->p_vaddr;
	}
	frames->base = lowest == UINT64_MAX ? 0 : lowest / PAGE_SIZE * PAGE_SIZE;
	for (size_t i = 0; i < input->segment_count; i++) {
		const Elf64_Phdr *segment = &input->segments[i];
		uint64_t end;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || !segment->p_memsz)
			continue;
		if (__builtin_add_overflow(segment->p_vaddr, segment->p_memsz, &end))
			return -EBADMSG;
		if (frames->code_count == ELF_INPUT_MAX_CODE || end - frames->base > UINT32_MAX)
			return -EFBIG;
		frames->code[frames->code_count++] = (struct frame_code){
			.start = (uint32_t)(segment->p_vaddr - frames->base),
			.end = (uint32_t)(end - frames->base),
		};
	}
	return 0;
}

/* The table of .eh_frame_hdr tells which entry is the last: there the section ends at the latest.
 * UINT64_MAX: not told. */
static uint64_t last_entry(const struct elf_piece *header, struct cursor cursor,
			   uint8_t count_encoding, uint8_t table_encoding)
{
	struct cfi_section section = {
		.bytes = header->bytes,
		.size = header->size,
		.address = header->address,
		.data_base = header->address,
	};
	uint64_t count, last = 0;

	if (table_encoding != TABLE_ENCODING ||
	    cfi__read_pointer(&section, &cursor, count_encoding, &count) || !count ||
	    count > cursor__left(&cursor) / TABLE_ENTRY_SIZE)
		return UINT64_MAX;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t address;

		cursor__u32(&cursor); /* the code's address */
		address = header->address + (uint64_t)(int32_t)cursor__u32(&cursor);
		if (address > last)
			last = address;
	}
	return last;
}

/* Cuts a piece that goes on to the segment's end behind the last entry. */
static void cut_after(struct elf_piece *piece, uint64_t last)
{
	struct cfi_section section = {
		.bytes = piece->bytes,
		.size = piece->size,
		.address = piece->address,
		.eh = true,
	};
	struct cfi_entry entry;
	uint32_t at = 0;

	if (last != UINT64_MAX) {
		if (last >= piece->address && last - piece->address < piece->size &&
		    cfi__entry(&section, (uint32_t)(last - piece->address), &entry) == 1)
			piece->size = entry.next;
		return;
	}
	/* A zero word ends it, and what follows may be anything. */
	while (cfi__entry(&section, at, &entry) == 1 && entry.offset == at)
		at = entry.next;
	piece->size = at;
}

/* .eh_frame by its segment, where section headers are missing. */
static int read_by_header(const struct elf_input *input, struct elf_piece *ret)
{
	struct elf_piece header = {0}, piece;
	struct cfi_section section;
	struct cursor cursor;
	uint64_t address, last;
	int err = -ENOENT;

	for (size_t i = 0; i < input->segment_count && err == -ENOENT; i++)
		if (input->segments[i].p_type == PT_GNU_EH_FRAME)
			err = elf_input__at(input, input->segments[i].p_vaddr, HEADER_LIMIT,
					    &header);
	if (err)
		return err;
	err = -EBADMSG;
	if (header.size < HEADER_FIXED || header.bytes[0] != HEADER_VERSION)
		goto cleanup;
	section = (struct cfi_section){
		.bytes = header.bytes,
		.size = header.size,
		.address = header.address,
		.data_base = header.address,
	};
	cursor = cursor__of(header.bytes, header.size);
	cursor.at += HEADER_FIXED;
	err = cfi__read_pointer(&section, &cursor, header.bytes[1], &address);
	if (err)
		goto cleanup;
	last = last_entry(&header, cursor, header.bytes[2], header.bytes[3]);
	err = elf_input__at(input, address, MAX_SECTION, &piece);
	if (err)
		goto cleanup;
	cut_after(&piece, last);
	*ret = piece;
cleanup:
	free(header.bytes);
	return err;
}

static int read_sections(const struct elf_input *input, struct frames *frames)
{
	const Elf64_Shdr *found = elf_input__section(input, ".eh_frame");
	int err = -ENOENT;

	if (found)
		err = elf_input__contents(input, found, MAX_SECTION, &frames->contents[EH_FRAME]);
	if (err == -ENOENT)
		err = read_by_header(input, &frames->contents[EH_FRAME]);
	if (err && err != -ENOENT)
		return err;
	found = elf_input__section(input, ".debug_frame");
	if (found) {
		err = elf_input__contents(input, found, MAX_SECTION,
					  &frames->contents[DEBUG_FRAME]);
		if (err == -ENOMEM)
			return err;
		if (err && err != -ENOENT)
			frames->problems[err == -EOPNOTSUPP ? UNWIND_ENTRY : UNWIND_DAMAGED]++;
	}
	for (int i = EH_FRAME; i <= DEBUG_FRAME; i++)
		frames->sections[i] = (struct cfi_section){
			.bytes = frames->contents[i].bytes,
			.size = frames->contents[i].size,
			.address = frames->contents[i].address,
			.eh = i == EH_FRAME,
		};
	if (frames->sections[EH_FRAME].size)
		frames->sections[EH_FRAME].data_base = elf_input__global_offset_table(input);
	return 0;
}

static int read_cies(struct frames *frames, const struct cfi_section *section)
{
	struct cfi_entry entry;
	int more, err;

	for (uint32_t at = 0; (more = cfi__entry(section, at, &entry)) == 1; at = entry.next) {
		if (!entry.is_cie)
			continue;
		if (frames->cie_count == MAX_CIES)
			return -EFBIG;
		err = array__reserve(&frames->cies, &frames->cie_capacity, sizeof(*frames->cies),
				     frames->cie_count + 1);
		if (err)
			return err;
		cfi__read_cie(section, &entry, &frames->cies[frames->cie_count++]);
	}
	if (more < 0)
		frames->problems[UNWIND_DAMAGED]++;
	return 0;
}

/* Among those from `first` on, which are sorted by offset; UINT32_MAX: none. Neighbours mostly have
 * the same one. */
static uint32_t find_cie(const struct frames *frames, uint32_t first, uint32_t guess,
			 uint64_t offset)
{
	size_t low = first, high = frames->cie_count;

	if (guess < frames->cie_count && frames->cies[guess].offset == offset)
		return guess;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (frames->cies[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < frames->cie_count && frames->cies[low].offset == offset ? (uint32_t)low
									     : UINT32_MAX;
}

/* Keeps what lies in one executable segment; longer ones are cut at its end. */
static int add_frame(struct frames *frames, const struct cfi_fde *fde, uint32_t cie)
{
	uint64_t start = fde->start - frames->base, size = fde->size;
	int err;

	for (size_t i = 0; i < frames->code_count; i++) {
		const struct frame_code *code = &frames->code[i];

		if (!size || fde->start < frames->base || start < code->start || start >= code->end)
			continue;
		if (size > code->end - start)
			size = code->end - start;
		if (frames->frame_count == MAX_FRAMES)
			return -EFBIG;
		err = array__reserve(&frames->frames, &frames->frame_capacity,
				     sizeof(*frames->frames), frames->frame_count + 1);
		if (err)
			return err;
		frames->frames[frames->frame_count++] = (struct frame){
			.start = (uint32_t)start,
			.size = (uint32_t)size,
			.program = fde->program,
			.program_size = fde->program_size,
			.cie = cie,
		};
		return 0;
	}
	frames->problems[UNWIND_NO_CODE]++;
	return 0;
}

static int read_fdes(struct frames *frames, const struct cfi_section *section, uint32_t first_cie)
{
	uint32_t cie = UINT32_MAX;
	struct cfi_entry entry;
	struct cfi_fde fde;
	int err;

	for (uint32_t at = 0; cfi__entry(section, at, &entry) == 1; at = entry.next) {
		if (entry.is_cie)
			continue;
		cie = find_cie(frames, first_cie, cie, entry.cie);
		err = cie == UINT32_MAX ? -EBADMSG
					: cfi__read_fde(&frames->cies[cie], &entry, &fde);
		if (err)
			frames->problems[err == -EOPNOTSUPP ? UNWIND_ENTRY : UNWIND_DAMAGED]++;
		else
			err = add_frame(frames, &fde, cie);
		if (err == -ENOMEM || err == -EFBIG)
			return err;
	}
	return 0;
}

/* Entries are found again by where their program is: that keeps the order of the section. */
static int compare_frames(const void *left, const void *right)
{
	const struct frame *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->program < b->program ? -1 : a->program > b->program;
}

static void sort_frames(struct frame *frames, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (compare_frames(&frames[i - 1], &frames[i]) > 0) {
			qsort(frames, count, sizeof(*frames), compare_frames);
			return;
		}
	}
}

static int compare_pieces(const void *left, const void *right)
{
	const struct frame_piece *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int add_piece(struct frames *frames, uint64_t start, uint64_t end, size_t frame)
{
	int err;

	if (start >= end)
		return 0;
	err = array__reserve(&frames->pieces, &frames->piece_capacity, sizeof(*frames->pieces),
			     frames->piece_count + 1);
	if (err)
		return err;
	frames->pieces[frames->piece_count++] = (struct frame_piece){
		.start = (uint32_t)start,
		.end = (uint32_t)end,
		.frame = (uint32_t)frame,
	};
	return 0;
}

/* Pieces of frames [first, count), which are sorted, where pieces [0, taken) leave room. */
static int fill(struct frames *frames, size_t first, size_t taken)
{
	size_t next = 0;
	int err;

	for (size_t i = first; i < frames->frame_count; i++) {
		const struct frame *frame = &frames->frames[i];
		uint64_t start = frame->start, end = start + frame->size;

		if (i > first && start == frames->frames[i - 1].start)
			continue;
		for (size_t j = i + 1; j < frames->frame_count; j++) {
			if (frames->frames[j].start == start)
				continue;
			if (frames->frames[j].start < end)
				end = frames->frames[j].start;
			break;
		}
		while (next < taken && frames->pieces[next].start <= start) {
			if (frames->pieces[next].end > start)
				start = frames->pieces[next].end;
			next++;
		}
		if (next < taken && frames->pieces[next].start < end)
			end = frames->pieces[next].start;
		err = add_piece(frames, start, end, i);
		if (err)
			return err;
	}
	return 0;
}

static int choose(struct frames *frames, size_t debug_first)
{
	size_t debug_count = frames->frame_count - debug_first, taken;
	int err;

	sort_frames(frames->frames, debug_first);
	if (debug_count)
		sort_frames(frames->frames + debug_first, debug_count);
	frames->frame_count = debug_first;
	err = fill(frames, 0, 0);
	frames->frame_count += debug_count;
	taken = frames->piece_count;
	if (!err && debug_count)
		err = fill(frames, debug_first, taken);
	if (!err && frames->piece_count > taken)
		qsort(frames->pieces, frames->piece_count, sizeof(*frames->pieces), compare_pieces);
	return err;
}

int frames__read(const struct elf_input *input, struct frames *ret)
{
	struct frames *frames = ret;
	size_t debug_first = 0;
	uint32_t debug_cie;
	int err;

	*frames = (struct frames){0};
	err = find_code(input, frames);
	if (!err)
		err = read_sections(input, frames);
	if (!err)
		err = read_cies(frames, &frames->sections[EH_FRAME]);
	if (!err)
		err = read_fdes(frames, &frames->sections[EH_FRAME], 0);
	debug_first = frames->frame_count;
	debug_cie = (uint32_t)frames->cie_count;
	if (!err)
		err = read_cies(frames, &frames->sections[DEBUG_FRAME]);
	if (!err)
		err = read_fdes(frames, &frames->sections[DEBUG_FRAME], debug_cie);
	if (!err)
		err = choose(frames, debug_first);
	if (err)
		frames__clear(frames);
	return err;
}

void frames__clear(struct frames *frames)
{
	free(frames->contents[EH_FRAME].bytes);
	free(frames->contents[DEBUG_FRAME].bytes);
	free(frames->cies);
	free(frames->frames);
	free(frames->pieces);
	*frames = (struct frames){0};
}
