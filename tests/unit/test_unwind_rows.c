// SPDX-License-Identifier: GPL-2.0-or-later
// Links: unwind base
/* Call-frame information made by hand, one case each; test_unwind_judge.c compares real files. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "elf_image.h"
#include "unwind/functions.h"
#include "unwind/rows.h"

#define START	    (CODE_START + 0x100)
#define SIZE	    0x40
#define RSP(n)	    PS_UNWIND_RULE(PS_CFA_RSP, n, PS_RBP_SAME, 0)
#define NONE	    0u
#define UNSUPPORTED PS_UNWIND_RULE(PS_CFA_UNSUPPORTED, 0, PS_RBP_SAME, 0)
#define BOTTOM	    PS_UNWIND_RULE(PS_CFA_BOTTOM, 0, PS_RBP_SAME, 0)
#define NO	    UNWIND_NO_PROBLEM

static int compile_parts(const struct image_parts *parts, struct unwind_rows *ret)
{
	size_t size;
	uint8_t *image = make_image(parts, &size);
	int err = unwind_rows__compile_memory(image, size, ret);

	free(image);
	return err;
}

static struct unwind_rows compile(const struct bytes *eh_frame)
{
	const struct image_parts parts = {.eh_frame = eh_frame};
	struct unwind_rows rows;

	assert_int_equal(compile_parts(&parts, &rows), 0);
	return rows;
}

struct expected {
	uint32_t address, rule;
};

static void check_rows(struct unwind_rows *rows, const struct expected *expected, size_t count)
{
	assert_int_equal(rows->base, CODE_START);
	for (size_t i = 0; i < rows->count || i < count; i++) {
		if (i >= count || i >= rows->count ||
		    rows->rows[i].address != expected[i].address ||
		    rows->rows[i].rule != expected[i].rule) {
			for (size_t j = 0; j < rows->count; j++)
				print_message("  %#x %#x\n", rows->rows[j].address,
					      rows->rows[j].rule);
			fail_msg("row %zu of %zu is not the expected one of %zu", i, rows->count,
				 count);
		}
	}
	unwind_rows__clear(rows);
}

static void test_function(void **state)
{
	/* push rbp; mov rsp, rbp; ...; leave; ret: and the next function right behind it. */
	static const uint8_t program[] = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x60, 0x0c, 7, 8};
	static const struct expected expected[] = {
		{0, NONE},
		{0x100, RSP(8)},
		{0x101, PS_UNWIND_RULE(PS_CFA_RSP, 16, PS_RBP_AT_CFA, -16)},
		{0x104, PS_UNWIND_RULE(PS_CFA_RBP, 16, PS_RBP_AT_CFA, -16)},
		{0x124, PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_AT_CFA, -16)},
		{0x140, RSP(8)}, /* two functions */
		{0x160, NONE},
	};
	struct bytes frames = {0};
	struct unwind_rows rows;
	size_t cie = put_cie(&frames, "zR");

	(void)state;
	put_fde(&frames, cie, START, SIZE, program, sizeof(program));
	put_fde(&frames, cie, START + SIZE, 16, "", 0);
	put_fde(&frames, cie, START + SIZE + 16, 16, "", 0);
	put_u32(&frames, 0);
	rows = compile(&frames);
	assert_int_equal(rows.described, 0x60);
	assert_int_equal(rows.undescribed, CODE_SIZE - 0x60);
	for (int i = 0; i < UNWIND_PROBLEM_COUNT; i++)
		assert_int_equal(rows.problems[i], 0);
	assert_int_equal(unwind_rows__find(&rows, START), RSP(8));
	assert_int_equal(unwind_rows__find(&rows, START - 1), NONE);
	assert_int_equal(unwind_rows__find(&rows, 0), NONE);
	assert_int_equal(unwind_rows__find(&rows, UINT64_MAX), NONE);
	check_rows(&rows, expected, sizeof(expected) / sizeof(*expected));
}

/* One instruction or a few, run at the function's start. */
struct instruction {
	const char *name;
	const char *bytes;
	size_t size;
	uint32_t rule;
	enum unwind_problem problem;
};

#define CODE(text)	   text, sizeof(text) - 1
#define AT_CFA(n)	   PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_AT_CFA, n)
#define OTHER(register, n) PS_UNWIND_RULE(PS_CFA_##register, n, PS_RBP_SAME, 0)

