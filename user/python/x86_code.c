// SPDX-License-Identifier: GPL-2.0-or-later
#include "python/x86_code.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"

/* Tables of opcodes, one bit each: word n holds those from 32 n on. */
#define HAS(table, opcode) ((table)[(opcode) / 32] >> (opcode) % 32 & 1)

/* One byte. */
static const uint32_t has_modrm[8] = {
	0x0f0f0f0f, 0x0f0f0f0f, 0x00000000, 0x00000a08,
	0x0000fffb, 0x00000000, 0xff0f00c3, 0xc0c00000,
};
static const uint32_t has_imm8[8] = {
	0x10101010, 0x10101010, 0x00000000, 0xffff0c00,
	0x00000009, 0x00ff0100, 0x00002043, 0x000008ff,
};
/* 4 bytes, 2 after an operand size prefix. */
static const uint32_t has_imm32[8] = {
	0x20202020, 0x20202020, 0x00000000, 0x00000300,
	0x00000002, 0x00000200, 0x00000080, 0x00000000,
};
static const uint32_t is_invalid[8] = {
	0xc0c040c0, 0x80808080, 0x00000000, 0x00000003,
	0x04000004, 0x00000000, 0x00704000, 0x00000400,
};
/* 0x0f and one byte. */
static const uint32_t escaped_plain[8] = {
	0x00004be0, 0x00ff0000, 0x00000000, 0x00800000,
	0x0000ffff, 0x00000707, 0x0000ff00, 0x00000000,
};
static const uint32_t escaped_imm8[8] = {
	0x00000000, 0x00000000, 0x00000000, 0x000f0000,
	0x00000000, 0x04001010, 0x00000074, 0x00000000,
};

enum map { MAP_ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A };

struct decoder {
	struct cursor cursor;
	bool short_operands, short_addresses, wide;
	bool vector; /* VEX or EVEX: immediates are of one byte */
	enum map map;
	uint8_t opcode;
};

static void skip(struct decoder *decoder, size_t size)
{
	if (cursor__left(&decoder->cursor) < size)
		decoder->cursor.failed = true;
	else
		decoder->cursor.at += size;
}

static uint8_t take_prefixes(struct decoder *decoder)
{
	for (;;) {
		uint8_t byte = cursor__u8(&decoder->cursor);

		switch (byte) {
		case 0x66:
			decoder->short_operands = true;
			continue;
		case 0x67:
			decoder->short_addresses = true;
			continue;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
		case 0xf0:
		case 0xf2:
		case 0xf3:
			continue;
		}
		if ((byte & 0xf0) != 0x40)
			return byte;
		decoder->wide = byte & 8;
		return cursor__u8(&decoder->cursor);
	}
}

static bool take_opcode(struct decoder *decoder)
{
	struct cursor *cursor = &decoder->cursor;
	uint8_t byte = take_prefixes(decoder), map = MAP_0F;

	if (byte == 0xc5) { /* VEX of two bytes */
		decoder->vector = true;
		skip(decoder, 1);
	} else if (byte == 0xc4) { /* VEX of three */
		decoder->vector = true;
		map = cursor__u8(cursor) & 0x1f;
		skip(decoder, 1);
	} else if (byte == 0x62) { /* EVEX */
		decoder->vector = true;
		map = cursor__u8(cursor) & 7;
		skip(decoder, 2);
	} else if (byte != 0x0f) {
		decoder->map = MAP_ONE_BYTE;
		decoder->opcode = byte;
		return true;
	}
	decoder->opcode = cursor__u8(cursor);
	if (!decoder->vector && (decoder->opcode == 0x38 || decoder->opcode == 0x3a)) {
		map = decoder->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
		decoder->opcode = cursor__u8(cursor);
	}
	decoder->map = map;
	return map >= MAP_0F && map <= MAP_0F3A;
}

/* Skips the operand in memory or a register; its middle field, which some opcodes go on in. */
static uint8_t take_modrm(struct decoder *decoder)
{
	uint8_t modrm = cursor__u8(&decoder->cursor), mode = modrm >> 6, base = modrm & 7;
	bool indexed = mode != 3 && base == 4;

	if (indexed)
		base = cursor__u8(&decoder->cursor) & 7;
	if (mode == 1)
		skip(decoder, 1);
	else if (mode == 2 || (!mode && base == 5))
		skip(decoder, 4);
	return modrm >> 3 & 7;
}

static bool take_one_byte(struct decoder *decoder, bool *ret_jump)
{
	uint8_t opcode = decoder->opcode, field = 0;

	if (HAS(is_invalid, opcode))
		return false;
	if (HAS(has_modrm, opcode))
		field = take_modrm(decoder);
	if (HAS(has_imm8, opcode) || (opcode == 0xf6 && field < 2) || opcode == 0xc8)
		skip(decoder, 1);
	if (HAS(has_imm32, opcode) || (opcode == 0xf7 && field < 2))
		skip(decoder, decoder->short_operands ? 2 : 4);
	if (opcode >= 0xb8 && opcode <= 0xbf)
		skip(decoder, decoder->wide ? 8 : decoder->short_operands ? 2 : 4);
	if (opcode >= 0xa0 && opcode <= 0xa3)
		skip(decoder, decoder->short_addresses ? 4 : 8);
	if (opcode == 0xc2 || opcode == 0xca || opcode == 0xc8)
		skip(decoder, 2);
	*ret_jump = opcode == 0xe9;
	if (opcode == 0xe8)
		skip(decoder, 4);
	return true;
}

static void take_escaped(struct decoder *decoder, bool *ret_jump)
{
	uint8_t opcode = decoder->opcode;

	*ret_jump = !decoder->vector && decoder->map == MAP_0F && (opcode & 0xf0) == 0x80;
	if (decoder->map != MAP_0F) {
		take_modrm(decoder);
		skip(decoder, decoder->map == MAP_0F3A);
		return;
	}
	/* With VEX most of these mean something else: only vzeroupper has no operand. */
	if (decoder->vector ? opcode != 0x77 : !HAS(escaped_plain, opcode))
		take_modrm(decoder);
	skip(decoder, HAS(escaped_imm8, opcode));
}

int x86_instruction__decode(const uint8_t *code, size_t size, struct x86_instruction *ret)
{
	struct decoder decoder = {.cursor = cursor__of(code, size)};
	bool jump = false;
	int32_t displacement = 0;

	if (!take_opcode(&decoder))
		return -EBADMSG;
	if (decoder.map != MAP_ONE_BYTE)
		take_escaped(&decoder, &jump);
	else if (!take_one_byte(&decoder, &jump))
		return -EBADMSG;
	if (jump)
		displacement = (int32_t)cursor__u32(&decoder.cursor);
	if (decoder.cursor.failed)
		return -EBADMSG;
	ret->length = (size_t)(decoder.cursor.at - code);
	ret->jump = jump ? (int64_t)ret->length + displacement : 0;
	return 0;
}