static const struct instruction instructions[] = {
	{"nothing", CODE(""), RSP(8), NO},
	{"nop", CODE("\0\0"), RSP(8), NO},
	{"def_cfa", CODE("\x0c\x06\x10"), PS_UNWIND_RULE(PS_CFA_RBP, 16, PS_RBP_SAME, 0), NO},
	{"def_cfa of rax", CODE("\x0c\x00\x10"), OTHER(RAX, 16), NO},
	{"def_cfa of rbx", CODE("\x0c\x03\x18"), OTHER(RBX, 24), NO},
	{"def_cfa of rsi", CODE("\x0c\x04\x08"), OTHER(RSI, 8), NO},
	{"def_cfa of r9", CODE("\x0c\x09\x08"), OTHER(R9, 8), NO},
	{"def_cfa of r10", CODE("\x0c\x0a\x00"), OTHER(R10, 0), NO},
	{"def_cfa of r11", CODE("\x0c\x0b\x08"), OTHER(R11, 8), NO},
	{"def_cfa of r13", CODE("\x0c\x0d\x08"), OTHER(R13, 8), NO},
	{"def_cfa of rdx", CODE("\x0c\x01\x10"), UNSUPPORTED, UNWIND_CFA_REGISTER},
	{"def_cfa of r14", CODE("\x0c\x0e\x10"), UNSUPPORTED, UNWIND_CFA_REGISTER},
	{"def_cfa of the return address", CODE("\x0c\x10\x10"), UNSUPPORTED, UNWIND_CFA_REGISTER},
	{"def_cfa of a register that does not exist",
	 CODE("\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10"), UNSUPPORTED,
	 UNWIND_CFA_REGISTER},
	{"def_cfa_sf", CODE("\x12\x07\x7c"), RSP(32), NO},
	{"def_cfa_register", CODE("\x0d\x06"), PS_UNWIND_RULE(PS_CFA_RBP, 8, PS_RBP_SAME, 0), NO},
	{"def_cfa_offset", CODE("\x0e\xf8\x01"), RSP(248), NO},
	{"def_cfa_offset, largest", CODE("\x0e\xf8\xff\x0f"), RSP(262136), NO},
	{"def_cfa_offset, too large", CODE("\x0e\x80\x80\x10"), UNSUPPORTED, UNWIND_CFA_OFFSET},
	{"def_cfa_offset, odd", CODE("\x0e\x0a"), UNSUPPORTED, UNWIND_CFA_OFFSET},
	{"def_cfa_offset_sf", CODE("\x13\x7e"), RSP(16), NO},
	{"def_cfa_offset_sf, negative", CODE("\x13\x02"), RSP(-16), NO},
	{"def_cfa_offset_sf, overflow", CODE("\x13\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"),
	 UNSUPPORTED, UNWIND_DAMAGED},
	{"offset", CODE("\x86\x02"), AT_CFA(-16), NO},
	{"offset of another register", CODE("\x83\x02"), RSP(8), NO},
	{"offset_extended", CODE("\x05\x06\x03"), AT_CFA(-24), NO},
	{"offset_extended, far", CODE("\x05\x06\x81\x01"),
	 PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_LOST, 0), UNWIND_RBP_RULE},
	{"offset_extended, farthest", CODE("\x05\x06\x80\x01"), AT_CFA(-1024), NO},
	{"offset_extended_sf", CODE("\x11\x06\x02"), AT_CFA(-16), NO},
	{"offset_extended_sf, above", CODE("\x11\x06\x7f"), AT_CFA(8), NO},
	{"negative_offset_extended", CODE("\x2f\x06\x02"), AT_CFA(16), NO},
	{"restore", CODE("\x86\x02\xc6"), RSP(8), NO},
	{"restore_extended", CODE("\x86\x02\x06\x06"), RSP(8), NO},
	{"restore, return address", CODE("\x07\x10\xd0"), RSP(8), NO},
	{"same_value", CODE("\x86\x02\x08\x06"), RSP(8), NO},
	{"undefined", CODE("\x07\x06"), PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_LOST, 0), NO},
	{"undefined return address", CODE("\x07\x10"), BOTTOM, NO},
	{"return address elsewhere", CODE("\x90\x02"), UNSUPPORTED, UNWIND_RETURN_ADDRESS},
	{"return address in rdi", CODE("\x09\x10\x05"), UNSUPPORTED, UNWIND_RETURN_ADDRESS},
	{"rbp in rbx", CODE("\x09\x06\x03"), PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_LOST, 0),
	 UNWIND_RBP_RULE},
	{"rsp at CFA - 24", CODE("\x87\x03"), UNSUPPORTED, UNWIND_STACK_POINTER},
	{"val_offset, rsp is the CFA", CODE("\x14\x07\x00"), RSP(8), NO},
	{"val_offset, rsp is CFA - 8", CODE("\x14\x07\x01"), UNSUPPORTED, UNWIND_STACK_POINTER},
	{"val_offset_sf, rbp", CODE("\x15\x06\x01"), PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_LOST, 0),
	 UNWIND_RBP_RULE},
	{"remember, restore", CODE("\x0a\x0e\x20\x86\x02\x0b"), RSP(8), NO},
	{"remember twice", CODE("\x0a\x0e\x20\x0a\x0e\x30\x0b"), RSP(32), NO},
	{"restore of nothing", CODE("\x0b"), UNSUPPORTED, UNWIND_DAMAGED},
	{"remember 33 times",
	 CODE("\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a"
	      "\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a"),
	 UNSUPPORTED, UNWIND_DEPTH},
	{"GNU_args_size", CODE("\x2e\x80\x01"), RSP(8), NO},
	{"PLT, 11", CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"),
	 PS_UNWIND_RULE(PS_CFA_PLT, 88, PS_RBP_SAME, 0), NO},
	{"PLT, 10", CODE("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3a\x2a\x33\x24\x22"),
	 PS_UNWIND_RULE(PS_CFA_PLT, 80, PS_RBP_SAME, 0), NO},
	{"PLT, other mask", CODE("\x0f\x0b\x77\x08\x80\x00\x3e\x1a\x3b\x2a\x33\x24\x22"),
	 UNSUPPORTED, UNWIND_CFA_EXPRESSION},
	{"*(rbp - 8)", CODE("\x0f\x03\x76\x78\x06"),
	 PS_UNWIND_RULE(PS_CFA_RBP_DEREF, -8, PS_RBP_SAME, 0), NO},
	{"*(rsp + 152) + 8", CODE("\x0f\x06\x77\x98\x01\x06\x23\x08"),
	 PS_UNWIND_RULE(PS_CFA_RSP_DEREF, 152, PS_RBP_SAME, 0) | PS_UNWIND_PLUS_8, NO},
	{"*(rsp + 152) + 8, by a literal", CODE("\x0f\x06\x77\x98\x01\x06\x38\x22"),
	 PS_UNWIND_RULE(PS_CFA_RSP_DEREF, 152, PS_RBP_SAME, 0) | PS_UNWIND_PLUS_8, NO},
	{"*(rsp + 152) + 16", CODE("\x0f\x06\x77\x98\x01\x06\x23\x10"), UNSUPPORTED,
	 UNWIND_CFA_EXPRESSION},
	{"rsp + 16 as an expression", CODE("\x0f\x02\x77\x10"), RSP(16), NO},
	{"*(rax)", CODE("\x0f\x03\x70\x00\x06"), UNSUPPORTED, UNWIND_CFA_EXPRESSION},
	{"empty expression", CODE("\x0f\x00"), UNSUPPORTED, UNWIND_CFA_EXPRESSION},
	{"def_cfa_register after an expression", CODE("\x0e\x10\x0f\x03\x76\x78\x06\x0d\x07"),
	 RSP(16), NO},
	{"rbp at *(rbp + 0)", CODE("\x10\x06\x02\x76\x00"),
	 PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_AT_RBP, 0), NO},
	{"rbp at *(rbp - 16)", CODE("\x10\x06\x02\x76\x70"),
	 PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_AT_RBP, -16), NO},
	{"rbp at *(rax)", CODE("\x10\x06\x02\x70\x00"),
	 PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_LOST, 0), UNWIND_RBP_RULE},
	{"rbx at *(rax)", CODE("\x10\x03\x02\x70\x00"), RSP(8), NO},
	{"value of rbp", CODE("\x16\x06\x02\x77\x00"),
	 PS_UNWIND_RULE(PS_CFA_RSP, 8, PS_RBP_LOST, 0), UNWIND_RBP_RULE},
	{"unknown instruction", CODE("\x3e"), UNSUPPORTED, UNWIND_DAMAGED},
};

static void test_instructions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(instructions) / sizeof(*instructions); i++) {
		const struct instruction *tried = &instructions[i];
		struct bytes frames = {0};
		struct unwind_rows rows;
		size_t cie = put_cie(&frames, "zR");

		put_fde(&frames, cie, START, SIZE, tried->bytes, tried->size);
		rows = compile(&frames);
		if (rows.count != 3 || rows.rows[1].address != 0x100 ||
		    rows.rows[1].rule != tried->rule)
			fail_msg("%s: %zu rows, rule %#x instead of %#x", tried->name, rows.count,
				 unwind_rows__find(&rows, START), tried->rule);
		for (unsigned int j = 0; j < UNWIND_PROBLEM_COUNT; j++)
			if (rows.problems[j] != (j == tried->problem))
				fail_msg("%s: %s is %" PRIu64, tried->name, unwind_problem__name(j),
					 rows.problems[j]);
		unwind_rows__clear(&rows);
	}
}

static void test_moves(void **state)
{
	/* set_loc is relative to where it stands: filled in below. */
	static const struct expected expected[] = {
		{0, NONE},	  {0x100, RSP(8)},  {0x101, RSP(16)}, {0x103, RSP(24)},
		{0x106, RSP(32)}, {0x10a, RSP(40)}, {0x120, RSP(48)}, {0x140, NONE},
	};
	struct bytes program = {0}, frames = {0};
	struct unwind_rows rows;
	uint32_t target = START + 0x20;
	size_t cie = put_cie(&frames, "zR");

	(void)state;
	put(&program, "\x41\x0e\x10\x02\x02\x0e\x18\x03\x03\x00\x0e\x20", 12);
	put(&program, "\x04\x04\x00\x00\x00\x0e\x28\x01", 8);
	/* The entry's head has 17 bytes. */
	put_u32(&program, target - (uint32_t)(FRAMES_START + frames.size + 17 + program.size));
	put(&program, "\x0e\x30", 2);
	/* Beyond the function's end: what follows does not count. */
	put(&program, "\x04\x00\x01\x00\x00\x0e\x38", 7);
	put_fde(&frames, cie, START, SIZE, program.data, program.size);
	rows = compile(&frames);
	check_rows(&rows, expected, sizeof(expected) / sizeof(*expected));
}

static void test_overlaps(void **state)
{
	static const struct expected expected[] = {
		{0, RSP(16)},	   {0x10, NONE},
		{0x100, RSP(24)}, /* up to where the next begins */
		{0x110, RSP(32)}, /* the first of two with that start */
		{0x120, NONE},	   {0xfff0, RSP(56)}, /* cut at the end of the code */
		{CODE_SIZE, NONE},
	};
	struct bytes frames = {0};
	struct unwind_rows rows;
	size_t cie = put_cie(&frames, "zR");

	(void)state;
	put_fde(&frames, cie, CODE_START + CODE_SIZE - 16, 0x100, "\x0e\x38", 2);
	put_fde(&frames, cie, START + 16, 16, "\x0e\x20", 2);
	put_fde(&frames, cie, START + 16, 32, "\x0e\x40", 2);
	put_fde(&frames, cie, START, SIZE, "\x0e\x18", 2);
	put_fde(&frames, cie, START + 24, 0, "\x0e\x28", 2);
	put_fde(&frames, cie, FRAMES_START, 16, "\x0e\x30", 2);
	put_fde(&frames, cie, CODE_START, 16, "\x0e\x10", 2);
	rows = compile(&frames);
	assert_int_equal(rows.problems[UNWIND_NO_CODE], 2);
	check_rows(&rows, expected, sizeof(expected) / sizeof(*expected));
}

/* A CIE from its version on, for a function whose range is absolute or as R says. */
struct common {
	const char *name;
	const char *bytes;
	size_t size;
	int pointer_size; /* bytes; 0: LEB128 */
	bool relative;
	bool augmented;
	uint32_t rule;
	enum unwind_problem problem;
};

#define END "\x0c\x07\x08\x90\x01"

static const struct common commons[] = {
	{"1", CODE("\x01\0\x01\x78\x10" END), 8, false, false, RSP(8), NO},
	{"3", CODE("\x03\0\x01\x78\x10" END), 8, false, false, RSP(8), NO},
	{"4", CODE("\x04\0\x08\x00\x01\x78\x10" END), 8, false, false, RSP(8), NO},
	{"4, addresses of 4 bytes", CODE("\x04\0\x04\x00\x01\x78\x10" END), 8, false, false, NONE,
	 UNWIND_ENTRY},
	{"4, segments", CODE("\x04\0\x08\x02\x01\x78\x10" END), 8, false, false, NONE,
	 UNWIND_ENTRY},
	{"5", CODE("\x05\0\x01\x78\x10" END), 8, false, false, NONE, UNWIND_ENTRY},
	{"eh",
	 CODE("\x01"
	      "eh\0\1\2\3\4\5\6\7\x08\x01\x78\x10" END),
	 8, false, false, RSP(8), NO},
	{"another column", CODE("\x01\0\x01\x78\x0f" END), 8, false, false, UNSUPPORTED,
	 UNWIND_RETURN_ADDRESS},
	{"unknown word",
	 CODE("\x01"
	      "armcc\0\x01\x78\x10" END),
	 8, false, false, NONE, UNWIND_ENTRY},
	{"unknown letter", CODE("\x01zQ\0\x01\x78\x10\0" END), 8, false, true, NONE, UNWIND_ENTRY},
	{"z", CODE("\x01z\0\x01\x78\x10\0" END), 8, false, true, RSP(8), NO},
	{"zB", CODE("\x01zB\0\x01\x78\x10\0" END), 8, false, true, RSP(8), NO},
	{"zPLR", CODE("\x01zPLR\0\x01\x78\x10\x07\x9b\1\2\3\4\x1b\x1b" END), 4, true, true, RSP(8),
	 NO},
	{"zRS, other layout", CODE("\x01zRS\0\x01\x78\x10\x01\x1b" END), 4, true, true, UNSUPPORTED,
	 UNWIND_SIGNAL_FRAME},
	{"zRS", CODE("\x01zRS\0\x01\x78\x10\x01\x1b\x0f\x04\x77\xa0\x01\x06"), 4, true, true,
	 PS_UNWIND_RULE(PS_CFA_SIGNAL, 0, PS_RBP_SAME, 0), NO},
	{"udata2", CODE("\x01zR\0\x01\x78\x10\x01\x12" END), 2, true, true, NONE, UNWIND_NO_CODE},
	{"udata4", CODE("\x01zR\0\x01\x78\x10\x01\x03" END), 4, false, true, RSP(8), NO},
	{"udata8", CODE("\x01zR\0\x01\x78\x10\x01\x04" END), 8, false, true, RSP(8), NO},
	{"sdata8, relative", CODE("\x01zR\0\x01\x78\x10\x01\x1c" END), 8, true, true, RSP(8), NO},
	{"uleb128", CODE("\x01zR\0\x01\x78\x10\x01\x01" END), 0, false, true, RSP(8), NO},
	{"sleb128", CODE("\x01zR\0\x01\x78\x10\x01\x09" END), 0, false, true, RSP(8), NO},
	{"textrel", CODE("\x01zR\0\x01\x78\x10\x01\x2b" END), 4, false, true, RSP(8), NO},
	{"datarel without a table", CODE("\x01zR\0\x01\x78\x10\x01\x3b" END), 4, false, true,
	 RSP(8), NO},
	{"funcrel", CODE("\x01zR\0\x01\x78\x10\x01\x4b" END), 4, false, true, NONE, UNWIND_ENTRY},
	{"indirect", CODE("\x01zR\0\x01\x78\x10\x01\x9b" END), 4, true, true, NONE, UNWIND_ENTRY},
	{"omitted", CODE("\x01zR\0\x01\x78\x10\x01\xff" END), 4, true, true, NONE, UNWIND_ENTRY},
	{"augmentation beyond the end", CODE("\x01zR\0\x01\x78\x10\x7f\x1b"), 4, true, true, NONE,
	 UNWIND_DAMAGED},
	{"no CFA", CODE("\x01zR\0\x01\x78\x10\x01\x1b\x90\x01"), 4, true, true, UNSUPPORTED,
	 UNWIND_CFA_MISSING},
	{"no return address", CODE("\x01zR\0\x01\x78\x10\x01\x1b\x0c\x07\x08"), 4, true, true,
	 UNSUPPORTED, UNWIND_RETURN_ADDRESS},
	{"a program that moves on", CODE("\x01zR\0\x01\x78\x10\x01\x1b\x41\x0c\x07\x08\x90\x01"), 4,
	 true, true, UNSUPPORTED, UNWIND_DAMAGED},
};

static void put_range(struct bytes *frames, const struct common *common)
{
	uint64_t address = START, size = SIZE;

	if (common->relative)
		address -= FRAMES_START + frames->size;
	if (!common->pointer_size) {
		put(frames, "\x80\x82\x04", 3); /* START */
		put(frames, "\xc0\x00", 2); /* SIZE, also as a signed one */
		return;
	}
	put(frames, &address, (size_t)common->pointer_size);
	put(frames, &size, (size_t)common->pointer_size);
}

static void test_common(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(commons) / sizeof(*commons); i++) {
		const struct common *common = &commons[i];
		struct bytes frames = {0};
		struct unwind_rows rows;
		size_t start = begin_entry(&frames);

		put_u32(&frames, 0);
		put(&frames, common->bytes, common->size);
		end_entry(&frames, start);
		start = begin_entry(&frames);
		put_u32(&frames, (uint32_t)frames.size);
		put_range(&frames, common);
		if (common->augmented)
			put_u8(&frames, 0);
		end_entry(&frames, start);
		rows = compile(&frames);
		if (unwind_rows__find(&rows, START) != common->rule)
			fail_msg("CIE %s: rule %#x instead of %#x", common->name,
				 unwind_rows__find(&rows, START), common->rule);
		for (unsigned int j = 0; j < UNWIND_PROBLEM_COUNT; j++)
			if (rows.problems[j] != (j == common->problem))
				fail_msg("CIE %s: %s is %" PRIu64, common->name,
					 unwind_problem__name(j), rows.problems[j]);
		unwind_rows__clear(&rows);
	}
}

static void put_header(struct bytes *header, uint8_t table_encoding, uint32_t last)
{
	put(header, "\x01\x1b\x03", 3);
	put_u8(header, table_encoding);
	put_u32(header, FRAMES_START - (HEADER_START + 4));
	put_u32(header, 1);
	put_u32(header, START - HEADER_START);
	put_u32(header, FRAMES_START + last - HEADER_START);
}

/* Without section headers .eh_frame is found by its segment. It ends with a zero word, or behind
 * the last entry that the table of .eh_frame_hdr names. */
static void test_no_sections(void **state)
{
	static const struct expected expected[] = {{0, NONE}, {0x100, RSP(8)}, {0x140, NONE}};

	(void)state;
	for (int with_table = 0; with_table < 2; with_table++) {
		struct bytes frames = {0}, header = {0};
		struct image_parts parts = {
			.eh_frame = &frames,
			.header = &header,
			.no_sections = true,
		};
		struct unwind_rows rows;
		size_t cie = put_cie(&frames, "zR"), last;

		last = put_fde(&frames, cie, START, SIZE, "", 0);
		if (!with_table)
			put_u32(&frames, 0);
		/* Something else that looks like an entry. */
		put_fde(&frames, cie, START + 0x100, SIZE, "", 0);
		put_header(&header, with_table ? 0x3b : 0xff, (uint32_t)last);
		assert_int_equal(compile_parts(&parts, &rows), 0);
		assert_int_equal(rows.problems[UNWIND_DAMAGED], 0);
		check_rows(&rows, expected, 3);
		header.data[0] = 2;
		assert_int_equal(compile_parts(&parts, &rows), -EBADMSG);
		parts.header = NULL;
		assert_int_equal(compile_parts(&parts, &rows), 0);
		assert_int_equal(rows.described, 0);
		check_rows(&rows, expected, 1);
	}
}

static size_t put_debug_cie(struct bytes *bytes)
{
	size_t offset = bytes->size, start = begin_entry(bytes);

	put_u32(bytes, UINT32_MAX);
	put(bytes, "\x03\0\x01\x78\x10" END, 10);
	end_entry(bytes, start);
	return offset;
}

static void put_debug_fde(struct bytes *bytes, size_t cie, uint64_t address, uint64_t size,
			  const char *program, size_t program_size)
{
	size_t start = begin_entry(bytes);

	put_u32(bytes, (uint32_t)cie);
	put_u64(bytes, address);
	put_u64(bytes, size);
	put(bytes, program, program_size);
	end_entry(bytes, start);
}

static void compress_bytes(struct bytes *bytes, uint32_t type)
{
	Elf64_Chdr header = {.ch_type = type, .ch_size = bytes->size, .ch_addralign = 8};
	struct bytes packed = {0};
	uLongf size = sizeof(packed.data) - sizeof(header);

	put(&packed, &header, sizeof(header));
	assert_int_equal(compress(packed.data + packed.size, &size, bytes->data, bytes->size),
			 Z_OK);
	packed.size += size;
	*bytes = packed;
}

static void test_debug_frame(void **state)
{
	/* The first FDE begins inside of what .eh_frame describes, at the 17th byte of the program.
	 */
	static const struct expected expected[] = {
		{0, NONE},	  {0x100, RSP(8)},  {0x140, RSP(32)},
		{0x148, RSP(40)}, {0x150, RSP(48)}, {0x160, NONE},
		{0x200, RSP(8)},  {0x240, RSP(72)}, {0x250, NONE},
	};
	struct bytes frames = {0}, debug = {0};
	struct image_parts parts = {.eh_frame = &frames, .debug_frame = &debug};
	struct unwind_rows rows;
	size_t cie = put_cie(&frames, "zR");

	(void)state;
	put_fde(&frames, cie, START, SIZE, "", 0);
	put_fde(&frames, cie, START + 0x100, SIZE, "", 0);
	cie = put_debug_cie(&debug);
	put_debug_fde(&debug, cie, START + 0x30, 0x30, "\x50\x0e\x20\x48\x0e\x28\x48\x0e\x30", 9);
	put_debug_fde(&debug, cie, START + 0x100, 0x50, "\x42\x0e\x48", 3);
	for (int packed = 0; packed < 2; packed++) {
		if (packed) {
			compress_bytes(&debug, ELFCOMPRESS_ZLIB);
			parts.debug_flags = SHF_COMPRESSED;
		}
		assert_int_equal(compile_parts(&parts, &rows), 0);
		check_rows(&rows, expected, sizeof(expected) / sizeof(*expected));
	}
	/* A way to compress that is not known, and bytes that do not unpack: .eh_frame is left. */
	debug.data[0] = 77;
	assert_int_equal(compile_parts(&parts, &rows), 0);
	assert_int_equal(rows.problems[UNWIND_ENTRY], 1);
	assert_int_equal(rows.described, 2 * SIZE);
	unwind_rows__clear(&rows);
	debug.data[0] = ELFCOMPRESS_ZLIB;
	debug.data[sizeof(Elf64_Chdr)] ^= 0xff;
	assert_int_equal(compile_parts(&parts, &rows), 0);
	assert_int_equal(rows.problems[UNWIND_DAMAGED], 1);
	unwind_rows__clear(&rows);
}

static void test_damaged(void **state)
{
	struct bytes frames = {0};
	struct image_parts parts = {.eh_frame = &frames};
	struct unwind_rows rows = {.count = 77};
	uint8_t *image;
	size_t size, cie = put_cie(&frames, "zR");

	(void)state;
	put_fde(&frames, cie, START, SIZE, "", 0);
	put_fde(&frames, cie + 8, START + 0x80, SIZE, "", 0); /* its CIE is none */
	put_u32(&frames, 1000); /* longer than what is left */
	put_u64(&frames, 0);
	rows = compile(&frames);
	assert_int_equal(rows.problems[UNWIND_DAMAGED], 2);
	assert_int_equal(rows.described, SIZE);
	unwind_rows__clear(&rows);
	/* A length of 64 bits of which half is missing. */
	frames.size = cie;
	put(&frames, "\xff\xff\xff\xff\0\0\0\0", 8);
	rows = compile(&frames);
	assert_int_equal(rows.problems[UNWIND_DAMAGED], 1);
	unwind_rows__clear(&rows);
	rows.count = 77;
	frames.size = 0;
	cie = put_cie(&frames, "zR");
	put_fde(&frames, cie, START, SIZE, "", 0);
	image = make_image(&parts, &size);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *part = malloc(cut + 1); /* so that a sanitizer sees reads behind it */

		assert_non_null(part);
		memcpy(part, image, cut);
		if (!unwind_rows__compile_memory(part, cut, &rows)) {
			assert_true(rows.count >= 1 && !rows.rows[0].address);
			unwind_rows__clear(&rows);
			rows.count = 77;
		}
		assert_int_equal(rows.count, 77);
		free(part);
	}
	assert_int_equal(unwind_rows__compile_memory("#!/bin/sh\n", 10, &rows), -ENOENT);
	((Elf64_Ehdr *)image)->e_machine = EM_AARCH64;
	assert_int_equal(unwind_rows__compile_memory(image, size, &rows), -EOPNOTSUPP);
	assert_int_equal(rows.count, 77);
	free(image);
}

static void test_mark(void **state)
{
	static const struct expected expected[] = {
		{0, NONE},
		{0xf8, NONE | PS_UNWIND_EVAL},
		{0x100, RSP(8) | PS_UNWIND_EVAL},
		{0x108, RSP(8)},
		{0x140, NONE},
	};
	struct bytes frames = {0};
	struct unwind_rows rows;
	size_t cie = put_cie(&frames, "zR");

	(void)state;
	put_fde(&frames, cie, START, SIZE, "", 0);
	rows = compile(&frames);
	assert_int_equal(unwind_rows__mark(&rows, START, START), 0);
	assert_int_equal(unwind_rows__mark(&rows, START + 8, START), 0);
	assert_int_equal(unwind_rows__mark(&rows, 0, CODE_START), 0);
	assert_int_equal(unwind_rows__mark(&rows, UINT64_MAX - 1, UINT64_MAX), 0);
	assert_int_equal(rows.count, 3);
	assert_int_equal(unwind_rows__mark(&rows, START - 8, START + 8), 0);
	assert_int_equal(unwind_rows__mark(&rows, START - 8, START + 8), 0);
	check_rows(&rows, expected, sizeof(expected) / sizeof(*expected));
	rows = compile(&frames);
	assert_int_equal(unwind_rows__mark(&rows, 0, UINT64_MAX), 0);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.rows[2].rule, NONE | PS_UNWIND_EVAL);
	unwind_rows__clear(&rows);
}

static void test_functions(void **state)
{
	struct unwind_functions *functions = NULL;
	struct unwind_function found = {0};
	struct bytes frames = {0};
	struct image_parts parts = {.eh_frame = &frames};
	int fd = memfd_create("test_unwind_rows", MFD_CLOEXEC);
	size_t size, cie = put_cie(&frames, "zR");
	uint8_t *image;

	(void)state;
	put_fde(&frames, cie, START + 0x100, 16, "", 0);
	put_fde(&frames, cie, START, SIZE, "", 0);
	image = make_image(&parts, &size);
	assert_true(fd >= 0 && write(fd, image, size) == (ssize_t)size);
	free(image);
	assert_int_equal(unwind_functions__open(fd, &functions), 0);
	assert_int_equal(unwind_functions__count(functions), 2);
	assert_int_equal(unwind_functions__at(functions, 1).start, START + 0x100);
	assert_int_equal(unwind_functions__find(functions, START - 1, &found), -ENOENT);
	assert_int_equal(unwind_functions__find(functions, 0, &found), -ENOENT);
	assert_int_equal(unwind_functions__find(functions, START + SIZE, &found), -ENOENT);
	assert_int_equal(found.size, 0);
	assert_int_equal(unwind_functions__find(functions, START + SIZE - 1, &found), 0);
	assert_int_equal(found.start, START);
	assert_int_equal(found.size, SIZE);
	assert_int_equal(unwind_functions__find(functions, START + 0x100, &found), 0);
	assert_int_equal(found.size, 16);
	unwind_functions__free(functions);
	unwind_functions__free(NULL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_function),    cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_moves),	    cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_common),	    cmocka_unit_test(test_no_sections),
		cmocka_unit_test(test_debug_frame), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_mark),	    cmocka_unit_test(test_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
